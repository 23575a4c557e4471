"""`statuette evidence verify`: what a holder sees, with nothing but the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from statuette.evidence import LaterHead, PublicKey, PublicKeys, canonical, key_id
from statuette.kernel.cli.main import root
from tests.unit.evidence.making import (
    ABUSE_LOG,
    ACCOUNT,
    LOG,
    NEXT_PUBLIC_KEY,
    NOON,
    PUBLIC_KEY,
    RECORD,
    Log,
    receipt,
)


@pytest.fixture
async def log() -> Log:
    return Log(9)


@pytest.fixture
async def file(log: Log, tmp_path: Path) -> Path:
    path = tmp_path / "receipt.json"
    path.write_bytes(await log.bundle(4))
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_bytes(canonical(PublicKeys(keys=(PublicKey(public_key=PUBLIC_KEY),), log=LOG)))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(root, ["evidence", "verify", *(str(argument) for argument in arguments)])


def test_a_receipt_verifies_and_what_it_proves_and_cannot_prove_is_said(file: Path) -> None:
    result = run(file)

    assert result.exit_code == 0
    for words in (
        "passed   inclusion",
        "skipped  key",
        "The receipt verifies.",
        receipt(4).id,
        RECORD,
        ACCOUNT,
        "upload.used: delete in uploads",
        "due          2026-01-15 12:00:00 UTC",
        "local (objects): deleted, 4; check: listed_by_prefix_and_key",
        "This proves:\n  - The receipt was entry 5 of 9",
        "This does not prove:\n  - Whose key it is.",
        "That there is no copy elsewhere",
    ):
        assert words in result.output


async def test_what_processors_keep_is_listed(log: Log, tmp_path: Path) -> None:
    from statuette.evidence import ReceiptKind, entry_of

    log.add(entry_of(receipt(9, kind=ReceiptKind.residual, residuals=(ABUSE_LOG,), trigger=None)))
    file = tmp_path / "residual.json"
    file.write_bytes(await log.bundle(9))

    result = run(file)

    assert "gemini keeps photo, prompt until 2026-03-11 12:00:00 UTC" in result.output
    assert "armed by     its age" in result.output


def test_with_the_operators_key_it_says_whose(file: Path, keys: Path) -> None:
    result = run(file, "--key", keys)

    assert result.exit_code == 0
    assert "with the operator's key that you gave" in result.output
    assert "Whose key it is" not in result.output


def test_with_the_key_of_another_it_does_not_verify(file: Path, keys: Path) -> None:
    keys.write_bytes(canonical(PublicKeys(keys=(PublicKey(public_key=NEXT_PUBLIC_KEY),), log=key_id(NEXT_PUBLIC_KEY))))

    result = run(file, "--key", keys)

    assert result.exit_code == 1
    assert "DOES NOT VERIFY: key. It proves nothing." in result.output


async def test_with_a_later_head_it_says_that_the_log_only_grew(log: Log, file: Path, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    log.grow(90)
    later = LaterHead(head=await log.head(at=NOON + timedelta(days=1)), consistency=await log.growth_since(9))
    head.write_bytes(msgspec.json.format(msgspec.json.encode(later)))

    result = run(file, "--head", head)

    assert result.exit_code == 0
    assert "still entry 5 of the log as it was signed later, with 99 entries" in result.output


def test_a_changed_receipt_fails_with_code_1_and_tells_the_step(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"upload.used"', b'"upload.kept"'))

    result = run(file)

    assert result.exit_code == 1
    assert "failed   inclusion" in result.output
    assert "DOES NOT VERIFY: inclusion. It proves nothing." in result.output
    assert "This proves" not in result.output
    assert "upload.kept" not in result.output


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"{}", b" " * 300_000])
def test_what_is_no_receipt_fails_with_code_1(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    result = run(file)

    assert result.exit_code == 1
    assert "failed   shape" in result.output


def test_json_is_one_document_with_stable_codes(file: Path) -> None:
    good = run(file, "--json")
    file.write_bytes(file.read_bytes() + b"\n")
    bad = run(file, "--json")

    assert (good.exit_code, bad.exit_code) == (0, 1)
    found, failed = json.loads(good.output), json.loads(bad.output)
    assert found["verified"] and not failed["verified"]
    assert {line["step"]: line["code"] for line in found["steps"]} == {
        "shape": "shape_known",
        "encoding": "encoding_exact",
        "receipt": "receipt_exact",
        "subject": "subject_opens",
        "account": "account_opens",
        "inclusion": "included",
        "signature": "signed",
        "key": "no_key_to_compare",
        "later_head": "no_later_head",
        "consistency": "no_later_head",
    }
    assert [line["code"] for line in failed["steps"] if line["outcome"] == "failed"] == ["encoding_changed"]
    assert found["receipt"]["rule"] == "upload.used"
    assert {statement["code"] for statement in found["does_not_prove"]} >= {"the_deletion", "copies", "others"}


def test_what_cannot_be_read_ends_with_code_2(file: Path, tmp_path: Path) -> None:
    for arguments in (
        [tmp_path / "none.json"],
        [tmp_path],
        [],
        [file, "--key", tmp_path / "none.json"],
        [file, "--key", file],
        [file, "--head", file],
        [file, "--unknown"],
    ):
        result = run(*arguments)

        assert result.exit_code == 2, arguments
        assert "Traceback" not in result.output


def test_it_needs_no_settings_no_database_and_no_framework(file: Path, tmp_path: Path) -> None:
    # Given a folder with settings that would stop everything else
    home = tmp_path / "home"
    home.mkdir()
    (home / "statuette.toml").write_text("this is not = toml at all")
    script = (
        "import sys\nfrom statuette.kernel.cli.main import root\n"
        "try:\n    root.main(sys.argv[1:], prog_name='statuette')\n"
        "finally:\n"
        "    heavy = {'litestar', 'piccolo', 'asyncpg', 'dramatiq', 'redis', 'PIL', 'statuette.kernel.settings'}\n"
        "    print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )

    # When a receipt is verified there
    done = subprocess.run(
        [sys.executable, "-c", script, "evidence", "verify", str(file)],
        cwd=home,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    # Then it is, with nothing loaded and nothing left behind
    assert done.returncode == 0, done.stderr
    assert "The receipt verifies." in done.stdout
    assert "heavy: []" in done.stdout
    assert [path.name for path in home.iterdir()] == ["statuette.toml"]
