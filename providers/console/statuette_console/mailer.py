"""A mailer that shows messages to whoever sits at the terminal, and to nobody else."""

from __future__ import annotations

import sys
import unicodedata
from typing import TextIO

from statuette.ports.mail import Mailer, MailUnavailable, Message
from statuette.ports.processor import Processor

_WIDTH_CHARACTERS = 78


class ConsoleMailer(Mailer):
    """Writes each message, framed, to the terminal. Never to a log: messages hold sign-in codes.

    Args:
        stream: where to write; the process's standard error at the moment of sending unless given.
    """

    name = "console"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    @property
    def processor(self) -> Processor:
        return Processor(
            id="console",
            name="The terminal of this machine",
            region="this deployment",
            purposes=("service_mail", "marketing"),
            categories=("email", "account_profile", "correspondence"),
            third_party=False,
        )

    async def send(self, message: Message) -> None:
        stream = self._stream or sys.stderr
        try:
            # One write, so that messages sent at the same time do not mix.
            stream.write(_framed(message, stream.encoding))
            stream.flush()
        except (OSError, ValueError) as error:
            raise MailUnavailable(f"The terminal cannot be written to: {type(error).__name__}.") from None


def _framed(message: Message, encoding: str | None) -> str:
    corner, line, side, tee, foot = "┌─│├└" if (encoding or "").lower().startswith("utf") else "+-|++"
    rule = line * (_WIDTH_CHARACTERS - 1)
    head = {"From": message.sender, "To": message.recipient, "Subject": message.subject, **message.headers}
    lines = [f"{name}: {_one_line(value)}" for name, value in head.items()]
    body = [_harmless(text.expandtabs()) for text in message.text.splitlines()]
    return "\n".join(
        [
            f"{corner}{line} Mail {rule[7:]}",
            *(f"{side} {text}".rstrip() for text in lines),
            f"{tee}{rule}",
            *(f"{side} {text}".rstrip() for text in body),
            f"{foot}{rule}",
            "",
        ]
    )


def _one_line(text: str) -> str:
    return _harmless(" ".join(text.split()))


def _harmless(text: str) -> str:
    """Without control and format characters: a name must not move the cursor, colour the terminal or reverse text."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)
