"""The canary drill: somebody who does not exist uses the site, is erased, and is then looked for everywhere.

The search shares nothing with what deletes: it reads tables that the database itself lists, files, versions of objects, keys of
Redis, lines and spans. Before the erasure it has to find what is there, or it proves nothing.
"""

from __future__ import annotations

import logging
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import msgspec
from msgspec import Struct

from statuette.errors import StatuetteError
from statuette.kernel.backup import upkeep
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.drill import mark
from statuette.kernel.drill.addresses import KEY, PICTURE, Addresses, DataKey
from statuette.kernel.drill.asking import Browser
from statuette.kernel.drill.canary import SEALED, Canary, hatch
from statuette.kernel.drill.copies import Copy
from statuette.kernel.drill.databases import database_places
from statuette.kernel.drill.needles import Kind, Needle
from statuette.kernel.drill.places import Place, Seen
from statuette.kernel.drill.report import (
    Elsewhere,
    PlaceReport,
    Report,
    Verdict,
    judged,
    rows_that_stay,
    worst,
)
from statuette.kernel.drill.road import Letters, Pause, Road, Walked
from statuette.kernel.drill.search import Search
from statuette.kernel.drill.stores import Folder, Objects
from statuette.kernel.drill.told import LogFiles, Logs, Redis, Spans
from statuette.kernel.http.application import http_app
from statuette.kernel.platform import Platform
from statuette.values import SystemClock

_WINDOW_BYTES = 48
_MARGIN = timedelta(minutes=5)
_log = logging.getLogger(__name__)


class Options(Struct, frozen=True):
    """How a drill is done.

    Attributes:
        log_files: that other processes write to.
        copy: make a copy of the database, restore it beside the site and search that, too.
        copy_url: an empty PostgreSQL database for it, where the data is on one.
        wait_seconds: how long a job, or the erasure, may take.
        mailbox: where the canary's letters go; unless given, to the brand's own sender, with a tag.
        places: further ones to search.
    """

    log_files: tuple[Path, ...] = ()
    copy: bool = True
    copy_url: str | None = None
    wait_seconds: float = 600.0
    mailbox: str | None = None
    places: tuple[Any, ...] = ()


class Drill:
    """One drill on a platform that works, or beside one.

    Args:
        platform: open, with its stores and its presence; workers and a scheduler run here or elsewhere.
        letters: where the canary's letters are seen.
        pause: lets time pass.
    """

    def __init__(
        self, platform: Platform, brand: LoadedBrand, letters: Letters, pause: Pause, options: Options
    ) -> None:
        self._platform = platform
        self._brand = brand
        self._letters = letters
        self._pause = pause
        self._options = options
        self._canary: Canary = hatch()
        self._control = token_hex(12).encode()
        self._started_at = platform.clock.now()
        # A file's time is the machine's, an object's may be the platform's: what matters is later than both.
        self._since = min(self._started_at, SystemClock().now()) - _MARGIN
        self._ids: tuple[str, ...] = ()
        self._logs, self._spans = Logs(), Spans()
        self._browser = Browser(
            http_app(platform),
            host=brand.config.hosts[0],
            address=self._canary.network_address,
            headers={
                "user-agent": f"{self._canary.words['browser']}/1.0",
                "baggage": f"drill={self._canary.words['baggage']}",
            },
        )
        self._road = Road(
            platform,
            brand,
            self._canary,
            self._browser,
            letters,
            pause,
            mailbox=options.mailbox or brand.config.mail_sender,
            wait_seconds=options.wait_seconds,
        )

    async def carry_out(self) -> Report:
        """All of it, and clean up whatever happens. What broke the road off is in the report."""
        await mark.erase_left(self._platform)
        with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="statuette-drill-") as scratch:
            stack.enter_context(self._logs.listening())
            stack.enter_context(self._spans.listening())
            try:
                report = await self._carried_out(Path(scratch))
            except StatuetteError as error:
                report = self._report([], [], broken=f"{error.detail} {error.cure or ''}".strip())
            finally:
                await self._clean_up()
        async with self._platform.database.transaction() as tx:
            await upkeep.note(tx, upkeep.Done.drill, f"{self._brand.slug}: {report.verdict.value}")
        return report

    async def _carried_out(self, scratch: Path) -> Report:
        walked = await self._road.walk(lambda account_id: mark.mark(self._platform, account_id))
        self._ids = tuple(walked.ids.values())
        await self._road.settled(self._ids)
        needles = await self._needles(walked)
        search = Search(self._canary.stem, needles)
        places = self._places(walked)
        planted = [place for place in places if await self._planted(place)]
        before = {place.name: await _seen(place, search) for place in places}
        for place in planted:
            await place.unplant()

        copy = await self._copy(scratch, walked)
        copied = {place.name: await _seen(place, search) for place in (copy.places if isinstance(copy, Copy) else ())}

        receipt = await self._road.end(walked)
        await mark.unmark(self._platform, walked.account_id)
        await self._road.settled(self._ids)

        after = {place.name: await _seen(place, search) for place in places}
        stay = rows_that_stay(places[0], after[places[0].name])
        judgements = [
            judged(
                place,
                before[place.name],
                after[place.name],
                expected=self._expected(place, place in planted),
                in_rows=stay,
            )
            for place in places
        ]
        judgements += await self._restored(copy, copied, search)
        return self._report(judgements, _elsewhere(receipt))

    async def _needles(self, walked: Walked) -> list[Needle]:
        """Everything of the canary that can be looked for, now that its pictures are there to take a part of."""
        words = self._canary.words
        found = [Needle(use, Kind.words, word.encode(), sealed=use in SEALED) for use, word in words.items()]
        found.append(Needle("network address", Kind.words, self._canary.network_address.encode()))
        found.append(Needle("photo as sent", Kind.bytes, _window(walked.sent_photo)))
        found += [Needle(f"{what} id", Kind.id, value.encode()) for what, value in walked.ids.items()]
        cipher = self._platform.cipher
        index = cipher.blind_index(self._brand.id, walked.email)
        for what, value in (
            ("hash of the address", index),
            ("tombstone of the address", cipher.keyed_hash("tombstone", self._brand.id, index)),
            ("pseudonym", cipher.keyed_hash("pseudonym", walked.account_id)[:40]),
        ):
            found.append(Needle(what, Kind.hash, value.encode()))
        found.append(Needle("control", Kind.control, self._control))
        storage = self._platform.plugins.storage
        for prefix in walked.prefixes:
            what = {"uploads": "photo", "support": "attachment"}.get(prefix.partition("/")[0], "picture")
            async for stored in storage.list(prefix):
                name = f"{what} as stored ({stored.key.rpartition('/')[2]})"
                found.append(Needle(name, Kind.bytes, _window(await storage.read(stored.key))))
        return found

    async def _planted(self, place: Place) -> bool:
        """Whether the control was put there. One that could not be is missed there, so that the place counts as blind."""
        try:
            return await place.plant(self._control)
        except Exception as error:
            _log.warning("drill_not_planted", extra={"facts": {"place": place.name, "error": type(error).__name__}})
            return True

    def _places(self, walked: Walked) -> list[Place]:
        """Where it is looked. The rows of the database come first."""
        settings, plugins = self._platform.settings, self._platform.plugins
        roots = {
            template.partition("/")[0] + "/"
            for dataset in self._platform.datasets.values()
            for template in dataset.object_prefixes
        }
        places = database_places(settings.database_url)
        without: list[Path] = []
        if settings.database_url.startswith("sqlite:///"):
            database = Path(settings.database_url.removeprefix("sqlite:///"))
            without = [database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
        places.append(Objects(plugins.storage, roots | {"journal/"}, self._touched))
        if settings.data_dir.is_dir():
            places.append(Folder(settings.data_dir, self._touched, without=without))
        if settings.redis_url is not None:
            places.append(Redis(settings.redis_url, settings.redis_namespace))
        places += [self._logs, self._spans]
        if self._options.log_files:
            places.append(LogFiles(self._options.log_files))
        places += [
            Addresses(self._browser, walked.pictures),
            DataKey(plugins.key_store, walked.account_id),
            *self._options.places,
        ]
        return places

    def _expected(self, place: Place, planted: bool) -> frozenset[str]:
        """What has to be found in a place while the account lives."""
        if planted:
            return frozenset({"control"})
        match place.name:
            case "database" | "restored copy: database":
                return frozenset({"typed words", "account id"})
            case "database files" | "restored copy: database files":
                return frozenset({"typed words"})
            case "object store" | "restored copy: folder":
                return frozenset({"upload id", "photo as stored (photo.jpg)", "attached"})
            case Addresses.name:
                return frozenset({PICTURE})
            case DataKey.name:
                return frozenset({KEY})
        return frozenset()

    async def _copy(self, scratch: Path, walked: Walked) -> Copy | str:
        """The copy, or why there is none."""
        if not self._options.copy:
            return "it was asked not to be made"
        settings = self._platform.settings
        if not settings.database_url.startswith("sqlite:///") and self._options.copy_url is None:
            return "it needs an empty PostgreSQL database: name one with --copy-to"
        copy = Copy(self._platform, scratch, self._touched, target_url=self._options.copy_url)
        try:
            await copy.make(walked.prefixes)
        except StatuetteError as error:
            return error.detail
        return copy

    async def _restored(self, copy: Copy | str, before: dict[str, Seen | str], search: Search) -> list[PlaceReport]:
        if isinstance(copy, str):
            return [PlaceReport("restored copy", "rows", Verdict.not_searched, reason=copy)]
        try:
            await copy.replay(self._started_at)
        except StatuetteError as error:
            return [PlaceReport("restored copy", "rows", Verdict.not_searched, reason=error.detail)]
        after = {place.name: await _seen(place, search) for place in copy.places}
        stay = rows_that_stay(copy.places[0], after[copy.places[0].name])
        return [
            judged(place, before[place.name], after[place.name], expected=self._expected(place, False), in_rows=stay)
            for place in copy.places
        ]

    def _touched(self, name: str, at: datetime) -> bool:
        return at.astimezone(UTC) >= self._since or any(each in name for each in self._ids)

    def _report(self, places: list[PlaceReport], elsewhere: list[Elsewhere], broken: str | None = None) -> Report:
        verdict = Verdict.blind if broken is not None else worst([each.verdict for each in places])
        return Report(
            brand=self._brand.slug,
            mode=self._brand.config.mode,
            profile=self._platform.settings.profile,
            policy_digest=self._brand.policy.digest,
            started_at=self._started_at,
            ended_at=self._platform.clock.now(),
            verdict=verdict,
            steps=self._road.steps,
            places=places,
            elsewhere=elsewhere,
            not_shown=self._not_shown(),
            broken=broken,
        )

    def _not_shown(self) -> list[str]:
        """What an officer must not read into a clean report."""
        told = [
            "That deadlines come by themselves: the photo and the account were deleted on request, at once. `statuette policy"
            " plan` and `statuette evidence report` tell of the others.",
            "What letters carried to the canary's mailbox, and what the mail service keeps of them.",
            "What providers keep: that goes by their own declarations.",
            "Requests were answered by the drill's own process. What other processes log is searched as far as it was named with"
            " --log, and nothing shows that a word would be found there.",
            "Copies that look alike and share no bytes with what was sent or stored, or that are encrypted with a key of somebody"
            " else's.",
            "Objects and files that have not changed since the drill began are looked at by their names alone.",
        ]
        if not self._platform.settings.database_url.startswith("sqlite:///"):
            told.append(
                "PostgreSQL keeps deleted rows in its files until a vacuum, and in its log and standbys by their settings."
            )
        if self._platform.plugins.storage.history() is None and self._platform.plugins.storage.capabilities.versioned:
            told.append("The store keeps earlier versions and does not tell of them.")
        return told

    async def _clean_up(self) -> None:
        """The account goes, however far the road was walked."""
        if self._road.account_id is None:
            return
        async with self._platform.database.read() as reader:
            marked = await reader.value(
                "SELECT 1 AS marked FROM upkeep WHERE id = :id", id=f"drill:{self._road.account_id}"
            )
        if marked:
            await mark.erase(self._platform, self._road.account_id)


async def _seen(place: Place, search: Search) -> Seen | str:
    """What is there, or why that cannot be said: a place that cannot be read is told of, and is no end of the drill."""
    try:
        return await place.searched(search)
    except Exception as error:
        _log.warning("drill_place_unreadable", extra={"facts": {"place": place.name, "error": type(error).__name__}})
        detail = error.detail if isinstance(error, StatuetteError) else type(error).__name__
        return f"it could not be read: {detail}"


def _window(data: bytes) -> bytes:
    """A part out of the middle: of a compressed picture no other has the same."""
    middle = len(data) // 2
    return data[middle : middle + _WINDOW_BYTES]


def _elsewhere(receipt: dict[str, Any]) -> list[Elsewhere]:
    return [
        Elsewhere(
            each["processor"],
            list(each["categories"]),
            msgspec.convert(each["until"], datetime) if each.get("until") else None,
        )
        for each in receipt["receipt"].get("residuals", ())
    ]
