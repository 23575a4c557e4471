"""The fake keeps the contract it stands in for."""

from __future__ import annotations

import pytest

from statuette.ports.mail import Mailer, MailUnavailable
from statuette.testing.mail_suite import MailerSuite, sample_message
from statuette.testing.outbox_mailer import RecordingMailer


class TestRecordingMailer(MailerSuite):
    @pytest.fixture
    def mailer(self) -> Mailer:
        return RecordingMailer()

    async def test_one_key_is_one_message(self) -> None:
        mailer = RecordingMailer()

        await mailer.send(sample_message(1))
        await mailer.send(sample_message(1))
        await mailer.send(sample_message(2))

        assert [message.idempotency_key for message in mailer.sent] == ["mail_1", "mail_2"]
        assert mailer.sent_to("person2@example.com") == [sample_message(2)]

    async def test_a_fault_is_raised_once_and_sends_nothing(self) -> None:
        mailer = RecordingMailer()
        mailer.fail_next(MailUnavailable())

        with pytest.raises(MailUnavailable):
            await mailer.send(sample_message())
        assert mailer.sent == []

        await mailer.send(sample_message())
        assert len(mailer.sent) == 1
