"""Letters about privacy requests, in the languages we speak. They tell which request, never what was written in it."""

from __future__ import annotations

from datetime import datetime

from statuette.kernel.mail.wording import Wording, written
from statuette.ports.mail import Message

_SUBJECTS = {
    "en": "Your request to {brand}",
    "de": "Deine Anfrage an {brand}",
    "fr": "Votre demande à {brand}",
    "es": "Tu solicitud a {brand}",
}
_KINDS = {
    "en": {
        "access": "seeing your data",
        "portability": "taking your data with you",
        "correction": "a correction",
        "erasure": "erasing your account",
        "withdrawal": "taking consent back",
        "restriction": "stopping all use of your data",
        "objection": "your objection to a use of your data",
    },
    "de": {
        "access": "Auskunft",
        "portability": "Mitnahme deiner Daten",
        "correction": "Berichtigung",
        "erasure": "Löschung deines Kontos",
        "withdrawal": "Widerruf einer Einwilligung",
        "restriction": "Einschränkung der Verarbeitung",
        "objection": "Widerspruch gegen eine Verwendung",
    },
    "fr": {
        "access": "accès à vos données",
        "portability": "portabilité de vos données",
        "correction": "rectification",
        "erasure": "effacement de votre compte",
        "withdrawal": "retrait d'un consentement",
        "restriction": "limitation du traitement",
        "objection": "opposition à un usage de vos données",
    },
    "es": {
        "access": "acceso a tus datos",
        "portability": "portabilidad de tus datos",
        "correction": "rectificación",
        "erasure": "supresión de tu cuenta",
        "withdrawal": "retirada de un consentimiento",
        "restriction": "limitación del tratamiento",
        "objection": "oposición a un uso de tus datos",
    },
}
_TEXTS = {
    "asked": {
        "en": "We have your request: {what}. You get an answer by {day} (UTC).\n\nIts number is {request}. Sign in at {brand} to"
        " follow it or to take it back.\n",
        "de": "Deine Anfrage ist da: {what}. Du bekommst bis zum {day} (UTC) eine Antwort.\n\nIhre Nummer ist {request}. Melde"
        " dich bei {brand} an, um sie zu verfolgen oder zurückzunehmen.\n",
        "fr": "Nous avons reçu votre demande : {what}. Vous aurez une réponse avant le {day} (UTC).\n\nSon numéro est {request}."
        " Connectez-vous chez {brand} pour la suivre ou la retirer.\n",
        "es": "Hemos recibido tu solicitud: {what}. Tendrás respuesta antes del {day} (UTC).\n\nSu número es {request}. Inicia"
        " sesión en {brand} para seguirla o retirarla.\n",
    },
    "completed": {
        "en": "Your request is done: {what}.\n\nIts number is {request}. Sign in at {brand} to see it.\n",
        "de": "Deine Anfrage ist erledigt: {what}.\n\nIhre Nummer ist {request}. Melde dich bei {brand} an, um sie zu sehen.\n",
        "fr": "Votre demande est satisfaite : {what}.\n\nSon numéro est {request}. Connectez-vous chez {brand} pour la voir.\n",
        "es": "Tu solicitud está atendida: {what}.\n\nSu número es {request}. Inicia sesión en {brand} para verla.\n",
    },
    "refused": {
        "en": "Your request could not be met: {what}.\n\nSign in at {brand} to see why; its number is {request}. You may complain"
        " to a data protection authority, or go to court.\n",
        "de": "Deiner Anfrage konnte nicht entsprochen werden: {what}.\n\nMelde dich bei {brand} an, um den Grund zu sehen; ihre"
        " Nummer ist {request}. Du kannst dich bei einer Datenschutzbehörde beschweren oder vor Gericht gehen.\n",
        "fr": "Votre demande n'a pas pu être satisfaite : {what}.\n\nConnectez-vous chez {brand} pour en voir la raison ; son"
        " numéro est {request}. Vous pouvez saisir une autorité de protection des données ou un tribunal.\n",
        "es": "No se ha podido atender tu solicitud: {what}.\n\nInicia sesión en {brand} para ver por qué; su número es"
        " {request}. Puedes reclamar ante una autoridad de protección de datos o acudir a los tribunales.\n",
    },
    "extended": {
        "en": "Your request takes longer than we hoped: {what}. You get an answer by {day} (UTC).\n\nSign in at {brand} to see"
        " why; its number is {request}.\n",
        "de": "Deine Anfrage dauert länger als erhofft: {what}. Du bekommst bis zum {day} (UTC) eine Antwort.\n\nMelde dich bei"
        " {brand} an, um den Grund zu sehen; ihre Nummer ist {request}.\n",
        "fr": "Votre demande prend plus de temps que prévu : {what}. Vous aurez une réponse avant le {day} (UTC).\n\nConnectez-vous"
        " chez {brand} pour en voir la raison ; son numéro est {request}.\n",
        "es": "Tu solicitud tarda más de lo previsto: {what}. Tendrás respuesta antes del {day} (UTC).\n\nInicia sesión en {brand}"
        " para ver por qué; su número es {request}.\n",
    },
    "canceled": {
        "en": "You took your request back: {what}. Nothing more happens because of it.\n\nIts number was {request}.\n",
        "de": "Du hast deine Anfrage zurückgenommen: {what}. Ihretwegen geschieht nichts weiter.\n\nIhre Nummer war {request}.\n",
        "fr": "Vous avez retiré votre demande : {what}. Elle n'aura plus d'effet.\n\nSon numéro était {request}.\n",
        "es": "Has retirado tu solicitud: {what}. Ya no tendrá ningún efecto.\n\nSu número era {request}.\n",
    },
    "correction_of_email_completed": {
        "en": "The address of your account at {brand} was changed, and this is no longer it. Letters go to the new one.\n\n"
        "If that was not you, write to {brand} at once and name {request}.\n",
        "de": "Die Adresse deines Kontos bei {brand} wurde geändert, diese hier ist es nicht mehr. Briefe gehen an die neue.\n\n"
        "Falls das nicht du warst, schreib sofort an {brand} und nenne {request}.\n",
        "fr": "L'adresse de votre compte chez {brand} a été modifiée, ce n'est plus celle-ci. Les lettres iront à la nouvelle.\n\n"
        "Si ce n'était pas vous, écrivez tout de suite à {brand} en citant {request}.\n",
        "es": "La dirección de tu cuenta en {brand} ha cambiado y ya no es esta. Las cartas irán a la nueva.\n\nSi no fuiste tú,"
        " escribe enseguida a {brand} y menciona {request}.\n",
    },
    "erasure_asked": {
        "en": "Your account at {brand} will be erased on {day} (UTC), with your photos and figurines. Until then it takes no new"
        " work.\n\nIf you want to keep it, or this was not you: sign in before then and take the request back.\n\nKeep this"
        " address. Once all is gone it gives you the receipt, and nobody else can find that:\n\n    {address}\n",
        "de": "Dein Konto bei {brand} wird am {day} (UTC) samt deinen Fotos und Figuren gelöscht. Bis dahin nimmt es keine neue"
        " Arbeit an.\n\nWenn du es behalten willst oder das nicht du warst: Melde dich vorher an und nimm die Anfrage zurück."
        "\n\nHebe diese Adresse auf. Wenn alles weg ist, bekommst du dort die Quittung, die sonst niemand finden kann:\n\n"
        "    {address}\n",
        "fr": "Votre compte chez {brand} sera effacé le {day} (UTC), avec vos photos et vos figurines. D'ici là, il n'accepte plus"
        " de travail.\n\nSi vous voulez le garder, ou si ce n'était pas vous : connectez-vous avant et retirez la demande.\n\n"
        "Gardez cette adresse. Quand tout aura disparu, elle vous donnera le reçu, que personne d'autre ne peut trouver :\n\n"
        "    {address}\n",
        "es": "Tu cuenta en {brand} se suprimirá el {day} (UTC), con tus fotos y figuras. Hasta entonces no acepta trabajo nuevo."
        "\n\nSi quieres conservarla, o no fuiste tú: inicia sesión antes y retira la solicitud.\n\nGuarda esta dirección. Cuando"
        " todo haya desaparecido te dará el recibo, que nadie más puede encontrar:\n\n    {address}\n",
    },
    "erasure_completed": {
        "en": "Your account at {brand} is erased. The receipt says what was deleted where, and what others still keep:\n\n"
        "    {address}\n\nThis was the last letter: your address is forgotten with it.\n",
        "de": "Dein Konto bei {brand} ist gelöscht. Die Quittung sagt, was wo gelöscht wurde und was andere noch aufbewahren:\n\n"
        "    {address}\n\nDas war der letzte Brief: Mit ihm ist deine Adresse vergessen.\n",
        "fr": "Votre compte chez {brand} est effacé. Le reçu dit ce qui a été supprimé et où, et ce que d'autres gardent encore :"
        "\n\n    {address}\n\nC'était la dernière lettre : votre adresse est oubliée avec elle.\n",
        "es": "Tu cuenta en {brand} está suprimida. El recibo dice qué se borró y dónde, y qué conservan otros todavía:\n\n"
        "    {address}\n\nEsta ha sido la última carta: con ella se olvida tu dirección.\n",
    },
    "erasure_canceled": {
        "en": "Your account at {brand} stays: the request to erase it was taken back.\n",
        "de": "Dein Konto bei {brand} bleibt: Die Anfrage, es zu löschen, wurde zurückgenommen.\n",
        "fr": "Votre compte chez {brand} reste : la demande de l'effacer a été retirée.\n",
        "es": "Tu cuenta en {brand} se queda: se ha retirado la solicitud de suprimirla.\n",
    },
}


def request_letter(
    event: str,
    *,
    request_id: str,
    kind: str,
    subject: str | None,
    day: datetime,
    address: str,
    recipient: str,
    sender: str,
    brand_title: str,
    locale: str,
) -> Message:
    """The letter about one step of a request.

    Args:
        event: `asked`, `completed`, `refused`, `extended` or `canceled`.
        day: what the step names: when an answer is due, or when the account goes.
        address: of the receipt; for erasures.
    """
    language = locale.partition("-")[0].lower()
    texts = _TEXTS.get(f"{kind}_{event}") or _TEXTS.get(f"{kind}_of_{subject}_{event}") or _TEXTS[event]
    return written(
        {spoken: Wording(_SUBJECTS[spoken], text) for spoken, text in texts.items()},
        idempotency_key=f"{request_id}:{event}",
        recipient=recipient,
        sender=sender,
        brand_title=brand_title,
        locale=locale,
        what=_KINDS.get(language, _KINDS["en"])[kind],
        request=request_id,
        day=f"{day:%Y-%m-%d %H:%M}",
        address=address,
    )
