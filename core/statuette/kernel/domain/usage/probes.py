"""Whether what is noted is what may be noted: looked at in the rows themselves."""

from __future__ import annotations

from statuette.kernel.db.database import Database
from statuette.kernel.domain.usage import repository
from statuette.kernel.domain.usage.device import Browser, System, is_cut
from statuette.kernel.domain.usage.service import PURPOSE
from statuette.kernel.probes import Checked

_SAMPLED = 200
_CURE = "Find out what wrote it, and delete it."


class UsageProbes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def choices(self) -> Checked:
        """Nothing was noted of anybody who had said no."""
        async with self._database.read() as reader:
            refused = await repository.refused_before(reader, PURPOSE, _SAMPLED)
        if refused:
            return Checked("usage_choices", False, f"{refused} events of people who had said no", _CURE)
        return Checked("usage_choices", True, "nothing of anybody who had said no")

    async def devices(self) -> Checked:
        """No more is noted of a device than families and a network that is cut."""
        async with self._database.read() as reader:
            rows = await repository.newest_devices(reader, _SAMPLED)
        for row in rows:
            if row["browser"] not in set(Browser) or row["system"] not in set(System) or not is_cut(row["network"]):
                return Checked("usage_devices", False, "an event tells more of a device than it may", _CURE)
        return Checked("usage_devices", True, f"{len(rows)} events looked at")
