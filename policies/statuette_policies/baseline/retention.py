"""How long things live: records end at a stored deadline of their own, streams are swept by age."""

from __future__ import annotations

from statuette.policy import AT_ONCE, Action, Carry, Exemption, Period, Retain, Store, Trigger

_HOUR = Period(hours=1)
_DAY = Period(hours=24)

_PICTURE = (Store.database, Store.objects)

# Several clocks run on a photo and the earliest wins. Using it once more restarts one of them; the cap ends that.
_UPLOADS = (
    Retain(
        id="upload.used",
        dataset="uploads",
        triggers=(Trigger.used,),
        after=_HOUR,
        maximum=_DAY,
        action=Action.delete,
        exemptions=(Exemption.saved, Exemption.in_use),
        stores=_PICTURE,
        sentence=(
            "A photo is deleted {after} after the last job that uses it has ended{unless}."
            " Until then you can make another try with it."
        ),
        sentence_in={
            "de": (
                "Ein Foto wird {after} nach dem Ende des letzten Auftrags gelöscht, der es verwendet{unless}."
                " Bis dahin kannst du damit einen weiteren Versuch machen."
            )
        },
    ),
    Retain(
        id="upload.unused",
        dataset="uploads",
        triggers=(Trigger.created,),
        after=_DAY,
        maximum=_DAY,
        action=Action.delete,
        exemptions=(Exemption.saved, Exemption.in_use),
        stores=_PICTURE,
        sentence="A photo nothing was made from is deleted {after} after it was uploaded{unless}.",
        sentence_in={
            "de": ("Ein Foto, aus dem nichts gemacht wurde, wird {after} nach dem Hochladen gelöscht{unless}.")
        },
    ),
    Retain(
        id="upload.cap",
        dataset="uploads",
        triggers=(Trigger.created,),
        after=_DAY,
        maximum=_DAY,
        action=Action.delete,
        exemptions=(Exemption.saved,),
        longest_job_added=True,
        stores=_PICTURE,
        sentence=(
            "However often you use it, a photo is deleted {after} after it was uploaded, plus at most the longest time that"
            " one job may take{unless}; a job still running then is cancelled."
        ),
        sentence_in={
            "de": (
                "Wie oft du es auch verwendest: Ein Foto wird {after} nach dem Hochladen gelöscht, zuzüglich höchstens der"
                " längsten Zeit, die ein Auftrag dauern darf{unless}; ein dann noch laufender Auftrag wird abgebrochen."
            )
        },
    ),
    Retain(
        id="upload.saved",
        dataset="uploads",
        triggers=(Trigger.unsaved,),
        after=_HOUR,
        maximum=_DAY,
        action=Action.delete,
        exemptions=(Exemption.saved,),
        stores=_PICTURE,
        sentence="A photo you saved is deleted {after} after you take that back.",
        sentence_in={"de": ("Ein gespeichertes Foto wird {after} danach gelöscht, dass du das zurücknimmst.")},
    ),
)

RECORDS = (
    *_UPLOADS,
    Retain(
        id="upload.asked",
        dataset="uploads",
        triggers=(Trigger.deletion_asked,),
        after=AT_ONCE,
        maximum=AT_ONCE,
        action=Action.delete,
        stores=_PICTURE,
        sentence="A photo, saved or not, is deleted {after} after you ask for that, and out of sight from then on.",
        sentence_in={
            "de": (
                "Ein Foto, ob gespeichert oder nicht, wird {after} nach deiner Bitte darum gelöscht und ist von da an nicht"
                " mehr zu sehen."
            )
        },
    ),
    Retain(
        id="figurine.keep",
        dataset="figurines",
        triggers=(Trigger.deletion_asked, Trigger.account_ended),
        after=AT_ONCE,
        maximum=AT_ONCE,
        action=Action.delete,
        stores=_PICTURE,
        sentence=(
            "Your figurines have no end date. They are deleted {after} after you ask for that or your account ends,"
            " smaller versions included."
        ),
        sentence_in={
            "de": (
                "Deine Figuren haben kein Enddatum. Sie werden samt kleineren Fassungen {after} nach deiner Bitte darum oder"
                " dem Ende deines Kontos gelöscht."
            )
        },
    ),
    Retain(
        id="account.erase",
        dataset="accounts",
        triggers=(Trigger.deletion_asked,),
        after=Period(days=7),
        maximum=Period(days=7),
        action=Action.shred,
        stores=(Store.database, Store.keys),
        sentence=(
            "Your account lasts until you ask us to erase it. What belongs to it is erased {after} after that, or at once if you"
            " say so, and the key it was encrypted with is destroyed. Until then you can change your mind."
        ),
        sentence_in={
            "de": (
                "Dein Konto besteht, bis du uns bittest, es zu löschen. Was dazu gehört, wird {after} danach gelöscht, auf Wunsch"
                " sofort, und der Schlüssel, mit dem es verschlüsselt war, wird vernichtet. Bis dahin kannst du es dir anders"
                " überlegen."
            )
        },
    ),
    Retain(
        id="support.keep",
        dataset="support",
        triggers=(Trigger.closed,),
        after=Period(months=12),
        maximum=Period(months=12),
        action=Action.delete,
        stores=_PICTURE,
        sentence=(
            "A question you ask us is deleted {after} after it was closed, with our answers and everything attached. It is closed"
            " by itself once nobody has written in it for 90 days."
        ),
        sentence_in={
            "de": (
                "Eine Frage an uns wird samt unseren Antworten und allem Angehängten {after} nach ihrem Abschluss gelöscht."
                " Schreibt 90 Tage lang niemand mehr darin, ist sie damit abgeschlossen."
            )
        },
    ),
    Retain(
        id="support.asked",
        dataset="support",
        triggers=(Trigger.deletion_asked, Trigger.account_ended),
        after=AT_ONCE,
        maximum=AT_ONCE,
        action=Action.delete,
        stores=_PICTURE,
        sentence=(
            "A question you asked us, closed or not, is deleted {after} after you ask for that or your account ends, with our"
            " answers and everything attached."
        ),
        sentence_in={
            "de": (
                "Eine Frage an uns, ob abgeschlossen oder nicht, wird samt unseren Antworten und allem Angehängten {after} nach"
                " deiner Bitte darum oder dem Ende deines Kontos gelöscht."
            )
        },
    ),
    Retain(
        id="ledger.keep",
        dataset="credits",
        triggers=(Trigger.account_ended,),
        after=Period(years=10),
        maximum=Period(years=10),
        action=Action.delete,
        sentence=(
            "Books about what you paid for are kept for {after} after your account ends, without your name or address, since tax"
            " and commercial law demand it. If you never paid for anything they end with your account."
        ),
        sentence_in={
            "de": (
                "Bücher über das, was du bezahlt hast, werden nach dem Ende deines Kontos {after} aufbewahrt, ohne deinen Namen"
                " und deine Adresse, weil Steuer- und Handelsrecht das verlangen. Hast du nie etwas bezahlt, enden sie mit deinem"
                " Konto."
            )
        },
    ),
    Retain(
        id="consent.proof",
        dataset="consents",
        triggers=(Trigger.account_ended,),
        after=Period(years=3),
        maximum=Period(years=3),
        action=Action.delete,
        sentence=(
            "What shows that you agreed to something is kept for {after} after your account ends, without your name or address,"
            " since we have to be able to prove it."
        ),
        sentence_in={
            "de": (
                "Was zeigt, dass du in etwas eingewilligt hast, bleibt {after} nach dem Ende deines Kontos aufbewahrt, ohne deinen"
                " Namen und deine Adresse, weil wir es beweisen können müssen."
            )
        },
    ),
)


def _stream(rule_id: str, dataset: str, lifetime: Period, sentence: str, de: str) -> Retain:
    return Retain(
        id=rule_id,
        dataset=dataset,
        triggers=(Trigger.created,),
        after=lifetime,
        maximum=lifetime,
        action=Action.delete,
        carry=Carry.sweep,
        sentence=sentence,
        sentence_in={"de": de},
    )


STREAMS = (
    Retain(
        id="usage.anonymise",
        dataset="usage",
        triggers=(Trigger.created,),
        after=Period(months=24),
        maximum=Period(months=24),
        action=Action.anonymise,
        carry=Carry.sweep,
        sentence=(
            "What we noted of your use is removed {after} after it was noted. Left are numbers by week, of what at least twenty"
            " accounts did alike, which are changed a little so that nobody's part in them can be told."
        ),
        sentence_in={
            "de": (
                "Was wir von deiner Nutzung notiert haben, wird {after} danach entfernt. Übrig bleiben Zahlen je Woche darüber, was"
                " mindestens zwanzig Konten gleichermaßen getan haben, ein wenig verändert, so dass sich niemandes Anteil daran"
                " erkennen lässt."
            )
        },
    ),
    _stream(
        "takedown.keep",
        "takedowns",
        Period(months=12),
        "A request to take a picture down, with the address it came from, is removed {after} after it was made, once decided.",
        "Ein Antrag, ein Bild zu entfernen, wird samt der Adresse, von der er kam, {after} danach gelöscht, sobald er entschieden"
        " ist.",
    ),
    _stream(
        "reveal.keep",
        "reveals",
        Period(months=12),
        "Who looked at your address, your name, your words or a picture of yours, and why, is kept for {after}; after the end of"
        " your account without telling that it was about you.",
        "Wer deine Adresse, deinen Namen, deine Worte oder ein Bild von dir angesehen hat und warum, bleibt {after} vermerkt,"
        " nach dem Ende deines Kontos ohne Bezug auf dich.",
    ),
    _stream(
        "session.keep",
        "sessions",
        Period(days=30),
        "A sign-in on one device is forgotten {after} after it was made.",
        "Eine Anmeldung auf einem Gerät ist {after} danach vergessen.",
    ),
    _stream(
        "signin.codes",
        "signin_codes",
        _DAY,
        "A mailed sign-in code is removed {after} after it was made.",
        "Ein zugesandter Anmeldecode wird {after} nach seiner Entstehung entfernt.",
    ),
    _stream(
        "request.keep",
        "privacy_requests",
        Period(years=3),
        "What you asked us to do with your data, and what became of it, is kept for {after} after it was answered; after the"
        " end of your account without your name or address.",
        "Worum du uns zu deinen Daten gebeten hast und was daraus wurde, bleibt {after} nach der Antwort aufbewahrt, nach dem Ende"
        " deines Kontos ohne deinen Namen und deine Adresse.",
    ),
    _stream(
        "tombstone.keep",
        "tombstones",
        Period(years=2),
        "That your address had what new accounts get once is remembered for {after} after your account ended, as a keyed hash.",
        "Dass deine Adresse schon hatte, was neue Konten einmal bekommen, bleibt {after} nach dem Ende deines Kontos als"
        " verschlüsselte Prüfsumme vermerkt.",
    ),
    _stream(
        "idempotency.keep",
        "idempotency_keys",
        _DAY,
        "The note that lets a repeated request count once is removed {after} after the first one.",
        "Der Vermerk, durch den eine wiederholte Anfrage nur einmal zählt, wird {after} nach der ersten entfernt.",
    ),
    _stream(
        "stream_ticket.keep",
        "stream_tickets",
        _HOUR,
        "A ticket for following one job live is removed {after} after it was made.",
        "Eine Marke, mit der sich ein Auftrag live verfolgen lässt, wird {after} nach ihrer Entstehung entfernt.",
    ),
)
