"""The promises made to people, in our own words, and how far each is kept by code.

What no rule says, or says only in part, has a remark on what is missing. A rule enters the pack when something carries it out,
not before: the notice is rendered from the rules, and would else promise what nobody does.
"""

from __future__ import annotations

from statuette.policy import Promise, PromiseStatus


def _ruled(name: str, wording: str) -> Promise:
    return Promise(name, wording, name, PromiseStatus.ruled)


def _partly(name: str, wording: str, rule: str, missing: str) -> Promise:
    return Promise(name, wording, rule, PromiseStatus.partly_ruled, missing)


_PICTURES = (
    _ruled(
        "upload.used",
        "Once your picture is made, the photo goes, within a day at the latest, without you doing anything.",
    ),
    _ruled("upload.unused", "A photo you never used goes within a day."),
    _ruled(
        "upload.cap",
        "No job, however slow or stuck, keeps a photo alive past a day and the longest time a job may take.",
    ),
    _ruled("upload.saved", "A photo you chose to save stays until you change your mind, and then goes like any other."),
    _ruled("upload.asked", "You can have a photo deleted at any moment."),
    _ruled(
        "upload.derived",
        "What was made out of a photo on the way, such as smaller copies, goes together with it.",
    ),
    _partly(
        "object.encrypted",
        "Photos and pictures lie encrypted wherever they are stored.",
        "object.encrypted",
        "A store that does not encrypt is found daily, not refused; of a folder we go by what its operator attests.",
    ),
    _ruled("figurine.keep", "Your figurines stay until you want them gone."),
    _ruled("ai.mark", "Every picture says, in a way machines can read, that it was made by AI."),
    _ruled(
        "depicted.statement",
        "Whoever uploads a photo of others says that they agreed.",
    ),
    _ruled(
        "depicted.takedown",
        "Whoever finds themselves in a picture can have it hidden at once, and decided on within two days.",
    ),
)

_RECEIVERS = (
    _partly(
        "processor.generation",
        "Your photo is given to the image model to make your picture, and to nobody for anything else.",
        "processor.generation",
        "The rule bounds what we send. What the model's provider keeps is declared by that provider as a residual.",
    ),
    Promise(
        "processor.gemini",
        "Google's image model gets a photo for one call, and what Google keeps of it is told.",
        "processor.egress",
        PromiseStatus.ruled,
    ),
    _partly(
        "processor.egress",
        "Nobody we work with gets your data but for what they are named for.",
        "processor.egress",
        "Image models and mail pass through the egress. A store is trusted, not asked.",
    ),
)

_ACCOUNTS = (
    _ruled(
        "account.erase",
        "Your account stays until you end it, and is erased within thirty days then.",
    ),
    _partly(
        "billing.keep",
        "Billing papers are kept as long as the law demands, apart from your name, and then go.",
        "ledger.keep",
        "The books of credits, all that there is of billing, are kept and end so. Nothing is sold yet: there are no invoices.",
    ),
    _ruled(
        "usage.anonymise",
        "After two years nothing of what you did here can be traced to you.",
    ),
    _ruled(
        "usage.collect",
        "Which styles are used, how often and for how long is counted by ourselves, without strangers' cookies.",
    ),
    _ruled(
        "device.collect",
        "Of your device we note the kind of browser and system, and a shortened network address.",
    ),
    _ruled(
        "support.keep",
        "What you write to us goes a year after your question is settled, attachments too.",
    ),
    _ruled("support.asked", "You can have what you wrote to us deleted at any moment."),
    _ruled(
        "minor.account",
        "Accounts are for adults.",
    ),
    _ruled(
        "minor.depicted",
        "A child in a photo is protected: by a guardian's word, where photos of children are taken in.",
    ),
    _ruled(
        "minor.refused",
        "Where photos of children are refused, none is taken in.",
    ),
)

_USES = (
    _ruled(
        "purpose.improvement",
        "Your pictures improve our models only if you said yes.",
    ),
    _partly(
        "purpose.service_mail",
        "We write when the service calls for it.",
        "processor.service_mail",
        "The rule bounds what the mail service gets. That nothing else is written rests on the egress asking for a permit.",
    ),
    Promise(
        "purpose.marketing",
        "News and offers come only if you asked for them, and one click ends them.",
        "processor.marketing",
        PromiseStatus.ruled,
    ),
    _ruled(
        "purpose.analytics",
        "You can opt out of being counted, at once, and a browser that says so for you is believed.",
    ),
    _ruled(
        "purpose.security",
        "Misuse is looked for, so that your account stays yours.",
    ),
)

_RIGHTS = (
    _ruled("right.access", "You can have a copy of everything we hold about you."),
    _ruled("right.portability", "You can take your figurines elsewhere, as they are, with their data."),
    _partly(
        "right.correction",
        "You can correct what is wrong about you.",
        "right.correction",
        "Name, address and language are changed by their owner, all else by the operator on request. No processor is told.",
    ),
    _ruled(
        "right.erasure",
        "You can have one thing, or all of it, erased, and are told where it was and what is left with others.",
    ),
    _ruled(
        "right.restriction",
        "You can have every use of your data stopped without losing it, and let it go on when you like.",
    ),
    _ruled("right.objection", "You can object to a use of your data; it stops until that is decided."),
    _ruled(
        "ledger.keep",
        "Books about what you paid for outlive your account without your name, and end when law lets them.",
    ),
    _ruled("consent.proof", "What shows that you agreed outlives your account without your name, and then ends, too."),
    _ruled("right.withdrawal", "You can take consent back as easily as you gave it, and it counts within a minute."),
)

_OPERATION = (
    _ruled("safeguard.tls", "Nothing travels unencrypted."),
    _partly(
        "safeguard.encryption",
        "What is personal in the database is unreadable without its key.",
        "safeguard.encryption",
        "Addresses and names are encrypted and looked at daily. The words typed onto a figurine are not encrypted.",
    ),
    _ruled("safeguard.access", "Few may see your data, and each look is written down."),
    _ruled("safeguard.audit", "We check ourselves regularly, and sign what we found."),
    _ruled("policy.change", "When these promises change you are told, and asked again where your consent is needed."),
    _ruled("backup.erase", "What was erased stays erased, also after a backup was restored."),
    _ruled("queue.payload", "What waits for work names your photo and does not contain it."),
    _partly(
        "logs.content",
        "No photo, word or address of yours is in our logs.",
        "logs.content",
        "What vendors and plugins fill into their lines is left out, and so are addresses. A plugin that builds a line of"
        " somebody's words itself is not kept from it: the canary drill finds it.",
    ),
    Promise(
        "controller",
        "You know who answers for your data and whom you can complain to.",
        "controller.named",
        PromiseStatus.ruled,
    ),
)

PROMISES = (*_PICTURES, *_RECEIVERS, *_ACCOUNTS, *_USES, *_RIGHTS, *_OPERATION)
