"""A mailer for tests: messages stay in memory, faults come on demand."""

from __future__ import annotations

from statuette.errors import StatuetteError
from statuette.ports.mail import Mailer, Message
from statuette.ports.processor import Processor


class RecordingMailer(Mailer):
    """Keeps what was sent.

    Attributes:
        sent: every message handed over, in order, each idempotency key once.
    """

    name = "recording"

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self._faults: list[StatuetteError] = []

    @property
    def processor(self) -> Processor:
        return Processor(
            id="recording",
            name="The memory of a test",
            region="this deployment",
            purposes=("service_mail", "marketing"),
            categories=("email", "account_profile", "correspondence"),
            third_party=False,
        )

    def fail_next(self, *errors: StatuetteError) -> None:
        """Let the next sends fail, one error each; nothing of them is kept."""
        self._faults.extend(errors)

    def sent_to(self, recipient: str) -> list[Message]:
        return [message for message in self.sent if message.recipient == recipient]

    async def send(self, message: Message) -> None:
        if self._faults:
            raise self._faults.pop(0)
        if all(message.idempotency_key != known.idempotency_key for known in self.sent):
            self.sent.append(message)
