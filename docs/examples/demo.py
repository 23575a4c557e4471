"""Takes a real photo down the whole road, through the HTTP API of a platform that it starts for the purpose.

    python docs/examples/demo.py [--photo PATH] [--style SLUG] [--out FOLDER]

Everything it does, a site's front end does the same way: sign in with the mailed code, agree, upload, order, watch, download.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from statuette.testing.photos import sample_photos

ROOT = Path(__file__).resolve().parents[2]
EMAIL = "ada@example.org"
TIME_LIMIT_SECONDS = 180
console = Console(highlight=False, soft_wrap=True)


class Server:
    """A platform in a folder of its own, and what it prints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "STATUETTE_DATA_DIR": str(folder),
            "STATUETTE_PORT": str(self.port),
            "STATUETTE_HOST": "127.0.0.1",
            "STATUETTE_LOG_LEVEL": "warning",
        }
        self._lines: queue.Queue[str] = queue.Queue()

    def command(self, *arguments: str) -> str:
        """Run a `statuette` command; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "statuette", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise SystemExit(f"statuette {' '.join(arguments)} failed:\n{done.stderr.strip()}")
        return done.stdout

    @contextmanager
    def serving(self) -> Iterator[None]:
        process = subprocess.Popen(
            [sys.executable, "-m", "statuette", "serve"],
            cwd=ROOT,
            env=self.environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        reader.start()
        try:
            self._wait_until_ready(process)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()

    def mailed_code(self) -> str:
        """The six digits out of the letter that the console mailer writes to the terminal."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                line = self._lines.get(timeout=1)
            except queue.Empty:
                continue
            if found := re.search(r"(?<!\d)(\d{6})(?!\d)", line):
                return found.group(1)
        raise SystemExit("No sign-in code was mailed within 20 s.")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with (self.folder / "server.log").open("w") as log:
            for line in process.stderr:
                log.write(line)
                log.flush()
                self._lines.put(line)

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise SystemExit(f"The server stopped:\n{(self.folder / 'server.log').read_text()}")
            try:
                if httpx.get(f"{self.url}/readyz", timeout=1).status_code == 200:
                    # Letters come later than the banner: what was printed so far holds no code.
                    while not self._lines.empty():
                        self._lines.get_nowait()
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise SystemExit("The server was not ready within 30 s.")


class Visitor:
    """A person at the site's front end."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.http = httpx.Client(base_url=server.url, timeout=60)

    def sign_in(self) -> str:
        self._call("POST", "/v1/signin/codes", json={"email": EMAIL})
        code = self._server.mailed_code()
        session = self._call("POST", "/v1/signin", json={"email": EMAIL, "code": code})
        self.http.headers["Authorization"] = f"Bearer {session['token']}"
        return str(session["account_id"])

    def agree(self) -> str:
        purposes = self._call("GET", "/v1/account/consents")["items"]
        asked = next(item for item in purposes if item["purpose"] == "generation")
        self._call(
            "PUT",
            "/v1/account/consents/generation",
            json={"granted": True, "statement_digest": asked["statement_digest"]},
        )
        return str(asked["statement"])

    def credits(self) -> int:
        return int(self._call("GET", "/v1/credits")["available"])

    def upload(self, photo: Path) -> dict[str, Any]:
        return self._call(
            "POST",
            "/v1/uploads",
            files={"photo": (photo.name, photo.read_bytes())},
            data={"statement": "true"},
            headers={"Idempotency-Key": f"demo-{time.monotonic_ns()}"},
        )

    def order(self, body: dict[str, Any]) -> dict[str, Any]:
        key = {"Idempotency-Key": f"demo-{time.monotonic_ns()}"}
        return self._call("POST", "/v1/generations", json=body, headers=key)

    def watch(self, generation_id: str) -> Iterator[dict[str, Any]]:
        """The job's events, over SSE, until it ends."""
        with self.http.stream("GET", f"/v1/generations/{generation_id}/events", timeout=TIME_LIMIT_SECONDS) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    def generation(self, generation_id: str) -> dict[str, Any]:
        return self._call("GET", f"/v1/generations/{generation_id}")

    def upload_state(self, upload_id: str) -> dict[str, Any]:
        return self._call("GET", f"/v1/uploads/{upload_id}")

    def delete_upload(self, upload_id: str) -> None:
        self.http.delete(f"/v1/uploads/{upload_id}").raise_for_status()

    def receipt(self, record_id: str) -> bytes:
        """The receipt of a deletion, once it is in the evidence log: a matter of seconds."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for item in self._call("GET", "/v1/account/receipts")["items"]:
                if item["record_id"] == record_id and item["sealed"]:
                    return self.http.get(f"/v1/account/receipts/{item['id']}").content
            time.sleep(0.2)
        raise SystemExit("There was no receipt within a minute.")

    def download(self, url: str, to: Path) -> None:
        response = httpx.get(url, timeout=30)  # signed: no other credentials needed
        response.raise_for_status()
        to.write_bytes(response.content)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self.http.request(method, path, **arguments)
        if response.status_code >= 400:
            raise SystemExit(f"{method} {path} answered {response.status_code}:\n{response.text}")
        return dict(response.json())


class Story:
    """What happened, for the account at the end."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.jobs: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = []

    def make(self, visitor: Visitor, title: str, body: dict[str, Any]) -> dict[str, Any]:
        task = self.progress.add_task(f"{title}: ordered", total=3)
        ordered = visitor.order(body)
        events = []
        for event in visitor.watch(ordered["id"]):
            events.append(event)
            state = event["type"].removeprefix("generation.")
            done = {"queued": 1, "running": 2, "figurine_ready": 3}.get(state, 3)
            self.progress.update(task, completed=done, description=f"{title}: {state.replace('_', ' ')}")
        job = visitor.generation(ordered["id"])
        if job["state"] != "succeeded":
            raise SystemExit(f"{title}: the job ended as {job['state']} ({job['reason']}).")
        self.jobs.append((title, job, events))
        return job


def main() -> None:
    arguments = _arguments()
    out: Path = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    platform = out / "platform"
    shutil.rmtree(platform, ignore_errors=True)
    platform.mkdir(mode=0o700)
    began = time.monotonic()
    samples = sample_photos()
    photo = arguments.photo or samples["astronaut"].path
    server = Server(platform)
    with _progress() as progress:
        setting_up = progress.add_task("Applying the brand", total=3)
        server.command("migrate")
        server.command("brand", "apply", "brands/demo.toml")
        keys = json.loads(
            server.command(
                *("brand", "keys", "create", "demo", "--kind", "secret", "--label", "demo"),
                *("--scope", "credits:write", "--json"),
            )
        )
        progress.update(setting_up, advance=1, description="Starting the platform")
        with server.serving():
            progress.update(setting_up, advance=1, description="Signing in with the mailed code")
            visitor = Visitor(server)
            account_id = visitor.sign_in()
            statement = visitor.agree()
            operator = {"Authorization": f"Bearer {keys['key']}", "Idempotency-Key": "demo-welcome"}
            granted = httpx.post(
                f"{server.url}/admin/v1/accounts/{account_id}/credits", json={"amount": 10}, headers=operator
            )
            granted.raise_for_status()
            before = visitor.credits()
            progress.update(setting_up, advance=1, description="Signed in, agreed, 10 credits granted")

            story = Story(progress)
            upload = visitor.upload(photo)
            first = story.make(visitor, "Figurine", {"inputs": [{"upload_id": upload["id"]}], "style": arguments.style})
            visitor.download(first["figurines"][0]["images"]["original"], out / "figurine.png")
            redo = story.make(visitor, "Redo", {"parent": first["id"]})
            visitor.download(redo["figurines"][0]["images"]["original"], out / "figurine-redo.png")
            second = visitor.upload(samples["coffee"].path)
            faceless = story.make(
                visitor,
                "A photo without a face",
                {"inputs": [{"upload_id": second["id"]}], "style": arguments.style},
            )
            visitor.download(faceless["figurines"][0]["images"]["original"], out / "object.png")
            after = visitor.credits()
            deleting = progress.add_task("Deleting the second photo, and its receipt", total=1)
            uploads = [visitor.upload_state(upload["id"])]
            visitor.delete_upload(second["id"])
            receipt = out / "receipt.json"
            receipt.write_bytes(visitor.receipt(second["id"]))
            progress.update(deleting, advance=1)
    # The platform is gone by now: the file is all that it takes.
    verified = json.loads(server.command("evidence", "verify", str(receipt), "--json"))
    _tell(story, statement, before, after, uploads, verified, out, time.monotonic() - began)


def _tell(
    story: Story,
    statement: str,
    before: int,
    after: int,
    uploads: list[dict[str, Any]],
    verified: dict[str, Any],
    out: Path,
    seconds: float,
) -> None:
    table = Table(title="What happened", title_justify="left", box=None, pad_edge=False)
    for column in ("job", "state", "time (UTC)", "after"):
        table.add_column(column)
    for title, _, events in story.jobs:
        start = _moment(events[0]["at"])
        for event in events:
            at = _moment(event["at"])
            table.add_row(
                title, event["type"].removeprefix("generation."), f"{at:%H:%M:%S.%f}"[:-3], _seconds(at - start)
            )
            title = ""
    console.print()
    console.print(table)
    console.print(f"\nConsent      “{statement}”")
    console.print(f"Credits      {before} before, {after} after: {before - after} for {len(story.jobs)} pictures")
    console.print("Deletion")
    for upload in uploads:
        due = _moment(upload["expires_at"])
        minutes = round((due - datetime.now(UTC)).total_seconds() / 60)
        console.print(
            f"  photo      {upload['id']} on {due:%Y-%m-%d %H:%M} UTC, in {minutes} min; {upload['retention']}"
        )
    for _, job, _ in story.jobs:
        for figurine in job["figurines"]:
            console.print(f"  figurine   {figurine['id']} {figurine['retention']}")
    receipt = verified["receipt"]
    gone = ", ".join(f"{store['store']}: {store['outcome'].replace('_', ' ')}" for store in receipt["stores"])
    console.print(f"  deleted    {verified['record']} by {receipt['rule']}; {gone}")
    passed = sum(step["outcome"] == "passed" for step in verified["steps"])
    console.print(f"  receipt    {_shown(out / 'receipt.json')}  verified offline, {passed} steps passed")
    console.print("Pictures")
    for name in ("figurine.png", "figurine-redo.png", "object.png"):
        console.print(f"  {_shown(out / name)}  {(out / name).stat().st_size // 1024} kB")
    console.print(f"\nDone in {seconds:.1f} s.")


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _seconds(span: Any) -> str:
    return f"+{span.total_seconds():.2f} s"


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        console=console,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path, help="a photo of yours; otherwise a sample")
    parser.add_argument("--style", default="scale_collectible", help="a style's slug (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="where pictures go (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
