"""What a site has told its people: the other side of the invariants."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Promises:
    """Of one person, or of many together.

    Attributes:
        jobs: ids of those that were answered with a 2xx; no other may exist.
        photos: ids of those that were answered with 201, and not deleted.
        deleted: ids of photos and figurines whose deletion was accepted.
        withdrawn: whose consent was taken back from when until when, as the person saw it: from the answer that confirmed it
            to the request that gave it again, if there was one.
        answers: how often which action was answered how.
        unanswered: requests that were cut off.
        broken: answers that no client should ever get.
        private: what the site was told in confidence, by what it is.
    """

    jobs: set[str] = field(default_factory=set)
    photos: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    withdrawn: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    broken: list[str] = field(default_factory=list)
    private: dict[str, str] = field(default_factory=dict)

    def __add__(self, other: Promises) -> Promises:
        return Promises(
            jobs=self.jobs | other.jobs,
            photos=self.photos | other.photos,
            deleted=self.deleted | other.deleted,
            withdrawn=self.withdrawn + other.withdrawn,
            answers=self.answers + other.answers,
            unanswered=self.unanswered + other.unanswered,
            broken=self.broken + other.broken,
            private=self.private | other.private,
        )
