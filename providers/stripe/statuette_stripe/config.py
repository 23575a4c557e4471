"""The keys of every brand, and what is refused before anything is sent."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from statuette.errors import ConfigurationError

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SECRET_KEY = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9_]{1,250}")
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{1,250}")


class BrandKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of one brand, in the table `stripe.brands.<slug>`."""

    secret_key: str | None = None
    webhook_secret: str | None = None

    def __repr__(self) -> str:
        return f"BrandKeys(secret_key {_told(self.secret_key)}, webhook_secret {_told(self.webhook_secret)})"


class StripeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings in the table `stripe`.

    Attributes:
        secret_key: of the Stripe account for every brand that has no key of its own; a restricted key (`rk_…`) will do.
        webhook_secret: signs that account's events (`whsec_…`); without it events are not heard.
        brands: keys of single brands, by slug. A secret key of its own is another account, so the default's webhook secret
            is not used beside it.
        api_base: where the API is; another address for a simulator.
    """

    secret_key: Annotated[str | None, msgspec.Meta(extra={"env": "STRIPE_SECRET_KEY", "secret": True})] = None
    webhook_secret: Annotated[str | None, msgspec.Meta(extra={"env": "STRIPE_WEBHOOK_SECRET", "secret": True})] = None
    brands: Annotated[dict[str, BrandKeys], msgspec.Meta(extra={"secret": True})] = {}
    api_base: Annotated[str, msgspec.Meta(extra={"env": "STRIPE_API_BASE"})] = "https://api.stripe.com"

    def __repr__(self) -> str:
        return f"StripeConfig(secret_key {_told(self.secret_key)}, {len(self.brands)} brands)"


class Keys(msgspec.Struct, frozen=True):
    """What one brand uses.

    Attributes:
        setting: the name of the setting that the secret key comes from.
        webhook_secret: empty when events are not heard.
    """

    secret_key: str
    webhook_secret: str
    setting: str

    @property
    def live(self) -> bool:
        """Stripe tells test and real money apart by the key's prefix (docs.stripe.com/keys)."""
        return self.secret_key[3:].startswith("live_")

    def __repr__(self) -> str:
        return f"Keys({self.setting}, {'live' if self.live else 'test'})"


def keys_for(config: StripeConfig, brand: str) -> Keys | None:
    """The keys of the brand with that slug; None while it has no secret key."""
    own = config.brands.get(brand, BrandKeys())
    if own.secret_key:
        return Keys(own.secret_key, own.webhook_secret or "", f"stripe.brands.{brand}.secret_key")
    if not config.secret_key:
        return None
    return Keys(config.secret_key, own.webhook_secret or config.webhook_secret or "", "stripe.secret_key")


def check(config: StripeConfig) -> None:
    """Refuse keys that cannot be any, and an address to which they must not be sent.

    Raises:
        ConfigurationError: names the setting and the cure, never the key.
    """
    tables = [("stripe", config.secret_key, config.webhook_secret)]
    tables += [(f"stripe.brands.{slug}", keys.secret_key, keys.webhook_secret) for slug, keys in config.brands.items()]
    for table, secret_key, webhook_secret in tables:
        if secret_key and not _SECRET_KEY.fullmatch(secret_key):
            raise ConfigurationError(
                f"The setting {table}.secret_key is not a secret or restricted key of Stripe.",
                cure="Copy it again from Stripe's dashboard: it begins with sk_test_, sk_live_, rk_test_ or rk_live_.",
                setting=f"{table}.secret_key",
            )
        if webhook_secret and not _WEBHOOK_SECRET.fullmatch(webhook_secret):
            raise ConfigurationError(
                f"The setting {table}.webhook_secret is not the signing secret of a webhook endpoint.",
                cure="Copy it again from the endpoint's page in Stripe's dashboard: it begins with whsec_.",
                setting=f"{table}.webhook_secret",
            )
    address = urlsplit(config.api_base)
    safe = address.scheme == "https" or (address.scheme == "http" and address.hostname in _LOOPBACK)
    if not safe or not address.hostname or address.username or address.query:
        raise ConfigurationError(
            "The setting stripe.api_base (STRIPE_API_BASE) is not an https address.",
            cure="Keys travel to it: use https://…, without user name or query, or an address of this machine.",
            setting="stripe.api_base",
        )


def _told(key: str | None) -> str:
    return "set" if key else "not set"
