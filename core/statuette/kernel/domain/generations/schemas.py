"""The API's shapes of jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from statuette.ports.image import InputRole


class InputRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input picture: an upload or an earlier figurine, with its role."""

    upload_id: Annotated[str, msgspec.Meta(examples=["upl_01kb2v9d8g5m3q7r1s4t6w8y0z"])] | None = None
    figurine_id: str | None = None
    role: InputRole = InputRole.subject


class GenerationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order. With `parent`, what is left out is taken from that earlier job: a redo needs nothing else."""

    inputs: Annotated[list[InputRequest], msgspec.Meta(max_length=8)] = []
    style: Annotated[str, msgspec.Meta(max_length=60, examples=["chibi"])] | None = None
    variables: Annotated[dict[str, str], msgspec.Meta(max_length=20, examples=[{"pose": "waving"}])] = {}
    aspect_ratio: Annotated[str, msgspec.Meta(max_length=10, examples=["3:4"])] | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    subjects: (
        Annotated[
            int,
            msgspec.Meta(ge=1, le=8, description="How many people, pets or things become figures; else one an input."),
        ]
        | None
    ) = None
    parent: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    notify: Annotated[
        bool, msgspec.Meta(description="Mail the person a letter when the job ends, for those who do not want to wait.")
    ] = False


class InputView(msgspec.Struct, frozen=True):
    role: str
    upload_id: str | None
    figurine_id: str | None


class FigurineView(msgspec.Struct, frozen=True):
    """A picture. Addresses in `images` are signed and stop working at `images_expire_at`.

    `expires_at` is null as long as nothing will delete the picture; `retention` says why or by which rule. Whoever shows it
    says that AI made it: `digital_source_type` is IPTC's word for that, and stands in the files too.
    """

    id: str
    generation_id: str
    width: int
    height: int
    media_type: str
    created_at: datetime
    expires_at: datetime | None
    retention: str
    images: dict[str, str]
    images_expire_at: datetime
    digital_source_type: str


class CreditsView(msgspec.Struct, frozen=True):
    """Credits of one job: held while it is at work, captured for what it delivered."""

    held: int
    captured: int


class GenerationView(msgspec.Struct, frozen=True):
    """A job. `state` is one of queued, running, waiting, succeeded, blocked, failed, canceled; the last four are final."""

    id: str
    state: str
    final: bool
    reason: str | None
    style: str
    style_version: int
    variables: dict[str, str]
    aspect_ratio: str
    count: int
    subjects: int
    parent: str | None
    notify: bool
    inputs: list[InputView]
    figurines: list[FigurineView]
    credits: CreditsView
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    ends_by: datetime
    """When the job ends at the latest, whatever happens."""


class GenerationPage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[GenerationView]
    next_cursor: str | None


class AttemptView(msgspec.Struct, frozen=True):
    """One call to a provider, for operators. `cost_micros` is null while unknown."""

    id: str
    number: int
    provider: str
    model: str
    state: str
    outcome: str | None
    reason: str | None
    cost_micros: int | None
    currency: str
    started_at: datetime
    finished_at: datetime | None


class StreamTicketView(msgspec.Struct, frozen=True):
    """A pass to one stream: good once, until `expires_at`."""

    ticket: str
    url: str
    expires_at: datetime


class EventView(msgspec.Struct, frozen=True):
    """One event of a job, as sent in a stream."""

    seq: int
    type: Literal[
        "generation.queued",
        "generation.running",
        "generation.waiting",
        "generation.figurine_ready",
        "generation.succeeded",
        "generation.blocked",
        "generation.failed",
        "generation.canceled",
    ]
    at: datetime
    data: dict[str, Any]
