"""What an operator's key may do: scopes, and the roles that bundle them.

A scope opens routes; a role is a name for the scopes that one kind of work needs. What a key may do is the scopes of its role
and those that it was given beside it, looked up in this table whenever the key is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

SCOPES: dict[str, str] = {
    "accounts:read": "see an account, without name and with the outline of its address",
    "accounts:reveal": "see the name and the address of an account, with a reason",
    "brand:read": "see the brand",
    "credits:write": "grant credits",
    "findings:read": "see what needs a look",
    "findings:write": "say that it was dealt with",
    "generations:read": "see the calls that were made for a job",
    "holds:read": "see legal holds",
    "holds:write": "place and lift legal holds",
    "news:write": "send news to those who want them",
    "policy:approve": "approve an enforcement plan",
    "policy:plan": "draft and see enforcement plans",
    "policy:publish": "publish the privacy policy, and read the papers about it",
    "reports:read": "read the daily audit reports, which are about the whole deployment",
    "requests:read": "see privacy requests, without what people wrote",
    "requests:reveal": "read what somebody wrote with a privacy request, with a reason",
    "requests:write": "answer privacy requests",
    "reveals:read": "see who uncovered what of whom, when and why",
    "support:read": "see questions that people ask, without what was said",
    "support:reveal": "read what was said in a question, and get what is attached, with a reason",
    "support:write": "answer questions, close them and open them again",
    "takedowns:decide": "see a picture that somebody wants taken down, and decide",
    "takedowns:read": "see requests to take pictures down, without what people wrote",
    "takedowns:reveal": "read what was written about a picture, and by whom, with a reason",
    "usage:read": "see how the site is used, in numbers",
}
"""Every scope, and what it lets a key do."""


class Role(StrEnum):
    """Kinds of work. Closed: a role that is not here is none."""

    owner = "owner"
    manager = "manager"
    support = "support"
    moderator = "moderator"
    privacy_officer = "privacy_officer"
    finance = "finance"
    auditor = "auditor"


ROLES: dict[Role, frozenset[str]] = {
    Role.owner: frozenset(SCOPES),
    Role.manager: frozenset(
        {
            "accounts:read",
            "brand:read",
            "findings:read",
            "findings:write",
            "generations:read",
            "news:write",
            "policy:plan",
            "support:read",
            "takedowns:read",
            "usage:read",
        }
    ),
    Role.support: frozenset(
        {
            "accounts:read",
            "accounts:reveal",
            "findings:read",
            "generations:read",
            "requests:read",
            "support:read",
            "support:reveal",
            "support:write",
            "takedowns:read",
        }
    ),
    Role.moderator: frozenset({"takedowns:decide", "takedowns:read", "takedowns:reveal"}),
    Role.privacy_officer: frozenset(
        {
            "accounts:read",
            "accounts:reveal",
            "findings:read",
            "findings:write",
            "generations:read",
            "holds:read",
            "holds:write",
            "policy:approve",
            "policy:plan",
            "policy:publish",
            "reports:read",
            "requests:read",
            "requests:reveal",
            "requests:write",
            "reveals:read",
            "support:read",
            "support:reveal",
            "support:write",
            "takedowns:decide",
            "takedowns:read",
            "takedowns:reveal",
        }
    ),
    Role.finance: frozenset({"accounts:read", "credits:write", "usage:read"}),
    Role.auditor: frozenset(
        {
            "accounts:read",
            "brand:read",
            "findings:read",
            "generations:read",
            "holds:read",
            "reports:read",
            "requests:read",
            "reveals:read",
            "support:read",
            "takedowns:read",
            "usage:read",
        }
    ),
}
"""What each role may do. None uncovers anything but those whose work needs it: support, moderator, privacy officer, owner."""


def granted(role: str | None, scopes: Iterable[str]) -> tuple[str, ...]:
    """All that a key may do, in order. A role that is unknown here, of another version say, adds nothing."""
    of_role = ROLES[Role(role)] if role in set(Role) else frozenset()
    return tuple(sorted(of_role | set(scopes)))
