"""How much of a person an operator sees who has not uncovered anything. Pure."""

from __future__ import annotations


def masked_address(address: str) -> str:
    """`alice@example.org` as `a***@e***.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain[:1]}***.{domain.rpartition('.')[2]}"
