"""What has changed from one policy to the next, and what each change asks for: nothing, a letter, or people's yes once more.

Whoever agreed to a purpose is asked again when it means something else than they agreed to, or more: other words, another
basis, somebody else who receives data for it, more that leaves, and whatever lets data live longer. All else that is more than
other words is told. A legal floor that rises is told and not asked: no consent carries it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal

import msgspec

from statuette.policy.document import PolicyDocument
from statuette.policy.periods import Period
from statuette.policy.rules import Action

_WORDS = frozenset({"title", "statement", "sentence", "name", "description", "terms_url"})
_Path = tuple[str, ...]


class ChangeClass(StrEnum):
    """How much a change asks of people, least first."""

    initial = "initial"
    """The first version: there was nothing to change."""
    editorial = "editorial"
    """Other words for the same."""
    notify = "notify"
    """People are told."""
    ask_again = "ask_again"
    """People who had agreed are asked again."""

    @property
    def weight(self) -> int:
        return list(ChangeClass).index(self)


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as it was: `purposes.generation.statement`.

    Attributes:
        old, new: in plain values; `old` is null when it is new, `new` when it is gone.
        change: what this difference asks for by itself.
        asks: the purposes that people are asked about again because of it.
    """

    kind: Literal["added", "changed", "removed"]
    path: str
    old: Any
    new: Any
    change: ChangeClass = ChangeClass.notify
    asks: tuple[str, ...] = ()

    def __str__(self) -> str:
        old, new = (msgspec.json.encode(value).decode() for value in (self.old, self.new))
        sign = {"added": f"+ {self.path} = {new}", "removed": f"- {self.path} = {old}"}
        return sign.get(self.kind, f"~ {self.path}: {old} -> {new}")


class Comparison(msgspec.Struct, frozen=True):
    """What publishing the new document means.

    Attributes:
        change: the weightiest of all differences.
        asks: purposes that people are asked about again, of those that rest on consent.
    """

    change: ChangeClass
    differences: tuple[Difference, ...]
    asks: tuple[str, ...]


def compare(old: PolicyDocument | None, new: PolicyDocument) -> Comparison:
    """What has changed, and what that asks for."""
    if old is None:
        return Comparison(ChangeClass.initial, (), ())
    judge = _Judge(old, new)
    differences = tuple(
        judge.difference(section, name, path, before, after)
        for section in msgspec.structs.asdict(new)
        for name, path, before, after in _changed(getattr(old, section), getattr(new, section))
    )
    change = max((each.change for each in differences), key=lambda each: each.weight, default=ChangeClass.editorial)
    return Comparison(change, differences, tuple(sorted({name for each in differences for name in each.asks})))


class _Absent:
    """Stands for what is not there; null may be a value."""


_ABSENT = _Absent()


def _changed(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, _Path, Any, Any]]:
    """Id, path below it, old and new value of whatever differs."""
    found: list[tuple[str, _Path, Any, Any]] = []
    for name in sorted({*old, *new}):
        found += [(name, *each) for each in _below((), old.get(name, _ABSENT), new.get(name, _ABSENT))]
    return found


def _below(path: _Path, old: Any, new: Any) -> list[tuple[_Path, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for name in sorted({*old, *new}):
            found += _below((*path, name), old.get(name, _ABSENT), new.get(name, _ABSENT))
        return found
    return [] if old == new else [(path, old, new)]


class _Judge:
    """Says what a difference between two documents asks for."""

    def __init__(self, old: PolicyDocument, new: PolicyDocument) -> None:
        self._old = old
        self._new = new
        # Who had not agreed before has nothing to be asked again.
        self._agreed = {
            name
            for name, purpose in new.purposes.items()
            if purpose["basis"] == "consent" and old.purposes.get(name, {}).get("basis") == "consent"
        }
        self._gained = {name for name in self._agreed if _flows(name, new) - _flows(name, old)}

    def difference(self, section: str, name: str, path: _Path, old: Any, new: Any) -> Difference:
        kind: Literal["added", "changed", "removed"] = (
            "added" if old is _ABSENT else "removed" if new is _ABSENT else "changed"
        )
        asks = self._asks(section, name, path, old, new)
        change = ChangeClass.ask_again if asks else self._told(section, path, kind, old, new)
        return Difference(kind, ".".join((section, name, *path)), _shown(old), _shown(new), change, tuple(sorted(asks)))

    def _asks(self, section: str, name: str, path: _Path, old: Any, new: Any) -> set[str]:
        if section == "purposes":
            return self._asks_of_purpose(name, path, old)
        if section == "processors":
            return self._asks_of_processor(name, path, old, new)
        if section == "rules":
            return self._asks_of_rule(name, path, old, new)
        return set()

    def _asks_of_purpose(self, name: str, path: _Path, old: Any) -> set[str]:
        if path == ("basis",) and self._new.purposes[name]["basis"] == "consent":
            return {name}
        reworded = path == ("statement",) or (path[:1] == ("statement_in",) and old is not _ABSENT)
        return {name} & self._agreed if reworded else set()

    def _asks_of_processor(self, name: str, path: _Path, old: Any, new: Any) -> set[str]:
        receives = {purpose for purpose in self._agreed if any(flow[0] == name for flow in _flows(purpose, self._new))}
        if path in ((), ("purposes",), ("categories",)):
            return receives & self._gained
        if path in (("region",), ("third_party",)) or (path == ("residuals",) and _keeps_more(old, new)):
            return receives
        if path == ("own_use",) and new:
            return receives
        return set()

    def _asks_of_rule(self, name: str, path: _Path, old: Any, new: Any) -> set[str]:
        before, after = self._old.rules.get(name, {}), self._new.rules.get(name, {})
        if "retain" in (before.get("type"), after.get("type")):
            longer = before.get("type") == "retain" and (not path or _LOOSER.get(path[0], _never)(old, new))
            return self._agreed if longer else set()
        if "egress" in (before.get("type"), after.get("type")) and not (path and _is_word(path)):
            return {after.get("purpose"), before.get("purpose")} & self._gained
        return set()

    @staticmethod
    def _told(section: str, path: _Path, kind: str, old: Any, new: Any) -> ChangeClass:
        if path and _is_word(path) and (kind == "changed" or path[0].endswith("_in")):
            return ChangeClass.editorial
        if section == "processors" and path == ("residuals",) and _days(old) == _days(new):
            return ChangeClass.editorial
        return ChangeClass.notify


def _shown(value: Any) -> Any:
    return None if value is _ABSENT else value


def _is_word(path: _Path) -> bool:
    return path[0] in _WORDS or path[0].removesuffix("_in") in _WORDS


def _flows(purpose: str, doc: PolicyDocument) -> set[tuple[str, str]]:
    """Which processor may get which category for a purpose: what it declares, and one of the rules lets out to it."""
    allowed = [rule for rule in doc.rules.values() if rule.get("type") == "egress" and rule["purpose"] == purpose]
    return {
        (name, category)
        for name, said in doc.processors.items()
        for rule in allowed
        if purpose in said["purposes"] and (rule.get("processors") is None or name in rule["processors"])
        for category in set(said["categories"]) & set(rule["categories"])
    }


def _days(residuals: Any) -> list[float]:
    """How long each of what is kept is kept, longest first; a time nobody knows is the longest."""
    return sorted((float("inf") if kept["days"] is None else float(kept["days"]) for kept in residuals), reverse=True)


def _keeps_more(old: Any, new: Any) -> bool:
    before, after = _days(old), _days(new)
    return len(after) > len(before) or any(now > was for was, now in zip(before, after, strict=False))


def _never(_: Any, __: Any) -> bool:
    return False


# By field of a rule of retention: whether the change lets data live longer, or leaves more of it.
_LOOSER: dict[str, Callable[[Any, Any], bool]] = {
    "after": lambda old, new: not Period.parse(new) <= Period.parse(old),
    "triggers": lambda old, new: bool(set(old) - set(new)),
    "stores": lambda old, new: bool(set(old) - set(new)),
    "exemptions": lambda old, new: bool(set(new) - set(old)),
    "action": lambda old, new: Action(new).strength < Action(old).strength,
    "longest_job_added": lambda old, new: bool(new) and not old,
    "carry": lambda _, __: True,
    "dataset": lambda _, __: True,
    "type": lambda _, __: True,
}
