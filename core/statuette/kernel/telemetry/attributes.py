"""What spans, metrics and log lines may be told by: each attribute's name and the category of data it is.

All are `operational`, since telemetry goes to receivers that no rule ends anything at. `statuette policy check` names any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ATTRIBUTES: dict[str, str] = dict.fromkeys(
    (
        "actor",
        "attempt",
        "currency",
        "duty",
        "end",
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "outcome",
        "privacy.due_at",
        "privacy.outcome",
        "privacy.policy.digest",
        "privacy.purpose",
        "privacy.rule.id",
        "privacy.store",
        "processor",
        "provider",
        "queue",
        "role",
        "rule",
        "state",
    ),
    "operational",
)

_SPANS = frozenset({"span", "start_span", "start_as_current_span"})
_OF_SPANS = frozenset({"set_attribute", "set_attributes"})
_OF_METRICS = frozenset({"add", "record"})
# Arguments of our own and of OpenTelemetry's that are no attributes.
_NO_ATTRIBUTES = frozenset(
    {
        "name",
        "kind",
        "linked",
        "links",
        "context",
        "attributes",
        "record_exception",
        "set_status_on_exception",
        "start_time",
    }
)


def used_in(file: Path) -> Iterator[tuple[str, int]]:
    """Every attribute that a module's source sets, with its line. A name that is put together at run time is `?`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for name in _set_by(node, called):
            yield name, node.lineno


def _set_by(call: ast.Call, called: str) -> Iterator[str]:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "attributes"]
    if called in _SPANS:
        for keyword in call.keywords:
            if keyword.arg is None:
                given.append(keyword.value)
            elif keyword.arg not in _NO_ATTRIBUTES:
                yield keyword.arg
    elif called == "set_attribute" and call.args:
        name = call.args[0]
        yield str(name.value) if isinstance(name, ast.Constant) else "?"
    elif called in _OF_METRICS or called in _OF_SPANS:
        given += call.args
    else:
        return
    for value in given:
        if isinstance(value, ast.Dict):
            for key in value.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value
