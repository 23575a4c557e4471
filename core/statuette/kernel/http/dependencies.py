"""What handlers may ask for by name: `platform`, `brand`, `principal`, `account_id`, `once`."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.di import NamedDependency, Provide

from statuette.errors import Unauthenticated
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.http.principal import Principal
from statuette.kernel.idempotency.once import Once
from statuette.kernel.platform import Platform

AnyRequest = Request[Any, Any, Any]


def provide_platform(request: AnyRequest) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


# Each asks for the one before it, although it needs only the request: dependencies that do not depend on each other are
# resolved in a task group, which cost an eighth of a read.


def provide_brand(request: AnyRequest, platform: NamedDependency[Platform]) -> LoadedBrand:
    brand: LoadedBrand = request.scope["state"]["brand"]
    return brand


def provide_principal(request: AnyRequest, brand: NamedDependency[LoadedBrand]) -> Principal:
    principal: Principal = request.scope["state"]["principal"]
    return principal


def provide_account_id(principal: NamedDependency[Principal]) -> str:
    if principal.account_id is None:
        raise Unauthenticated()
    return principal.account_id


async def provide_once(
    request: AnyRequest,
    brand: NamedDependency[LoadedBrand],
    principal: NamedDependency[Principal],
) -> Once | None:
    """The request's idempotency key, if it has one, bound to its caller, route and body."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    return Once(
        brand_id=brand.id,
        principal=principal.account_id or principal.id,
        route=f"{request.method} {request.url.path}",
        key=key,
        body=await request.body(),
    )


DEPENDENCIES = {
    "platform": Provide(provide_platform, sync_to_thread=False),
    "brand": Provide(provide_brand, sync_to_thread=False),
    "principal": Provide(provide_principal, sync_to_thread=False),
    "account_id": Provide(provide_account_id, sync_to_thread=False),
    "once": Provide(provide_once),
}
