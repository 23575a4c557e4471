"""Piccolo's view of the kernel: every table, and the engine its machinery works on.

Piccolo finds engine and tables through a module named `piccolo_conf`; we put one in place for as long as a migration runs,
so that nothing global decides which database a test or a command works on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from piccolo.conf.apps import AppConfig, AppRegistry
from piccolo.table import Table

from statuette.kernel.db.engines import TunedEngine

APP = "statuette"
MIGRATIONS = Path(__file__).parent / "migrations"


def tables() -> list[type[Table]]:
    """Every table of the kernel, in order of name."""
    from statuette.kernel.access import tables as access
    from statuette.kernel.domain.accounts import tables as accounts
    from statuette.kernel.domain.brands import tables as brands
    from statuette.kernel.domain.consent import tables as consent
    from statuette.kernel.domain.credits import tables as credits
    from statuette.kernel.domain.figurines import tables as figurines
    from statuette.kernel.domain.generations import tables as generations
    from statuette.kernel.domain.news import tables as news
    from statuette.kernel.domain.notices import tables as notices
    from statuette.kernel.domain.rights import tables as rights
    from statuette.kernel.domain.support import tables as support
    from statuette.kernel.domain.takedowns import tables as takedowns
    from statuette.kernel.domain.uploads import tables as uploads
    from statuette.kernel.domain.usage import tables as usage
    from statuette.kernel.enforcement import tables as enforcement
    from statuette.kernel.events import tables as events
    from statuette.kernel.evidence import tables as evidence
    from statuette.kernel.idempotency import tables as idempotency
    from statuette.kernel.journal import tables as journal
    from statuette.kernel.work import tables as work

    found = {
        value
        for module in (
            access,
            accounts,
            brands,
            consent,
            credits,
            figurines,
            generations,
            news,
            notices,
            support,
            takedowns,
            rights,
            uploads,
            usage,
            enforcement,
            events,
            evidence,
            idempotency,
            journal,
            work,
        )
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Table) and value is not Table
    }
    return sorted(found, key=lambda table: table._meta.tablename)


@contextmanager
def piccolo_works_on(engine: TunedEngine, folder: Path = MIGRATIONS) -> Iterator[None]:
    """Make `engine` the one that Piccolo's own machinery uses, within the block."""
    conf = ModuleType("piccolo_conf")
    app = AppConfig(app_name=APP, migrations_folder_path=str(folder), table_classes=tables())
    module = ModuleType("statuette_piccolo_app")
    vars(module)["APP_CONFIG"] = app
    sys.modules["statuette_piccolo_app"] = module
    vars(conf).update(DB=engine, APP_REGISTRY=AppRegistry(apps=["statuette_piccolo_app"]))
    os.environ.setdefault("PICCOLO_CONF", "piccolo_conf")
    before = sys.modules.get("piccolo_conf")
    sys.modules["piccolo_conf"] = conf
    path = list(sys.path)
    _forget_engine()
    try:
        yield
    finally:
        sys.path[:] = path
        if before is None:
            del sys.modules["piccolo_conf"]
        else:
            sys.modules["piccolo_conf"] = before
        _forget_engine()


def _forget_engine() -> None:
    from piccolo.apps.migrations.tables import Migration

    known: list[type[Table]] = [Migration, *tables()]
    for table in known:
        table._meta._db = None
