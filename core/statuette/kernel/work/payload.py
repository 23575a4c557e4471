"""What waits for work names records, and holds nothing of them."""

from __future__ import annotations

import re

from statuette.errors import StatuetteError
from statuette.policy import enforces

_LETTERS = re.compile(r"[a-z0-9_./:-]{1,200}")
_ID = re.compile(r"(?<![a-z0-9])[a-z]{3}_[a-z0-9]+")


class NotAnId(StatuetteError):
    """Work was asked for on something that is no id. Final: a bug of the caller. What it was is not repeated."""

    code = "payload_not_an_id"
    summary = "Work names a record by its id, and nothing else."


def names_a_record(subject_id: str) -> bool:
    """Whether this is an id, or made of ids and fixed words: `gen_01jd…`, `tkd_01jd….decided.acc_01jd…`, `uploads/brd_…/`."""
    return _LETTERS.fullmatch(subject_id) is not None and _ID.search(subject_id) is not None


@enforces("queue.payload")
def only_ids(subject_id: str) -> None:
    """Raises `NotAnId` for what could be a word, an address or a picture."""
    if not names_a_record(subject_id):
        raise NotAnId()
