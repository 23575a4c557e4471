"""What the API says about takedowns."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from statuette.kernel.domain.accounts.schemas import Email, Locale


class TakedownRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names a picture by where it was seen, or by its bytes.

    Attributes:
        picture: its address on this site, or its id.
        sha256: of the picture's file, in hex, for whoever has a copy.
        reason: `depicted`, somebody is in it who did not agree; `child`, a child is; `rights`, it uses what is somebody else's.
        email: where the decision is sent. It is shown to nobody else.
    """

    email: Email
    picture: Annotated[str, Meta(max_length=600, examples=["fig_01kf0rdqg0g2ws8pydy3yevfrn"])] | None = None
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None
    reason: Literal["depicted", "child", "rights"] = "depicted"
    message: Annotated[str, Meta(max_length=2000)] = ""
    locale: Locale = "en"

    def __repr__(self) -> str:
        return "TakedownRequest()"


class TakedownOpened(msgspec.Struct, frozen=True):
    """A case is open, and what it names is out of sight. `token` is told here and never again; send it as `Takedown-Token`."""

    id: str
    token: str
    decide_by: datetime

    def __repr__(self) -> str:
        return f"TakedownOpened({self.id})"


class TakedownState(msgspec.Struct, frozen=True):
    """A case, for whoever opened it. `state`: `open`, `deleting`, `appealed`, `kept` or `deleted`."""

    id: str
    state: str
    decide_by: datetime
    decided_at: datetime | None


class TakedownPictureView(msgspec.Struct, frozen=True):
    """A picture of a case. `appealed_at`: when its owner said why it should stay, if they did."""

    record_id: str
    account_id: str
    outcome: str
    appealed_at: datetime | None


class TakedownView(msgspec.Struct, frozen=True):
    """A case, for operators, without what was written. `contact` is the outline of an address."""

    id: str
    state: str
    reason: str
    created_at: datetime
    decide_by: datetime
    decided_by: str | None
    decided_at: datetime | None
    contact: str | None = None
    has_message: bool = False
    pictures: list[TakedownPictureView] = []


class RevealedAppeal(msgspec.Struct, frozen=True):
    """What the owner of a picture says."""

    record_id: str
    appeal: str

    def __repr__(self) -> str:
        return f"RevealedAppeal({self.record_id})"


class RevealedTakedown(msgspec.Struct, frozen=True):
    """Who asked, what they wrote, and what owners say. Who looked, and why, is on record."""

    contact: str | None
    message: str | None
    appeals: list[RevealedAppeal]

    def __repr__(self) -> str:
        return "RevealedTakedown()"


class TakedownPage(msgspec.Struct, frozen=True):
    """Newest first."""

    items: list[TakedownView]
    next_cursor: str | None


class TakedownDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`keep` shows the pictures again; `delete` deletes them once the time to appeal is over."""

    decision: Annotated[Literal["keep", "delete"], Meta(examples=["delete"])]


class OwnTakedown(msgspec.Struct, frozen=True):
    """A picture of yours that somebody asked to be taken down. `outcome`: `hidden`, `listed`, `kept` or `deleted`."""

    case_id: str
    record_id: str
    outcome: str
    state: str
    decide_by: datetime
    appealed_at: datetime | None


class OwnTakedowns(msgspec.Struct, frozen=True):
    items: list[OwnTakedown]


class TakedownAppeal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it should stay."""

    message: Annotated[str, Meta(min_length=1, max_length=2000, examples=["It is a picture of me."])]

    def __repr__(self) -> str:
        return "TakedownAppeal()"
