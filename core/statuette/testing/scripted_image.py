"""An image provider in memory that does as it is told, call by call."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta

import msgspec

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
from statuette.testing.pictures import is_picture, picture_png
from statuette.values import Clock, CostMicros, SystemClock


class Answer(msgspec.Struct, frozen=True):
    """Wait, then answer.

    Attributes:
        outcome: None makes real pictures, as many as were asked for.
        delay: waited on the provider's clock first.
    """

    outcome: Outcome | None = None
    delay: timedelta = timedelta(0)


class Hang(msgspec.Struct, frozen=True):
    """Never answer: only cancellation ends the call."""


class Raise(msgspec.Struct, frozen=True):
    """Break the port's promise and raise, as a bug in a provider would."""

    error: Exception


Step = Answer | Hang | Raise


class ScriptedCall(msgspec.Struct, frozen=True):
    """What is remembered of a call: names and counts, never a photo or a prompt."""

    attempt_id: str
    model: str
    style: str
    aspect_ratio: str
    count: int
    input_count: int
    input_bytes: int


class ScriptedImageProvider(ImageProvider):
    """Follows a script; without one, every call succeeds with small real PNGs.

        provider = ScriptedImageProvider()
        provider.script(RateLimitedByProvider(), Hang())   # the first call, the second; then `default` again

    Attributes:
        calls: one `ScriptedCall` for each `submit`, in order of arrival.
        in_flight, peak_in_flight: calls under way now, and at most so far.
        cancelled: calls that ended by cancellation.
        closed: whether `aclose` ran.
        default: the step of every call the script does not cover.
        price: the cost reported for every call that makes pictures.
    """

    def __init__(
        self,
        *,
        name: str = "scripted",
        models: tuple[ModelInfo, ...] | None = None,
        price: CostMicros | None = None,
        default: Step | Outcome | None = None,
        clock: Clock | None = None,
        processor: Processor | None = None,
    ) -> None:
        self.name = name
        self.price = price or CostMicros(currency="USD", micros=40_000)
        self.default: Step = _as_step(default) if default is not None else Answer()
        self.calls: list[ScriptedCall] = []
        self.in_flight = self.peak_in_flight = self.cancelled = 0
        self.closed = False
        self._clock = clock or SystemClock()
        self._steps: deque[Step] = deque()
        self._arrival = asyncio.Condition()
        self._models = models or (
            ModelInfo(
                id="scripted-1",
                family="scripted",
                aspect_ratios=("1:1", "3:4"),
                max_inputs=4,
                max_images=4,
                worst_case_cost=self.price,
            ),
        )
        self._processor = processor or Processor(
            id=name,
            name="A scripted model in this process",
            region="this deployment",
            purposes=("generation",),
            categories=("photo", "figurine", "style_choices", "prompt_variables"),
            third_party=False,
        )

    def __repr__(self) -> str:
        return f"ScriptedImageProvider({self.name}, {len(self.calls)} calls)"

    @property
    def processor(self) -> Processor:
        return self._processor

    def models(self) -> tuple[ModelInfo, ...]:
        return self._models

    def script(self, *steps: Step | Outcome) -> None:
        """Append what the next calls do, one step a call, in order of arrival."""
        self._steps.extend(_as_step(step) for step in steps)

    async def wait_for_calls(self, count: int) -> None:
        """Return as soon as `count` calls have arrived since the provider was made."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.calls) >= count)

    async def submit(self, request: ImageRequest) -> Submission:
        step = self._steps.popleft() if self._steps else self.default
        await self._record(request)
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        try:
            return await self._perform(step, request)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1

    async def aclose(self) -> None:
        self.closed = True

    async def _record(self, request: ImageRequest) -> None:
        call = ScriptedCall(
            attempt_id=request.attempt_id,
            model=request.model,
            style=request.style,
            aspect_ratio=request.aspect_ratio,
            count=request.count,
            input_count=len(request.inputs),
            input_bytes=sum(len(picture.data) for picture in request.inputs),
        )
        async with self._arrival:
            self.calls.append(call)
            self._arrival.notify_all()

    async def _perform(self, step: Step, request: ImageRequest) -> Submission:
        match step:
            case Hang():
                await asyncio.Event().wait()
                raise AssertionError("only cancellation ends a hanging call")
            case Raise(error=error):
                raise error
            case Answer(outcome=outcome, delay=delay):
                if delay:
                    await self._clock.sleep(delay)
                return Finished(outcome if outcome is not None else self._depict(request))

    def _depict(self, request: ImageRequest) -> Outcome:
        if request.model not in {model.id for model in self._models}:
            return ModelNotFound(request.model)
        if not request.inputs or not all(is_picture(picture.data) for picture in request.inputs):
            return Rejected("invalid_input")
        pictures = tuple(
            GeneratedImage(media_type="image/png", data=picture_png(seed=request.seed + place))
            for place in range(request.count)
        )
        return Succeeded(pictures, Usage(cost=self.price))


def _as_step(step: Step | Outcome) -> Step:
    return step if isinstance(step, Answer | Hang | Raise) else Answer(outcome=step)
