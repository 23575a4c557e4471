"""The letter that carries a sign-in code, in the languages we speak. Whoever asked for it writes nothing into it."""

from __future__ import annotations

from statuette.kernel.mail.wording import Wording, written
from statuette.ports.mail import Message

_WORDINGS = {
    "en": Wording(
        "Your sign-in code for {brand}",
        "Your code for {brand} is\n\n    {code}\n\n"
        "It is good once, for {minutes} minutes. We will never ask you to tell it to anyone.\n"
        "If you did not ask for it, there is nothing to do: without the code nobody gets in.\n",
    ),
    "de": Wording(
        "Dein Anmeldecode für {brand}",
        "Dein Code für {brand} lautet\n\n    {code}\n\n"
        "Er gilt einmal, {minutes} Minuten lang. Wir bitten dich nie, ihn jemandem zu nennen.\n"
        "Falls du ihn nicht angefordert hast, brauchst du nichts zu tun: Ohne den Code kommt niemand hinein.\n",
    ),
    "fr": Wording(
        "Votre code de connexion pour {brand}",
        "Votre code pour {brand} est\n\n    {code}\n\n"
        "Il sert une seule fois, pendant {minutes} minutes. Nous ne vous demanderons jamais de le communiquer.\n"
        "Si vous ne l'avez pas demandé, vous n'avez rien à faire : sans ce code, personne n'entre.\n",
    ),
    "es": Wording(
        "Tu código de acceso para {brand}",
        "Tu código para {brand} es\n\n    {code}\n\n"
        "Sirve una sola vez, durante {minutes} minutos. Nunca te pediremos que se lo digas a nadie.\n"
        "Si no lo has pedido, no tienes que hacer nada: sin el código nadie puede entrar.\n",
    ),
}


def signin_letter(
    *, code_id: str, code: str, minutes: int, recipient: str, sender: str, brand_title: str, locale: str
) -> Message:
    """The letter. The code is in its text alone: subjects are shown on locked screens."""
    return written(
        _WORDINGS,
        idempotency_key=code_id,
        recipient=recipient,
        sender=sender,
        brand_title=brand_title,
        locale=locale,
        code=code,
        minutes=minutes,
    )
