"""What the plugin offers, refuses, and keeps to itself."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statuette.errors import ConfigurationError
from statuette.plugin import PluginContext
from statuette.ports.image import UnknownHandle
from statuette.ports.processor import Residual
from statuette.testing import FrozenClock
from statuette_gemini import GeminiConfig, GeminiImageProvider, GeminiModel, plugin
from statuette_gemini.marks import carries_c2pa

KEY = "AIzaSy-plugin-secret"


def context(live: bool = False, **settings: Any) -> PluginContext:
    return PluginContext(
        config=GeminiConfig(**settings),
        data_dir=Path("unused"),
        clock=FrozenClock(),
        public_url="http://localhost",
        master_key=b"\0" * 32,
        live=live,
    )


@pytest.mark.parametrize("key", [None, ""])
def test_nothing_is_offered_without_a_key(key: str | None) -> None:
    assert plugin.image_providers(context(api_key=key)) == ()


def test_a_live_brand_needs_an_attested_paid_key() -> None:
    with pytest.raises(ConfigurationError, match="GEMINI_PAID_KEY") as refused:
        plugin.image_providers(context(live=True, api_key=KEY))
    (offered,) = plugin.image_providers(context(live=True, api_key=KEY, paid_key_attested=True))

    assert refused.value.cure
    assert KEY not in str(refused.value)
    assert offered.name == "gemini"


@pytest.mark.parametrize("key", ["AIza with space", "AIza\nsecond-line", "clé", "auth_tokens/abc", " AIza"])
def test_a_mangled_key_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        plugin.image_providers(context(api_key=key))

    assert key not in str(refused.value)


@pytest.mark.parametrize(
    ("base_url", "live"),
    [
        ("http://gateway.example", True),
        ("ftp://gateway.example", False),
        ("https://user:word@gateway.example", False),
        ("gateway.example", False),
    ],
)
def test_photos_only_travel_to_an_https_address(base_url: str, live: bool) -> None:
    with pytest.raises(ConfigurationError, match="GEMINI_BASE_URL"):
        plugin.image_providers(context(live=live, api_key=KEY, base_url=base_url, paid_key_attested=True))


def test_the_key_is_not_in_any_representation() -> None:
    made = context(api_key=KEY)

    assert KEY not in repr(made) + repr(made.config) + repr(plugin.image_providers(made))


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="api_kee"):
        msgspec.convert({"api_kee": "x"}, GeminiConfig)


def test_models_past_their_end_come_last_and_configured_ones_replace_and_add() -> None:
    dearer = GeminiModel("gemini-3.1-flash-image", 1, 2, 3)
    new = GeminiModel("gemini-next", 1, 2, 3)
    config = GeminiConfig(api_key=KEY, models=(dearer, new))
    before = GeminiImageProvider(config, FrozenClock(datetime(2026, 10, 1, tzinfo=UTC)))
    after = GeminiImageProvider(config, FrozenClock(datetime(2026, 10, 2, tzinfo=UTC)))

    ids = [model.id for model in before.models()]

    assert ids == ["gemini-2.5-flash-image", "gemini-3.1-flash-image", "gemini-nano-banana-2.1", "gemini-next"]
    assert [model.id for model in after.models()] == [*ids[1:], ids[0]]
    assert before.models()[1].worst_case_cost == dearer.worst_case_cost()


def test_prices_round_up_and_the_worst_case_is_never_less_than_a_real_call() -> None:
    model = GeminiModel("m", input_price_micros=300_000, image_price_micros=30_000_000, text_price_micros=2_500_000)

    one_picture = model.cost(input_tokens=1, image_tokens=1290, text_tokens=0)

    assert one_picture.micros == 38_701  # $0.0387, and a third of a micro rounded up
    assert model.worst_case_cost().micros > one_picture.micros


async def test_erasing_names_the_end_of_googles_log_and_knows_no_handles() -> None:
    provider = GeminiImageProvider(GeminiConfig(api_key=KEY), FrozenClock(datetime(2026, 1, 1, tzinfo=UTC)))

    erasure = await provider.erase(None)

    assert isinstance(erasure, Residual)
    assert erasure.expires_at == datetime(2026, 2, 25, tzinfo=UTC)
    with pytest.raises(UnknownHandle):
        await provider.erase("some-handle")


def test_importing_and_constructing_leaves_the_sdk_alone() -> None:
    program = (
        "import sys, statuette_gemini as g; from statuette.testing import FrozenClock;"
        "g.GeminiImageProvider(g.GeminiConfig(api_key='k'), FrozenClock()).models();"
        "sys.exit(any(m.startswith(('google.genai', 'httpx2', 'pydantic')) for m in sys.modules))"
    )

    finished = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)

    assert finished.returncode == 0


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", False),
        (b"\x89PNG\r\n\x1a\n", False),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\x08tEXtjumbc2pa\0\0\0\0", False),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\x08caBX\x00\x00\x00\x08jumb\0\0\0\0", True),
        (b"\xff\xd8\xff\xeb\x00\x14JP\x00\x01\x00\x00\x00\x01\x00\x00\x00\x08jumb", True),
        (b"\xff\xd8\xff\xfe\x00\x0ajumbc2pa\xff\xda\x00\x02", False),
        (b"RIFF\x00\x00\x00\x00WEBPC2PA\x08\x00\x00\x00\x00\x00\x00\x08jumb", True),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 \xff\xff\xff\xff", False),
    ],
)
def test_only_a_manifest_in_its_container_counts_as_a_mark(data: bytes, expected: bool) -> None:
    assert carries_c2pa(data) is expected
