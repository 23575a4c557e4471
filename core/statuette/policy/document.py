"""A policy as one document: what is published, stored and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from statuette.policy.canonical import decode, encode
from statuette.policy.pack import EffectivePolicy
from statuette.ports.processor import Processor


class PolicyDocument(msgspec.Struct, frozen=True):
    """The catalogue and the rules by id, in plain values, so that one of an older release can still be read."""

    purposes: dict[str, Any]
    categories: dict[str, Any]
    processors: dict[str, Any]
    rules: dict[str, Any]
    personal_rights: dict[str, Any] = {}

    def canonical(self) -> str:
        """JSON with sorted keys: equal policies are equal texts."""
        return encode(self).decode()

    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.canonical().encode()).hexdigest()}"

    def receivers(self) -> dict[str, list[str]]:
        """Ids of the processors that declare a purpose, by purpose."""
        return {
            purpose: sorted(name for name, said in self.processors.items() if purpose in said["purposes"])
            for purpose in sorted(self.purposes)
        }


def document(policy: EffectivePolicy, processors: Iterable[Processor] | None = None) -> PolicyDocument:
    """The document of a policy. `processors`: who receives data under it, where the policy itself does not know yet."""
    receivers = policy.processors if processors is None else {each.id: each for each in processors}
    said = {
        "purposes": policy.purposes,
        "categories": policy.categories,
        "processors": receivers,
        "rules": {rule.id: rule for rule in policy.rules()},
        "personal_rights": policy.personal_rights,
    }
    # By way of JSON, so that one just made and one that was stored are made of the same kinds of values.
    return decode(encode(said), PolicyDocument)
