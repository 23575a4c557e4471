"""Liveness and readiness."""

from __future__ import annotations

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency as Injected

from statuette.errors import StatuetteError
from statuette.kernel.db.schema import check_schema
from statuette.kernel.platform import Platform


class Health(msgspec.Struct, frozen=True):
    status: str


class Readiness(msgspec.Struct, frozen=True):
    """`checks`: name → `ok` or a stable code."""

    status: str
    checks: dict[str, str]


@get("/healthz", opt={"public": True, "brandless": True}, summary="Is the process alive?", tags=["Operations"])
async def healthz() -> Health:
    return Health("ok")


@get("/readyz", opt={"public": True, "brandless": True}, summary="May it get traffic?", tags=["Operations"])
async def readyz(platform: Injected[Platform]) -> Response[Readiness]:
    checks = {"database": "ok", "process": "draining" if platform.lifecycle.draining else "ok"}
    try:
        await check_schema(platform.database.engine)
    except StatuetteError as error:
        checks["database"] = error.code
    except Exception:
        checks["database"] = "database_unavailable"
    ready = all(value == "ok" for value in checks.values())
    return Response(
        Readiness("ok" if ready else "unready", checks),
        status_code=200 if ready else 503,
        headers={"cache-control": "no-store"},
    )
