"""The simulated queue forgets what it is told to forget and charges each attempt once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from statuette.ports.image import Accepted, BlockedInput, Finished, ImageProvider, ProviderUnavailable, Rejected
from statuette.testing.image_suite import QueuedImageProviderSuite, follow
from statuette.testing.queued_image import ImageQueueService, QueuedImageProvider

KEY = "queue-secret-5f1c"


class TestQueue(QueuedImageProviderSuite):
    secrets = (KEY,)

    @pytest.fixture(autouse=True)
    async def vendor(self) -> AsyncIterator[None]:
        async with ImageQueueService(api_key=KEY) as self.service:
            yield

    def make_provider(self) -> ImageProvider:
        return QueuedImageProvider(self.service.base_url, KEY)

    def paid_jobs(self) -> int:
        return self.service.paid_jobs

    async def test_erasure_empties_the_vendors_memory(self, provider: ImageProvider) -> None:
        accepted = await self.submitted(provider)
        await follow(provider, accepted)
        assert (self.service.photos_held, self.service.pictures_held) == (1, 1)

        await provider.erase(accepted.handle)

        assert (self.service.photos_held, self.service.pictures_held) == (0, 0)

    async def test_an_overloaded_vendor_delays_polling_and_loses_nothing(self, provider: ImageProvider) -> None:
        accepted = await self.submitted(provider)
        self.service.fail_next = 1

        assert await provider.poll(accepted.handle) == Accepted(accepted.handle, accepted.poll_after)

        self.service.block_next = 1
        assert isinstance(await follow(provider, accepted), BlockedInput)

    async def test_an_unreachable_vendor_may_have_charged(self) -> None:
        provider = QueuedImageProvider("http://127.0.0.1:9", KEY)

        submission = await provider.submit(self.request_for(provider))

        await provider.aclose()
        assert submission == Finished(ProviderUnavailable("connection_lost", possibly_charged=True))

    async def test_a_wrong_key_is_the_operators_fault(self) -> None:
        provider = QueuedImageProvider(self.service.base_url, "wrong")

        submission = await provider.submit(self.request_for(provider))

        await provider.aclose()
        assert submission == Finished(Rejected("unauthenticated", operator_fault=True))
