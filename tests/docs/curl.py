"""The part of curl that the pages use, for machines that have none, or one too old to know `--json`."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

_JSON_SINCE = (7, 82)


def usable() -> bool:
    """Whether the machine's own curl understands the pages."""
    found = shutil.which("curl")
    if found is None:
        return False
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"curl (\d+)\.(\d+)", told)
    return version is not None and (int(version[1]), int(version[2])) >= _JSON_SINCE


def main() -> None:
    parser = argparse.ArgumentParser(prog="curl", add_help=False)
    parser.add_argument("url")
    for flag in ("-s", "-N"):
        parser.add_argument(flag, action="store_true")
    for option in ("-X", "-o", "-w", "--json"):
        parser.add_argument(option)
    for option in ("-H", "-F"):
        parser.add_argument(option, action="append", default=[])
    asked = parser.parse_args()
    headers = dict(line.split(": ", 1) for line in asked.H)
    body: dict[str, Any] = {}
    if asked.json is not None:
        headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        body["content"] = asked.json
    for name, _, value in (part.partition("=") for part in asked.F):
        if value.startswith("@"):
            body.setdefault("files", {})[name] = (Path(value[1:]).name, Path(value[1:]).read_bytes())
        else:
            body.setdefault("data", {})[name] = value
    method = asked.X or ("POST" if body else "GET")
    with (
        httpx.Client(timeout=60, trust_env=False) as client,
        client.stream(method, asked.url, headers=headers, **body) as response,
        Path(asked.o or "/dev/stdout").open("wb") as target,
    ):
        for piece in response.iter_raw():
            target.write(piece)
            target.flush()
    if asked.w:
        sys.stdout.write(asked.w.replace("%{http_code}", str(response.status_code)).replace("\\n", "\n"))


if __name__ == "__main__":
    main()
