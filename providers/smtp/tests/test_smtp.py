"""The mailer against real servers over real sockets: willing, unwilling, slow, encrypted and locked ones."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import typing
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from statuette import ConfigurationError, PluginContext
from statuette.ports.mail import Mailer, MailRefused, MailUnavailable
from statuette.testing import FrozenClock
from statuette.testing.mail_suite import MailerSuite, sample_message
from statuette_smtp import SmtpConfig, plugin

USERNAME, PASSWORD = "postbox", "correct horse battery"


class Postbox:
    """What a server does with mail: keeps it, unless told to answer otherwise.

    Attributes:
        kept: envelopes that were accepted, with whether they came over TLS.
        answers: what to say instead, by command, in order; then it is willing again.
    """

    def __init__(self) -> None:
        self.kept: list[tuple[Envelope, bool]] = []
        self.greetings: list[str] = []
        self.answers: dict[str, list[str]] = {}

    def answer(self, command: str, otherwise: str = "250 OK") -> str:
        waiting = self.answers.get(command, [])
        return waiting.pop(0) if waiting else otherwise

    async def handle_EHLO(  # noqa: N802 - the server's names
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.greetings.append(hostname)
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answer("MAIL")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answer("RCPT")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answer("DATA")
        if answer.startswith("2"):
            self.kept.append((envelope, session.ssl is not None))
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self.answer("QUIT", "221 Bye")


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


StartServer = Callable[..., Awaitable[int]]
OpenMailer = Callable[..., Mailer]


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
async def start_server(postbox: Postbox) -> AsyncIterator[StartServer]:
    """Start an SMTP server with aiosmtpd's options; answers its port. `ssl` speaks TLS from the first byte."""
    async with AsyncExitStack() as running:

        async def start(*, ssl: ssl.SSLContext | None = None, **options: Any) -> int:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(
                lambda: SMTP(postbox, loop=loop, hostname="server.example", enable_SMTPUTF8=True, **options),
                "127.0.0.1",
                0,
                ssl=ssl,
            )
            running.callback(server.close)
            return int(server.sockets[0].getsockname()[1])

        yield start


@pytest.fixture
async def start_silent_server() -> AsyncIterator[Callable[[bytes], Awaitable[int]]]:
    """Start a server that says the given bytes once every 50 ms and nothing else."""
    conversations: set[asyncio.Task[None]] = set()
    servers: list[asyncio.Server] = []

    async def start(said: bytes) -> int:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while not reader.at_eof():
                    writer.write(said)
                    await asyncio.sleep(0.05)
                    if not said:
                        await reader.read(1)
            finally:
                writer.close()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            conversations.add(asyncio.create_task(talk(reader, writer)))

        servers.append(await asyncio.start_server(accept, "127.0.0.1", 0))
        return int(servers[-1].sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()
    for conversation in conversations:
        conversation.cancel()
    await asyncio.gather(*conversations, return_exceptions=True)
    await asyncio.sleep(0.01)  # transports say goodbye on the next turns of the loop


@pytest.fixture
def open_mailer(tmp_path: Path) -> OpenMailer:
    """A mailer through the hook, as the platform opens it."""

    def open_one(**settings: Any) -> Mailer:
        config = SmtpConfig(**{"host": "127.0.0.1", "security": "none", "timeout_seconds": 5.0, **settings})
        context = PluginContext(config, tmp_path, FrozenClock(), "https://tiny.example:8443", bytes(32))
        (mailer,) = plugin.mailers(context)
        return mailer

    return open_one


@asynccontextmanager
async def closing(mailer: Mailer) -> AsyncIterator[Mailer]:
    try:
        yield mailer
    finally:
        await mailer.aclose()


class TestSmtpMailer(MailerSuite):
    @pytest.fixture
    async def mailer(self, start_server: StartServer, open_mailer: OpenMailer) -> AsyncIterator[Mailer]:
        async with closing(open_mailer(port=await start_server())) as mailer:
            yield mailer


async def test_a_message_arrives_whole(start_server: StartServer, open_mailer: OpenMailer, postbox: Postbox) -> None:
    mailer = open_mailer(port=await start_server())

    await mailer.send(sample_message())

    ((envelope, _),) = postbox.kept
    assert (envelope.mail_from, envelope.rcpt_tos) == ("hello@tiny.example", ["person1@example.com"])
    assert isinstance(envelope.content, bytes)
    letter = message_from_bytes(envelope.content, policy=SMTP_POLICY)
    assert letter["Message-ID"] == "<mail_1@tiny.example>"
    assert letter["Date"] == "Thu, 15 Jan 2026 12:00:00 +0000"
    assert letter["List-Unsubscribe"] == "<https://tiny.example/u/1>"
    plain, html = letter.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == sample_message().text
    assert html.get_content().replace("\r\n", "\n").strip() == sample_message().html
    assert postbox.greetings == ["tiny.example"]


async def test_greylisting_is_a_fault_that_passes(
    start_server: StartServer, open_mailer: OpenMailer, postbox: Postbox
) -> None:
    mailer = open_mailer(port=await start_server())
    postbox.answers["RCPT"] = ["451 4.7.1 <person1@example.com> Greylisted, come back"]

    with pytest.raises(MailUnavailable) as caught:
        await mailer.send(sample_message())
    await mailer.send(sample_message())

    assert caught.value.attributes == {"smtp_code": 451, "enhanced_status": "4.7.1"}
    assert "person1" not in str(caught.value)
    assert len(postbox.kept) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("421 4.3.0 going down", MailUnavailable),
        ("452 4.2.2 person1@example.com is over quota", MailUnavailable),
        ("550 5.1.1 no person1@example.com here", MailRefused),
        ("554 refused", MailRefused),
    ],
)
async def test_the_servers_answer_decides_whether_to_come_back(
    start_server: StartServer,
    open_mailer: OpenMailer,
    postbox: Postbox,
    command: str,
    answer: str,
    error: type[Exception],
) -> None:
    mailer = open_mailer(port=await start_server())
    postbox.answers[command] = [answer]

    with pytest.raises(error) as caught:
        await mailer.send(sample_message())

    assert "person1" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert postbox.kept == []


async def test_a_rude_goodbye_does_not_turn_success_into_failure(
    start_server: StartServer, open_mailer: OpenMailer, postbox: Postbox
) -> None:
    mailer = open_mailer(port=await start_server())
    postbox.answers["QUIT"] = ["500 what?"]

    await mailer.send(sample_message())

    assert len(postbox.kept) == 1


async def test_a_server_that_is_not_there_is_a_fault_that_may_pass(open_mailer: OpenMailer) -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        port = placeholder.getsockname()[1]
    mailer = open_mailer(port=port)

    with pytest.raises(MailUnavailable, match="cannot be reached"):
        await mailer.send(sample_message())


@pytest.mark.parametrize("said", [b"", b"220-still starting\r\n", b"2"], ids=["silent", "endless greeting", "one byte"])
async def test_a_slow_server_is_given_up_after_the_limit(
    start_silent_server: Callable[[bytes], Awaitable[int]], open_mailer: OpenMailer, said: bytes
) -> None:
    mailer = open_mailer(port=await start_silent_server(said), timeout_seconds=0.4)
    started = asyncio.get_running_loop().time()

    with pytest.raises(MailUnavailable, match="did not finish within"):
        await mailer.send(sample_message())

    assert 0.3 < asyncio.get_running_loop().time() - started < 3


@pytest.mark.parametrize("said", [b"554 5.7.1 your address is blocked\r\n", b"\xff\xfe nonsense\r\n"])
async def test_a_server_that_turns_us_away_keeps_the_message_for_later(
    start_silent_server: Callable[[bytes], Awaitable[int]], open_mailer: OpenMailer, said: bytes
) -> None:
    mailer = open_mailer(port=await start_silent_server(said), timeout_seconds=2.0)

    with pytest.raises(MailUnavailable):
        await mailer.send(sample_message())


async def test_starttls_encrypts_what_is_sent(
    start_server: StartServer,
    open_mailer: OpenMailer,
    postbox: Postbox,
    server_tls: ssl.SSLContext,
    certificate: Path,
) -> None:
    port = await start_server(tls_context=server_tls, require_starttls=True)
    mailer = open_mailer(port=port, security="starttls", certificate_authority_file=str(certificate))

    await mailer.send(sample_message())

    assert [encrypted for _, encrypted in postbox.kept] == [True]


async def test_tls_from_the_first_byte_works_too(
    start_server: StartServer,
    open_mailer: OpenMailer,
    postbox: Postbox,
    server_tls: ssl.SSLContext,
    certificate: Path,
) -> None:
    port = await start_server(ssl=server_tls)
    mailer = open_mailer(port=port, security="tls", certificate_authority_file=str(certificate))

    await mailer.send(sample_message())

    assert len(postbox.kept) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_nobody_vouches_for_is_not_accepted(
    start_server: StartServer,
    open_mailer: OpenMailer,
    postbox: Postbox,
    server_tls: ssl.SSLContext,
    security: str,
) -> None:
    port = await start_server(**({"tls_context": server_tls} if security == "starttls" else {"ssl": server_tls}))
    mailer = open_mailer(port=port, security=security)

    with pytest.raises(MailUnavailable, match="not trusted"):
        await mailer.send(sample_message())

    assert postbox.kept == []


async def test_a_certificate_for_another_name_is_not_accepted(
    start_server: StartServer,
    open_mailer: OpenMailer,
    postbox: Postbox,
    server_tls: ssl.SSLContext,
    certificate: Path,
) -> None:
    port = await start_server(tls_context=server_tls)
    mailer = open_mailer(host="localhost", port=port, security="starttls", certificate_authority_file=str(certificate))

    with pytest.raises(MailUnavailable, match="not trusted"):
        await mailer.send(sample_message())

    assert postbox.kept == []


async def test_a_server_without_starttls_gets_nothing_in_the_clear(
    start_server: StartServer, open_mailer: OpenMailer, postbox: Postbox
) -> None:
    # Given a server, or somebody in between, that does not offer encryption
    mailer = open_mailer(port=await start_server(), security="starttls", username=USERNAME, password=PASSWORD)

    with pytest.raises(MailUnavailable, match="STARTTLS"):
        await mailer.send(sample_message())

    assert postbox.kept == []


async def test_a_certificate_authority_file_that_is_none_is_named(
    start_server: StartServer, open_mailer: OpenMailer, tmp_path: Path
) -> None:
    mailer = open_mailer(port=await start_server(), security="tls", certificate_authority_file=str(tmp_path / "none"))

    with pytest.raises(MailUnavailable, match="certificate_authority_file"):
        await mailer.send(sample_message())


async def test_the_right_password_opens_a_locked_server(
    start_server: StartServer,
    open_mailer: OpenMailer,
    postbox: Postbox,
    server_tls: ssl.SSLContext,
    certificate: Path,
) -> None:
    port = await start_server(tls_context=server_tls, authenticator=authenticate, auth_required=True)
    mailer = open_mailer(
        port=port,
        security="starttls",
        certificate_authority_file=str(certificate),
        username=USERNAME,
        password=PASSWORD,
    )

    await mailer.send(sample_message())

    assert len(postbox.kept) == 1


async def test_a_wrong_password_is_named_without_being_shown(
    start_server: StartServer,
    open_mailer: OpenMailer,
    postbox: Postbox,
    server_tls: ssl.SSLContext,
    certificate: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = await start_server(tls_context=server_tls, authenticator=authenticate, auth_required=True)
    mailer = open_mailer(
        port=port,
        security="starttls",
        certificate_authority_file=str(certificate),
        username=USERNAME,
        password="hunter2 hunter2",
    )
    caplog.set_level(logging.DEBUG, logger="statuette_smtp")
    caplog.set_level(logging.DEBUG, logger="aiosmtplib")

    with pytest.raises(MailUnavailable, match="SMTP_PASSWORD") as caught:
        await mailer.send(sample_message())

    shown = f"{caught.value!r} {caught.value.attributes} {caught.value.__cause__!r} {mailer!r}"
    assert "hunter2" not in shown and USERNAME not in shown
    assert [record for record in caplog.records if record.name.startswith(("statuette", "aiosmtplib"))] == []
    assert caught.value.retryable
    assert postbox.kept == []


async def test_an_international_address_needs_a_server_that_knows_them(
    start_server: StartServer, open_mailer: OpenMailer, postbox: Postbox
) -> None:
    message = msgspec.structs.replace(sample_message(), recipient="jörg@example.com")
    mailer = open_mailer(port=await start_server())

    await mailer.send(message)

    assert postbox.kept[0][0].rcpt_tos == ["jörg@example.com"]


async def test_a_cancelled_send_leaves_no_connection_behind(
    start_silent_server: Callable[[bytes], Awaitable[int]], open_mailer: OpenMailer
) -> None:
    mailer = open_mailer(port=await start_silent_server(b""))
    sending = asyncio.create_task(mailer.send(sample_message()))
    await asyncio.sleep(0.1)

    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending  # an open socket left behind would fail the test as a ResourceWarning


def test_without_a_host_there_is_no_mailer(tmp_path: Path) -> None:
    context = PluginContext(SmtpConfig(), tmp_path, FrozenClock(), "http://localhost", bytes(32))

    assert plugin.mailers(context) == ()


@pytest.mark.parametrize("host", ["mail.example", "10.0.0.5", "0.0.0.0", "127.0.0.1.example", "localhost.example"])
def test_mail_in_the_clear_stays_on_this_machine(open_mailer: OpenMailer, host: str) -> None:
    with pytest.raises(ConfigurationError, match="without encryption"):
        open_mailer(host=host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "LOCALHOST"])
def test_this_machine_needs_no_encryption(open_mailer: OpenMailer, host: str) -> None:
    assert open_mailer(host=host).name == "smtp"


@pytest.mark.parametrize("half", [{"username": "me"}, {"password": "secret words"}])
def test_half_of_the_credentials_is_a_mistake(open_mailer: OpenMailer, half: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="SMTP_") as caught:
        open_mailer(**half)

    assert "secret words" not in str(caught.value)


def test_the_password_is_marked_as_a_secret_and_not_shown() -> None:
    hints = typing.get_type_hints(SmtpConfig, include_extras=True)

    assert hints["password"].__metadata__[0].extra == {"env": "SMTP_PASSWORD", "secret": True}
    assert "secret words" not in repr(SmtpConfig(host="mail.example", password="secret words"))
