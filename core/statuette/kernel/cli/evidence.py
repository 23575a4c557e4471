"""`statuette evidence`: what shows that something was deleted."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from statuette.evidence import Receipt, Verification

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("evidence")
def evidence() -> None:
    """What shows that something was deleted."""


@evidence.command("verify")
@click.argument("file", type=_FILE)
@click.option(
    "--key",
    "key_file",
    type=_FILE,
    help="The operator's keys, as JSON, or one of them as PEM; obtained from elsewhere than the file.",
)
@click.option(
    "--head",
    "head_file",
    type=_FILE,
    help="A later signed head of the log, with the proof that the log only grew; obtained from elsewhere.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def verify(file: Path, key_file: Path | None, head_file: Path | None, as_json: bool) -> None:
    """Verify a receipt file. It needs no deployment, no settings and no network.

    Exit code 0: it verifies; 1: it does not; 2: a file cannot be read.
    """
    sys.exit(verify_command(file, key_file, head_file, as_json))


@evidence.command("receipt")
@click.argument("subject", required=False)
@click.option("--address", "address_file", type=_FILE, help="A file with the address of an erased account's receipt.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write it; else to standard output."
)
def receipt(subject: str | None, address_file: Path | None, out: Path | None) -> None:
    """Hand out a receipt: for somebody who asks for it by letter.

    SUBJECT is the id of the receipt (rcp_…), or of what was deleted (upl_…, fig_…). The file names the record and the account,
    and opens what the log keeps sealed: give it to nobody but its holder.

    Exit code 0: here it is; 2: there is none, or not yet.
    """
    import asyncio

    from statuette.kernel.cli.evidence_receipt import receipt_file

    if (subject is None) == (address_file is None):
        raise click.UsageError(
            "Name either the receipt or what was deleted, or a file with the address that the holder was given."
        )
    address = (
        _content(address_file, "--address").decode("ascii", "replace").strip() if address_file is not None else None
    )
    file = asyncio.run(receipt_file(subject, address))
    if out is None:
        click.echo(file.decode())
        return
    out.write_bytes(file)
    click.echo(f"Written: {out}. `statuette evidence verify {out}` verifies it.")


@evidence.command("report")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page to read as well.")
@click.option("--kept", "report_id", help="Show this one of `statuette evidence reports` instead of making one.")
@click.option("--json", "as_json", is_flag=True, help="The signed report, as one JSON document.")
def report(page: Path | None, report_id: str | None, as_json: bool) -> None:
    """Verify the whole log, try the safeguards, and say what was enforced and what is open.

    Exit code 0: the log holds, nothing is overdue or stopped, and every safeguard holds; 1: otherwise.
    """
    import asyncio

    from statuette.kernel.cli.evidence_report import kept, made, page_of, printed, read

    text = asyncio.run(kept(report_id)) if report_id is not None else None
    signed, found = read(text) if text is not None else asyncio.run(made())
    if page is not None:
        page.write_text(page_of(signed, found))
    # A report that is kept is shown byte for byte: its digest is of these.
    click.echo(text if text is not None and as_json else printed(signed, found, as_json))
    sys.exit(int(not found.in_order))


@evidence.command("check-report")
@click.argument("file", type=_FILE)
@click.option("--key", "key_file", type=_FILE, help="The operator's keys, obtained from elsewhere than the file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def check_report(file: Path, key_file: Path | None, as_json: bool) -> None:
    """Check the signature of an audit report's file. It needs no deployment, no settings and no network.

    Exit code 0: it is signed, whatever it says; 1: it is not; 2: a file cannot be read.
    """
    import msgspec

    from statuette.errors import InvalidInput
    from statuette.evidence import read_public_keys
    from statuette.kernel.cli.evidence_check import checked, printed

    try:
        keys = None if key_file is None else read_public_keys(_content(key_file, "--key"))
        found = checked(_content(file, "FILE"), keys)
    except InvalidInput as error:
        raise click.BadParameter(error.detail) from None
    click.echo(msgspec.json.format(msgspec.json.encode(found)).decode() if as_json else printed(found))
    sys.exit(int(not found.signed))


@evidence.command("reports")
@click.option("--before", help="Older than this one: the id of the last that was listed.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Most rows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def reports(before: str | None, limit: int, as_json: bool) -> None:
    """List the daily reports that are kept, newest first."""
    import asyncio

    import msgspec

    from statuette.kernel.cli.evidence_report import listed

    rows = asyncio.run(listed(before, limit))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
    elif not rows:
        click.echo("None yet: the scheduler makes one every day.")
    for row in rows if not as_json else ():
        click.echo(
            f"{row.id}  {row.made_at:%Y-%m-%d %H:%M}Z  {row.entries:9} entries  {row.causes or 'in order':12}  {row.digest}"
        )


def verify_command(file: Path, key_file: Path | None, head_file: Path | None, as_json: bool) -> int:
    """Print what was found, what it proves and what it cannot; 0 when it verifies, else 1.

    Raises:
        click.BadParameter: a file cannot be read, or holds no keys or no head.
    """
    import msgspec

    from statuette.errors import InvalidInput
    from statuette.evidence import read_later_head, read_public_keys
    from statuette.evidence import verify as verify_bundle

    data = _content(file, "FILE")
    try:
        keys = None if key_file is None else read_public_keys(_content(key_file, "--key"))
    except InvalidInput as error:
        raise click.BadParameter(f"It holds no public keys. {error.detail}", param_hint="--key") from None
    try:
        later = None if head_file is None else read_later_head(_content(head_file, "--head"))
    except InvalidInput as error:
        raise click.BadParameter(f"It holds no signed head. {error.detail}", param_hint="--head") from None
    found = verify_bundle(data, keys) if later is None else verify_bundle(data, keys, later.head, later.consistency)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        _print(found)
    return int(not found.verified)


def _content(file: Path, hint: str) -> bytes:
    """All of the file, or as much of it as is too much."""
    from statuette.evidence.bundle import LONGEST_BUNDLE_BYTES

    try:
        with file.open("rb") as opened:
            return opened.read(LONGEST_BUNDLE_BYTES + 1)
    except OSError as error:
        raise click.BadParameter(f"The file cannot be read: {error.strerror}.", param_hint=hint) from None


def _print(found: Verification) -> None:
    for line in found.steps:
        click.echo(f"{line.outcome:8} {line.step:12} {line.sentence}")
    click.echo()
    if found.verified and found.receipt is not None:
        click.echo("The receipt verifies. It says:")
        for name, value in _said(found.receipt, found):
            click.echo(f"  {name:12} {value}")
        click.echo("\nThis proves:")
        for statement in found.proves:
            click.echo(f"  - {statement.sentence}")
    else:
        click.echo(f"The receipt DOES NOT VERIFY: {', '.join(found.failed())}. It proves nothing.")
    click.echo("\nThis does not prove:")
    for statement in found.does_not_prove:
        click.echo(f"  - {statement.sentence}")


def _said(receipt: Receipt, found: Verification) -> list[tuple[str, str]]:
    """The receipt as lines of a name and a value."""
    said = [
        ("receipt", f"{receipt.id} ({receipt.kind})"),
        ("record", found.record or "not named in the file"),
        ("account", found.account or "not named in the file"),
        ("rule", f"{receipt.rule}: {receipt.action} in {receipt.dataset}"),
        ("armed by", receipt.trigger or "its age"),
        ("policy", receipt.policy_digest),
        ("due", _in_words(receipt.due_at)),
        ("intent", _in_words(receipt.intent_at)),
        ("executed", _in_words(receipt.executed_at)),
        ("verified", _in_words(receipt.verified_at)),
    ]
    said += [
        ("store", f"{store.store} ({store.kind}): {store.outcome}, {store.count}; check: {store.check}")
        for store in receipt.stores
    ]
    for residual in receipt.residuals:
        end = f"until {_in_words(residual.until)}" if residual.until else "with no stated end"
        said += [("residual", f"{residual.processor} keeps {', '.join(residual.categories)} {end}")]
    return said


def _in_words(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


command = evidence
