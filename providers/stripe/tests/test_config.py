"""Which key a brand uses, and which settings are refused."""

from __future__ import annotations

import pytest

from statuette.errors import ConfigurationError
from statuette_stripe import StripeConfig, check, keys_for
from statuette_stripe.config import BrandKeys

DEFAULT = StripeConfig(
    secret_key="sk_test_default",
    webhook_secret="whsec_default",
    brands={
        "own": BrandKeys(secret_key="rk_live_own", webhook_secret="whsec_own"),
        "deaf": BrandKeys(secret_key="sk_test_deaf"),
        "endpoint": BrandKeys(webhook_secret="whsec_endpoint"),
    },
)


@pytest.mark.parametrize(
    ("brand", "secret_key", "webhook_secret", "live", "setting"),
    [
        ("other", "sk_test_default", "whsec_default", False, "stripe.secret_key"),
        ("own", "rk_live_own", "whsec_own", True, "stripe.brands.own.secret_key"),
        ("deaf", "sk_test_deaf", "", False, "stripe.brands.deaf.secret_key"),
        ("endpoint", "sk_test_default", "whsec_endpoint", False, "stripe.secret_key"),
    ],
)
def test_a_brand_uses_its_own_keys_or_the_default(
    brand: str, secret_key: str, webhook_secret: str, live: bool, setting: str
) -> None:
    keys = keys_for(DEFAULT, brand)
    assert keys is not None
    assert (keys.secret_key, keys.webhook_secret, keys.live) == (secret_key, webhook_secret, live)
    assert keys.setting == setting


def test_without_a_key_a_brand_is_not_set_up() -> None:
    assert keys_for(StripeConfig(webhook_secret="whsec_default"), "demo") is None
    assert keys_for(StripeConfig(secret_key=""), "demo") is None


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        (StripeConfig(secret_key="pk_test_hidden"), "stripe.secret_key"),
        (StripeConfig(secret_key="sk_test_hidden\n"), "stripe.secret_key"),
        (StripeConfig(webhook_secret="hidden"), "stripe.webhook_secret"),
        (StripeConfig(brands={"demo": BrandKeys(secret_key="hidden")}), "stripe.brands.demo.secret_key"),
        (StripeConfig(brands={"demo": BrandKeys(webhook_secret="hidden")}), "stripe.brands.demo.webhook_secret"),
        (StripeConfig(api_base="http://stripe.example"), "stripe.api_base"),
        (StripeConfig(api_base="https://user:hidden@stripe.example"), "stripe.api_base"),
    ],
)
def test_what_cannot_work_is_refused_without_showing_it(config: StripeConfig, setting: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        check(config)
    assert refused.value.attributes["setting"] == setting
    assert "hidden" not in str(refused.value)


def test_what_can_work_is_accepted() -> None:
    check(DEFAULT)
    check(StripeConfig(api_base="http://127.0.0.1:8000"))


def test_no_key_is_shown() -> None:
    shown = f"{DEFAULT!r} {DEFAULT.brands!r} {keys_for(DEFAULT, 'own')!r}"
    assert not any(word in shown for word in ("sk_", "rk_", "whsec_"))
