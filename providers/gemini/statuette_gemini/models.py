"""The models and their prices, as data: Google retires and reprices them faster than we release."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

import msgspec

from statuette.ports.image import ModelInfo
from statuette.values import CostMicros

_TOKENS_A_PRICE_IS_FOR = 1_000_000

_Price = Annotated[int, msgspec.Meta(ge=0)]
_Count = Annotated[int, msgspec.Meta(ge=1)]

# Google's list for image models; the first is preferred.
_ASPECT_RATIOS = ("1:1", "3:4", "4:3", "4:5", "5:4", "2:3", "3:2", "9:16", "16:9", "21:9")


class GeminiModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model. Prices are in millionths of a dollar per million tokens: $0.30 is 300_000.

    Attributes:
        id: as Google spells it, `gemini-3.1-flash-image`.
        input_price_micros: text and pictures in.
        image_price_micros: pictures out.
        text_price_micros: text and thoughts out.
        tokens_per_input: what one input picture may count, at most.
        tokens_per_image: what one picture made may count, at most.
        max_output_tokens: sent along as the limit, thoughts included: a runaway answer cannot cost more.
        retires_on: announced date of retirement (ISO 8601), or None.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
    input_price_micros: _Price
    image_price_micros: _Price
    text_price_micros: _Price
    aspect_ratios: tuple[Annotated[str, msgspec.Meta(pattern=r"^\d{1,2}:\d{1,2}$")], ...] = _ASPECT_RATIOS
    max_inputs: _Count = 3
    tokens_per_input: _Count = 1290
    tokens_per_image: _Count = 1290
    max_output_tokens: _Count = 8192
    retires_on: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None

    def info(self, timeout: timedelta) -> ModelInfo:
        """What the kernel needs to know."""
        return ModelInfo(
            id=self.id,
            family="gemini",
            aspect_ratios=self.aspect_ratios,
            max_inputs=self.max_inputs,
            max_images=1,
            worst_case_cost=self.worst_case_cost(),
            timeout=timeout,
            retires_on=self.retires_on,
        )

    def cost(self, *, input_tokens: int, image_tokens: int, text_tokens: int) -> CostMicros:
        """The price of a call, rounded up to a whole millionth of a dollar. `text_tokens` include thoughts."""
        total = (
            input_tokens * self.input_price_micros
            + image_tokens * self.image_price_micros
            + text_tokens * self.text_price_micros
        )
        return CostMicros(currency="USD", micros=-(-total // _TOKENS_A_PRICE_IS_FOR))

    def worst_case_cost(self) -> CostMicros:
        """A full set of inputs, a long prompt, two pictures (a draft counts), and thoughts up to the output limit."""
        image_tokens = min(2 * self.tokens_per_image, self.max_output_tokens)
        return self.cost(
            input_tokens=self.max_inputs * self.tokens_per_input + _LONG_PROMPT_TOKENS,
            image_tokens=image_tokens,
            text_tokens=self.max_output_tokens - image_tokens,
        )

    def is_retired(self, today: date) -> bool:
        return self.retires_on is not None and date.fromisoformat(self.retires_on) <= today


_LONG_PROMPT_TOKENS = 4_000

DEFAULT_MODELS = (
    GeminiModel(
        id="gemini-2.5-flash-image",
        input_price_micros=300_000,
        image_price_micros=30_000_000,
        text_price_micros=2_500_000,
        max_inputs=3,
        retires_on="2026-10-02",
    ),
    GeminiModel(
        id="gemini-3.1-flash-image",
        input_price_micros=500_000,
        image_price_micros=60_000_000,
        text_price_micros=3_000_000,
        max_inputs=14,
    ),
    GeminiModel(
        id="gemini-nano-banana-2.1",
        input_price_micros=1_500_000,
        image_price_micros=30_000_000,
        text_price_micros=9_000_000,
        max_inputs=14,
    ),
)


def merged(configured: tuple[GeminiModel, ...]) -> tuple[GeminiModel, ...]:
    """The built-in list with entries of the configuration replacing those of the same id, and new ones appended."""
    by_id = {model.id: model for model in DEFAULT_MODELS}
    by_id.update({model.id: model for model in configured})
    return tuple(by_id.values())
