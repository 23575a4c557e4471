"""A paper as sections of paragraphs, lists and tables, and as a page of Markdown or HTML."""

from __future__ import annotations

import html
import re

import msgspec

from statuette.policy.notice import Issuer
from statuette.policy.page import whole_page
from statuette.policy.words import LOCALES

_MARKS = re.compile(r"([\\`*_\[\]<>|#])")


class Held(msgspec.Struct, frozen=True):
    """What one dataset holds: the ids of its categories, and of the rules that end it."""

    dataset: str
    title: str
    categories: tuple[str, ...]
    ended_by: tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Section(msgspec.Struct, frozen=True):
    """Paragraphs, then a list, then a table; whichever there are."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    table: Table | None = None


class Paper(msgspec.Struct, frozen=True):
    """Attributes:
    digest: of the policy that it was rendered from.
    """

    kind: str
    locale: str
    title: str
    digest: str
    sections: tuple[Section, ...]


_VERSION = {"en": "Rendered from the policy", "de": "Erstellt aus der Richtlinie"}


def titled(title: str, issuer: Issuer) -> str:
    return f"{title}: {issuer.title}" if issuer.title else title


def who(issuer: Issuer, words: dict[str, str]) -> tuple[str, ...]:
    """Who answers for the data, as items; says so where the brand's file does not."""
    shown = [(words["name"], issuer.name), (words["contact"], issuer.contact), (words["authority"], issuer.authority)]
    found = tuple(f"{name}: {text}" for name, text in shown if text)
    return found or (words["unnamed"],)


def as_markdown(shown: Paper) -> str:
    """A page of Markdown; what is not ours to mark up is escaped."""
    lines = [f"# {_plain(shown.title)}", ""]
    for section in shown.sections:
        lines += [f"## {_plain(section.heading)}", ""]
        for paragraph in section.paragraphs:
            lines += [_plain(paragraph), ""]
        if section.items:
            lines += [*(f"- {_plain(item)}" for item in section.items), ""]
        if section.table is not None:
            head = section.table.head
            lines += [_row(head), "|" + "---|" * len(head)]
            lines += [*(_row(row) for row in section.table.rows), ""]
    lines.append(f"{_VERSION[shown.locale]}: `{shown.digest}`")
    return "\n".join(lines) + "\n"


def as_html(shown: Paper) -> str:
    """A whole page of HTML without scripts or anything from elsewhere."""
    parts = []
    for section in shown.sections:
        parts.append(f"<h2>{html.escape(section.heading)}</h2>")
        parts += [f"<p>{html.escape(paragraph)}</p>" for paragraph in section.paragraphs]
        if section.items:
            parts += ["<ul>", *(f"<li>{html.escape(item)}</li>" for item in section.items), "</ul>"]
        if section.table is not None:
            parts.append("<table>")
            parts.append("<tr>" + "".join(f"<th>{html.escape(name)}</th>" for name in section.table.head) + "</tr>")
            parts += [
                "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
                for row in section.table.rows
            ]
            parts.append("</table>")
    parts.append(f"<p>{_VERSION[shown.locale]}: <code>{html.escape(shown.digest)}</code></p>")
    return whole_page(shown.locale, shown.title, parts)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_plain(cell).replace("\n", " ") for cell in cells) + " |"


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)


assert set(_VERSION) == set(LOCALES)
