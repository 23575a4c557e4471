"""Calls under way are bounded by the bytes they hold."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuette.ports.image import Finished, ImageRequest, ProviderUnavailable, Succeeded
from statuette.testing import FrozenClock
from statuette.testing.gemini_simulator import Case, GeminiSimulator
from statuette.testing.pictures import photo_input
from statuette_gemini import GeminiConfig, GeminiImageProvider
from statuette_gemini.gate import ByteGate

PHOTO = photo_input(900, 1200)


def a_request(attempt_id: str) -> ImageRequest:
    return ImageRequest(
        attempt_id=attempt_id,
        model="gemini-3.1-flash-image",
        prompt="as a figurine",
        inputs=(PHOTO,) * 3,
        style="chibi",
        variables={},
        aspect_ratio="1:1",
    )


async def test_the_bytes_in_flight_bound_the_calls_in_flight(simulator: GeminiSimulator, api_key: str) -> None:
    room = 1_500_000
    at_once = room // (3 * len(PHOTO.data) * 4 // 3)
    config = GeminiConfig(api_key=api_key, base_url=simulator.base_url, max_bytes_in_flight=room)
    provider = GeminiImageProvider(config, FrozenClock())
    simulator.latency_seconds = 0.2

    submissions = await asyncio.gather(*(provider.submit(a_request(f"att_{n}")) for n in range(3 * at_once)))

    await provider.aclose()
    assert all(isinstance(s, Finished) and isinstance(s.outcome, Succeeded) for s in submissions)
    assert 1 <= simulator.peak_in_flight <= at_once


async def test_a_call_that_never_got_its_turn_was_not_paid(simulator: GeminiSimulator, api_key: str) -> None:
    config = GeminiConfig(
        api_key=api_key, base_url=simulator.base_url, max_bytes_in_flight=1_000_000, timeout_seconds=2
    )
    provider = GeminiImageProvider(config, FrozenClock())
    await provider.submit(a_request("att_first"))  # imports the SDK, which takes its time
    simulator.default = Case.hang
    hanging = asyncio.create_task(provider.submit(a_request("att_hanging")))
    await simulator.wait_for_in_flight(1)
    at_once = 1_000_000 // (3 * len(PHOTO.data) * 4 // 3)
    waiting = [asyncio.create_task(provider.submit(a_request(f"att_{n}"))) for n in range(at_once)]

    outcomes = [await task for task in (hanging, *waiting)]

    await provider.aclose()
    assert outcomes[0] == Finished(ProviderUnavailable("timeout", possibly_charged=True))
    assert outcomes[-1] == Finished(ProviderUnavailable("no_room"))
    assert simulator.calls == 1 + at_once


async def test_cancelled_calls_hang_up_and_give_their_room_back(simulator: GeminiSimulator, api_key: str) -> None:
    config = GeminiConfig(api_key=api_key, base_url=simulator.base_url, max_bytes_in_flight=1_000_000)
    provider = GeminiImageProvider(config, FrozenClock())
    simulator.default = Case.hang
    at_once = 1_000_000 // (3 * len(PHOTO.data) * 4 // 3)
    calls = [asyncio.create_task(provider.submit(a_request(f"att_{n}"))) for n in range(12)]
    await simulator.wait_for_in_flight(at_once)

    for call in calls:
        call.cancel()
    await asyncio.wait(calls)

    assert all(call.cancelled() for call in calls)
    await simulator.wait_for_in_flight(0)
    simulator.default = Case.success
    again = await provider.submit(a_request("att_again"))
    await provider.aclose()
    assert isinstance(again, Finished)
    assert isinstance(again.outcome, Succeeded)


async def test_a_first_call_cancelled_while_the_client_is_made_spoils_nothing(
    simulator: GeminiSimulator, provider: GeminiImageProvider
) -> None:
    first = asyncio.create_task(provider.submit(a_request("att_first")))
    second = asyncio.create_task(provider.submit(a_request("att_second")))
    await asyncio.sleep(0)

    first.cancel()
    await asyncio.wait({first, second})

    assert first.cancelled()
    assert isinstance(submission := second.result(), Finished)
    assert isinstance(submission.outcome, Succeeded)
    assert simulator.calls == 1


@given(
    capacity=st.integers(1, 50),
    sizes=st.lists(st.integers(1, 80), min_size=1, max_size=12),
    cancelled=st.sets(st.integers(0, 11)),
)
def test_the_gate_never_overflows_and_never_loses_room(capacity: int, sizes: list[int], cancelled: set[int]) -> None:
    async def scenario() -> None:
        gate = ByteGate(capacity)
        served: list[int] = []

        async def hold(place: int) -> None:
            async with gate.hold(sizes[place]):
                assert gate.held_bytes <= capacity
                served.append(place)
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(hold(place)) for place in range(len(sizes))]
        await asyncio.sleep(0)
        for place in cancelled & set(range(len(sizes))):
            tasks[place].cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)

        assert gate.held_bytes == 0
        assert served == sorted(served), "first come, first served"
        assert set(range(len(sizes))) - cancelled <= set(served)

    asyncio.run(scenario())


async def test_something_larger_than_the_gate_goes_alone() -> None:
    gate = ByteGate(10)

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(gate.hold(1000))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), gate.hold(1):
                pass

    assert gate.held_bytes == 0
