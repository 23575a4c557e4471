"""What is noted of a device: the families of browser and system, and the first part of the network address. Pure.

What a browser says of itself names versions, models and languages, which together are as good as a name; it is looked at here
and kept nowhere.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import msgspec
from litestar.types import Scope

from statuette.kernel.http.headers import first
from statuette.policy import enforces

_IPV4_BITS = 24
_IPV6_BITS = 48


class Browser(StrEnum):
    chrome = "chrome"
    edge = "edge"
    firefox = "firefox"
    opera = "opera"
    safari = "safari"
    samsung = "samsung"
    other = "other"


class System(StrEnum):
    android = "android"
    chromeos = "chromeos"
    ios = "ios"
    linux = "linux"
    macos = "macos"
    windows = "windows"
    other = "other"


# The first that is found counts: nearly every browser calls itself Chrome and Safari as well, and phones call themselves Linux.
_BROWSERS = (
    (("Edg/", "EdgA/", "EdgiOS/"), Browser.edge),
    (("OPR/", "OPT/", "Opera"), Browser.opera),
    (("SamsungBrowser/",), Browser.samsung),
    (("Firefox/", "FxiOS/"), Browser.firefox),
    (("Chrome/", "CriOS/", "Chromium/"), Browser.chrome),
    (("Safari/",), Browser.safari),
)
_SYSTEMS = (
    (("Windows",), System.windows),
    (("iPhone", "iPad", "iPod"), System.ios),
    (("Android",), System.android),
    (("CrOS",), System.chromeos),
    (("Mac OS X", "Macintosh"), System.macos),
    (("Linux", "X11"), System.linux),
)


class Device(msgspec.Struct, frozen=True):
    """A device as far as it is noted.

    Attributes:
        network: `198.51.100.0/24`, `2001:db8:7::/48`; empty where there is no address.
    """

    browser: Browser = Browser.other
    system: System = System.other
    network: str = ""


UNKNOWN = Device()


def device_of(scope: Scope) -> Device:
    """The device that a request came from, behind the gate."""
    agent = first(scope, b"user-agent") or ""
    return Device(browser_of(agent), system_of(agent), network_of(scope["state"].get("client_address", "")))


def browser_of(agent: str) -> Browser:
    return next((family for signs, family in _BROWSERS if any(sign in agent for sign in signs)), Browser.other)


def system_of(agent: str) -> System:
    return next((family for signs, family in _SYSTEMS if any(sign in agent for sign in signs)), System.other)


@enforces("device.collect")
def network_of(address: str) -> str:
    """The network that an address is in, cut to what a city's customers of one provider share."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    bits = _IPV4_BITS if isinstance(parsed, IPv4Address) else _IPV6_BITS
    return str(ip_network((parsed, bits), strict=False))


def is_cut(network: str) -> bool:
    """Whether it is nothing more than `network_of` lets through."""
    return network == "" or (
        network.endswith((f"/{_IPV4_BITS}", f"/{_IPV6_BITS}")) and network_of(network.partition("/")[0]) == network
    )
