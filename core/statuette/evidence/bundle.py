"""The file that a holder keeps, `receipt.json`, and its verification, which needs nothing but the file.

It holds the receipt, its place in the log with the proof of it, the signed head that the proof leads to, the key, and,
where the holder is to know what the receipt is about, the salt and the ids that open its commitments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from statuette.errors import InvalidInput
from statuette.evidence.commitments import SALT_BYTES, Committed, commit, is_identifier
from statuette.evidence.conclusions import proven, unproven
from statuette.evidence.encoding import UnreadableDocument, canonical, is_bytes, is_count, parsed, require
from statuette.evidence.heads import PUBLIC_KEY_BYTES, PublicKeys, SignedHead, Trust, key_id, verify_head
from statuette.evidence.merkle import HASH_BYTES, leaf_hash
from statuette.evidence.proofs import verify_consistency, verify_inclusion
from statuette.evidence.receipt import Receipt
from statuette.evidence.verification import Code, Step, StepResult, Verification, holds, result

LONGEST_BUNDLE_BYTES = 256 * 1024
_LONGEST_PROOF = 64


class Opening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What opens a receipt's commitments.

    Attributes:
        salt: 32 bytes.
        record: id of the record.
        account: id of the account it was of; None where the holder is not to know, or there is none.

    Raises:
        InvalidInput: a value has another form.
    """

    salt: bytes
    record: str
    account: str | None

    def __post_init__(self) -> None:
        require(is_bytes(self.salt, SALT_BYTES), f"A salt has {SALT_BYTES} bytes.")
        require(is_identifier(self.record), "A record has an id of letters, digits, and _ . : -")
        require(self.account is None or is_identifier(self.account), "An account has an id of the same form.")


class Bundle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A receipt file.

    Attributes:
        receipt: the entry of the log, as it is in the log.
        opening: what it is about, or None.
        index: which entry it is, from 0.
        proof: for `verify_inclusion`.
        head: what the proof leads to.
        public_key: that the head was signed with, 32 bytes.

    Raises:
        InvalidInput: a value has another form.
    """

    type: Literal["statuette.receipt"] = "statuette.receipt"
    version: Literal[1] = 1
    receipt: msgspec.Raw
    opening: Opening | None
    index: int
    proof: tuple[bytes, ...]
    head: SignedHead
    public_key: bytes

    def __post_init__(self) -> None:
        require(is_count(self.index), "An entry's place is a whole number from 0.")
        require(
            len(self.proof) <= _LONGEST_PROOF and all(is_bytes(part, HASH_BYTES) for part in self.proof),
            f"A proof has at most {_LONGEST_PROOF} hashes of {HASH_BYTES} bytes.",
        )
        require(is_bytes(self.public_key, PUBLIC_KEY_BYTES), f"A public key has {PUBLIC_KEY_BYTES} bytes.")


class LaterHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A later state of the log, and the proof that it begins with the state in a receipt file.

    Attributes:
        consistency: for `verify_consistency`; None: there is none, so it shows something at equal sizes only.
    """

    head: SignedHead
    consistency: tuple[bytes, ...] | None


class _Version(msgspec.Struct):
    """As much of a document as tells its version."""

    version: int


def make_bundle(
    entry: bytes, *, index: int, proof: Sequence[bytes], head: SignedHead, public_key: bytes, opening: Opening | None
) -> bytes:
    """The bytes of a receipt file, verified before they leave.

    Raises:
        InvalidInput: it would not verify; names the step.
    """
    document = Bundle(
        receipt=msgspec.Raw(entry),
        opening=opening,
        index=index,
        proof=tuple(proof),
        head=head,
        public_key=public_key,
    )
    data = canonical(document)
    verification = verify(data)
    if not verification.verified:
        raise InvalidInput(f"The receipt file would not verify: {', '.join(verification.failed())}.")
    return data


def verify(
    data: bytes,
    trusted_keys: PublicKeys | None = None,
    later_head: SignedHead | None = None,
    consistency: Sequence[bytes] | None = None,
) -> Verification:
    """Verify a receipt file. Raises nothing, whatever the bytes are.

    Args:
        data: the file.
        trusted_keys: the log's keys, obtained from elsewhere than the file.
        later_head: a state of the log with as many entries or more, obtained from elsewhere.
        consistency: the proof that the later log begins with the one in the file; may be left out at equal sizes.
    """
    first = _shape(data)
    if isinstance(first, Code):
        lines = [
            result(Step.shape, first),
            *(result(step, Code.not_reached) for step in Step if step is not Step.shape),
        ]
        return _concluded(lines, None, None, later_head)
    exact = Code.encoding_exact if canonical(first) == data else Code.encoding_changed
    receipt, found = _receipt(first.receipt)
    later = _later_head(first, trusted_keys, later_head)
    lines = [
        result(Step.shape, Code.shape_known),
        result(Step.encoding, exact),
        result(Step.receipt, found),
        result(Step.subject, _subject(receipt, first.opening)),
        result(Step.account, _account(receipt, first.opening)),
        result(Step.inclusion, _inclusion(first)),
        result(Step.signature, _signature(first)),
        result(Step.key, _key(first.head, trusted_keys)),
        result(Step.later_head, later),
        result(Step.consistency, _consistency(first.head, later, later_head, consistency)),
    ]
    return _concluded(lines, first, receipt, later_head)


def read_later_head(data: bytes) -> LaterHead:
    """A later head and its proof out of their JSON, or out of that of a signed head alone.

    Raises:
        InvalidInput: it is neither.
    """
    try:
        return parsed(data, LaterHead)
    except UnreadableDocument:
        return LaterHead(head=parsed(data, SignedHead), consistency=None)


def _shape(data: bytes) -> Bundle | Code:
    if len(data) > LONGEST_BUNDLE_BYTES:
        return Code.too_long
    try:
        return parsed(data, Bundle)
    except UnreadableDocument:
        return Code.newer_version if _version(data) > 1 else Code.not_a_receipt_file


def _receipt(body: msgspec.Raw) -> tuple[Receipt | None, Code]:
    try:
        receipt = parsed(body, Receipt)
    except UnreadableDocument:
        return None, Code.newer_receipt if _version(body) > 1 else Code.not_a_receipt
    exact = canonical(receipt) == bytes(body)
    return receipt, Code.receipt_exact if exact else Code.receipt_encoding_changed


def _version(data: bytes | msgspec.Raw) -> int:
    try:
        return parsed(data, _Version).version
    except UnreadableDocument:
        return 0


def _subject(receipt: Receipt | None, opening: Opening | None) -> Code:
    if receipt is None:
        return Code.not_reached
    if opening is None:
        return Code.subject_not_named
    opens = commit(Committed.subject, opening.salt, opening.record) == receipt.subject
    return Code.subject_opens if opens else Code.subject_differs


def _account(receipt: Receipt | None, opening: Opening | None) -> Code:
    if receipt is None:
        return Code.not_reached
    if opening is None or opening.account is None:
        return Code.account_not_named
    opens = commit(Committed.account, opening.salt, opening.account) == receipt.account
    return Code.account_opens if opens else Code.account_differs


def _inclusion(bundle: Bundle) -> Code:
    leaf, head = leaf_hash(bytes(bundle.receipt)), bundle.head
    found = verify_inclusion(leaf, bundle.index, head.size, bundle.proof, head.root)
    return Code.included if found else Code.not_included


def _signature(bundle: Bundle) -> Code:
    if bundle.head.key != key_id(bundle.public_key):
        return Code.other_key_named
    return Code.signed if verify_head(bundle.head, bundle.public_key) else Code.not_signed


_KEY = {
    Trust.trusted: Code.key_trusted,
    Trust.unknown: Code.key_unknown,
    Trust.not_then: Code.key_not_then,
    Trust.other_log: Code.key_of_other_log,
}
_LATER_KEY = {
    Trust.unknown: Code.later_head_key_unknown,
    Trust.not_then: Code.later_head_key_not_then,
    Trust.other_log: Code.later_head_of_other_log,
}


def _key(head: SignedHead, trusted_keys: PublicKeys | None) -> Code:
    # The step before holds the key in the file against the head, so here the head's word for its key will do.
    return Code.no_key_to_compare if trusted_keys is None else _KEY[trusted_keys.trust(head)]


def _later_head(bundle: Bundle, trusted_keys: PublicKeys | None, later: SignedHead | None) -> Code:
    if later is None:
        return Code.no_later_head
    if later.log != bundle.head.log:
        return Code.later_head_of_other_log
    if later.size < bundle.head.size:
        return Code.later_head_is_earlier
    if trusted_keys is None:
        # Of one log's keys only the one in the file is known: a head by the next key has to come with keys.
        public_key = bundle.public_key if key_id(bundle.public_key) == later.key else None
    else:
        trust = trusted_keys.trust(later)
        if trust is not Trust.trusted:
            return _LATER_KEY[trust]
        public_key = trusted_keys.public_key_of(later)
    if public_key is None:
        return Code.later_head_key_unknown
    return Code.later_head_signed if verify_head(later, public_key) else Code.later_head_not_signed


def _consistency(head: SignedHead, found: Code, later: SignedHead | None, proof: Sequence[bytes] | None) -> Code:
    if later is None:
        return Code.no_later_head
    if found is not Code.later_head_signed:
        # A fork is told only of what the operator signed.
        return Code.not_reached
    if later.size == head.size and later.root != head.root:
        return Code.log_forked
    if proof is None and later.size != head.size:
        return Code.no_proof_of_growth
    grew = verify_consistency(head.size, head.root, later.size, later.root, proof or ())
    return Code.log_only_grew if grew else Code.log_changed


def _concluded(
    lines: list[StepResult], bundle: Bundle | None, receipt: Receipt | None, later: SignedHead | None
) -> Verification:
    steps = tuple(lines)
    codes = {line.code for line in steps}
    verified = holds(steps)
    opening = None if bundle is None else bundle.opening
    return Verification(
        verified=verified,
        steps=steps,
        proves=proven(codes, index=bundle.index, head=bundle.head, later=later) if verified and bundle else (),
        does_not_prove=unproven(codes),
        receipt=receipt,
        index=None if bundle is None else bundle.index,
        head=None if bundle is None else bundle.head,
        record=opening.record if opening and Code.subject_opens in codes else None,
        account=opening.account if opening and Code.account_opens in codes else None,
    )
