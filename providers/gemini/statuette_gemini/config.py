"""The settings of the provider, and what is refused before anything is sent."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from statuette.errors import ConfigurationError
from statuette_gemini.models import GeminiModel

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class GeminiConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings in the table `gemini`.

    Attributes:
        api_key: without it the provider offers nothing.
        base_url: where the API is; another address for a gateway of your own or a simulator.
        paid_key_attested: you vouch that the key belongs to a billed project. Google may use what is sent under unpaid
            quota to improve its products, so real people's photos need this.
        max_bytes_in_flight: encoded photos (base64) held by calls under way; further calls wait. A call needs about
            three times its share in memory.
        max_response_bytes: a longer answer is cut off and counts as a failure.
        timeout_seconds: for one call, waiting for its turn included; the wait may take half of it.
        models: replace built-in models of the same id, or add to them.
    """

    api_key: Annotated[str | None, msgspec.Meta(extra={"env": "GEMINI_API_KEY", "secret": True})] = None
    base_url: Annotated[str, msgspec.Meta(extra={"env": "GEMINI_BASE_URL"})] = (
        "https://generativelanguage.googleapis.com"
    )
    api_version: Annotated[str, msgspec.Meta(pattern=r"^v[0-9][a-z0-9]*$")] = "v1beta"
    paid_key_attested: Annotated[bool, msgspec.Meta(extra={"env": "GEMINI_PAID_KEY"})] = False
    max_bytes_in_flight: Annotated[int, msgspec.Meta(ge=1_000_000)] = 128 * 1024 * 1024
    max_response_bytes: Annotated[int, msgspec.Meta(ge=1_000_000)] = 32 * 1024 * 1024
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=900)] = 110.0
    models: tuple[GeminiModel, ...] = ()

    def __repr__(self) -> str:
        key = "set" if self.api_key else "not set"
        return f"GeminiConfig(api_key {key}, {self.api_version}, {len(self.models)} models)"


def check(config: GeminiConfig, *, live: bool) -> None:
    """Refuse a configuration that would fail at every call, or send photos where they must not go.

    Raises:
        ConfigurationError: names the setting and the cure, never the key.
    """
    key = config.api_key or ""
    if not key.isascii() or not key.isprintable() or any(c.isspace() for c in key) or key.startswith("auth_tokens/"):
        raise ConfigurationError(
            "The setting gemini.api_key (GEMINI_API_KEY) is not an API key.",
            cure="Copy it again from Google AI Studio, without quotes, spaces or line breaks.",
            setting="gemini.api_key",
        )
    address = urlsplit(config.base_url)
    plain = address.scheme == "http" and (not live or address.hostname in _LOOPBACK)
    if not address.hostname or address.username or address.query or not (address.scheme == "https" or plain):
        raise ConfigurationError(
            "The setting gemini.base_url (GEMINI_BASE_URL) is not an https address.",
            cure="Photos and the key travel to it: use https://…, without user name or query.",
            setting="gemini.base_url",
        )
    if live and not config.paid_key_attested:
        raise ConfigurationError(
            "A live brand needs gemini.paid_key_attested (GEMINI_PAID_KEY): unpaid quota may be used for training.",
            cure="Turn on billing for the key's project and set GEMINI_PAID_KEY=true, or keep the brands in test mode.",
            setting="gemini.paid_key_attested",
        )
