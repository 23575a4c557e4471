"""The API's shapes of uploads."""

from __future__ import annotations

from datetime import datetime

import msgspec


class UploadView(msgspec.Struct, frozen=True):
    """A photo. `expires_at` is when it will be deleted at the latest, and `retention` by which rule; null while it is kept.

    `restate` says that the statement about it has been worded anew: it serves no job until it is made again.
    `image_url` is signed, shows the photo as models see it, and stops working at `image_expires_at`.
    """

    id: str
    state: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    saved: bool
    restate: bool
    created_at: datetime
    expires_at: datetime | None
    retention: str
    image_url: str
    image_expires_at: datetime


class UploadPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[UploadView]
    next_cursor: str | None
