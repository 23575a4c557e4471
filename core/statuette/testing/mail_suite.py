"""What every mailer must do. Subclass, override the fixtures, and pytest runs it over yours."""

from __future__ import annotations

import asyncio

import pytest

from statuette.ports.mail import Mailer, Message


def sample_message(number: int = 1) -> Message:
    """A message with everything in it: two forms, an extra header, letters beyond ASCII."""
    return Message(
        idempotency_key=f"mail_{number}",
        recipient=f"person{number}@example.com",
        sender="Kleine Größe <hello@tiny.example>",
        subject="Dein Code: ½ Minute",
        text="Grüße!\n\nDein Code ist 123 456.\n.\nA line that began with a dot.\n",
        html="<p>Grüße! Dein Code ist <b>123 456</b>.</p>",
        headers={"List-Unsubscribe": "<https://tiny.example/u/1>"},
    )


class MailerSuite:
    """Conformance of a `Mailer`. Override `mailer` with one whose server accepts everything.

    class TestMyMailer(MailerSuite):
        @pytest.fixture
        def mailer(self):
            return MyMailer(...)
    """

    pytestmark = pytest.mark.asyncio

    @pytest.fixture
    def mailer(self) -> Mailer:
        raise NotImplementedError("override the fixture `mailer`")

    async def test_a_message_is_taken(self, mailer: Mailer) -> None:
        await mailer.send(sample_message())

    async def test_many_messages_are_taken_at_the_same_time(self, mailer: Mailer) -> None:
        await asyncio.gather(*(mailer.send(sample_message(number)) for number in range(10)))

    async def test_the_same_message_may_be_sent_again(self, mailer: Mailer) -> None:
        await mailer.send(sample_message())
        await mailer.send(sample_message())

    async def test_it_says_what_it_receives(self, mailer: Mailer) -> None:
        processor = mailer.processor

        assert processor.id and processor.name and processor.region
        assert "service_mail" in processor.purposes
        assert "email" in processor.categories

    async def test_its_name_can_stand_in_a_settings_file(self, mailer: Mailer) -> None:
        assert mailer.name.replace("_", "").isalnum() and mailer.name == mailer.name.lower()

    async def test_closing_twice_is_fine(self, mailer: Mailer) -> None:
        await mailer.send(sample_message())

        await mailer.aclose()
        await mailer.aclose()
