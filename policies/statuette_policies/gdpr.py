"""The pack `gdpr`: what the General Data Protection Regulation, (EU) 2016/679, adds for whoever offers to people in the EU.

A brand that names this pack declares what its controller owes. The platform answers requests; breaches are the controller's to
report, by hand.

Sources, by rule:

- `right.access`: Art. 15, with the month of Art. 12(3)
- `right.correction`: Art. 16; `right.erasure`: Art. 17; `right.portability`: Art. 20; the same month
- `right.objection`: Art. 21(1), against uses that rest on a legitimate interest
- `right.withdrawal`: Art. 7(3); the baseline is stricter than the law, so nothing is added
- `notify.breach.authority`: Art. 33(1), 72 hours; `notify.breach.people`: Art. 34(1), without undue delay
- `notify.collection`: Art. 13, when data is collected

The two further months of Art. 12(3), for many or complex requests, are the controller's to claim case by case; a notice that
counted on them would promise less than the law.
"""

from __future__ import annotations

from datetime import date

from statuette.policy import Answer, Catalogue, Channel, Event, Moment, Notify, Period, PolicyPack, Right
from statuette_policies.requests import ACCESS, CORRECTION, ERASURE, OBJECTION, PORTABILITY

_MONTH = Period(months=1)

_RULES = (
    Right(
        id="right.access",
        request="access",
        within=_MONTH,
        answer=Answer.copy,
        sentence="You can ask what is held about you, and get a copy of it within {within}.",
        sentence_in={
            "de": "Du kannst fragen, was über dich gespeichert ist, und bekommst innerhalb von {within} eine Kopie."
        },
    ),
    Right(
        id="right.portability",
        request="portability",
        within=_MONTH,
        answer=Answer.copy,
        sentence="You can ask for your data in a form that other services can read, and get it within {within}.",
        sentence_in={
            "de": (
                "Du kannst um deine Daten in einer Form bitten, die andere Dienste lesen können, und bekommst sie innerhalb"
                " von {within}."
            )
        },
    ),
    Right(
        id="right.correction",
        request="correction",
        within=_MONTH,
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
        within=_MONTH,
        answer=Answer.erasure,
        sentence="You can ask for what is yours to be erased, and are told within {within} that it was.",
        sentence_in={
            "de": (
                "Du kannst verlangen, dass gelöscht wird, was zu dir gehört, und erfährst innerhalb von {within}, dass es"
                " geschehen ist."
            )
        },
    ),
    Right(
        id="right.objection",
        request="objection",
        within=_MONTH,
        answer=Answer.decision,
        sentence=(
            "You can object to a use that rests on our legitimate interest, and are told with reasons within {within} whether"
            " it ends."
        ),
        sentence_in={
            "de": (
                "Du kannst einer Verwendung widersprechen, die auf unserem berechtigten Interesse beruht, und erfährst"
                " innerhalb von {within} mit Gründen, ob sie endet."
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
    Notify(
        id="notify.breach.authority",
        event=Event.personal_data_breach,
        channel=Channel.authority,
        moment=Moment.after,
        within=Period(hours=72),
        sentence="A breach that puts you at risk is reported to the authority within {within}.",
        sentence_in={
            "de": "Eine Verletzung, die dich gefährdet, wird der Aufsichtsbehörde innerhalb von {within} gemeldet."
        },
    ),
    Notify(
        id="notify.breach.people",
        event=Event.personal_data_breach,
        channel=Channel.email,
        moment=Moment.after,
        sentence="If the risk is high, you are written to without undue delay.",
        sentence_in={"de": "Ist die Gefahr hoch, schreiben wir dir unverzüglich."},
    ),
)

GDPR = PolicyPack(
    name="gdpr",
    version="1",
    source="statuette_policies.gdpr",
    since=date(2018, 5, 25),
    catalogue=Catalogue(rights=(ACCESS, PORTABILITY, CORRECTION, ERASURE, OBJECTION)),
    rules=_RULES,
    by_hand=("notify.breach.authority", "notify.breach.people"),
)
