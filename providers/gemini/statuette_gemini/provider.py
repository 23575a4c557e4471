"""Gemini as an image provider."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from statuette.ports.image import (
    Finished,
    ImageProvider,
    ImageRequest,
    ModelInfo,
    ModelNotFound,
    Outcome,
    ProviderUnavailable,
    Rejected,
    Submission,
    UnknownHandle,
)
from statuette.ports.processor import DeclaredResidual, Erasure, Processor, Residual
from statuette.values import Clock
from statuette_gemini.config import GeminiConfig
from statuette_gemini.gate import ByteGate
from statuette_gemini.models import GeminiModel, merged

if TYPE_CHECKING:
    from statuette_gemini.client import GeminiClient

_LOG_DAYS = 55
_ABUSE_LOG = "Google keeps prompts, photos and answers for 55 days to detect abuse, and does not delete them sooner."
_UNPAID = "Google may use what it gets under an unpaid key to improve its products, and people may read it."

# The kernel's patience is a little longer than ours, so that it hears our typed answer.
_KERNEL_MARGIN = timedelta(seconds=5)

_PROCESSOR = Processor(
    id="gemini",
    name="Google Gemini API",
    region="global",
    purposes=("generation",),
    categories=("photo", "figurine", "style_choices", "prompt_variables"),
    residuals=(DeclaredResidual(description=_ABUSE_LOG, days=_LOG_DAYS),),
    terms_url="https://ai.google.dev/gemini-api/terms",
)


class GeminiImageProvider(ImageProvider):
    """Synchronous: every `submit` ends in `Finished`, and there are no handles."""

    name = "gemini"

    def __init__(self, config: GeminiConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._models = {model.id: model for model in merged(config.models)}
        self._gate = ByteGate(config.max_bytes_in_flight)
        self._opening: asyncio.Task[GeminiClient] | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"GeminiImageProvider({len(self._models)} models)"

    @property
    def processor(self) -> Processor:
        """An unpaid key's photos are Google's to learn from, and the notice says so."""
        return _PROCESSOR if self._config.paid_key_attested else msgspec.structs.replace(_PROCESSOR, own_use=_UNPAID)

    def models(self) -> tuple[ModelInfo, ...]:
        """Those past their announced end come last: Google sometimes lets one live longer."""
        today = self._clock.now().date()
        patience = timedelta(seconds=self._config.timeout_seconds) + _KERNEL_MARGIN
        return tuple(
            model.info(patience) for model in sorted(self._models.values(), key=lambda model: model.is_retired(today))
        )

    async def submit(self, request: ImageRequest) -> Submission:
        model = self._models.get(request.model)
        if model is None:
            return Finished(ModelNotFound(request.model))
        if (refusal := _refuse(request, model)) is not None:
            return Finished(refusal)
        return Finished(await self._call(request, model))

    async def erase(self, handle: str | None) -> Erasure:
        """Nothing can be erased; the moment given is the latest at which the log of a call made until now ends."""
        if handle is not None:
            raise UnknownHandle(handle_length=len(handle))
        return Residual(expires_at=self._clock.now() + timedelta(days=_LOG_DAYS), description=_ABUSE_LOG)

    async def aclose(self) -> None:
        self._closed = True
        opening, self._opening = self._opening, None
        if opening is not None:
            await (await opening).aclose()

    async def _call(self, request: ImageRequest, model: GeminiModel) -> Outcome:
        patience = self._config.timeout_seconds
        sent = False
        try:
            async with asyncio.timeout(patience), AsyncExitStack() as held:
                # A call that gets its turn too late would be paid and then given up: half the time is for the call.
                async with asyncio.timeout(patience / 2):
                    await held.enter_async_context(self._gate.hold(_encoded_bytes(request)))
                client = await self._opened()
                if client is None:
                    return ProviderUnavailable("closed")
                sent = True
                return await client.generate(request, model)
        except TimeoutError:
            return ProviderUnavailable("timeout" if sent else "no_room", possibly_charged=sent)

    async def _opened(self) -> GeminiClient | None:
        """The client, made once, off the loop: importing the SDK takes a second. None after `aclose`."""
        if self._closed:
            return None
        if self._opening is None:
            self._opening = asyncio.create_task(asyncio.to_thread(_open, self._config))
        # Shielded: a caller that is cancelled must neither spoil the client for the others nor lose it unclosed.
        client = await asyncio.shield(self._opening)
        return None if self._closed else client


def _open(config: GeminiConfig) -> GeminiClient:
    from statuette_gemini.client import GeminiClient

    return GeminiClient(config)


def _refuse(request: ImageRequest, model: GeminiModel) -> Rejected | None:
    """What Google would refuse anyway, found before a photo leaves the house."""
    if not 1 <= len(request.inputs) <= model.max_inputs:
        return Rejected("wrong_number_of_inputs")
    if request.count != 1:
        return Rejected("wrong_count")
    if request.aspect_ratio not in model.aspect_ratios:
        return Rejected("unknown_aspect_ratio")
    return None


def _encoded_bytes(request: ImageRequest) -> int:
    """What the photos come to in base64."""
    return sum(4 * (len(picture.data) + 2) // 3 for picture in request.inputs)
