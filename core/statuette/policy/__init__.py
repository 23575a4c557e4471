"""The policy language: a catalogue of what exists and rules of what must happen. Pure data and pure functions.

Nothing here reads a file, but to say in an error or an explanation on which line of a pack a rule is written.
"""

from statuette.policy.catalogue import Basis, Catalogue, Category, PersonalRight, Purpose, Sensitivity
from statuette.policy.enforcers import enforces
from statuette.policy.pack import BrandChoice, EffectivePolicy, PolicyPack, compile_policy
from statuette.policy.periods import AT_ONCE, Floor, Period
from statuette.policy.promises import Promise, PromiseStatus
from statuette.policy.publication import Publication
from statuette.policy.rules import (
    Action,
    Answer,
    Carry,
    Channel,
    Egress,
    Event,
    Exemption,
    Moment,
    Notify,
    Option,
    Retain,
    Right,
    Rule,
    Safeguard,
    Store,
    Trigger,
)

__all__ = [
    "AT_ONCE",
    "Action",
    "Answer",
    "Basis",
    "BrandChoice",
    "Carry",
    "Catalogue",
    "Category",
    "Channel",
    "EffectivePolicy",
    "Egress",
    "Event",
    "Exemption",
    "Floor",
    "Moment",
    "Notify",
    "Option",
    "Period",
    "PersonalRight",
    "PolicyPack",
    "Promise",
    "PromiseStatus",
    "Publication",
    "Purpose",
    "Retain",
    "Right",
    "Rule",
    "Safeguard",
    "Sensitivity",
    "Store",
    "Trigger",
    "compile_policy",
    "enforces",
]
