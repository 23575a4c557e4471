"""What must hold all the time is tried out at the start and once a day; what does not hold is a finding."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import msgspec

from statuette.errors import StatuetteError
from statuette.kernel import telemetry
from statuette.kernel.db.columns import Ciphertext
from statuette.kernel.db.database import Database
from statuette.kernel.db.encryption import looks_sealed
from statuette.kernel.db.schema import tables
from statuette.kernel.journal.replay import Replay
from statuette.kernel.settings import Settings, is_loopback
from statuette.kernel.work import findings
from statuette.kernel.work.payload import names_a_record
from statuette.policy.enforcers import enforces
from statuette.ports.storage import Storage

FINDING = "safeguard_failed"
_SAMPLED = 20
_QUEUED = 200
_WORDS = "words-of-nobody"
_SECONDS = 10.0


class Checked(msgspec.Struct, frozen=True):
    """What a probe or a check saw.

    Attributes:
        name: of the probe, as a rule names it.
        detail: what was seen; holds no data of anybody.
        cure: what to do, if it is not well.
    """

    name: str
    ok: bool
    detail: str
    cure: str = ""


class Probes:
    """Every probe, by name.

    Args:
        more: further ones, of the domains.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        storage: Storage,
        replay: Replay,
        more: Mapping[str, Callable[[], Awaitable[Checked]]] | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._storage = storage
        self._replay = replay
        self._more = dict(more or {})

    @property
    def all(self) -> dict[str, Callable[[], Awaitable[Checked]]]:
        return {
            "tls": self.tls,
            "personal_columns": self.personal_columns,
            "object_store": self.object_store,
            "erasure_journal": self.erasure_journal,
            **self._more,
            "queues": self.queues,
            "log_lines": self.log_lines,
        }

    async def run(self) -> int:
        """Run them all; returns how many fail. A duty."""
        return sum(not each.ok for each in await self.looked())

    async def looked(self) -> list[Checked]:
        """Run them all; what fails is a finding, until its probe passes again."""
        checked = [await self.one(name) for name in self.all]
        async with self._database.transaction() as tx:
            for each in checked:
                if each.ok:
                    await findings.settle(tx, code=FINDING, subject=each.name)
                else:
                    await findings.raise_finding(tx, code=FINDING, subject=each.name, detail=each.detail, brand_id=None)
        return checked

    async def one(self, name: str) -> Checked:
        """Run a probe. One that cannot look has not passed."""
        try:
            return await asyncio.wait_for(self.all[name](), _SECONDS)
        except StatuetteError as error:
            return Checked(name, False, error.detail, error.cure or "")
        except TimeoutError:
            return Checked(name, False, "no answer in time", "See whether the servers that it asks are well.")

    @enforces("safeguard.tls")
    async def tls(self) -> Checked:
        """People reach the platform over TLS, or from this very machine."""
        address = urlsplit(self._settings.public_url)
        if address.scheme != "https":
            local = is_loopback(address.hostname)
            cure = "" if local else "Put TLS in front, and set `public_url` to its https address."
            return Checked("tls", local, "plain http, on this machine only" if local else "plain http", cure)
        context = ssl.create_default_context()
        try:
            async with asyncio.timeout(_SECONDS / 2):
                _, writer = await asyncio.open_connection(address.hostname, address.port or 443, ssl=context)
        except ssl.SSLError as error:
            return Checked(
                "tls", False, f"TLS fails: {error.reason or 'handshake'}", "Renew or correct the certificate."
            )
        except (OSError, TimeoutError):
            return Checked("tls", True, "https, not reachable from here")
        writer.close()
        return Checked("tls", True, "https, with a valid certificate")

    @enforces("safeguard.encryption")
    async def personal_columns(self) -> Checked:
        """What is to be ciphertext is: the latest values of each such column."""
        looked_at = 0
        for table in tables():
            for column in table._meta.columns:
                if not isinstance(column, Ciphertext):
                    continue
                name, place = column._meta.name, table._meta.tablename
                async with self._database.read() as reader:
                    rows = await reader.rows(f"SELECT {name} AS value FROM {place} ORDER BY id DESC LIMIT {_SAMPLED}")
                values = [bytes(row["value"]) for row in rows if row["value"] is not None]
                looked_at += len(values)
                if not all(looks_sealed(value) for value in values):
                    return Checked(
                        "personal_columns",
                        False,
                        f"{place}.{name} holds what is not encrypted",
                        "Find out what wrote it.",
                    )
        return Checked("personal_columns", True, f"{looked_at} values looked at")

    @enforces("object.encrypted")
    async def object_store(self) -> Checked:
        """The store encrypts. A folder of the embedded profile need not, as long as no brand is live."""
        if self._storage.capabilities.encrypted_at_rest:
            return Checked("object_store", True, "encrypted at rest")
        async with self._database.read() as reader:
            live = await reader.value("SELECT 1 AS live FROM brand WHERE mode = 'live' LIMIT 1")
        if self._settings.profile == "embedded" and not live:
            return Checked("object_store", True, "a folder of this machine, and no brand is live")
        return Checked(
            "object_store",
            False,
            f"{self._storage.name} does not encrypt",
            "Set `encryption`, or attest `encrypted_volume` if its disks are encrypted.",
        )

    async def erasure_journal(self) -> Checked:
        """The journal can be read, and the database knows all of it."""
        missing = len(await self._replay.missing())
        if missing:
            return Checked(
                "erasure_journal", False, f"{missing} segments are unknown to the database", "Restart the site."
            )
        return Checked("erasure_journal", True, "read; the database knows all of it")

    @enforces("queue.payload")
    async def queues(self) -> Checked:
        """What waits for work is ids: the latest of it."""
        async with self._database.read() as reader:
            rows = await reader.rows(f"SELECT subject_id FROM work_item ORDER BY id DESC LIMIT {_QUEUED}")
        if not all(names_a_record(row["subject_id"]) for row in rows):
            return Checked("queues", False, "work is named by something else than an id", "Find out what wrote it.")
        return Checked("queues", True, f"{len(rows)} items looked at")

    @enforces("logs.content")
    async def log_lines(self) -> Checked:
        """A line of somebody else's that was filled with words, and an error that repeats them, come out without."""
        try:
            raise ValueError(_WORDS)
        except ValueError as error:
            trouble = (type(error), error, error.__traceback__)
        record = logging.LogRecord("vendor", logging.WARNING, __file__, 1, "met %s", (_WORDS,), trouble)
        record.facts = {"about": f"{_WORDS}@example.org"}
        if _WORDS in telemetry.JsonLines().format(record):
            return Checked("log_lines", False, "words get into the log", "See `statuette.kernel.telemetry.logs`.")
        return Checked("log_lines", True, "words do not get into the log")
