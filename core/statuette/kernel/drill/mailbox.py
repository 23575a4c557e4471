"""The synthetic person's mailbox: what this process hands to the mailer for them is read on its way out."""

from __future__ import annotations

from statuette.ports.mail import Mailer, Message
from statuette.ports.processor import Processor


class Mailbox(Mailer):
    """Passes every message on to the mailer in use, and keeps those to the addresses that it watches."""

    def __init__(self, mailer: Mailer) -> None:
        self.name = mailer.name
        self._mailer = mailer
        self._kept: dict[str, list[Message]] = {}

    def watch(self, address: str) -> None:
        self._kept[address] = []

    def letters(self, address: str) -> list[str]:
        """The texts of what was sent there, oldest first."""
        return [message.text for message in self._kept.get(address, ())]

    @property
    def processor(self) -> Processor:
        return self._mailer.processor

    async def send(self, message: Message) -> None:
        await self._mailer.send(message)
        if message.recipient in self._kept:
            self._kept[message.recipient].append(message)

    async def aclose(self) -> None:
        await self._mailer.aclose()
