"""What a verified receipt proves, and what no receipt can. Both are said wherever a verification is shown."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from statuette.evidence.heads import SignedHead
from statuette.evidence.verification import Code, Statement


def proven(found: Collection[Code], *, index: int, head: SignedHead, later: SignedHead | None) -> tuple[Statement, ...]:
    """What follows when no step failed."""
    by = "with the operator's key that you gave" if Code.key_trusted in found else "with the key in this file"
    proves = [
        Statement(
            "recorded",
            f"The receipt was entry {index + 1} of {head.size} in the log {short(head.log)} when its state was signed,"
            f" {by}. The signature says that this was {_in_words(head.at)}.",
        ),
        Statement("unchanged", "Not one character of the receipt was changed since."),
    ]
    if Code.subject_opens in found:
        account = ", of the account that the file names" if Code.account_opens in found else ""
        proves.append(Statement("subject", f"The receipt is about the record that the file names{account}."))
    if Code.log_only_grew in found and later is not None:
        proves.append(
            Statement(
                "still_there",
                f"The receipt is still entry {index + 1} of the log as it was signed later, with {later.size} entries:"
                " nothing before was altered, dropped or put elsewhere.",
            )
        )
    return tuple(proves)


def unproven(found: Collection[Code]) -> tuple[Statement, ...]:
    """What does not follow."""
    open_questions = []
    if Code.key_trusted not in found:
        open_questions.append(
            Statement(
                "whose_key",
                "Whose key it is. Without a key that you got from the operator some other way, the file is only shown to"
                " fit the key in it, and whoever made the file may have made the key.",
            )
        )
    if Code.subject_opens not in found:
        open_questions.append(
            Statement("whose_record", "Which record the receipt is about: the file does not open it.")
        )
    if Code.log_only_grew not in found:
        open_questions.append(
            Statement(
                "one_log",
                "That everybody is shown this log. Compare with a later state of it that you got some other way.",
            )
        )
    open_questions += [
        Statement(
            "the_deletion",
            "That the deletion took place. The operator's software says that it deleted, and that it looked again and"
            " found nothing; the log keeps it from saying anything else later. It cannot look into a store.",
        ),
        Statement(
            "copies",
            "That there is no copy elsewhere: one taken before, or one in a store that the receipt does not list.",
        ),
        Statement(
            "others",
            "What third parties and backups keep. The receipt lists what processors declare to keep, and no more.",
        ),
        Statement("the_clock", "That the moments are right. They are those of the operator's clock."),
    ]
    return tuple(open_questions)


def short(digest: str) -> str:
    """A digest as people compare it: its first 16 digits."""
    return digest.removeprefix("sha256:")[:16]


def _in_words(moment: datetime) -> str:
    return f"on {moment:%Y-%m-%d} at {moment:%H:%M:%S} UTC"
