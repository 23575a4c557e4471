"""Whether what operators may see is bounded: looked at in the routes there are, and in the keys that were made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from statuette.kernel.access.masking import masked_address
from statuette.kernel.access.roles import SCOPES, Role
from statuette.kernel.db.database import Database
from statuette.kernel.probes import Checked
from statuette.policy.enforcers import enforces

_NAME = "operators_access"
_KEYS_AT_MOST = 1000
_REVEALING = (":reveal", ":decide")
_SOMEBODY = ("ada.lovelace", "analytical")


class OperatorRoute(msgspec.Struct, frozen=True):
    """A route of the admin API, and what it was registered with."""

    name: str
    opt: Mapping[str, Any]


class AccessProbe:
    def __init__(self, database: Database, routes: Iterable[OperatorRoute]) -> None:
        self._database = database
        self._routes = tuple(routes)

    @enforces("safeguard.access")
    async def look(self) -> Checked:
        """Every route of operators wants a scope, one that uncovers a scope of its own; no key has one that nobody knows."""
        for route in self._routes:
            scope = route.opt.get("scope")
            if scope not in SCOPES:
                return Checked(_NAME, False, f"{route.name} wants no scope", "Give it one of `statuette access roles`.")
            if route.opt.get("reveals") and not scope.endswith(_REVEALING):
                return Checked(_NAME, False, f"{route.name} uncovers for {scope}", "Give it a scope of its own.")
        outline = masked_address("@".join((_SOMEBODY[0], f"{_SOMEBODY[1]}.org")))
        if any(word in outline for word in _SOMEBODY):
            return Checked(_NAME, False, "an address is not covered", "See `statuette.kernel.access.masking`.")
        async with self._database.read() as reader:
            keys = await reader.rows(
                "SELECT id, role, scopes FROM api_key WHERE kind = 'secret' AND revoked_at IS NULL"
                " ORDER BY id DESC LIMIT :limit",
                limit=_KEYS_AT_MOST,
            )
        for key in keys:
            if not set(key["scopes"].split()) <= SCOPES.keys() or key["role"] not in (None, *Role):
                return Checked(
                    _NAME, False, f"{key['id']} has a role or a scope that is none", "Revoke it, and make another."
                )
        return Checked(_NAME, True, f"{len(self._routes)} routes and {len(keys)} keys looked at")
