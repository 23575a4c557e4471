"""Fenced blocks of a Markdown page, and what is to be done with each."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")
_RUNNABLE = ("bash", "sh", "console", "python", "toml")
_SHOWN = ("text", "json")


class Snippet(msgspec.Struct, frozen=True):
    """One block. `shown` is the block right after it, if that shows what comes out."""

    page: Path
    line: int
    language: str
    options: dict[str, str]
    text: str
    shown: str = ""

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def runnable(page: Path) -> list[Snippet]:
    """The blocks of a page in one of the languages that are run, in order."""
    found: list[Snippet] = []
    previous_is_run = False
    for snippet in _blocks(page):
        if snippet.language in _RUNNABLE:
            found.append(snippet)
            previous_is_run = True
        elif snippet.language in _SHOWN and previous_is_run:
            found[-1] = msgspec.structs.replace(found[-1], shown=snippet.text)
            previous_is_run = False
    return found


def pages() -> list[Path]:
    """Every page of the docs."""
    return sorted(DOCS.rglob("*.md"))


def _blocks(page: Path) -> list[Snippet]:
    found: list[Snippet] = []
    opened: tuple[int, str, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if fence is None:
            lines.append(line)
        elif opened is None:
            opened, lines = (number, fence["info"].strip(), fence["indent"]), []
        else:
            start, info, indent = opened
            opened = None
            language, _, rest = info.partition(" ")
            options = dict(option.partition("=")[::2] for option in rest.split())
            text = "\n".join(body.removeprefix(indent) for body in lines) + "\n"
            found.append(Snippet(page, start, language, options, text))
    assert opened is None, f"{page}: the block that begins at line {opened and opened[0]} does not end"
    return found
