"""How the provider behaves as a citizen of the platform."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from statuette.plugin import PluginContext
from statuette.ports.image import Finished, ImageRequest, ModelNotFound, Rejected, Succeeded
from statuette.values import CostMicros, SystemClock
from statuette_sketch import plugin
from statuette_sketch.provider import SketchProvider

Ask = Callable[..., ImageRequest]

_LONGEST_PAUSE_SECONDS = 0.25
"""Of the event loop while pictures are made on a busy two-core machine; a picture takes about two seconds."""


async def test_garbage_is_rejected_for_good(provider: SketchProvider, ask: Ask) -> None:
    photo = ask("grace_hopper").inputs[0].data
    for data in (b"", b"no picture", photo[:100], b"GIF89a" + bytes(64), b"\x89PNG\r\n\x1a\n" + bytes(64)):
        submission = await provider.submit(ask(data))

        assert isinstance(submission, Finished)
        assert isinstance(submission.outcome, Rejected)
        assert submission.outcome.reason == "undecodable_input"
        assert not submission.outcome.operator_fault


async def test_a_picture_bomb_is_rejected_by_its_header(provider: SketchProvider, ask: Ask) -> None:
    width = height = (60_000).to_bytes(4, "big")
    header = b"\x00\x00\x00\rIHDR" + width + height + b"\x08\x02\x00\x00\x00" + bytes(4)

    submission = await provider.submit(ask(b"\x89PNG\r\n\x1a\n" + header + bytes(64)))

    assert isinstance(submission, Finished)
    assert isinstance(submission.outcome, Rejected)


@pytest.mark.parametrize(
    ("change", "reason"), [({"ratio": "7:1"}, "unsupported_aspect_ratio"), ({"count": 5}, "unsupported_count")]
)
async def test_what_the_model_does_not_offer_is_rejected(
    provider: SketchProvider, ask: Ask, change: dict[str, object], reason: str
) -> None:
    submission = await provider.submit(ask("coffee", **change))

    assert isinstance(submission, Finished)
    assert isinstance(submission.outcome, Rejected)
    assert submission.outcome.reason == reason


async def test_an_unknown_model_is_not_found(provider: SketchProvider, ask: Ask) -> None:
    submission = await provider.submit(ask("coffee", model="sketch-99"))

    assert submission == Finished(ModelNotFound("sketch-99"))


async def test_pictures_cost_nothing(provider: SketchProvider, ask: Ask) -> None:
    submission = await provider.submit(ask("coffee"))

    assert isinstance(submission, Finished)
    assert isinstance(submission.outcome, Succeeded)
    assert submission.outcome.usage.cost == CostMicros("USD", 0)


async def test_the_loop_stays_responsive_while_pictures_are_made(provider: SketchProvider, ask: Ask) -> None:
    await provider.submit(ask("coffee"))  # OpenCV is imported by the first picture, in its thread
    rendering = asyncio.gather(*(provider.submit(ask("astronaut", seed=n)) for n in range(3)))
    pauses = []
    while not rendering.done():
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        pauses.append(time.perf_counter() - before)

    assert len(pauses) > 50
    assert sorted(pauses)[int(len(pauses) * 0.99)] < _LONGEST_PAUSE_SECONDS
    assert all(isinstance(s.outcome, Succeeded) for s in await rendering if isinstance(s, Finished))


async def test_a_cancelled_call_gives_its_slot_back_and_is_waited_for_at_shutdown(
    provider: SketchProvider, ask: Ask
) -> None:
    calls = [asyncio.create_task(provider.submit(ask("coffee", seed=n))) for n in range(4)]
    await asyncio.sleep(0.2)
    for call in calls:
        call.cancel()
    assert all(isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*calls, return_exceptions=True))

    after = await asyncio.wait_for(provider.submit(ask("coffee")), timeout=60)
    await asyncio.wait_for(provider.aclose(), timeout=60)

    assert isinstance(after, Finished)
    assert isinstance(after.outcome, Succeeded)
    assert not provider._running


def test_nothing_heavy_is_imported_before_the_first_picture() -> None:
    code = (
        "import sys, statuette_sketch; from statuette_sketch.provider import SketchProvider; p = SketchProvider(); p.models();"
        "print([m for m in ('cv2', 'numpy', 'PIL') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"


def test_nothing_leaves_this_deployment(provider: SketchProvider) -> None:
    assert not provider.processor.third_party
    assert provider.processor.purposes == ("generation",)
    assert set(provider.processor.categories) == {"photo", "figurine", "style_choices", "prompt_variables"}


def test_the_entry_point_offers_the_provider(tmp_path: Path) -> None:
    (entry,) = entry_points(group="statuette", name="sketch")
    context = PluginContext(plugin.Config(), tmp_path, SystemClock(), "http://localhost", bytes(32))

    assert entry.load() is plugin
    assert [p.name for p in plugin.image_providers(context)] == ["sketch"]
