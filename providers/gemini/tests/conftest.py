"""One simulated Gemini API a test, and a provider that speaks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from statuette.testing import FrozenClock
from statuette.testing.gemini_simulator import GeminiSimulator
from statuette_gemini import GeminiConfig, GeminiImageProvider

KEY = "AIzaSy-test-secret"


@pytest.fixture
def api_key() -> str:
    return KEY


@pytest.fixture
async def simulator(api_key: str) -> AsyncIterator[GeminiSimulator]:
    async with GeminiSimulator(api_key=api_key) as simulator:
        yield simulator


@pytest.fixture
def config(simulator: GeminiSimulator, api_key: str) -> GeminiConfig:
    return GeminiConfig(api_key=api_key, base_url=simulator.base_url, timeout_seconds=10)


@pytest.fixture
async def provider(config: GeminiConfig) -> AsyncIterator[GeminiImageProvider]:
    provider = GeminiImageProvider(config, FrozenClock())
    yield provider
    await provider.aclose()
