"""What data there is, and what for."""

from __future__ import annotations

from statuette.policy import Basis, Catalogue, Category, Purpose, Sensitivity

_CATEGORIES = (
    Category("photo", "Photos you upload", Sensitivity.personal),
    Category("figurine", "Figurine pictures made for you", Sensitivity.personal),
    Category("email", "Your e-mail address", Sensitivity.personal),
    Category("account_profile", "Your name and account settings", Sensitivity.personal),
    Category("prompt_variables", "Words you type to appear on a figurine", Sensitivity.personal),
    Category("device", "Your browser, operating system and network address", Sensitivity.personal),
    Category("style_choices", "The styles and options you pick", Sensitivity.pseudonymous),
    Category("job_record", "What was made when, and how it went", Sensitivity.pseudonymous),
    Category("ledger_record", "Credits bought, held and spent", Sensitivity.pseudonymous),
    Category("consent_record", "What you agreed to, and when", Sensitivity.pseudonymous),
    Category("credential", "Sign-in codes, session tokens and keys", Sensitivity.secret),
    Category("operational", "Settings, versions and prices, which concern no person", Sensitivity.none),
)

_PURPOSES = (
    Purpose(
        "generation",
        "Making figurines",
        Basis.consent,
        "I may use this picture, and it may be sent to an image model that turns it into a picture of a figurine.",
    ),
    Purpose(
        "service_mail",
        "Mail you need",
        Basis.contract,
        "You get the messages the service cannot do without: sign-in codes, answers, word of what changed.",
    ),
    Purpose(
        "account",
        "Running your account",
        Basis.contract,
        "What you tell us about yourself is used to sign you in and to show you what is yours.",
    ),
    Purpose(
        "billing",
        "Credits and payment",
        Basis.contract,
        "Purchases and credits are recorded so that you get what you paid for and never pay for a failure.",
    ),
    Purpose(
        "security",
        "Keeping people out of your account",
        Basis.legitimate_interest,
        "Signs of misuse, such as many failed sign-ins from one network, are looked at so that they can be stopped.",
    ),
)

CATALOGUE = Catalogue(categories=_CATEGORIES, purposes=_PURPOSES)
