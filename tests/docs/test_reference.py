"""Pages that are generated say what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

from tests.docs.snippets import DOCS


def test_generated_pages_are_up_to_date() -> None:
    written = runpy.run_path(str(DOCS / "reference" / "generate.py"))["pages"]()

    stale = [name for name, text in written.items() if (DOCS / "reference" / name).read_text() != text]

    assert stale == [], "run: python docs/reference/generate.py"


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
