"""How `statuette evidence report` and `reports` come about, and how they read."""

from __future__ import annotations

from html import escape

import msgspec

from statuette.errors import NotFound
from statuette.kernel.app import compose
from statuette.kernel.cli.opening import composed, opened_database
from statuette.kernel.evidence import reports
from statuette.kernel.evidence.report import AuditReport, SignedReport, audit_report, signed
from statuette.kernel.evidence.reports import ReportRow
from statuette.kernel.master_key import derived
from statuette.kernel.settings_loading import load_settings

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#222}"
    "h1{font-size:1.6rem}table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}"
    "td:last-child{overflow-wrap:anywhere}.yes{color:#176d2c}.no{color:#a4121a;font-weight:600}"
)

Row = tuple[str, str]


async def made() -> tuple[SignedReport, AuditReport]:
    """The report of the deployment that the settings name, made now and not kept."""
    platform = compose(load_settings())
    async with composed(platform) as database:
        probed = [await platform.probes.one(name) for name in platform.probes.all]
        async with database.read() as reader:
            before = await reports.newest(reader)
        report = await audit_report(database, probed, previous=before.digest if before is not None else None)
    return signed(report, derived(platform.secret, "evidence-heads")), report


async def kept(report_id: str) -> str:
    """A report as it was signed. Raises `NotFound`."""
    async with opened_database(load_settings()) as database, database.read() as reader:
        text = await reports.text(reader, report_id)
    if text is None:
        raise NotFound(f"There is no report {report_id[:40]!r}.", cure="`statuette evidence reports` lists them.")
    return text


async def listed(before: str | None, limit: int) -> list[ReportRow]:
    """Newest first."""
    async with opened_database(load_settings()) as database, database.read() as reader:
        return await reports.listed(reader, before=before, limit=limit)


def read(text: str) -> tuple[SignedReport, AuditReport]:
    """A kept report, decoded."""
    document = msgspec.json.decode(text, type=SignedReport)
    return document, msgspec.json.decode(document.report, type=AuditReport)


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
        return f"The log holds. Not in order: {', '.join(report.causes)}; see below."
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
        ("due deadlines looked for", _moment(report.enforced_at) if report.enforced_at else "never"),
    ]
    open_ += [(f"finding {each.code}", f"{each.subjects}, last {_moment(each.last_at)}") for each in report.findings]
    return [
        ("The log", log),
        ("What was enforced", enforced or [("nothing", "yet")]),
        ("What is open", open_),
        (
            "Safeguards",
            [(each.name, "holds" if each.ok else "DOES NOT HOLD") for each in report.probes],
        ),
        (
            "Signature",
            [
                ("key", document.key),
                ("Ed25519", document.signature),
                ("report before", report.previous or "none is kept"),
            ],
        ),
    ]


def _moment(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
