"""No photo, word, address, token or network address of a person is told to a log, a span, a queue or an error (I13)."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from statuette.kernel import telemetry
from statuette.ports.image import BlockedInput
from statuette.testing import FrozenClock
from statuette.testing.scripted_image import Raise
from tests.integration.road.faults import ended
from tests.integration.road.wire import encoded
from tests.profiles import Profile
from tests.recorded import Recorded
from tests.site import serving

EMAIL = "canary.mailbox@example.org"
NAME = "Canary Goldfeather"
WORDS = "CanaryPlinth"
ADDRESS = "203.0.113.77"
IN_PHOTO = "canary-in-the-photo"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the platform writes to its log at its most talkative, in the form it has in production."""
    root = logging.getLogger()
    before = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in list(logging.Logger.manager.loggerDict)}
    telemetry.configure_logging("debug")
    written = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    root.handlers[:], _ = before
    root.setLevel(before[1])
    for name in logging.Logger.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


async def test_nothing_private_is_in_logs_spans_problems_or_queues(
    tmp_path: Path, profile: Profile, clock: FrozenClock, logged: io.StringIO, recorded: Recorded
) -> None:
    problems: list[str] = []
    queued: list[dict[str, object]] = []
    async with serving(tmp_path, profile, clock=clock, trusted_proxies=("127.0.0.0/8",), log_level="debug") as site:
        await site.apply_brand()
        person = site.visitor()
        person.http.headers["X-Forwarded-For"] = ADDRESS
        person.http.headers["User-Agent"] = "CanaryBrowser/1.0"

        # Given somebody whose every trait is unmistakable, on the good road
        await person.sign_in(EMAIL)
        await person.http.patch("/v1/account", json={"name": NAME})
        await person.agree()
        await site.grant(person, 20)
        photo = encoded(Image.new("RGB", (64, 64), "red"), "JPEG", comment=IN_PHOTO.encode())
        upload = await person.upload(photo)
        ordered = await person.order(upload["id"], variables={"name_text": WORDS})
        async with site.platform.database.read() as reader:
            queued = await reader.rows("SELECT * FROM work_item")
        job = await person.finished(ordered["id"])
        assert job["variables"]["name_text"] == WORDS
        await person.http.get(job["figurines"][0]["images"]["256"])
        ticket = (await person.http.post(f"/v1/generations/{job['id']}/stream-tickets")).json()["ticket"]
        await person.http.get(f"/v1/generations/{job['id']}/events", params={"ticket": ticket})

        # And on every bad one: refused, wrong, broken inside
        site.scripted.script(BlockedInput(reason="safety"), *[Raise(RuntimeError(f"{EMAIL} {WORDS}"))] * 10)
        for _ in range(2):
            await ended(person, (await person.order(upload["id"], variables={"name_text": WORDS}))["id"], clock)
        for refused in (
            await person.try_order(upload["id"], variables={"name_text": f"{WORDS}\n{{ignore}}" * 9}),
            await person.try_order(upload["id"], variables={"pose": WORDS}),
            await person.try_order(upload["id"], variables={WORDS: "x"}, count=99),
            await person.try_order(upload["id"], count=WORDS),
            await person.try_upload(IN_PHOTO.encode() * 10),
            await person.try_upload(photo, statement=WORDS),
            await person.http.post("/v1/signin", json={"email": EMAIL, "code": "not-it"}),
            await person.http.post("/v1/signin/codes", json={"email": f"{EMAIL}@{EMAIL}"}),
            await person.http.post("/v1/signin/codes", json={"email": EMAIL, "locale": f"{NAME} {EMAIL}"}),
            await person.http.patch("/v1/account", json={"name": NAME * 50}),
            await person.http.get("/v1/account", headers={"Authorization": "Bearer st_canary_token_of_nobody"}),
            await person.http.get(f"/v1/nope/{EMAIL}?{EMAIL}"),
            await person.http.get(f"/v1/uploads/{EMAIL}"),
            await person.http.get(f"/v1/uploads?cursor={EMAIL}"),
        ):
            assert refused.status_code >= 400, refused.request.url
            problems.append(refused.text)
        token = person.http.headers["Authorization"].removeprefix("Bearer ")
        secret_key = site.secret_keys["alpha"]

    # Then none of it was told
    lines = logged.getvalue()
    told = {
        "log": lines,
        "spans": "\n".join(span.to_json() for span in recorded.finished),
        "queue": json.dumps(queued, default=str),
        "problems": "\n".join(problem for problem in problems),
    }
    private = {
        "e-mail": EMAIL,
        "name": NAME,
        "words": WORDS,
        "network address": ADDRESS,
        "browser": "CanaryBrowser",
        "photo": IN_PHOTO,
        "token": token,
        "unknown token": "st_canary_token_of_nobody",
        "ticket": ticket,
        "secret key": secret_key,
        "signature": str(upload["image_url"]).rsplit("signature=", 1)[1],
    }
    found = [(place, what) for place, text in told.items() for what, value in private.items() if value in text]
    assert found == []

    # And the log is there at all, one object a line, each request with its route's template
    events = [json.loads(line) for line in lines.splitlines()]
    routes = {event.get("route") for event in events if event["event"] == "request"}
    assert {"/v1/uploads", "/v1/generations", "unmatched"} <= routes
    assert any(event["event"] != "request" and event["level"] in ("warning", "error") for event in events)
    assert {"egress", "intake"} & {span.name.split()[0] for span in recorded.finished}
    assert queued
