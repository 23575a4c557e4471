"""Everything the API can do to us is a typed outcome, after exactly one request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from statuette.ports.image import (
    BlockedInput,
    BlockedOutput,
    Finished,
    ImageRequest,
    ModelNotFound,
    NoImage,
    Outcome,
    ProviderUnavailable,
    RateLimitedByProvider,
    Rejected,
    Succeeded,
    Usage,
)
from statuette.testing import FrozenClock
from statuette.testing.gemini_simulator import Case, GeminiSimulator
from statuette.testing.pictures import is_picture, photo_input
from statuette.values import CostMicros
from statuette_gemini import GeminiConfig, GeminiImageProvider

MODEL = "gemini-3.1-flash-image"

# 282 tokens in at $0.50, 210 of thoughts at $3, 1,290 of picture at $60, 31 of text at $3, a million.
NOTHING_MADE = Usage(CostMicros("USD", 771), 282, 210)
TEXT_MADE = Usage(CostMicros("USD", 864), 282, 241)
PICTURE_MADE = Usage(CostMicros("USD", 78_171), 282, 1500)

EXPECTED: dict[Case, Outcome] = {
    Case.unknown_finish: NoImage("unknown", NOTHING_MADE),
    Case.blocked_prompt: BlockedInput("prohibited_content", NOTHING_MADE),
    Case.blocked_output: BlockedOutput("image_safety", PICTURE_MADE),
    Case.no_image: NoImage("no_image", NOTHING_MADE),
    Case.text_only: NoImage("text_only", TEXT_MADE),
    Case.not_a_picture: NoImage("empty", PICTURE_MADE),
    Case.continuation: NoImage("continuation", TEXT_MADE),
    Case.account_limited: Rejected("account_limited", operator_fault=True, usage=NOTHING_MADE),
    Case.empty_object: NoImage("no_candidates"),
    Case.empty_body: ProviderUnavailable("empty_answer", possibly_charged=True),
    Case.broken_json: ProviderUnavailable("broken_answer", possibly_charged=True),
    Case.wrong_shape: ProviderUnavailable("broken_answer", possibly_charged=True),
    Case.not_base64: ProviderUnavailable("broken_answer", possibly_charged=True),
    Case.deep_json: ProviderUnavailable("broken_answer", possibly_charged=True),
    Case.bad_request: Rejected("invalid_argument"),
    Case.too_large: Rejected("request_too_large"),
    Case.invalid_key: Rejected("invalid_api_key", operator_fault=True),
    Case.unauthenticated: Rejected("unauthenticated", operator_fault=True),
    Case.billing_needed: Rejected("failed_precondition", operator_fault=True),
    Case.permission_denied: Rejected("permission_denied", operator_fault=True),
    Case.redirect: Rejected("redirected", operator_fault=True),
    Case.not_found: ModelNotFound(MODEL),
    Case.rate_limited: RateLimitedByProvider(timedelta(seconds=7.5)),
    Case.rate_limited_bare: RateLimitedByProvider(None),
    Case.daily_quota: RateLimitedByProvider(timedelta(hours=1)),
    Case.internal_error: ProviderUnavailable("internal_error"),
    Case.overloaded: ProviderUnavailable("overloaded"),
    Case.deadline_exceeded: ProviderUnavailable("http_504", possibly_charged=True),
    Case.error_page: ProviderUnavailable("http_502", possibly_charged=True),
    Case.reset: ProviderUnavailable("connection_lost", possibly_charged=True),
    Case.truncated: ProviderUnavailable("connection_lost", possibly_charged=True),
    Case.gzip_bomb: ProviderUnavailable("compressed_answer", possibly_charged=True),
    Case.huge: ProviderUnavailable("response_too_large", possibly_charged=True),
    Case.huge_declared: ProviderUnavailable("response_too_large", possibly_charged=True),
}
SUCCESSES = {Case.success, Case.success_marked, Case.multiple_images, Case.thought_image}
SLOW = {Case.hang, Case.drip}


def a_request(**changes: Any) -> ImageRequest:
    fields: dict[str, Any] = {
        "attempt_id": "att_1",
        "model": MODEL,
        "prompt": "as a vinyl figurine",
        "inputs": (photo_input(),),
        "style": "chibi",
        "variables": {},
        "aspect_ratio": "3:4",
    }
    return ImageRequest(**{**fields, **changes})


def test_every_case_of_the_simulator_is_expected_somewhere() -> None:
    assert set(Case) == set(EXPECTED) | SUCCESSES | SLOW


@pytest.mark.parametrize("case", EXPECTED, ids=str)
async def test_the_answer_is_a_typed_outcome_after_one_request(
    case: Case, simulator: GeminiSimulator, provider: GeminiImageProvider
) -> None:
    simulator.default = case

    submission = await provider.submit(a_request())

    assert submission == Finished(EXPECTED[case])
    assert simulator.calls == 1


@pytest.mark.parametrize("case", sorted(SUCCESSES), ids=str)
async def test_one_picture_comes_of_a_success_and_only_a_manifest_counts_as_a_mark(
    case: Case, simulator: GeminiSimulator, provider: GeminiImageProvider
) -> None:
    simulator.script(case)

    submission = await provider.submit(a_request())

    assert isinstance(submission, Finished)
    assert isinstance(submission.outcome, Succeeded)
    (picture,) = submission.outcome.images
    assert is_picture(picture.data)
    assert picture.marked is (case is Case.success_marked)
    assert (simulator.last_model, simulator.last_aspect_ratio, simulator.pictures_read) == (MODEL, "3:4", 1)


@pytest.mark.parametrize("case", sorted(SLOW), ids=str)
async def test_a_slow_answer_is_given_up_in_time_however_it_trickles(
    case: Case, simulator: GeminiSimulator, api_key: str
) -> None:
    impatient = GeminiConfig(api_key=api_key, base_url=simulator.base_url, timeout_seconds=2.5)
    provider = GeminiImageProvider(impatient, FrozenClock())
    simulator.script(case)

    submission = await provider.submit(a_request())

    await provider.aclose()
    assert submission == Finished(ProviderUnavailable("timeout", possibly_charged=True))


async def test_a_wrong_key_is_the_operators_fault_and_told_nowhere(
    simulator: GeminiSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = "AIzaSy-very-wrong"
    provider = GeminiImageProvider(GeminiConfig(api_key=wrong, base_url=simulator.base_url), FrozenClock())
    caplog.set_level("DEBUG")

    submission = await provider.submit(a_request())

    await provider.aclose()
    assert submission == Finished(Rejected("invalid_api_key", operator_fault=True))
    assert wrong not in repr(submission) + repr(provider) + caplog.text


async def test_an_unreachable_api_has_not_been_paid() -> None:
    provider = GeminiImageProvider(GeminiConfig(api_key="k", base_url="http://127.0.0.1:9"), FrozenClock())

    submission = await provider.submit(a_request())

    await provider.aclose()
    assert submission == Finished(ProviderUnavailable("unreachable"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": "../../secrets"}, ModelNotFound("../../secrets")),
        ({"inputs": ()}, Rejected("wrong_number_of_inputs")),
        ({"inputs": (photo_input(32, 32),) * 15}, Rejected("wrong_number_of_inputs")),
        ({"count": 2}, Rejected("wrong_count")),
        ({"aspect_ratio": "17:3"}, Rejected("unknown_aspect_ratio")),
    ],
)
async def test_what_google_would_refuse_never_leaves_the_house(
    changes: dict[str, Any], expected: Outcome, simulator: GeminiSimulator, provider: GeminiImageProvider
) -> None:
    assert await provider.submit(a_request(**changes)) == Finished(expected)
    assert simulator.calls == 0


async def test_several_pictures_travel_in_one_call(simulator: GeminiSimulator, provider: GeminiImageProvider) -> None:
    couple = (photo_input(seed=1), photo_input(seed=2))

    await provider.submit(a_request(inputs=couple))

    assert (simulator.calls, simulator.pictures_read) == (1, 2)


async def test_a_retired_model_falls_out_while_the_next_one_works(
    simulator: GeminiSimulator, provider: GeminiImageProvider
) -> None:
    simulator.retire(MODEL)

    retired = await provider.submit(a_request())
    following = await provider.submit(a_request(model="gemini-nano-banana-2.1"))

    assert retired == Finished(ModelNotFound(MODEL))
    assert isinstance(following, Finished)
    assert isinstance(following.outcome, Succeeded)


async def test_a_closed_provider_calls_nobody(simulator: GeminiSimulator, provider: GeminiImageProvider) -> None:
    await provider.aclose()

    assert await provider.submit(a_request()) == Finished(ProviderUnavailable("closed"))
    assert simulator.calls == 0
