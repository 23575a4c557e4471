"""Pages that are generated say what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

from tests.docs.snippets import DOCS


def test_generated_pages_are_up_to_date() -> None:
    written = runpy.run_path(str(DOCS / "reference" / "generate.py"))["generated"]()

    stale = [file.name for file, text in written.items() if not file.exists() or file.read_text() != text]

    assert stale == [], "run: make docs (twice where tests of rules were marked: a page lists them)"


def test_the_settings_page_names_every_variable() -> None:
    from statuette.kernel.settings import reference

    page = Path(DOCS / "reference" / "settings.md").read_text()

    missing = [info.variable for info in reference() if f"`{info.variable}`" not in page]

    assert missing == []


def test_the_errors_page_names_every_code_of_an_answer() -> None:
    from statuette.kernel.domain.credits.errors import InsufficientCredits
    from statuette.kernel.http.problems import status_of

    page = Path(DOCS / "reference" / "errors.md").read_text()

    assert f"| `{InsufficientCredits.code}` | {status_of(InsufficientCredits())} |" in page
