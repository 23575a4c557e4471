"""The scripted provider keeps the port's promises and its script."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from statuette.ports.image import Finished, ImageProvider, ImageRequest, RateLimitedByProvider, Succeeded
from statuette.testing import FrozenClock
from statuette.testing.image_suite import ImageProviderSuite
from statuette.testing.pictures import photo_input
from statuette.testing.scripted_image import Answer, Hang, Raise, ScriptedImageProvider


class TestConformance(ImageProviderSuite):
    def make_provider(self) -> ImageProvider:
        return ScriptedImageProvider()


def a_request(attempt_id: str = "att_1") -> ImageRequest:
    return ImageRequest(
        attempt_id=attempt_id,
        model="scripted-1",
        prompt="as a figurine",
        inputs=(photo_input(),),
        style="chibi",
        variables={},
        aspect_ratio="1:1",
    )


async def test_steps_are_taken_in_order_then_the_default() -> None:
    provider = ScriptedImageProvider()
    provider.script(RateLimitedByProvider(timedelta(seconds=3)), Raise(RuntimeError("a bug")))

    first = await provider.submit(a_request())
    with pytest.raises(RuntimeError, match="a bug"):
        await provider.submit(a_request())
    third = await provider.submit(a_request())

    assert first == Finished(RateLimitedByProvider(timedelta(seconds=3)))
    assert isinstance(third, Finished)
    assert isinstance(third.outcome, Succeeded)


async def test_a_hanging_call_ends_by_cancellation_only_and_is_counted() -> None:
    provider = ScriptedImageProvider(default=Hang())
    calling = asyncio.create_task(provider.submit(a_request("att_hanging")))
    await provider.wait_for_calls(1)
    assert provider.in_flight == 1

    calling.cancel()
    await asyncio.wait({calling})

    assert calling.cancelled()
    assert (provider.in_flight, provider.cancelled, provider.peak_in_flight) == (0, 1, 1)
    assert provider.calls[0].attempt_id == "att_hanging"


async def test_delays_pass_on_the_given_clock() -> None:
    clock = FrozenClock()
    provider = ScriptedImageProvider(default=Answer(delay=timedelta(seconds=8)), clock=clock)
    calling = asyncio.create_task(provider.submit(a_request()))
    await provider.wait_for_calls(1)
    await asyncio.sleep(0)
    assert not calling.done()

    clock.advance(timedelta(seconds=8))

    assert isinstance((await calling), Finished)
