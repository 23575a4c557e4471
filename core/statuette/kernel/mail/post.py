"""The way of every letter: a permit to use the address, then the egress to the mailer."""

from __future__ import annotations

from datetime import timedelta

from statuette.kernel.db.database import Reader
from statuette.kernel.domain.consent.service import mint_permit
from statuette.kernel.egress import CallTimedOut, CircuitOpen, Egress, PermitExpired
from statuette.kernel.permit import Permit
from statuette.policy import EffectivePolicy
from statuette.ports.mail import Mailer, MailRefused, MailUnavailable, Message

SERVICE_MAIL = "service_mail"
ADDRESS = frozenset({"email"})
_TIMEOUT = timedelta(seconds=15)


class Post:
    """Sends letters: those that the service cannot do without, and those that people agreed to."""

    def __init__(self, mailer: Mailer, egress: Egress) -> None:
        self._mailer = mailer
        self._egress = egress

    async def permit(
        self,
        reader: Reader,
        *,
        brand_id: str,
        account_id: str | None,
        policy: EffectivePolicy,
        purpose: str = SERVICE_MAIL,
        categories: frozenset[str] = ADDRESS,
    ) -> Permit:
        """Prove that a letter may go out within the next seconds. Raises `PermitRefused`, `ConsentRequired`; both final.

        Args:
            account_id: None where there is no account yet.
            purpose: what the letter is for.
            categories: what is in it, the address among them.
        """
        return await mint_permit(
            reader,
            brand_id=brand_id,
            account_id=account_id,
            purpose=purpose,
            categories=categories,
            policy=policy,
        )

    async def send(self, letter: Message, permit: Permit) -> None:
        """Hand a letter over; returning means that the mailer took responsibility.

        Raises:
            MailRefused: final, for this letter or recipient.
            MailUnavailable: retryable with a fresh permit. Attribute `retry_after_seconds` where that is known.
            EgressDenied: final: the mailer does not declare that it carries what is in the letter.
        """
        try:
            refusal = await self._egress.call(
                lambda: self._refusal(letter),
                processor=self._mailer.processor,
                permit=permit,
                purpose=permit.purpose,
                categories=permit.categories,
                timeout=_TIMEOUT,
                needed_micros=0,
                reserved_micros=0,
                healthy=lambda _: True,
            )
        except CircuitOpen as error:
            raise MailUnavailable(retry_after_seconds=error.attributes["retry_after_seconds"]) from None
        except (CallTimedOut, PermitExpired):
            raise MailUnavailable() from None
        if refusal is not None:
            raise refusal

    async def _refusal(self, letter: Message) -> MailRefused | None:
        # A refusal is an answer, not an outage: a stranger's mistyped addresses must not open the breaker for everyone.
        try:
            await self._mailer.send(letter)
        except MailRefused as refusal:
            return refusal
        return None
