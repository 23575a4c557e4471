"""How `statuette evidence check-report` looks at the file of an audit report: offline, with nothing but the file and keys."""

from __future__ import annotations

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from statuette.errors import InvalidInput
from statuette.evidence import PublicKey, PublicKeys, key_id
from statuette.kernel.evidence.report import DOMAIN, AuditReport, SignedReport
from statuette.kernel.evidence.reports import digest_of, text_of


class CheckedReport(msgspec.Struct, frozen=True):
    """Attributes:
    signed: whether the report was signed with the key that it names, and that key is one of those given.
    reason: why not: `key_unknown`, `key_not_then`, `not_signed`, or null.
    key_from: `keys` that were given, or the `report` itself, which proves only that the file fits together.
    report: what it says.
    """

    signed: bool
    reason: str | None
    key_from: str
    digest: str
    report: AuditReport


def checked(data: bytes, keys: PublicKeys | None) -> CheckedReport:
    """Raises `InvalidInput`: the file holds no audit report."""
    try:
        document = msgspec.json.decode(data, type=SignedReport)
        # As it was signed, whatever has put blanks into the file since.
        body = msgspec.json.encode(msgspec.json.decode(document.report), order="sorted")
        document = SignedReport(msgspec.Raw(body), document.key, document.signature)
        report = msgspec.json.decode(document.report, type=AuditReport)
        own = tuple(PublicKey(public_key=bytes.fromhex(key)) for key in report.public_keys)
    except (msgspec.MsgspecError, ValueError) as error:
        raise InvalidInput(f"The file holds no audit report: {error}") from None
    trusted = own if keys is None else keys.keys
    return CheckedReport(
        signed=(reason := _reason(document, report, trusted)) is None,
        reason=reason,
        key_from="report" if keys is None else "keys",
        digest=digest_of(text_of(document)),
        report=report,
    )


def _reason(document: SignedReport, report: AuditReport, trusted: tuple[PublicKey, ...]) -> str | None:
    named = [key for key in trusted if key_id(key.public_key) == document.key]
    if not named:
        return "key_unknown"
    if not any(key.covers(report.made_at) for key in named):
        return "key_not_then"
    try:
        public = Ed25519PublicKey.from_public_bytes(named[0].public_key)
        public.verify(bytes.fromhex(document.signature), DOMAIN + bytes(document.report))
    except (InvalidSignature, ValueError):
        return "not_signed"
    return None


def printed(found: CheckedReport) -> str:
    report = found.report
    lines = [
        f"made at      {report.made_at:%Y-%m-%d %H:%M:%S} UTC",
        f"says         {'in order' if report.in_order else 'not in order: ' + ', '.join(report.causes)}",
        f"digest       {found.digest}",
        f"before it    {report.previous or 'none was kept'}",
    ]
    if not found.signed:
        return "\n".join([f"The report IS NOT SIGNED as it says: {found.reason}. It proves nothing.", *lines])
    first = "The report is signed with one of the keys that you gave."
    if found.key_from == "report":
        first = "The report is signed with a key that it names itself; give --key to tell whose that is."
    return "\n".join([first, *lines])
