"""A mailer that hands each message to an SMTP server, over a connection of its own."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from typing import TYPE_CHECKING, Any

from statuette import Clock
from statuette.ports.mail import Mailer, MailRefused, MailUnavailable, Message
from statuette.ports.processor import Processor
from statuette_smtp import SmtpConfig
from statuette_smtp.letter import Letter, compose

if TYPE_CHECKING:
    import aiosmtplib

_DEFAULT_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_CONNECTIONS_AT_ONCE = 8
_GOODBYE_SECONDS = 2.0
_ENHANCED_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463


class SmtpMailer(Mailer):
    """Sends through one server.

    What the server says is never passed on, since it likes to repeat the recipient; its codes are.

    Args:
        greeting: our name in EHLO.
    """

    name = "smtp"

    def __init__(self, config: SmtpConfig, clock: Clock, *, greeting: str) -> None:
        assert config.host is not None
        self._config = config
        self._host = config.host
        self._port = config.port or _DEFAULT_PORTS[config.security]
        self._clock = clock
        self._greeting = greeting
        self._connections = asyncio.Semaphore(_CONNECTIONS_AT_ONCE)
        self._tls: ssl.SSLContext | None = None

    @property
    def processor(self) -> Processor:
        return Processor(
            id="smtp",
            name=f"Mail server {self._host}",
            region=self._config.region,
            purposes=("service_mail", "marketing"),
            categories=("email", "account_profile", "correspondence"),
            terms_url=self._config.terms_url,
        )

    async def send(self, message: Message) -> None:
        letter = compose(message, self._clock.now())
        async with self._connections:
            await self._hand_over(letter)

    async def _hand_over(self, letter: Letter) -> None:
        import aiosmtplib

        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._config.username or None,
            password=self._config.password or None,
            local_hostname=self._greeting,
            timeout=self._config.timeout_seconds,
            use_tls=self._config.security == "tls",
            start_tls=self._config.security == "starttls",
            tls_context=await self._tls_context(),
        )
        try:
            # Around everything: a server that says a little now and then defeats a limit for each answer.
            async with asyncio.timeout(self._config.timeout_seconds):
                await self._connect(client)
                await _deliver(client, letter)
            # The server has taken the message; how it says goodbye changes nothing.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=_GOODBYE_SECONDS)
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            raise MailUnavailable(
                f"The mail server {self._host}:{self._port} did not finish within {self._config.timeout_seconds:g} s."
            ) from None
        finally:
            client.close()

    async def _connect(self, client: aiosmtplib.SMTP) -> None:
        import aiosmtplib

        place = f"{self._host}:{self._port}"
        try:
            await client.connect()
        except aiosmtplib.SMTPTimeoutError:
            raise
        except aiosmtplib.SMTPAuthenticationError as error:
            # A wrong password is no fault of the message: it waits until the password is right.
            raise MailUnavailable(
                f"The mail server {place} did not accept the username and password.",
                cure="Check `username` and `password` (SMTP_PASSWORD) of the plugin smtp.",
                **_codes(error.code, error.message),
            ) from None
        except aiosmtplib.SMTPResponseException as error:
            raise MailUnavailable(
                f"The mail server {place} turns us away.", **_codes(error.code, error.message)
            ) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            if type(error) in (aiosmtplib.SMTPException, aiosmtplib.SMTPNotSupported):
                # The library says so when the server's list of extensions lacks STARTTLS or every way to sign in.
                raise MailUnavailable(
                    f"The mail server {place} does not offer what the plugin smtp needs ({self._needs()}).",
                    cure="Check `security` and `port` of the plugin smtp.",
                ) from None
            if _is_about_certificate(error):
                raise MailUnavailable(
                    f"The certificate of the mail server {place} is not trusted.",
                    cure="Use the host name the certificate was made for, or set `certificate_authority_file`.",
                ) from None
            raise MailUnavailable(f"The mail server {place} cannot be reached.") from None

    def _needs(self) -> str:
        encryption = {"starttls": "STARTTLS", "tls": "TLS", "none": "SMTP"}[self._config.security]
        return f"{encryption} and a sign-in" if self._config.username else encryption

    async def _tls_context(self) -> ssl.SSLContext | None:
        if self._config.security == "none":
            return None
        if self._tls is None:
            try:
                self._tls = await asyncio.to_thread(
                    ssl.create_default_context, cafile=self._config.certificate_authority_file
                )
            except OSError:
                raise MailUnavailable(
                    f"The file {self._config.certificate_authority_file} holds no certificate authority that can be read.",
                    cure="Check `certificate_authority_file` of the plugin smtp.",
                ) from None
        return self._tls


async def _deliver(client: aiosmtplib.SMTP, letter: Letter) -> None:
    import aiosmtplib

    try:
        await client.sendmail(
            letter.sender,
            [letter.recipient],
            letter.data,
            mail_options=["SMTPUTF8"] if letter.international else [],
        )
    except aiosmtplib.SMTPTimeoutError:
        raise
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _judged(error.recipients[0].code, error.recipients[0].message, "recipient") from None
    except aiosmtplib.SMTPSenderRefused as error:
        raise _judged(error.code, error.message, "sender") from None
    except aiosmtplib.SMTPResponseException as error:
        raise _judged(error.code, error.message, "message") from None
    except (aiosmtplib.SMTPNotSupported, ValueError):
        raise MailRefused("The mail server does not take addresses of this form.") from None
    except (aiosmtplib.SMTPException, OSError):
        raise MailUnavailable("The connection to the mail server was lost.") from None


def _judged(code: int, text: str, what: str) -> MailRefused | MailUnavailable:
    """RFC 5321, 4.2.1: 4xx asks us to come back, 5xx is for good. 421 may come at any time."""
    if 500 <= code < 600:
        return MailRefused(f"The mail server refused the {what} for good.", **_codes(code, text))
    return MailUnavailable(f"The mail server does not take the {what} now.", **_codes(code, text))


def _codes(code: int, text: str) -> dict[str, Any]:
    status = _ENHANCED_STATUS.match(text)
    return {"smtp_code": code, "enhanced_status": status[0] if status else None}


def _is_about_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
