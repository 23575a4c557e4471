"""The address a request comes from, believing proxies only where the settings say so."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from litestar.types import Scope

from statuette.kernel.http.headers import joined


@lru_cache(maxsize=8)
def _networks(proxies: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(proxy, strict=False) for proxy in proxies)


def client_address(scope: Scope, trusted_proxies: tuple[str, ...]) -> str:
    """The rightmost address of `X-Forwarded-For` that no trusted proxy wrote; the peer's where there is no proxy."""
    client = scope.get("client")
    peer = client[0] if client else ""
    if not trusted_proxies or not _trusted(peer, trusted_proxies):
        return peer
    # All lines of it: a proxy may add one of its own instead of going on with the caller's.
    for hop in reversed([part.strip() for part in joined(scope, b"x-forwarded-for").split(",") if part.strip()]):
        if not _trusted(hop, trusted_proxies):
            return hop
    return peer


def _trusted(address: str, proxies: tuple[str, ...]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _networks(proxies))
