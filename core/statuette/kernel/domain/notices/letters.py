"""The letter that says that the privacy policy has changed, in the languages we speak."""

from __future__ import annotations

from datetime import datetime

from statuette.kernel.mail.wording import Wording, written
from statuette.ports.mail import Message

_WORDINGS = {
    "en": Wording(
        "{brand} has changed its privacy policy",
        "The privacy policy of {brand} has changed. Version {number} holds from {day} on (UTC).\n\n"
        "What it says now, and what is different:\n\n    {address}\n{asks}\n"
        "You get this letter because you have an account. It is no advertisement, and there is nothing to unsubscribe from.\n",
    ),
    "de": Wording(
        "{brand} hat seine Datenschutzerklärung geändert",
        "Die Datenschutzerklärung von {brand} hat sich geändert. Fassung {number} gilt ab {day} (UTC).\n\n"
        "Was jetzt darin steht und was anders ist:\n\n    {address}\n{asks}\n"
        "Du bekommst diesen Brief, weil du ein Konto hast. Er ist keine Werbung, und es gibt nichts abzubestellen.\n",
    ),
    "fr": Wording(
        "{brand} a modifié sa politique de confidentialité",
        "La politique de confidentialité de {brand} a changé. La version {number} s'applique à partir du {day} (UTC).\n\n"
        "Ce qu'elle dit maintenant, et ce qui change :\n\n    {address}\n{asks}\n"
        "Vous recevez cette lettre parce que vous avez un compte. Ce n'est pas une publicité.\n",
    ),
    "es": Wording(
        "{brand} ha cambiado su política de privacidad",
        "La política de privacidad de {brand} ha cambiado. La versión {number} vale desde el {day} (UTC).\n\n"
        "Lo que dice ahora y lo que cambia:\n\n    {address}\n{asks}\n"
        "Recibes esta carta porque tienes una cuenta. No es publicidad.\n",
    ),
}
_ASKS = {
    "en": "\nWhat you agreed to has changed, so we ask you again. Until you answer, it is as if you had not agreed.\n",
    "de": "\nWorin du eingewilligt hast, hat sich geändert, darum fragen wir dich neu. Bis du antwortest, gilt es als nicht"
    " erteilt.\n",
    "fr": "\nCe que vous aviez accepté a changé : nous vous le redemandons. D'ici là, c'est comme si vous n'aviez pas accepté.\n",
    "es": "\nLo que aceptaste ha cambiado, así que te lo preguntamos de nuevo. Hasta entonces es como si no lo hubieras"
    " aceptado.\n",
}


def change_letter(
    *,
    notice_id: str,
    number: int,
    effective_at: datetime,
    address: str,
    asks: bool,
    recipient: str,
    sender: str,
    brand_title: str,
    locale: str,
) -> Message:
    """The letter. Its key is the account's and the version's, so that a mailer that can sends it once."""
    language = locale.partition("-")[0].lower()
    return written(
        _WORDINGS,
        idempotency_key=notice_id,
        recipient=recipient,
        sender=sender,
        brand_title=brand_title,
        locale=locale,
        number=number,
        day=f"{effective_at:%Y-%m-%d}",
        address=address,
        asks=_ASKS.get(language, _ASKS["en"]) if asks else "",
    )
