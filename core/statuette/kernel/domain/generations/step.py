"""One call to a provider, prepared: everything it needs is on record before it is made."""

from __future__ import annotations

import msgspec

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.generations.order import OrderInput
from statuette.kernel.domain.generations.repository import AttemptRow, GenerationRow
from statuette.kernel.permit import Permit
from statuette.ports.image import ImageProvider, InputRole, ModelInfo


class Source(msgspec.Struct, frozen=True):
    """Where an input picture lies, checked to be visible when the step began."""

    role: InputRole
    key: str
    media_type: str
    width: int
    height: int
    size_bytes: int


class Step(msgspec.Struct, frozen=True):
    """One call, prepared and on record."""

    job: GenerationRow
    brand: LoadedBrand
    provider: ImageProvider
    model: ModelInfo
    permit: Permit
    inputs: tuple[OrderInput, ...]
    sources: tuple[Source, ...]
    attempt: AttemptRow
    wanted: int
