"""What is made of what a browser says, and of an address."""

from __future__ import annotations

import pytest

from statuette.kernel.domain.usage.device import browser_of, is_cut, network_of, system_of
from statuette.kernel.domain.usage.words import Span, span_of

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "browser", "system"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/131.0.0.0 Safari/537.36", "chrome", "windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_WEBKIT} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0", "edge", "windows"),
        (f"Mozilla/5.0 (X11; CrOS x86_64) {_WEBKIT} Chrome/131.0.0.0 Safari/537.36 OPR/116.0", "opera", "chromeos"),
        (
            f"Mozilla/5.0 (Linux; Android 14) {_WEBKIT} SamsungBrowser/27.0 Chrome/125.0 Safari/537.36",
            "samsung",
            "android",
        ),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {_WEBKIT} CriOS/131.0 Safari/604.1", "chrome", "ios"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/18.1 Safari/605.1.15", "safari", "macos"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0", "firefox", "android"),
        ("curl/8.10", "other", "other"),
        ("", "other", "other"),
    ],
)
def test_a_browser_is_known_by_its_family(agent: str, browser: str, system: str) -> None:
    assert (browser_of(agent), system_of(agent)) == (browser, system)


@pytest.mark.rule("device.collect")
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.77", "198.51.100.0/24"),
        ("::ffff:198.51.100.77", "198.51.100.0/24"),
        ("2001:db8:7:9::1", "2001:db8:7::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_an_address_loses_what_tells_one_home_from_another(address: str, network: str) -> None:
    assert network_of(address) == network
    assert is_cut(network)
    assert not address or address[-1] == ":" or not is_cut(address)
    assert not is_cut(f"{address}/32")


def test_seconds_become_a_span() -> None:
    assert [span_of(seconds) for seconds in (0, 9, 10, 59, 60, 1799, 1800, 86_400)] == [
        *(Span.moment, Span.moment, Span.minute, Span.minute, Span.minutes, Span.half_hour, Span.longer, Span.longer)
    ]
