"""Whether a pack is what it says, looked at when it is loaded: structs take any value, and merging would find out too late."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from statuette.errors import ConfigurationError
from statuette.policy.canonical import decode, encode
from statuette.policy.merge import KIND, Declared, in_order, refuse_contradiction
from statuette.policy.pack import PolicyPack
from statuette.policy.rules import Rule
from statuette.policy.sources import place

_AT = re.compile(r"`\$\.?([a-z_]*)")
_RULE_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_ID = re.compile(r"[a-z][a-z0-9_]*")


def check_pack(pack: PolicyPack) -> None:
    """Raises `ConfigurationError` for the first thing that is wrong, with the file and line where it is written, and a cure."""
    catalogue = pack.catalogue
    for kind, items in (
        ("category", catalogue.categories),
        ("purpose", catalogue.purposes),
        ("processor", catalogue.processors),
        ("right", catalogue.rights),
    ):
        for item in items:
            _refuse_wrong_form(pack, kind, item)
            _refuse_wrong_id(pack, kind, item.id, _ID)
            _refuse_silence(pack, kind, item)
    for rule in pack.rules:
        if type(rule) not in KIND:
            raise ConfigurationError(f"{pack.source} has a {type(rule).__name__} where a rule is due.")
        _refuse_wrong_form(pack, "rule", rule)
        _refuse_wrong_id(pack, "rule", rule.id, _RULE_ID)
        said: Declared[Rule] = Declared(in_order(rule), pack.source)
        refuse_contradiction(said)
    known = {rule.id for rule in pack.rules}
    for promise in pack.promises:
        if promise.rule is not None and promise.rule not in known:
            raise ConfigurationError(
                f"The promise {promise.id!r} in {place(pack.source, promise.id)} is kept by the rule {promise.rule!r},"
                " which the pack does not have.",
                cure=f"Use one of: {', '.join(sorted(known))}.",
            )


def _refuse_wrong_form(pack: PolicyPack, kind: str, item: Any) -> None:
    name = getattr(item, "id", "")
    try:
        read = decode(encode(item), type(item))
    except (msgspec.ValidationError, NotImplementedError, TypeError) as error:
        found = _AT.search(str(error))
        field = found.group(1) if found is not None and found.group(1) else None
        shown = str(error).partition(" - at ")[0]
        about = f"`{field}`" if field else "a field"
        raise ConfigurationError(
            f"The {kind} {name!r} in {place(pack.source, str(name), field)}: {about} has no valid value. {shown}.",
            cure=f"The fields of a {type(item).__name__} are in `statuette.policy`.",
        ) from None
    for field in item.__struct_fields__:
        if getattr(read, field) != getattr(item, field):
            given = type(getattr(item, field)).__name__
            raise ConfigurationError(
                f"The {kind} {name!r} in {place(pack.source, str(name), field)}: `{field}` is of the type {given}.",
                cure=f"It is to be {type(getattr(read, field)).__name__}.",
            )


def _refuse_wrong_id(pack: PolicyPack, kind: str, name: str, form: re.Pattern[str]) -> None:
    if not form.fullmatch(name):
        example = "upload.used" if form is _RULE_ID else "service_mail"
        raise ConfigurationError(
            f"The {kind} {name[:80]!r} in {place(pack.source, name)} has no valid id.", cure=f"For example: {example}"
        )


def _refuse_silence(pack: PolicyPack, kind: str, item: Any) -> None:
    for field in {"title", "statement", "name"} & set(item.__struct_fields__):
        if not getattr(item, field).strip():
            raise ConfigurationError(
                f"The {kind} {item.id!r} in {place(pack.source, item.id, field)}: its {field} says nothing.",
                cure="People read it in the notice; write it in plain English.",
            )
