"""The frame of every page that is rendered from a policy: readable on a phone, on paper and aloud, with nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.55 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.7rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2rem}li{margin:.3rem 0}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;"
    "border-bottom:1px solid #8886}code{overflow-wrap:anywhere}"
    # A table of many columns has room, or is pushed aside by a thumb, or fits on paper.
    "body:has(th:nth-child(4)){max-width:76rem}th:nth-child(4)~th:last-child{min-width:20rem}"
    "@media(max-width:60rem){table:has(th:nth-child(4)){display:block;overflow-x:auto}}"
    "@media print{body{max-width:none!important;margin:0;font-size:.8rem}th:last-child{min-width:0!important}}"
)
STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
"""What a Content-Security-Policy names to let the style of these pages apply, and no other."""


def whole_page(locale: str, title: str, body: Iterable[str]) -> str:
    """A whole page of HTML, without scripts.

    Args:
        title: not escaped yet. It is the first heading, too.
        body: HTML.
    """
    shown = html.escape(title)
    parts = [
        "<!doctype html>",
        f'<html lang="{locale}">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{shown}</title><style>{STYLE}</style></head>",
        "<body>",
        f"<h1>{shown}</h1>",
        *body,
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"
