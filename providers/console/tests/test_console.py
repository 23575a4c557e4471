"""The console mailer, read as a developer reads it at the terminal."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest

from statuette import PluginContext
from statuette.plugin import NoConfig
from statuette.ports.mail import Mailer, MailUnavailable, Message
from statuette.testing import FrozenClock
from statuette.testing.mail_suite import MailerSuite
from statuette_console import ConsoleMailer, plugin


def message(**changes: str) -> Message:
    fields = {
        "idempotency_key": "mail_1",
        "recipient": "ann@example.com",
        "sender": "Tiny You <hello@tiny.example>",
        "subject": "Your code",
        "text": "Your code is 123 456.\n\nIt lasts ten minutes.",
    }
    return Message(**{**fields, **changes})  # type: ignore[arg-type]


class TestConsoleMailer(MailerSuite):
    @pytest.fixture
    def mailer(self) -> Mailer:
        return ConsoleMailer(io.StringIO())


async def test_a_message_goes_framed_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    context = PluginContext(NoConfig(), tmp_path, FrozenClock(), "http://localhost", bytes(32))
    (mailer,) = plugin.mailers(context)

    await mailer.send(message())

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == (
        "┌─ Mail ──────────────────────────────────────────────────────────────────────\n"
        "│ From: Tiny You <hello@tiny.example>\n"
        "│ To: ann@example.com\n"
        "│ Subject: Your code\n"
        "├─────────────────────────────────────────────────────────────────────────────\n"
        "│ Your code is 123 456.\n"
        "│\n"
        "│ It lasts ten minutes.\n"
        "└─────────────────────────────────────────────────────────────────────────────\n"
    )


async def test_a_terminal_without_unicode_gets_a_plain_frame() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")

    await ConsoleMailer(stream).send(message())

    stream.seek(0)
    assert stream.read().splitlines()[0].startswith("+- Mail ---")


async def test_a_message_never_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    await ConsoleMailer(io.StringIO()).send(message())

    assert caplog.records == []


@pytest.mark.parametrize("field", ["subject", "text", "recipient", "sender"])
async def test_a_message_cannot_steer_the_terminal(field: str) -> None:
    stream = io.StringIO()

    await ConsoleMailer(stream).send(message(**{field: "a\x1b[2Jb\x07c\u202ed\x9b31me"}))

    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(stream.getvalue())


async def test_a_header_cannot_break_the_frame() -> None:
    stream = io.StringIO()

    await ConsoleMailer(stream).send(message(subject="Hello\r\nTo: somebody@else.example"))

    assert all(line[0] in "┌│├└+|" for line in stream.getvalue().splitlines())


async def test_a_closed_terminal_is_a_fault_that_may_pass() -> None:
    stream = io.StringIO()
    stream.close()

    with pytest.raises(MailUnavailable):
        await ConsoleMailer(stream).send(message())
