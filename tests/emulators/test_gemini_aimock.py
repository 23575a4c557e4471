"""The Gemini provider against an emulator written by others, so that our simulator is not our only witness."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from statuette.ports.image import (
    Finished,
    ImageRequest,
    ModelNotFound,
    NoImage,
    Outcome,
    RateLimitedByProvider,
    Succeeded,
)
from statuette.testing import FrozenClock
from statuette.testing.pictures import photo_input, picture_png
from statuette_gemini import GeminiConfig, GeminiImageProvider

FIGURINE = picture_png(128, 128, seed=7)

FIXTURES = {
    "fixtures": [
        # It has no fixture for pictures in generateContent; an audio one with another content type comes out the same.
        {
            "match": {"userMessage": "porcelain"},
            "response": {"audio": {"b64Json": b64encode(FIGURINE).decode(), "contentType": "image/png"}},
        },
        {"match": {"userMessage": "chatty"}, "response": {"content": "Only words."}},
        {
            "match": {"userMessage": "crowded"},
            "response": {"error": {"message": "Slow down.", "type": "RESOURCE_EXHAUSTED"}, "status": 429},
        },
    ]
}


@pytest.fixture
async def provider(
    emulators: Path,
    start_emulator: Callable[[Path, list[str]], AbstractAsyncContextManager[str]],
    tmp_path: Path,
) -> AsyncIterator[GeminiImageProvider]:
    fixtures = tmp_path / "fixtures.json"
    fixtures.write_text(json.dumps(FIXTURES))
    script = emulators / "@copilotkit" / "aimock" / "dist" / "cli.js"
    async with start_emulator(script, ["--port", "0", "--fixtures", str(fixtures)]) as base_url:
        provider = GeminiImageProvider(GeminiConfig(api_key="emulator-key", base_url=base_url), FrozenClock())
        yield provider
        await provider.aclose()


async def outcome_of(provider: GeminiImageProvider, prompt: str) -> Outcome:
    submission = await provider.submit(
        ImageRequest(
            attempt_id="att_1",
            model="gemini-3.1-flash-image",
            prompt=prompt,
            inputs=(photo_input(),),
            style="chibi",
            variables={},
            aspect_ratio="1:1",
        )
    )
    assert isinstance(submission, Finished)
    return submission.outcome


async def test_a_picture_arrives_byte_for_byte(provider: GeminiImageProvider) -> None:
    outcome = await outcome_of(provider, "a porcelain figurine")

    assert isinstance(outcome, Succeeded)
    assert [image.data for image in outcome.images] == [FIGURINE]


async def test_words_alone_are_no_image(provider: GeminiImageProvider) -> None:
    outcome = await outcome_of(provider, "a chatty figurine")

    assert isinstance(outcome, NoImage)
    assert outcome.reason == "text_only"


async def test_a_full_house_says_when_to_come_back(provider: GeminiImageProvider) -> None:
    assert await outcome_of(provider, "a crowded figurine") == RateLimitedByProvider(timedelta(seconds=1))


async def test_what_the_emulator_does_not_know_is_not_found(provider: GeminiImageProvider) -> None:
    assert await outcome_of(provider, "something else") == ModelNotFound("gemini-3.1-flash-image")
