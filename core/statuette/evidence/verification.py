"""What a verification finds: a line for each step, and what follows from it and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from statuette.evidence.heads import SignedHead
from statuette.evidence.receipt import Receipt


class Step(StrEnum):
    """What is looked at, in this order."""

    shape = "shape"
    """It has the fields of a receipt file, each of its form."""
    encoding = "encoding"
    """It is, byte for byte, the one encoding of these fields."""
    receipt = "receipt"
    """The receipt in it is one, byte for byte in its one encoding."""
    subject = "subject"
    """The receipt is about the record that the file names."""
    account = "account"
    """The receipt is about the account that the file names."""
    inclusion = "inclusion"
    """The receipt is that entry of the log under the head."""
    signature = "signature"
    """The head was signed with the key in the file."""
    key = "key"
    """The key is one that was obtained elsewhere, for this log and moment."""
    later_head = "later_head"
    """A later head of the same log, obtained elsewhere, is signed."""
    consistency = "consistency"
    """The log under the later head begins with the log under the head of the file."""


class Outcome(StrEnum):
    passed = "passed"
    failed = "failed"
    skipped = "skipped"


class Code(StrEnum):
    """What was found at a step. Stable: programs may match on it."""

    shape_known = "shape_known"
    too_long = "too_long"
    newer_version = "newer_version"
    not_a_receipt_file = "not_a_receipt_file"
    encoding_exact = "encoding_exact"
    encoding_changed = "encoding_changed"
    receipt_exact = "receipt_exact"
    newer_receipt = "newer_receipt"
    not_a_receipt = "not_a_receipt"
    receipt_encoding_changed = "receipt_encoding_changed"
    subject_opens = "subject_opens"
    subject_differs = "subject_differs"
    subject_not_named = "subject_not_named"
    account_opens = "account_opens"
    account_differs = "account_differs"
    account_not_named = "account_not_named"
    included = "included"
    not_included = "not_included"
    signed = "signed"
    not_signed = "not_signed"
    other_key_named = "other_key_named"
    key_trusted = "key_trusted"
    key_unknown = "key_unknown"
    key_not_then = "key_not_then"
    key_of_other_log = "key_of_other_log"
    no_key_to_compare = "no_key_to_compare"
    later_head_signed = "later_head_signed"
    later_head_not_signed = "later_head_not_signed"
    later_head_key_unknown = "later_head_key_unknown"
    later_head_key_not_then = "later_head_key_not_then"
    later_head_of_other_log = "later_head_of_other_log"
    later_head_is_earlier = "later_head_is_earlier"
    no_later_head = "no_later_head"
    log_only_grew = "log_only_grew"
    log_changed = "log_changed"
    log_forked = "log_forked"
    no_proof_of_growth = "no_proof_of_growth"
    not_reached = "not_reached"


_PASSED, _FAILED, _SKIPPED = Outcome.passed, Outcome.failed, Outcome.skipped

_MEANING: Mapping[Code, tuple[Outcome, str]] = {
    Code.shape_known: (_PASSED, "The file has the fields of a receipt file."),
    Code.too_long: (_FAILED, "The file is longer than a receipt file can be."),
    Code.newer_version: (_FAILED, "The file is of a version that this program does not know. Use a newer one."),
    Code.not_a_receipt_file: (_FAILED, "The file does not have the fields of a receipt file."),
    Code.encoding_exact: (_PASSED, "The file is byte for byte as it was issued."),
    Code.encoding_changed: (_FAILED, "The file was formatted or edited after it was issued."),
    Code.receipt_exact: (_PASSED, "The receipt in it is complete, and every value is one that a receipt can hold."),
    Code.newer_receipt: (_FAILED, "The receipt is of a version that this program does not know. Use a newer one."),
    Code.not_a_receipt: (_FAILED, "What stands in the receipt's place is no receipt."),
    Code.receipt_encoding_changed: (_FAILED, "The receipt was formatted or edited after it was issued."),
    Code.subject_opens: (_PASSED, "The receipt is about the record that the file names."),
    Code.subject_differs: (_FAILED, "The receipt is not about the record that the file names."),
    Code.subject_not_named: (_SKIPPED, "The file does not say which record the receipt is about."),
    Code.account_opens: (_PASSED, "The record was of the account that the file names."),
    Code.account_differs: (_FAILED, "The record was not of the account that the file names."),
    Code.account_not_named: (_SKIPPED, "The file does not say which account the record was of."),
    Code.included: (_PASSED, "The receipt is an entry of the log, at the place that the file says."),
    Code.not_included: (_FAILED, "The receipt is not the entry of the log that the file says."),
    Code.signed: (_PASSED, "The state of the log was signed with the key in the file."),
    Code.not_signed: (_FAILED, "The state of the log was not signed with the key in the file."),
    Code.other_key_named: (_FAILED, "The state of the log names another key than the one in the file."),
    Code.key_trusted: (_PASSED, "The key is one of those that you gave, and was valid then."),
    Code.key_unknown: (_FAILED, "The key is none of those that you gave."),
    Code.key_not_then: (_FAILED, "The key is one of those that you gave, but was not valid when it signed."),
    Code.key_of_other_log: (_FAILED, "The keys that you gave are those of another log."),
    Code.no_key_to_compare: (_SKIPPED, "You gave no key of the operator's to compare with."),
    Code.later_head_signed: (_PASSED, "The later state of the log is signed."),
    Code.later_head_not_signed: (_FAILED, "The later state of the log is not signed as it says."),
    Code.later_head_key_unknown: (_FAILED, "The later state of the log is signed with a key that is not known here."),
    Code.later_head_key_not_then: (_FAILED, "The later state of the log is signed with a key that was not valid then."),
    Code.later_head_of_other_log: (_FAILED, "The later state is of another log."),
    Code.later_head_is_earlier: (_FAILED, "The later state has fewer entries than the one in the file."),
    Code.no_later_head: (_SKIPPED, "You gave no later state of the log to compare with."),
    Code.log_only_grew: (_PASSED, "The later log begins with the log that the receipt is in."),
    Code.log_changed: (_FAILED, "It is not shown that the later log begins with the log that the receipt is in."),
    Code.log_forked: (_FAILED, "Two states of the log have the same size and differ: there are two logs."),
    Code.no_proof_of_growth: (_FAILED, "The later state comes without a proof that the log only grew."),
    Code.not_reached: (_SKIPPED, "An earlier step has to pass first."),
}


class StepResult(msgspec.Struct, frozen=True):
    """One line of a verification.

    Attributes:
        sentence: the code in words.
    """

    step: Step
    outcome: Outcome
    code: Code
    sentence: str


class Statement(msgspec.Struct, frozen=True):
    """Something that a verification proves, or does not: a stable code, and a sentence."""

    code: str
    sentence: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        verified: no step failed, and none of those that every receipt file needs was left out.
        steps: one line for each step, in order.
        proves: what follows; nothing unless `verified`.
        does_not_prove: what does not follow, whatever was found.
        receipt: the receipt, if it could be read; to be believed only if `verified`.
        index: which entry it is, from 0.
        head: the state of the log it is an entry under.
        record, account: what the receipt is about, as far as the file opens it.
    """

    verified: bool
    steps: tuple[StepResult, ...]
    proves: tuple[Statement, ...]
    does_not_prove: tuple[Statement, ...]
    receipt: Receipt | None = None
    index: int | None = None
    head: SignedHead | None = None
    record: str | None = None
    account: str | None = None

    def failed(self) -> list[Step]:
        """The steps that failed."""
        return [line.step for line in self.steps if line.outcome is Outcome.failed]

    def code_of(self, step: Step) -> Code:
        """What was found at a step."""
        return next(line.code for line in self.steps if line.step is step)


def result(step: Step, code: Code) -> StepResult:
    """The line that tells of `code` at `step`."""
    outcome, sentence = _MEANING[code]
    return StepResult(step, outcome, code, sentence)


ALWAYS_NEEDED = frozenset({Step.shape, Step.encoding, Step.receipt, Step.inclusion, Step.signature})


def holds(steps: tuple[StepResult, ...]) -> bool:
    """Whether nothing failed, and everything that is always needed passed."""
    passed = {line.step for line in steps if line.outcome is Outcome.passed}
    return passed >= ALWAYS_NEEDED and all(line.outcome is not Outcome.failed for line in steps)
