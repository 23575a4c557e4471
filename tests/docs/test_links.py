"""Pages lead somewhere, and name commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.snippets import ROOT, pages

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_VERB = re.compile(r"(?:^ {4}|`)(?:PYTHON=\S+ )?make ([a-z][a-z-]*)\b", re.MULTILINE)
ALL = [*pages(), *sorted(ROOT.glob("*.md")), Path(__file__).parent / "README.md"]


@pytest.mark.parametrize("page", ALL, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_to_a_file(page: Path) -> None:
    targets = [target for target in _LINK.findall(page.read_text()) if "://" not in target]

    dead = [target for target in targets if not (page.parent / target).exists()]

    assert dead == []


def test_every_make_verb_in_readme_and_contributing_exists() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    named = {verb for name in ("README.md", "CONTRIBUTING.md") for verb in _VERB.findall((ROOT / name).read_text())}

    assert named
    assert named <= verbs
