"""A newcomer who overlooks mistakes would make every page look right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import snippets
from tests.docs.newcomer import Newcomer


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(snippets, "ROOT", tmp_path)
    return tmp_path / "page.md"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```bash\nfalse\necho on\n```\n", "ended with code 1"),
        ("```bash\nfalse | cat\n```\n", "ended with code 1"),
        ("```bash exit=2\ntrue\n```\n", "ended with code"),
        ("```bash exit=2\nexit 1\n```\n", "ended with code 1"),
        ("```bash\necho one\n```\n\n```text\ntwo\n```\n", "lacks 'two'"),
        ("```bash\necho two; echo one\n```\n\n```text\none\ntwo\n```\n", "lacks 'two'"),
        ("```bash\necho one two three\n```\n\n```text\none … four\n```\n", "lacks 'one … four'"),
        ("```python\nraise SystemExit(3)\n```\n", "ended with code 3"),
        ("```bash terminal=other\necho started\n```\n\n```text\nready\n```\n", "lacks 'ready'"),
        ("```bash answer=mailed-code\nread -r CODE\n```\n", "no terminal shows a mailed code"),
        ("```toml\na = 1\n```\n", "nothing says what to do"),
        ("```toml file=../outside.toml\na = 1\n```\n", "outside of the folder"),
    ],
)
def test_what_a_page_gets_wrong_is_told_with_its_place(
    page: Path, text: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.newcomer._PATIENCE_SECONDS", 1)
    page.write_text(f"# A page\n\n{text}")

    with pytest.raises(AssertionError) as raised:
        Newcomer(tmp_path / "home").follow(page)

    assert complaint in str(raised.value)
    assert "page.md:3" in str(raised.value)


def test_a_page_that_is_right_is_followed_to_its_end(page: Path, tmp_path: Path) -> None:
    page.write_text(
        "```bash\nWORD=kept\nmkdir inner\ncd inner\n```\n\n"
        "```toml file=inner/some.toml\nport = 9000  # of 127.0.0.1:9000\n```\n\n"
        '```bash\necho "the word is $WORD"\ncat some.toml\n```\n\n```text\nthe … kept\n…\nport = 9000 # of 127.0.0.1:9000\n```\n\n'
        "```bash exit=2\nexit_two() { return 2; }\nexit_two\n```\n\n"
        "```bash not-run=no-reason\nfalse\n```\n\n"
        "```python\nimport statuette\nprint(statuette.__name__)\n```\n\n```text\nstatuette\n```\n"
    )

    Newcomer(tmp_path / "home").follow(page)

    written = (tmp_path / "home" / "statuette" / "inner" / "some.toml").read_text()
    assert "9000" not in written
