"""How `statuette evidence report` comes about, and how it reads."""

from __future__ import annotations

from html import escape

import msgspec

from statuette.kernel.cli.opening import opened_database
from statuette.kernel.evidence.report import AuditReport, SignedReport, audit_report, signed
from statuette.kernel.master_key import derived, master_key
from statuette.kernel.settings_loading import load_settings

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#222}"
    "h1{font-size:1.6rem}table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}"
    "td:last-child{overflow-wrap:anywhere}.yes{color:#176d2c}.no{color:#a4121a;font-weight:600}"
)

Row = tuple[str, str]


async def made() -> tuple[SignedReport, AuditReport]:
    """The report of the deployment that the settings name."""
    settings = load_settings()
    async with opened_database(settings) as database:
        report = await audit_report(database)
    return signed(report, derived(master_key(settings), "evidence-heads")), report


def printed(document: SignedReport, report: AuditReport, as_json: bool) -> str:
    if as_json:
        return msgspec.json.format(msgspec.json.encode(document)).decode()
    lines = [_verdict(report), ""]
    for title, rows in _sections(report, document):
        lines += [title, *(f"  {name:28} {value}" for name, value in rows), ""]
    return "\n".join(lines).rstrip()


def page_of(document: SignedReport, report: AuditReport) -> str:
    """A page to read, print or send; it needs nothing from elsewhere."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>Audit report</title><style>{_STYLE}</style><h1>Audit report</h1>",
        f"<p class={'yes' if report.in_order else 'no'}>{escape(_verdict(report))}</p>",
    ]
    for title, rows in _sections(report, document):
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
        parts.append(f"<h2>{escape(title)}</h2><table>{cells}</table>")
    return "".join(parts) + "</html>\n"


def _verdict(report: AuditReport) -> str:
    if report.audit is not None and report.audit.failure is not None:
        return f"The log does not hold: {report.audit.failure.sentence}"
    if not report.in_order:
        return "The log holds. Promises are open: see below."
    return "The log holds, and no promise that is due is open."


def _sections(report: AuditReport, document: SignedReport) -> list[tuple[str, list[Row]]]:
    log: list[Row] = [("made at", _moment(report.made_at))]
    if report.audit is not None and report.head is not None:
        log += [
            ("entries verified", f"{report.audit.entries}, each against a signed head"),
            ("signed heads verified", str(report.audit.heads)),
            ("last head", f"size {report.head.size}, {_moment(report.head.at)}, root {report.head.root.hex()}"),
            ("log", report.log or ""),
        ]
        log += [("public key", key) for key in report.public_keys]
    else:
        log.append(("entries verified", "none: nothing has been enforced yet"))
    if report.anchors:
        log += [(f"anchor {each.name}", f"has size {each.size} since {_moment(each.at)}") for each in report.anchors]
    else:
        log.append(("anchor", "none: whoever runs this site could write the log anew"))
    enforced = [(each.rule, f"{each.receipts} receipts") for each in report.enforced]
    open_: list[Row] = [
        ("overdue deadlines", str(report.overdue)),
        ("kept by legal holds", str(report.held)),
        ("stopped by a guard", str(report.stopped)),
        ("store and database compared", _moment(report.reconciled_at) if report.reconciled_at else "never"),
    ]
    open_ += [(f"finding {each.code}", f"{each.subjects}, last {_moment(each.last_at)}") for each in report.findings]
    return [
        ("The log", log),
        ("What was enforced", enforced or [("nothing", "yet")]),
        ("What is open", open_),
        ("Signature", [("key", document.key), ("Ed25519", document.signature)]),
    ]


def _moment(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
