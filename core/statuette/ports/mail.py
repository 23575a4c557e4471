"""The mail port: one message to one person."""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec

from statuette.errors import StatuetteError
from statuette.ports.processor import Processor


class Message(msgspec.Struct, frozen=True):
    """A message to one recipient.

    Attributes:
        idempotency_key: the same key is the same message; a mailer that can, sends it once. Also the `Message-ID` stem.
        sender: `Name <address>`, RFC 5322.
        headers: extra headers, for instance `List-Unsubscribe` (RFC 8058).
    """

    idempotency_key: str
    recipient: str
    sender: str
    subject: str
    text: str
    html: str | None = None
    headers: dict[str, str] = {}

    def __repr__(self) -> str:  # recipients and codes never reach a log
        return f"Message({self.idempotency_key})"


class MailRefused(StatuetteError):
    """The server refused this message or recipient for good. Final."""

    code = "mail_refused"
    summary = "The mail server refused the message."


class MailUnavailable(StatuetteError):
    """The server is down, slow, or asks us to come back. Retryable."""

    code = "mail_unavailable"
    retryable = True
    summary = "The mail server is not available."


class Mailer(ABC):
    """A way to send mail. Called concurrently on one event loop."""

    name: str

    @property
    @abstractmethod
    def processor(self) -> Processor: ...

    @abstractmethod
    async def send(self, message: Message) -> None:
        """Hand the message over; returning means that the server took responsibility.

        At least once: a crash after hand-over may send it twice, with the same `Message-ID`.

        Raises:
            MailRefused: final.
            MailUnavailable: retryable.
        """

    async def aclose(self) -> None:
        """Release connections. Called once, at shutdown; idempotent."""
