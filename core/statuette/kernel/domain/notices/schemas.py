"""What the API says about versions of the privacy policy."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from statuette.kernel.domain.notices.flow import Letters
from statuette.kernel.domain.notices.rendering import Reworded
from statuette.policy.diff import Difference
from statuette.policy.notice import Notice


class VersionView(msgspec.Struct, frozen=True):
    """A published version.

    Attributes:
        change: `initial`, `editorial`, `notify` or `ask_again`.
        asks: purposes that everybody who had agreed is asked about again.
        effective_at: from when on it holds.
        page: where it can be read.
    """

    number: int
    digest: str
    change: str
    asks: list[str]
    published_at: datetime
    effective_at: datetime
    page: str


class VersionPage(msgspec.Struct, frozen=True):
    """Newest first."""

    items: list[VersionView]
    next_cursor: str | None


class PolicyView(msgspec.Struct, frozen=True):
    """The privacy policy of this site.

    Attributes:
        version: what holds now.
        upcoming: a version that is published and will hold later, or null.
        locales: languages of the notice.
    """

    version: VersionView
    upcoming: VersionView | None
    locales: list[str]
    notice: Notice


class VersionDetail(msgspec.Struct, frozen=True):
    """A published version with what people read, and what it changed: in words, and in the rules."""

    version: VersionView
    reworded: list[Reworded]
    differences: list[Difference]
    locales: list[str]
    notice: Notice


class PolicyDiff(msgspec.Struct, frozen=True):
    """What is different from one version to another: in words, and in the rules.

    Attributes:
        change: `editorial`, `notify` or `ask_again`.
        asks: purposes that people would be asked about again.
    """

    old: VersionView
    new: VersionView
    change: str
    asks: list[str]
    reworded: list[Reworded]
    differences: list[Difference]


class PendingView(msgspec.Struct, frozen=True):
    """What publishing would do now. `digest` is what to send back with the request to publish; `since` the number compared with."""

    needed: bool
    digest: str
    since: int | None
    change: str
    asks: list[str]
    differences: list[Difference]


class PublishRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes:
    digest: of the document that was looked at.
    effective_at: when it begins to hold; left out: now.
    """

    digest: Annotated[
        str,
        Meta(
            max_length=80,
            pattern=r"^sha256:[0-9a-f]{64}$",
            examples=["sha256:1dcd9cdb0b910fdbf7a03fb886fde1ebdaec0980a6a8811d2a809720b0d857d3"],
        ),
    ]
    effective_at: datetime | None = None


class LettersView(msgspec.Struct, frozen=True):
    """A version and how far the letters about it have got."""

    version: VersionView
    letters: Letters
