"""The letter that carries a sign-in code, in the languages we speak. Whoever asked for it writes nothing into it."""

from __future__ import annotations

from statuette.ports.mail import Message

_SUBJECTS = {
    "en": "Your sign-in code for {brand}",
    "de": "Dein Anmeldecode für {brand}",
    "fr": "Votre code de connexion pour {brand}",
    "es": "Tu código de acceso para {brand}",
}

_TEXTS = {
    "en": (
        "Your code for {brand} is\n\n    {code}\n\n"
        "It is good once, for {minutes} minutes. We will never ask you to tell it to anyone.\n"
        "If you did not ask for it, there is nothing to do: without the code nobody gets in.\n"
    ),
    "de": (
        "Dein Code für {brand} lautet\n\n    {code}\n\n"
        "Er gilt einmal, {minutes} Minuten lang. Wir bitten dich nie, ihn jemandem zu nennen.\n"
        "Falls du ihn nicht angefordert hast, brauchst du nichts zu tun: Ohne den Code kommt niemand hinein.\n"
    ),
    "fr": (
        "Votre code pour {brand} est\n\n    {code}\n\n"
        "Il sert une seule fois, pendant {minutes} minutes. Nous ne vous demanderons jamais de le communiquer.\n"
        "Si vous ne l'avez pas demandé, vous n'avez rien à faire : sans ce code, personne n'entre.\n"
    ),
    "es": (
        "Tu código para {brand} es\n\n    {code}\n\n"
        "Sirve una sola vez, durante {minutes} minutos. Nunca te pediremos que se lo digas a nadie.\n"
        "Si no lo has pedido, no tienes que hacer nada: sin el código nadie puede entrar.\n"
    ),
}


def signin_letter(
    *, code_id: str, code: str, minutes: int, recipient: str, sender: str, brand_title: str, locale: str
) -> Message:
    """The letter. The code is in its text alone: subjects are shown on locked screens."""
    language = locale.partition("-")[0].lower()
    language = language if language in _TEXTS else "en"
    brand = " ".join(brand_title.split())
    return Message(
        idempotency_key=code_id,
        recipient=recipient,
        sender=sender,
        subject=_SUBJECTS[language].format(brand=brand),
        text=_TEXTS[language].format(brand=brand, code=code, minutes=minutes),
        headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: no out-of-office answers
    )
