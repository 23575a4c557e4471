"""Whether a deployment is set up so that it can keep its promises, also on the day its machine is lost."""

from __future__ import annotations

from datetime import timedelta

from statuette.errors import StatuetteError
from statuette.kernel.backup import upkeep
from statuette.kernel.db.schema import check_schema
from statuette.kernel.enforcement.heartbeat import SILENT_AFTER, last_beat
from statuette.kernel.evidence.anchoring import FINDING as ANCHOR_FAILED
from statuette.kernel.platform import Platform
from statuette.kernel.probes import Checked
from statuette.ports.keys import KeyStore
from statuette.ports.storage import Storage

_A_BACKUP_EVERY = timedelta(days=2)
_A_RESTORE_IS_TRIED_EVERY = timedelta(days=90)
_RECIPE = "See docs/how-to/back-up-and-restore.md."


async def examine(platform: Platform) -> list[Checked]:
    """Every check and every probe. The platform's database is open, nothing of it runs, and another process may serve."""
    plugins = platform.plugins
    schema = await _schema(platform)
    found = [schema, _plugins(platform)]
    found += [
        await _store("object_store_answers", plugins.storage),
        await _store("key_store_answers", plugins.key_store),
    ]
    found += _off_host(platform)
    if not schema.ok:
        return found  # nothing that is asked of the database would mean anything
    found += [
        await _anchor(platform),
        await _ticking(platform),
        await _backup(platform),
        await _restore_tried(platform),
    ]
    found += [await platform.probes.one(name) for name in platform.probes.all]
    return found


async def _schema(platform: Platform) -> Checked:
    try:
        await check_schema(platform.database.engine)
    except StatuetteError as error:
        return Checked("schema", False, error.detail, error.cure or "Run `statuette migrate`.")
    return Checked("schema", True, "this version's")


def _plugins(platform: Platform) -> Checked:
    kept_out = [entry.name for entry in platform.plugins.quarantined]
    if kept_out:
        return Checked("plugins", False, f"kept out: {', '.join(kept_out)}", "`statuette plugins` says why.")
    return Checked("plugins", True, "none is kept out")


async def _store(name: str, store: Storage | KeyStore) -> Checked:
    try:
        await store.check()
    except StatuetteError as error:
        return Checked(name, False, error.detail, error.cure or "See whether it is reachable.")
    return Checked(name, True, store.name)


def _off_host(platform: Platform) -> list[Checked]:
    """What must outlive the machine lies elsewhere."""
    journal, keys = platform.journal.storage, platform.plugins.key_store
    return [
        _place(
            "journal_off_host",
            journal.name,
            journal.capabilities.off_host,
            "Set `journal_storage` to a store on another machine.",
        ),
        _place(
            "keys_off_host",
            keys.name,
            keys.off_host,
            "Set `key_store` to one on another machine, or attest `off_host` for a mounted folder.",
        ),
    ]


def _place(name: str, store: str, off_host: bool, cure: str) -> Checked:
    return Checked(
        name, off_host, f"{store}, {'another machine' if off_host else 'this machine'}", "" if off_host else cure
    )


async def _anchor(platform: Platform) -> Checked:
    """Somebody keeps the heads of the evidence log elsewhere. Whoever sets a file attests that it is another machine's."""
    name, anchors = "evidence_anchor_off_host", sorted(platform.plugins.anchors)
    async with platform.database.read() as reader:
        failing = await reader.rows(
            "SELECT subject FROM finding WHERE code = :code AND resolved_at IS NULL LIMIT 10", code=ANCHOR_FAILED
        )
    if not anchors:
        return Checked(
            name, False, "nobody keeps the evidence log's heads", "Set `anchor_file` of the plugin `local`, elsewhere."
        )
    if failing:
        return Checked(name, False, "an anchor takes no heads", "See the finding `anchor_failed`, and resolve it.")
    return Checked(name, True, ", ".join(anchors))


async def _ticking(platform: Platform) -> Checked:
    async with platform.database.read() as reader:
        ticks = await reader.value(
            "SELECT 1 AS ticks FROM lease WHERE name = 'scheduler' AND until > :now", now=reader.now
        )
        last, now = await last_beat(reader), reader.now
    if not ticks:
        return Checked(
            "scheduler", False, "nobody keeps deadlines", "Start `statuette serve`, or `statuette scheduler`."
        )
    if last is not None and now - last >= SILENT_AFTER:
        return Checked("scheduler", False, "ticks, and looks for no deadlines", "Its log says why; then start it anew.")
    return Checked("scheduler", True, "ticks")


async def _backup(platform: Platform) -> Checked:
    if platform.settings.profile != "embedded":
        return Checked("backup", True, "by means of PostgreSQL: not seen from here")
    async with platform.database.read() as reader:
        at, keys_at = [await upkeep.last(reader, done) for done in (upkeep.Done.backup, upkeep.Done.key_backup)]
        late = [
            name
            for name, last in (("database", at), ("keys", keys_at))
            if last is None or reader.now - last > _A_BACKUP_EVERY
        ]
    if late:
        return Checked(
            "backup", False, f"none within two days: {', '.join(late)}", f"Run `statuette backup` daily. {_RECIPE}"
        )
    return Checked("backup", True, f"{at:%Y-%m-%d %H:%M} UTC")


async def _restore_tried(platform: Platform) -> Checked:
    async with platform.database.read() as reader:
        at = await upkeep.last(reader, upkeep.Done.restore_tried)
        recent = at is not None and reader.now - at <= _A_RESTORE_IS_TRIED_EVERY
    if recent:
        return Checked("restore_tried", True, f"{at:%Y-%m-%d}")
    how = (
        "`statuette restore FOLDER --try`"
        if platform.settings.profile == "embedded"
        else "Restore into an empty database, then `statuette doctor --restore-tried`"
    )
    return Checked("restore_tried", False, "not within 90 days", f"{how}. {_RECIPE}")
