"""The image port, answered by our own renderer."""

from __future__ import annotations

import asyncio

from statuette.ports.image import (
    Finished,
    GeneratedImage,
    ImageProvider,
    ImageRequest,
    ModelInfo,
    ModelNotFound,
    Outcome,
    Rejected,
    Submission,
    Succeeded,
    Usage,
)
from statuette.ports.processor import Processor
from statuette.values import CostMicros
from statuette_sketch.errors import UndecodableInput

_MODEL_ID = "sketch-1"
_FREE = Usage(cost=CostMicros("USD", 0))
_ASPECT_RATIOS = ("1:1", "3:4", "4:5", "2:3", "9:16", "4:3", "5:4", "3:2", "16:9")
_PICTURES_AT_ONCE = 2


class SketchProvider(ImageProvider):
    """Renders pictures in worker threads, at most two at a time.

    A thread cannot be killed, so a cancelled call leaves its picture to be finished in the background; the slot is held until then,
    so that cancelling and asking again cannot pile up work.
    """

    name = "sketch"

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_PICTURES_AT_ONCE)
        self._running: set[asyncio.Task[bytes]] = set()

    @property
    def processor(self) -> Processor:
        return Processor(
            id="sketch",
            name="Sketch, on this machine",
            region="this deployment",
            purposes=("generation",),
            categories=("photo", "figurine", "style_choices", "prompt_variables"),
            third_party=False,
        )

    def models(self) -> tuple[ModelInfo, ...]:
        return (
            ModelInfo(
                id=_MODEL_ID,
                family="sketch",
                aspect_ratios=_ASPECT_RATIOS,
                max_inputs=4,
                max_images=4,
                worst_case_cost=CostMicros("USD", 0),
            ),
        )

    async def submit(self, request: ImageRequest) -> Submission:
        return Finished(await self._outcome(request))

    async def aclose(self) -> None:
        """Wait for pictures whose caller has gone away."""
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _outcome(self, request: ImageRequest) -> Outcome:
        info = self.models()[0]
        if request.model != _MODEL_ID:
            return ModelNotFound(request.model)
        if request.aspect_ratio not in _ASPECT_RATIOS:
            return Rejected("unsupported_aspect_ratio", usage=_FREE)
        if not 1 <= request.count <= info.max_images:
            return Rejected("unsupported_count", usage=_FREE)
        if not 1 <= len(request.inputs) <= info.max_inputs:
            return Rejected("unsupported_number_of_inputs", usage=_FREE)
        try:
            pictures = [await self._picture(request, variation) for variation in range(request.count)]
        except UndecodableInput:
            return Rejected("undecodable_input", usage=_FREE)
        return Succeeded(tuple(GeneratedImage("image/png", png) for png in pictures), usage=_FREE)

    async def _picture(self, request: ImageRequest, variation: int) -> bytes:
        await self._slots.acquire()
        task = asyncio.create_task(asyncio.to_thread(_render, request, variation))
        self._running.add(task)
        task.add_done_callback(self._release)
        return await asyncio.shield(task)

    def _release(self, task: asyncio.Task[bytes]) -> None:
        self._running.discard(task)
        self._slots.release()
        if not task.cancelled():
            task.exception()  # retrieved, so that a picture nobody waits for any more logs nothing


def _render(request: ImageRequest, variation: int) -> bytes:
    from statuette_sketch.composition import render_png

    return render_png(request, variation)
