"""The words of the notice that belong to no rule: headings, legal bases, and what fills an empty place."""

from __future__ import annotations

import msgspec

from statuette.policy.catalogue import Basis


class Headings(msgspec.Struct, frozen=True):
    notice: str
    controller: str
    name: str
    contact: str
    authority: str
    data: str
    purposes: str
    sharing: str
    recipients: str
    retention: str
    rights: str
    notifications: str
    safeguards: str
    version: str
    keeps: str
    inside: str
    outside: str
    unknown: str
    nothing: str
    unless_saved: str
    basis: dict[Basis, str]


HEADINGS = {
    "en": Headings(
        notice="Privacy notice",
        controller="Who answers for your data",
        name="Name:",
        contact="Contact:",
        authority="Where you can complain:",
        data="What data there is",
        purposes="What it is used for",
        sharing="What leaves our hands",
        recipients="Who receives it",
        retention="How long it stays",
        rights="What you can ask for",
        notifications="When you are told",
        safeguards="How it is protected",
        version="Version",
        keeps="Keeps some of it",
        inside="within this service",
        outside="a third party",
        unknown="for an unknown time",
        nothing="nothing",
        unless_saved=", unless you have saved it",
        basis={
            Basis.consent: "(Only with your consent.)",
            Basis.contract: "(Needed for what you agreed with us.)",
            Basis.legal_obligation: "(A law obliges us.)",
            Basis.legitimate_interest: "(In our legitimate interest.)",
        },
    ),
    "de": Headings(
        notice="Datenschutzerklärung",
        controller="Wer für deine Daten verantwortlich ist",
        name="Name:",
        contact="Kontakt:",
        authority="Wo du dich beschweren kannst:",
        data="Welche Daten es gibt",
        purposes="Wofür sie verwendet werden",
        sharing="Was unsere Hände verlässt",
        recipients="Wer sie bekommt",
        retention="Wie lange sie bleiben",
        rights="Was du verlangen kannst",
        notifications="Wann du es erfährst",
        safeguards="Wie sie geschützt sind",
        version="Fassung",
        keeps="Behält etwas davon",
        inside="innerhalb dieses Dienstes",
        outside="ein Dritter",
        unknown="für unbekannte Zeit",
        nothing="nichts",
        unless_saved=", es sei denn, du hast es gespeichert",
        basis={
            Basis.consent: "(Nur mit deiner Einwilligung.)",
            Basis.contract: "(Nötig für das, was du mit uns vereinbart hast.)",
            Basis.legal_obligation: "(Ein Gesetz verpflichtet uns dazu.)",
            Basis.legitimate_interest: "(In unserem berechtigten Interesse.)",
        },
    ),
}
