"""The image port's suite, run against the simulated Gemini API over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from statuette.ports.image import ImageProvider
from statuette.testing import FrozenClock
from statuette.testing.gemini_simulator import GeminiSimulator
from statuette.testing.image_suite import ImageProviderSuite
from statuette_gemini import GeminiConfig, GeminiImageProvider

KEY = "AIzaSy-conformance-secret"


class TestGemini(ImageProviderSuite):
    secrets = (KEY,)

    @pytest.fixture(autouse=True)
    async def vendor(self) -> AsyncIterator[None]:
        async with GeminiSimulator(api_key=KEY, latency_seconds=0.1) as self.simulator:
            yield

    def make_provider(self) -> ImageProvider:
        return GeminiImageProvider(GeminiConfig(api_key=KEY, base_url=self.simulator.base_url), FrozenClock())
