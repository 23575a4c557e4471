"""The data processing agreement of GDPR Art. 28(3): who runs the platform works for who answers for the brand.

The operator fills in its own name and signs. What is processed, for how long, by whom and how it is protected comes from the
policy.
"""

from __future__ import annotations

from statuette.policy.catalogue import Sensitivity
from statuette.policy.notice import Issuer, notice, said
from statuette.policy.pack import EffectivePolicy
from statuette.policy.papers.model import Paper, Section, Table, titled
from statuette.policy.papers.record import measures

_WORDS = {
    "en": {
        "title": "Data processing agreement (GDPR Art. 28)",
        "parties": "Parties",
        "controller": "Controller: {name} ({contact})",
        "unnamed": "____________",
        "processor": "Processor, who runs the platform: ____________",
        "subject": "Subject, nature and duration",
        "nature": (
            "The processor runs a site of the controller's on which people turn photos into pictures of figurines: it takes photos"
            " in, has pictures made from them, keeps accounts and sends the letters that go with that. The agreement lasts as long"
            " as the site is run."
        ),
        "people": "Data subjects: people with an account, and people in the photos that these upload.",
        "purposes": "Purposes",
        "data": "Types of personal data",
        "duties": "What the processor undertakes",
        "further": "Further processors",
        "consent": (
            "The controller agrees to these. The processor announces any other by publishing a version of the policy that names it"
            " before it receives anything that rests on consent; the controller may object."
        ),
        "none": "None.",
        "name": "Name",
        "where": "Where",
        "what": "For what",
        "measures": "Annex: technical and organisational measures",
        "erasure": "Annex: erasure",
        "signatures": "Signatures",
        "sign": "Place, date, controller: ____________    Place, date, processor: ____________",
    },
    "de": {
        "title": "Vertrag über Auftragsverarbeitung (Art. 28 DSGVO)",
        "parties": "Parteien",
        "controller": "Verantwortlicher: {name} ({contact})",
        "unnamed": "____________",
        "processor": "Auftragsverarbeiter, der die Plattform betreibt: ____________",
        "subject": "Gegenstand, Art und Dauer",
        "nature": (
            "Der Auftragsverarbeiter betreibt für den Verantwortlichen eine Seite, auf der Menschen aus Fotos Bilder von Figuren"
            " machen: Er nimmt Fotos entgegen, lässt daraus Bilder machen, führt Konten und verschickt die Briefe, die dazu"
            " gehören. Der Vertrag gilt, solange die Seite betrieben wird."
        ),
        "people": "Betroffene: Menschen mit einem Konto und Menschen auf den Fotos, die diese hochladen.",
        "purposes": "Zwecke",
        "data": "Arten personenbezogener Daten",
        "duties": "Wozu sich der Auftragsverarbeiter verpflichtet",
        "further": "Weitere Auftragsverarbeiter",
        "consent": (
            "Der Verantwortliche stimmt diesen zu. Jeden anderen kündigt der Auftragsverarbeiter an, indem er eine Fassung der"
            " Erklärung veröffentlicht, die ihn nennt, bevor er etwas bekommt, das auf Einwilligung beruht; der Verantwortliche"
            " kann widersprechen."
        ),
        "none": "Keine.",
        "name": "Name",
        "where": "Wo",
        "what": "Wofür",
        "measures": "Anlage: technische und organisatorische Maßnahmen",
        "erasure": "Anlage: Löschung",
        "signatures": "Unterschriften",
        "sign": "Ort, Datum, Verantwortlicher: ____________    Ort, Datum, Auftragsverarbeiter: ____________",
    },
}
# Art. 28(3) (a) to (h), in order.
_DUTIES = {
    "en": (
        "(a) It processes the data on documented instructions alone: the brand's file and the policy that is published are these.",
        "(b) Whoever may see the data is bound to confidentiality.",
        "(c) It takes the measures of Art. 32 that the annex names.",
        "(d) It engages further processors only as this agreement says, on the same terms.",
        "(e) It helps the controller to answer requests of data subjects.",
        "(f) It helps the controller with Art. 32 to 36, and reports a breach without undue delay once it knows of it.",
        "(g) At the end it deletes the data or gives it back, as the controller chooses, and deletes what copies there are unless a"
        " law demands their storage.",
        "(h) It gives the controller what is needed to show all this, receipts of erasure among it, and allows audits.",
    ),
    "de": (
        "(a) Er verarbeitet die Daten nur auf dokumentierte Weisung: die der Datei der Marke und der veröffentlichten Erklärung.",
        "(b) Wer die Daten sehen kann, ist zur Vertraulichkeit verpflichtet.",
        "(c) Er trifft die Maßnahmen nach Art. 32, die die Anlage nennt.",
        "(d) Weitere Auftragsverarbeiter nimmt er nur so in Anspruch, wie dieser Vertrag es sagt, zu denselben Bedingungen.",
        "(e) Er hilft dem Verantwortlichen, Anträge betroffener Personen zu beantworten.",
        "(f) Er unterstützt den Verantwortlichen bei Art. 32 bis 36 und meldet eine Verletzung unverzüglich, sobald er davon weiß.",
        "(g) Am Ende löscht er die Daten oder gibt sie zurück, wie der Verantwortliche es wählt, und löscht vorhandene Kopien,"
        " sofern kein Gesetz ihre Speicherung verlangt.",
        "(h) Er gibt dem Verantwortlichen, was dieser zum Nachweis braucht, darunter Löschbelege, und ermöglicht Überprüfungen.",
    ),
}


def agreement(policy: EffectivePolicy, issuer: Issuer, locale: str) -> Paper:
    """The agreement. Raises `ConfigurationError` for a language that a pack does not speak."""
    words = _WORDS.get(locale, _WORDS["en"])
    told = notice(policy, issuer, locale)
    blank = words["unnamed"]
    controller = words["controller"].format(name=issuer.name or blank, contact=issuer.contact or blank)
    outside = tuple((each.name, each.region, "; ".join(each.purposes)) for each in told.recipients if each.outside)
    data = tuple(
        said(each, "title", locale)
        for each in policy.categories.values()
        if each.sensitivity in (Sensitivity.personal, Sensitivity.pseudonymous)
    )
    further = (
        Section(
            words["further"], (words["consent"],), table=Table((words["name"], words["where"], words["what"]), outside)
        )
        if outside
        else Section(words["further"], (words["none"], words["consent"]))
    )
    sections = (
        Section(words["parties"], items=(controller, words["processor"])),
        Section(words["subject"], (words["nature"], words["people"])),
        Section(words["purposes"], items=tuple(f"{each.title}: {each.sentence}" for each in told.purposes)),
        Section(words["data"], items=data),
        Section(words["duties"], items=_DUTIES.get(locale, _DUTIES["en"])),
        further,
        Section(words["measures"], items=measures(policy, locale)),
        Section(words["erasure"], items=tuple(each.sentence for each in told.retention)),
        Section(words["signatures"], (words["sign"],)),
    )
    return Paper("agreement", locale, titled(words["title"], issuer), policy.digest, sections)
