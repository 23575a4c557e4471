"""The pack `ccpa`: what the California Consumer Privacy Act, as amended from 2023 on, adds for whoever falls under it.

A brand that names this pack declares what its business owes; the platform answers requests.

Sources, all of the California Civil Code:

- `right.access`: § 1798.110 (to know), with the 45 days of § 1798.130(a)(2)
- `right.correction`: § 1798.106; `right.erasure`: § 1798.105; the same 45 days
- `notify.collection`: § 1798.100(a), at or before collection

Where the pack `gdpr` is in force too, its month holds wherever it is shorter. Selling and sharing (§ 1798.120) have no rule:
no purpose for either exists, so the egress lets nothing out for them and there is nothing to opt out of.
"""

from __future__ import annotations

from datetime import date

from statuette.policy import Answer, Catalogue, Channel, Event, Moment, Notify, Period, PolicyPack, Right
from statuette_policies.requests import ACCESS, CORRECTION, ERASURE

_ANSWERED = Period(days=45)

_RULES = (
    Right(
        id="right.access",
        request="access",
        within=_ANSWERED,
        answer=Answer.copy,
        sentence="You can ask what is held about you, and get a copy of it within {within}.",
        sentence_in={
            "de": "Du kannst fragen, was über dich gespeichert ist, und bekommst innerhalb von {within} eine Kopie."
        },
    ),
    Right(
        id="right.correction",
        request="correction",
        within=_ANSWERED,
        answer=Answer.change,
        sentence="You can ask for the correction of what is wrong about you; it is made within {within}.",
        sentence_in={
            "de": (
                "Du kannst verlangen, dass berichtigt wird, was über dich falsch ist; das geschieht innerhalb von {within}."
            )
        },
    ),
    Right(
        id="right.erasure",
        request="erasure",
        within=_ANSWERED,
        answer=Answer.erasure,
        sentence="You can ask for what is yours to be erased, and are told within {within} that it was.",
        sentence_in={
            "de": (
                "Du kannst verlangen, dass gelöscht wird, was zu dir gehört, und erfährst innerhalb von {within}, dass es"
                " geschehen ist."
            )
        },
    ),
    Notify(
        id="notify.collection",
        event=Event.data_collected,
        channel=Channel.notice,
        moment=Moment.before,
        sentence="This notice can be read before anything about you is collected.",
        sentence_in={"de": "Diese Erklärung ist zu lesen, bevor etwas über dich erhoben wird."},
    ),
)

CCPA = PolicyPack(
    name="ccpa",
    version="1",
    source="statuette_policies.ccpa",
    since=date(2023, 1, 1),
    catalogue=Catalogue(rights=(ACCESS, CORRECTION, ERASURE)),
    rules=_RULES,
)
