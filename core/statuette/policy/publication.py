"""What publishing a policy decides: who may receive data, and since when an agreement counts."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Publication(msgspec.Struct, frozen=True):
    """The version of a brand's policy that was published last and is in force.

    Attributes:
        digest: of the published document.
        receivers: ids of the processors that were published, by purpose. One that turned up since gets nothing that rests on
            consent until a version with it is published.
        asked_since: by purpose, the moment before which nobody can have agreed to what it means now.
    """

    number: int
    digest: str
    receivers: dict[str, tuple[str, ...]]
    asked_since: dict[str, datetime]
