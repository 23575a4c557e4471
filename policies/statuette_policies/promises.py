"""The promises made to people, in our own words, and how far each is kept by code."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class PromiseStatus(StrEnum):
    """How a promise stands. None of these says more than what this distribution can vouch for."""

    ruled = "ruled"
    """A rule of the baseline pack says it with all its times; the platform's enforcer carries the rule out."""
    partly_ruled = "partly_ruled"
    """A rule says a part of it; `remark` names the rest."""
    open = "open"
    """No rule says it yet."""


class Promise(msgspec.Struct, frozen=True):
    """One promise.

    Attributes:
        id: stable; named in tests, docs and the notice.
        wording: what people are promised.
        rule: id of the rule in the baseline pack that says it, or None.
        remark: what is missing, for every status but `ruled`.
    """

    id: str
    wording: str
    rule: str | None
    status: PromiseStatus
    remark: str = ""


PROMISES = (
    Promise(
        "upload.used",
        "Once your picture is made, the photo goes, within a day at the latest, without you doing anything.",
        "upload.used",
        PromiseStatus.ruled,
    ),
    Promise(
        "upload.unused",
        "A photo you never used goes within a day.",
        "upload.unused",
        PromiseStatus.ruled,
    ),
    Promise(
        "upload.cap",
        "No job, however slow or stuck, keeps a photo alive past a day and the longest time a job may take.",
        "upload.cap",
        PromiseStatus.ruled,
    ),
    Promise(
        "upload.saved",
        "A photo you chose to save stays until you change your mind, and then goes like any other.",
        "upload.saved",
        PromiseStatus.ruled,
    ),
    Promise(
        "upload.asked",
        "You can have a photo deleted at any moment.",
        "upload.asked",
        PromiseStatus.ruled,
    ),
    Promise(
        "upload.derived",
        "What was made out of a photo on the way, such as smaller copies, goes together with it.",
        None,
        PromiseStatus.open,
        "Follows from the closure that the uploads dataset declares; no rule of its own names it.",
    ),
    Promise(
        "figurine.keep",
        "Your figurines stay until you want them gone.",
        "figurine.keep",
        PromiseStatus.ruled,
    ),
    Promise(
        "account.erase",
        "Your account stays until you end it, and is erased within thirty days then.",
        "account.erase",
        PromiseStatus.ruled,
    ),
    Promise(
        "processor.generation",
        "Your photo is given to the image model to make your picture, and to nobody for anything else.",
        "processor.generation",
        PromiseStatus.partly_ruled,
        "The rule bounds what we send. What the model's provider keeps is declared by that provider as a residual.",
    ),
    Promise(
        "purpose.service_mail",
        "We write when the service calls for it.",
        "processor.service_mail",
        PromiseStatus.partly_ruled,
        "The rule bounds what the mail service gets. Mail about news has no purpose yet and so cannot be sent.",
    ),
)
