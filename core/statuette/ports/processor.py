"""What a provider declares about the personal data it receives."""

from __future__ import annotations

from datetime import datetime

import msgspec


class DeclaredResidual(msgspec.Struct, frozen=True):
    """Something the processor keeps after we asked it to forget.

    Attributes:
        description: what and why, one sentence that may stand in a privacy notice.
        days: how long; None when the processor does not say.
    """

    description: str
    days: int | None


class Processor(msgspec.Struct, frozen=True):
    """A third party (or this machine) that receives personal data.

    The notice is rendered from it and the egress enforces it: a call whose purpose or categories are not declared here
    is refused.

    Attributes:
        id: stable slug, `gemini`.
        name: the legal or product name a person would recognise.
        region: where data is processed (`EU`, `US`, `global`, `this deployment`).
        purposes: purpose ids of the policy catalogue.
        categories: category ids of the policy catalogue.
        residuals: what stays behind, if anything.
        own_use: what it may do with the data for purposes of its own, as it is set up now, one sentence that may stand in a
            privacy notice; None: nothing. A brand that is live gives such a processor nothing.
        third_party: False when the data never leaves the deployment.
        terms_url: the vendor's data-processing terms, or None.
    """

    id: str
    name: str
    region: str
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    residuals: tuple[DeclaredResidual, ...] = ()
    third_party: bool = True
    terms_url: str | None = None
    own_use: str | None = None


class Erased(msgspec.Struct, frozen=True, tag="erased"):
    """The provider no longer holds what it was asked to forget."""


class Residual(msgspec.Struct, frozen=True, tag="residual"):
    """The provider still holds something it will not delete on request.

    Attributes:
        expires_at: when it says it will be gone, aware; None when it does not say.
        description: what stays and why, for the notice.
    """

    expires_at: datetime | None
    description: str


Erasure = Erased | Residual
