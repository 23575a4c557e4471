"""Whoever carries a rule out is taken away, and a test that is marked with the rule has to notice.

The suite tries some rules of each kind; `make mutate` tries all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from statuette.testing.rule_marks import marked
from tests.without_rule import OUR_PACKS, VARIABLE

ROOT = Path(__file__).parents[3]
MARKED = marked(ROOT / "tests", ROOT)
BY_HAND = {rule for pack in OUR_PACKS for rule in pack.by_hand}
RULES = sorted({rule.id for pack in OUR_PACKS for rule in pack.rules} - BY_HAND)
SAMPLE = ("upload.used", "session.keep", "processor.generation", "ai.mark")
TRIED = RULES if os.environ.get("MUTATE") == "all" else SAMPLE


def test_every_rule_has_tests_and_every_mark_a_rule() -> None:
    assert sorted(set(RULES) - MARKED.keys()) == []
    assert sorted(MARKED.keys() - set(RULES)) == []


@pytest.mark.parametrize("rule", TRIED)
def test_a_test_goes_red_when_nothing_carries_the_rule_out(rule: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-rfE"),
            *("-m", "rule", "-k", "not cluster and not postgres", "--basetemp", str(tmp_path / "run")),
            *MARKED[rule],
        ],
        cwd=ROOT,
        env={**os.environ, VARIABLE: rule},
        capture_output=True,
        text=True,
        check=False,
    )

    # 1 says that tests were run and some failed; a test that fails while it is set up says nothing of the rule.
    assert run.returncode == 1, run.stdout[-4000:] + run.stderr[-2000:]
    assert "\nFAILED tests/" in run.stdout and "\nERROR tests/" not in run.stdout, run.stdout[-4000:]
