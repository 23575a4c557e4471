"""Whoever follows a page gets what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.newcomer import Newcomer
from tests.docs.snippets import DOCS, ROOT, pages, runnable

# Its snippets are fragments of one plugin each, run by tests/integration/test_plugins.py.
RUN_ELSEWHERE = {DOCS / "reference" / "hooks.md"}
# What no test may do: reach the network, or start from nothing.
NOT_RUN: set[tuple[str, str]] = {
    ("docs/tutorials/operator.md", "needs-the-network"),
}
FOLLOWED = [page for page in pages() if page not in RUN_ELSEWHERE and runnable(page)]


@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: str(page.relative_to(DOCS)))
def test_following_a_page_to_the_letter_leads_to_what_it_shows(page: Path, tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path)

    newcomer.follow(page)


def test_the_pages_can_be_followed_on_a_machine_without_curl(tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path, own_curl=False)

    newcomer.follow(DOCS / "tutorials" / "api-client.md")


def test_nothing_is_left_out_but_what_is_listed_here() -> None:
    snippets = [snippet for page in FOLLOWED for snippet in runnable(page)]

    left_out = {
        (str(snippet.page.relative_to(ROOT)), snippet.options["not-run"])
        for snippet in snippets
        if "not-run" in snippet.options
    }

    assert left_out == NOT_RUN


def test_each_door_has_a_page_that_is_followed() -> None:
    doors = {DOCS / "tutorials" / name for name in ("operator.md", "provider.md", "api-client.md")}

    assert doors <= set(FOLLOWED)
