"""The conformance suite of the image port. Subclass it, say how to make your provider, and run pytest.

    class TestMine(ImageProviderSuite):
        def make_provider(self) -> ImageProvider:
            return MyImageProvider(MyConfig(...), SystemClock())

`make_provider` may use what an autouse fixture of the subclass prepared, such as a simulator of the vendor.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from statuette.ports.image import (
    Accepted,
    Finished,
    ImageInput,
    ImageProvider,
    ImageRequest,
    ModelNotFound,
    Outcome,
    Submission,
    Succeeded,
    UnknownHandle,
)
from statuette.ports.processor import Erased, Residual
from statuette.testing.pictures import is_picture, photo_input

_PROMPT = "A vinyl figurine of the marzipan-lighthouse-42 person"
_PROMPT_MARK = "marzipan-lighthouse-42"
_SLUG = re.compile(r"[a-z][a-z0-9_-]*")
_RATIO = re.compile(r"[1-9]\d?:[1-9]\d?")
_CONCURRENT_CALLS = 6

_IO_EVENTS = ("socket.", "open", "subprocess.Popen", "os.mkdir", "os.remove", "os.rename")


class ImageProviderSuite:
    """What every image provider must do.

    Attributes:
        secrets: strings (keys, tokens) that must never show up anywhere.
        patience: the longest one call may take in these tests.
        makes_progress_in: how long after the start a call is cancelled, so that it is under way by then.
    """

    secrets: tuple[str, ...] = ()
    patience: timedelta = timedelta(seconds=60)
    makes_progress_in: timedelta = timedelta(milliseconds=50)

    pytestmark = pytest.mark.asyncio

    def make_provider(self) -> ImageProvider:
        """A new instance. Called several times; the instances share the vendor, as processes do."""
        raise NotImplementedError("override make_provider")

    @pytest_asyncio.fixture
    async def provider(self) -> AsyncIterator[ImageProvider]:
        provider = self.make_provider()
        yield provider
        await provider.aclose()

    def request_for(self, provider: ImageProvider, **changes: Any) -> ImageRequest:
        """A request the provider should be able to serve; `changes` replace fields."""
        model = provider.models()[0]
        fields: dict[str, Any] = {
            "attempt_id": "att_suite",
            "model": model.id,
            "prompt": _PROMPT,
            "inputs": (photo_input(),),
            "style": "chibi",
            "variables": {},
            "aspect_ratio": model.aspect_ratios[0],
        }
        return ImageRequest(**{**fields, **changes})

    async def finish(self, provider: ImageProvider, request: ImageRequest) -> Outcome:
        """Submit, and poll if need be, until there is an outcome."""
        async with asyncio.timeout(self.patience.total_seconds()):
            return await follow(provider, await provider.submit(request))

    async def test_declares_itself_as_a_processor(self, provider: ImageProvider) -> None:
        processor = provider.processor

        assert _SLUG.fullmatch(provider.name), "the name is a slug"
        assert _SLUG.fullmatch(processor.id), "the processor's id is a slug"
        assert processor.name, "people must recognise who receives their photo"
        assert processor.region, "people must be told where"
        assert "generation" in processor.purposes, "or the egress refuses every call"
        carried = {"photo", "figurine", "style_choices", "prompt_variables"}
        assert carried <= set(processor.categories), "or the egress refuses calls that carry them"
        assert processor == provider.processor, "the declaration does not change under way"
        for residual in processor.residuals:
            assert residual.description, "what stays behind must be told"
            assert residual.days is None or residual.days > 0, "a residual lasts"
        if processor.third_party:
            assert processor.terms_url, "a third party has terms"
            assert processor.terms_url.startswith("https://"), "terms are read over https"

    async def test_offers_models_the_kernel_can_plan_with(self, provider: ImageProvider) -> None:
        models = provider.models()

        assert models, "a provider without models offers nothing"
        assert len({model.id for model in models}) == len(models), "ids are unique"
        for model in models:
            assert model.family, "styles look for a recipe by family"
            assert model.aspect_ratios, "at least one shape"
            assert all(_RATIO.fullmatch(ratio) for ratio in model.aspect_ratios), "ratios read width:height"
            assert model.max_inputs >= 1, "a figurine starts from a picture"
            assert model.max_images >= 1, "a call makes a picture"
            assert re.fullmatch(r"[A-Z]{3}", model.worst_case_cost.currency), "ISO 4217"
            assert model.worst_case_cost.micros >= 0, "nobody pays us to generate"
            assert model.timeout > timedelta(0), "the kernel gives up some time"
            if model.retires_on is not None:
                date.fromisoformat(model.retires_on)

    async def test_making_an_instance_and_listing_models_do_no_io(self) -> None:
        with watched_io() as events:
            provider = self.make_provider()
            provider.models()
            assert provider.processor

        await provider.aclose()
        assert events == [], "constructors and models() do no I/O"

    async def test_answers_with_pictures_that_decode(self, provider: ImageProvider) -> None:
        request = self.request_for(provider)

        outcome = await self.finish(provider, request)

        assert isinstance(outcome, Succeeded), f"expected pictures, got {outcome}"
        assert 1 <= len(outcome.images) <= request.count, "at least one picture, never more than wanted"
        for image in outcome.images:
            assert image.media_type.startswith("image/"), "pictures say so"
            assert is_picture(image.data), "the kernel must be able to decode them"

    async def test_makes_no_more_pictures_than_the_model_promises(self, provider: ImageProvider) -> None:
        wanted = provider.models()[0].max_images
        request = self.request_for(provider, count=wanted)

        outcome = await self.finish(provider, request)

        assert isinstance(outcome, Succeeded), f"expected pictures, got {outcome}"
        assert 1 <= len(outcome.images) <= wanted, "never more than wanted"

    async def test_a_call_costs_no_more_than_was_reserved(self, provider: ImageProvider) -> None:
        reserved = provider.models()[0].worst_case_cost

        outcome = await self.finish(provider, self.request_for(provider))

        assert isinstance(outcome, Succeeded), f"expected pictures, got {outcome}"
        cost = outcome.usage.cost
        if cost is not None:
            assert cost.currency == reserved.currency, "one currency a model"
            assert 0 <= cost.micros <= reserved.micros, "the daily ceiling relies on the worst case"

    async def test_an_unknown_model_is_an_outcome(self, provider: ImageProvider) -> None:
        request = self.request_for(provider, model="no-such-model")

        outcome = await self.finish(provider, request)

        assert isinstance(outcome, ModelNotFound), "the kernel then falls to the brand's next model"
        assert outcome.model == "no-such-model"

    async def test_an_input_that_is_no_picture_is_an_outcome(self, provider: ImageProvider) -> None:
        broken = ImageInput(photo_input().role, "image/jpeg", b"\xff\xd8\xff not a picture", 10, 10)

        outcome = await self.finish(provider, self.request_for(provider, inputs=(broken,)))

        assert not isinstance(outcome, Succeeded), "nothing can be made of nothing"

    async def test_cancellation_comes_through_at_once_and_leaves_the_provider_usable(
        self, provider: ImageProvider
    ) -> None:
        calling = asyncio.create_task(provider.submit(self.request_for(provider)))
        await asyncio.sleep(self.makes_progress_in.total_seconds())

        calling.cancel()
        done, _ = await asyncio.wait({calling}, timeout=5)

        assert done, "a cancelled call ends"
        if not calling.cancelled():
            assert calling.exception() is None, "cancellation is the only way out besides an answer"
        again = await self.finish(provider, self.request_for(provider, attempt_id="att_after"))
        assert isinstance(again, Succeeded), "nothing is left locked"

    async def test_calls_at_once_do_not_disturb_each_other(self, provider: ImageProvider) -> None:
        requests = [
            self.request_for(provider, attempt_id=f"att_{place}", inputs=(photo_input(seed=place),), seed=place)
            for place in range(_CONCURRENT_CALLS)
        ]

        outcomes = await asyncio.gather(*(self.finish(provider, request) for request in requests))

        assert all(isinstance(outcome, Succeeded) for outcome in outcomes), "all of them succeed"

    async def test_a_handle_never_given_out_is_unknown(self, provider: ImageProvider) -> None:
        handle = "never-given-out"

        for call in (provider.poll, provider.cancel):
            with pytest.raises(UnknownHandle) as raised:
                await call(handle)
            assert handle not in str(raised.value), "errors end in logs, handles do not"

    async def test_erasing_twice_is_erasing_once(self, provider: ImageProvider) -> None:
        await self.finish(provider, self.request_for(provider))

        first, second = await provider.erase(None), await provider.erase(None)

        assert type(first) is type(second), "the answer does not depend on how often one asks"
        declared = provider.processor.residuals
        if isinstance(first, Residual):
            assert declared, "what stays behind is declared in advance"
            assert first.expires_at is None or first.expires_at.tzinfo is not None, "moments are aware"
        else:
            assert isinstance(first, Erased)
            assert not declared, "one cannot promise both"

    async def test_closing_twice_is_closing_once(self, provider: ImageProvider) -> None:
        await self.finish(provider, self.request_for(provider))

        await provider.aclose()
        await provider.aclose()

    async def test_closing_what_was_never_used_is_fine(self) -> None:
        await self.make_provider().aclose()

    async def test_no_photo_prompt_or_secret_gets_into_logs_and_representations(
        self, provider: ImageProvider, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        request = self.request_for(provider)
        photo = request.inputs[0].data

        outcome = await self.finish(provider, request)

        told = [repr(provider), str(provider), repr(outcome), repr(request), repr(provider.processor)]
        told += [f"{record.getMessage()} {record.exc_text} {record.__dict__!r}" for record in caplog.records]
        middle = photo[len(photo) // 3 :][:48]
        for piece in (b64encode(middle).decode()[4:-4], urlsafe_b64encode(middle).decode()[4:-4], repr(middle)[2:-1]):
            assert not any(piece in text for text in told), "a photo leaked"
        assert not any(_PROMPT_MARK in text for text in told), "the prompt leaked"
        for secret in self.secrets:
            assert not any(secret in text for text in told), "a secret leaked"


class QueuedImageProviderSuite(ImageProviderSuite):
    """What providers with a queue must do besides. `paid_jobs` counts what the vendor charged for."""

    def paid_jobs(self) -> int:
        raise NotImplementedError("override paid_jobs")

    async def submitted(self, provider: ImageProvider, **changes: Any) -> Accepted:
        submission = await provider.submit(self.request_for(provider, **changes))
        assert isinstance(submission, Accepted), f"expected a handle, got {submission}"
        return submission

    async def test_accepts_a_job_with_a_handle_that_can_be_stored(self, provider: ImageProvider) -> None:
        accepted = await self.submitted(provider)

        assert 1 <= len(accepted.handle) <= 500, "the kernel has room for 500 characters"
        assert accepted.handle.isprintable(), "handles are plain text"
        assert _PROMPT_MARK not in accepted.handle, "handles are stored: nothing personal in them"
        assert accepted.poll_after > timedelta(0), "the kernel must know when to ask"

    async def test_a_job_is_taken_up_again_by_another_process(self, provider: ImageProvider) -> None:
        accepted = await self.submitted(provider)
        await provider.aclose()
        paid = self.paid_jobs()
        successor = self.make_provider()

        outcome = await follow(successor, accepted)

        await successor.aclose()
        assert isinstance(outcome, Succeeded), f"expected pictures, got {outcome}"
        assert self.paid_jobs() == paid, "polling costs nothing"

    async def test_the_same_attempt_is_paid_once(self, provider: ImageProvider) -> None:
        paid = self.paid_jobs()

        first = await self.submitted(provider, attempt_id="att_once")
        second = await self.submitted(provider, attempt_id="att_once")

        assert first.handle == second.handle, "the attempt is the idempotency key"
        assert self.paid_jobs() == paid + 1
        assert all(model.repeatable for model in provider.models()), "the kernel is told, and repeats after a kill"

    async def test_polling_a_finished_job_again_gives_the_same_pictures(self, provider: ImageProvider) -> None:
        accepted = await self.submitted(provider)
        first = await follow(provider, accepted)

        second = await provider.poll(accepted.handle)

        assert second == Finished(first)

    async def test_a_cancelled_job_ends_without_pictures(self, provider: ImageProvider) -> None:
        accepted = await self.submitted(provider)

        await provider.cancel(accepted.handle)
        await provider.cancel(accepted.handle)

        outcome = await follow(provider, accepted)
        assert not isinstance(outcome, Succeeded), "it was stopped"

    async def test_cancelling_a_finished_job_leaves_it_alone(self, provider: ImageProvider) -> None:
        accepted = await self.submitted(provider)
        outcome = await follow(provider, accepted)

        await provider.cancel(accepted.handle)

        assert await provider.poll(accepted.handle) == Finished(outcome)

    async def test_an_erased_job_gives_nothing_away(self, provider: ImageProvider) -> None:
        accepted = await self.submitted(provider)
        await follow(provider, accepted)

        first, second = await provider.erase(accepted.handle), await provider.erase(accepted.handle)

        assert type(first) is type(second), "erasing twice is erasing once"
        if isinstance(first, Erased):
            with pytest.raises(UnknownHandle):
                await provider.poll(accepted.handle)

    async def test_a_running_job_can_be_erased(self, provider: ImageProvider) -> None:
        accepted = await self.submitted(provider)

        erasure = await provider.erase(accepted.handle)

        assert isinstance(erasure, Erased | Residual)
        if isinstance(erasure, Erased):
            with pytest.raises(UnknownHandle):
                await provider.poll(accepted.handle)


async def follow(provider: ImageProvider, submission: Submission) -> Outcome:
    """Poll as the kernel does, until the job is over."""
    while isinstance(submission, Accepted):
        await asyncio.sleep(submission.poll_after.total_seconds())
        submission = await provider.poll(submission.handle)
    return submission.outcome


class _Watch(msgspec.Struct):
    events: list[str] | None = None
    installed: bool = False


_watch = _Watch()


@contextmanager
def watched_io() -> Iterator[list[str]]:
    """Collects the names of I/O audit events of this process; reading Python modules does not count."""
    if not _watch.installed:
        sys.addaudithook(_audit)  # can never be taken off again, hence the switch
        _watch.installed = True
    events: list[str] = []
    _watch.events = events
    try:
        yield events
    finally:
        _watch.events = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watch.events is None or not event.startswith(_IO_EVENTS):
        return
    if event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so")):
        return
    _watch.events.append(event)
