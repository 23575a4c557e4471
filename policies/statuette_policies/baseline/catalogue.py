"""What data there is, what for, and what people may ask."""

from __future__ import annotations

from statuette.policy import Basis, Catalogue, Category, PersonalRight, Purpose, Sensitivity
from statuette_policies.requests import ACCESS, CORRECTION, ERASURE, OBJECTION, PORTABILITY, RESTRICTION


def _category(name: str, sensitivity: Sensitivity, title: str, de: str) -> Category:
    return Category(name, title, sensitivity, {"de": de})


_CATEGORIES = (
    _category("photo", Sensitivity.personal, "Photos you upload", "Fotos, die du hochlädst"),
    _category("figurine", Sensitivity.personal, "Figurine pictures made for you", "Für dich gemachte Figurenbilder"),
    _category("email", Sensitivity.personal, "Your e-mail address", "Deine E-Mail-Adresse"),
    _category(
        "account_profile", Sensitivity.personal, "Your name and account settings", "Dein Name und deine Einstellungen"
    ),
    _category(
        "prompt_variables",
        Sensitivity.personal,
        "Words you type to appear on a figurine",
        "Wörter, die du für eine Figur eingibst",
    ),
    _category(
        "correspondence",
        Sensitivity.personal,
        "What you ask us, with what you attach, and what we answer",
        "Was du uns fragst, samt Anhängen, und was wir antworten",
    ),
    _category(
        "device",
        Sensitivity.personal,
        "Your browser, operating system and network address",
        "Dein Browser, dein Betriebssystem und deine Netzadresse",
    ),
    _category(
        "style_choices",
        Sensitivity.pseudonymous,
        "The styles and options you pick",
        "Stile und Optionen, die du wählst",
    ),
    _category(
        "usage_record",
        Sensitivity.pseudonymous,
        "What you did here, when, and for how long about",
        "Was du hier wann getan hast, und ungefähr wie lange",
    ),
    _category(
        "job_record",
        Sensitivity.pseudonymous,
        "What was made when, and how it went",
        "Was wann gemacht wurde, und mit welchem Ergebnis",
    ),
    _category(
        "ledger_record",
        Sensitivity.pseudonymous,
        "Credits bought, held and spent",
        "Gekaufte, vorgemerkte und ausgegebene Credits",
    ),
    _category(
        "consent_record",
        Sensitivity.pseudonymous,
        "What you agreed to, and when",
        "Worin du eingewilligt hast, und wann",
    ),
    _category(
        "access_record",
        Sensitivity.pseudonymous,
        "When we looked at your data, and why",
        "Wann wir deine Daten angesehen haben, und warum",
    ),
    _category(
        "credential",
        Sensitivity.secret,
        "Sign-in codes, session tokens and keys",
        "Anmeldecodes, Sitzungskennungen und Schlüssel",
    ),
    _category(
        "operational",
        Sensitivity.none,
        "Settings, versions and prices, which concern no person",
        "Einstellungen, Versionen und Preise, die niemanden betreffen",
    ),
)

_PURPOSES = (
    Purpose(
        "generation",
        "Making figurines",
        Basis.consent,
        "I may use this picture, and it may be sent to an image model that turns it into a picture of a figurine.",
        title_in={"de": "Figuren machen"},
        statement_in={
            "de": "Ich darf dieses Bild verwenden, und es darf an ein Bildmodell geschickt werden, das daraus das Bild einer"
            " Figur macht."
        },
    ),
    Purpose(
        "service_mail",
        "Mail you need",
        Basis.contract,
        "You get the messages the service cannot do without: sign-in codes, answers, word of what changed.",
        {"de": "Nötige Post"},
        {
            "de": (
                "Du bekommst die Nachrichten, ohne die der Dienst nicht auskommt: Anmeldecodes, Antworten, Hinweise auf"
                " Änderungen."
            )
        },
    ),
    Purpose(
        "account",
        "Running your account",
        Basis.contract,
        "What you tell us about yourself is used to sign you in and to show you what is yours.",
        {"de": "Dein Konto"},
        {"de": "Was du über dich angibst, dient dazu, dich anzumelden und dir zu zeigen, was dir gehört."},
    ),
    Purpose(
        "support",
        "Answering your questions",
        Basis.contract,
        "What you ask us, with what you attach, is read by us so that we can answer you.",
        {"de": "Deine Fragen beantworten"},
        {"de": "Was du uns fragst, samt Anhängen, lesen wir, damit wir dir antworten können."},
    ),
    Purpose(
        "billing",
        "Credits and payment",
        Basis.contract,
        "Purchases and credits are recorded so that you get what you paid for and never pay for a failure.",
        {"de": "Credits und Bezahlung"},
        {
            "de": (
                "Käufe und Credits werden aufgezeichnet, damit du bekommst, was du bezahlt hast, und nie für einen"
                " Fehlschlag bezahlst."
            )
        },
    ),
    Purpose(
        "security",
        "Keeping people out of your account",
        Basis.legitimate_interest,
        "Signs of misuse, such as many failed sign-ins from one network, are looked at so that they can be stopped.",
        {"de": "Schutz deines Kontos vor anderen"},
        {
            "de": (
                "Anzeichen von Missbrauch, etwa viele gescheiterte Anmeldungen aus einem Netz, werden angesehen, damit er"
                " unterbunden werden kann."
            )
        },
    ),
    Purpose(
        "analytics",
        "Seeing how the service is used",
        Basis.legitimate_interest,
        "We count which styles are chosen, how often, and about how long pages are open, ourselves and without anybody else's"
        " cookies. Say no, here or by your browser, and you are not counted from then on.",
        title_in={"de": "Sehen, wie der Dienst genutzt wird"},
        statement_in={
            "de": "Wir zählen, welche Stile gewählt werden, wie oft, und ungefähr wie lange Seiten offen sind, selbst und ohne"
            " Cookies anderer. Sag Nein, hier oder durch deinen Browser, und du wirst von da an nicht mehr mitgezählt."
        },
        opt_out=True,
        signal=True,
    ),
    Purpose(
        "improvement",
        "Improving our models",
        Basis.consent,
        "You may use the figurines made for me, their styles and how I rated them, to make the models better that make figurines.",
        title_in={"de": "Unsere Modelle verbessern"},
        statement_in={
            "de": "Ihr dürft die für mich gemachten Figuren, ihre Stile und meine Bewertungen dazu verwenden, die Modelle zu"
            " verbessern, die Figuren machen."
        },
        signal=True,
        optional=True,
    ),
    Purpose(
        "marketing",
        "News by mail",
        Basis.consent,
        "You may write to me about new features and offers. Every such letter has a link that ends them.",
        title_in={"de": "Neuigkeiten per E-Mail"},
        statement_in={
            "de": "Ihr dürft mir über neue Funktionen und Angebote schreiben. In jedem solchen Brief steht ein Link, der das"
            " beendet."
        },
        signal=True,
        optional=True,
    ),
)

_RIGHTS = (
    PersonalRight("takedown", "Having a picture of you taken down", {"de": "Ein Bild von dir entfernen lassen"}),
    ACCESS,
    PORTABILITY,
    ERASURE,
    CORRECTION,
    RESTRICTION,
    OBJECTION,
    PersonalRight("withdrawal", "Taking consent back", {"de": "Eine Einwilligung zurücknehmen"}),
)

CATALOGUE = Catalogue(categories=_CATEGORIES, purposes=_PURPOSES, rights=_RIGHTS)
