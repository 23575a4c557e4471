"""Whose address a request comes from, when proxies may stand in between."""

from __future__ import annotations

from typing import Any

import pytest

from statuette.kernel.http.client_address import client_address

PROXIES = ("10.0.0.0/8",)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # no proxy of ours: anybody can write that
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66", "198.51.100.1"], "198.51.100.1"),  # the proxy added a line to the caller's
        ("10.0.0.1", ["192.0.2.66", "198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.7"], "10.0.0.1"),
    ],
)
def test_the_address_is_the_last_that_no_trusted_proxy_wrote(peer: str, forwarded: list[str], address: str) -> None:
    scope: Any = {
        "client": (peer, 4711),
        "headers": [(b"host", b"x"), *((b"x-forwarded-for", line.encode()) for line in forwarded)],
    }

    assert client_address(scope, PROXIES) == address
