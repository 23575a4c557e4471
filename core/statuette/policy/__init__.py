"""The policy language: a catalogue of what exists and rules of what must happen. Pure data and pure functions, no I/O."""

from statuette.policy.catalogue import Basis, Catalogue, Category, Purpose, Sensitivity
from statuette.policy.pack import EffectivePolicy, PolicyPack, compile_policy
from statuette.policy.rules import Action, Carry, Egress, Retain, Trigger

__all__ = [
    "Action",
    "Basis",
    "Carry",
    "Catalogue",
    "Category",
    "EffectivePolicy",
    "Egress",
    "PolicyPack",
    "Purpose",
    "Retain",
    "Sensitivity",
    "Trigger",
    "compile_policy",
]
