"""Letters through a real mail server: turned away at first, then taken, with headers that a second copy would share."""

from __future__ import annotations

import asyncio
import email
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from statuette.kernel.settings import FIRST_PARTY_PLUGINS, PluginTable
from statuette.kernel.toml_source import parse_toml
from statuette.testing import FrozenClock
from tests.integration.road.faults import until
from tests.integration.road.letters import findings_about_letters, nothing_waits, put_off
from tests.profiles import Profile
from tests.site import Site, Visitor, serving


class Postbox:
    """What the server does with mail: keeps it, unless it is told to answer otherwise.

    Attributes:
        answers: what to say to the next messages instead of taking them.
    """

    def __init__(self) -> None:
        self.kept: list[EmailMessage] = []
        self.answers: list[str] = []
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the server's name
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        letter = email.message_from_bytes(envelope.content, policy=SMTP_POLICY)
        assert isinstance(letter, EmailMessage)
        self.kept.append(letter)
        return "250 OK"


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    postbox = Postbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox, loop=loop, hostname="server.example"), "127.0.0.1", 0)
    postbox.port = int(server.sockets[0].getsockname()[1])
    yield postbox
    server.close()


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock, postbox: Postbox) -> AsyncIterator[Site]:
    source = parse_toml(f'[plugins.smtp]\nhost = "127.0.0.1"\nport = {postbox.port}\nsecurity = "none"\n', "mail.toml")
    settings = {
        "mailer": "smtp",
        "allowed_plugins": tuple(name for name in FIRST_PARTY_PLUGINS if name != "gemini"),
        "plugin_tables": {**profile.settings.get("plugin_tables", {}), "smtp": PluginTable("smtp", source)},
    }
    async with serving(tmp_path, profile, clock=clock, **settings) as site:
        await site.apply_brand()
        yield site


async def signed_in(site: Site, postbox: Postbox, address: str) -> Visitor:
    """Somebody who read their code in the mail."""
    person = site.visitor()
    person.email = address
    assert (await person.http.post("/v1/signin/codes", json={"email": address})).status_code == 202
    code = re.search(r"(?<!\d)(\d{6})(?!\d)", postbox.kept[-1].get_content())
    assert code is not None
    session = await person.http.post("/v1/signin", json={"email": address, "code": code.group(1)})
    person.account_id = session.json()["account_id"]
    person.http.headers["Authorization"] = f"Bearer {session.json()['token']}"
    await person.agree()
    await site.grant(person, 5)
    return person


async def test_a_server_that_is_busy_takes_the_letter_later(site: Site, postbox: Postbox, clock: FrozenClock) -> None:
    # Given a mail server that turns messages away for a while
    person = await signed_in(site, postbox, "ada@example.org")
    upload = await person.upload()
    postbox.answers += ["451 4.3.0 come back later", "452 4.3.1 no room"]

    # When a job has ended and the server takes messages again
    order = await person.order(upload["id"], notify=True)
    assert (await person.finished(order["id"]))["state"] == "succeeded"
    await until(lambda: put_off(site))
    await until(lambda: nothing_waits(site), clock)

    # Then the letter is in the person's box, once, under a name that is made of the job alone
    _, letter = postbox.kept
    assert (letter["To"], letter["From"]) == ("ada@example.org", "Alpha <hello@alpha.example>")
    assert letter["Subject"] == "Your order at Alpha"
    assert "Your figurine is ready." in letter.get_content()
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@alpha.example>")
    assert postbox.answers == []


async def test_a_server_that_knows_nobody_of_that_name_is_asked_once(
    site: Site, postbox: Postbox, clock: FrozenClock
) -> None:
    # Given a mailbox that was closed after its owner had signed in
    person = await signed_in(site, postbox, "ada@example.org")
    upload = await person.upload()
    postbox.answers += ["550 5.1.1 <ada@example.org> unknown here"]

    # When a job has ended
    order = await person.order(upload["id"], notify=True)
    await person.finished(order["id"])
    await until(lambda: nothing_waits(site), clock)

    # Then the operator learns that mail is refused, and not whose
    assert len(postbox.kept) == 1
    (finding,) = await findings_about_letters(site)
    assert (finding["code"], finding["detail"]) == ("letter_refused", "mail_refused")
    assert "ada" not in str(finding)
