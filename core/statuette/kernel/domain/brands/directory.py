"""The brands of this deployment, in memory, each with the policy in force for it.

What is in memory is at most five seconds old. Whoever finds it older looks for changes; everybody else goes on with what
there is, so that a burst of requests costs one query.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from statuette.errors import ConfigurationError, NotFound, Unavailable
from statuette.kernel.db.database import Database
from statuette.kernel.domain.brands import keys, repository, service
from statuette.kernel.domain.brands.config import BrandConfig, stored
from statuette.policy import EffectivePolicy, PolicyPack, compile_policy
from statuette.values import Clock

_BELIEVED_SECONDS = 5.0
_KEYS_REMEMBERED = 10_000
_log = logging.getLogger(__name__)


class BrandMisconfigured(Unavailable):
    """What is stored of the brand does not fit the installed policy packs. Retryable once the operator applied it anew."""

    code = "brand_misconfigured"
    summary = "This brand is not configured correctly."


class LoadedBrand(msgspec.Struct, frozen=True):
    """A brand ready for use."""

    id: str
    slug: str
    digest: str
    config: BrandConfig
    policy: EffectivePolicy
    prices: dict[str, int]

    def style_price(self, slug: str) -> int | None:
        """Credits for one picture; None when the brand does not offer the style."""
        return self.prices.get(slug)

    def styles_with_prices(self) -> list[tuple[str, int]]:
        """In the order of the brand's file."""
        return list(self.prices.items())


class BrandDirectory:
    def __init__(self, database: Database, packs: Sequence[PolicyPack], clock: Clock) -> None:
        self._database = database
        self._packs = tuple(packs)
        self._clock = clock
        self._brands: dict[str, LoadedBrand] = {}
        self._broken: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        self._origins: dict[str, str] = {}
        self._keys: dict[str, tuple[str, float]] = {}
        self._looked_at_seconds: float | None = None

    async def by_id(self, brand_id: str) -> LoadedBrand:
        """As it is in memory, since those who ask may be in a transaction. Raises `NotFound`, `BrandMisconfigured`."""
        if brand_id not in self._brands and brand_id not in self._broken:
            await self.refresh()
        brand = self._brand(brand_id)
        if brand is None:
            raise NotFound("There is no such brand.")
        return brand

    async def by_host(self, host: str) -> LoadedBrand | None:
        """The brand that answers at `host` (lower case, no port). Raises `BrandMisconfigured`."""
        await self.fresh()
        return self._brand(self._hosts.get(host))

    async def by_origin(self, origin: str) -> LoadedBrand | None:
        """A brand that lets this origin call it. Raises `BrandMisconfigured`."""
        await self.fresh()
        return self._brand(self._origins.get(origin))

    async def by_publishable_key(self, plaintext: str) -> LoadedBrand | None:
        return await self._by_key(plaintext, "publishable")

    async def by_secret_key(self, plaintext: str) -> LoadedBrand | None:
        """Names the brand only; what the key may do is for the authenticator to say."""
        return await self._by_key(plaintext, "secret")

    async def _by_key(self, plaintext: str, kind: keys.KeyKind) -> LoadedBrand | None:
        await self.fresh()
        text = keys.parsed(plaintext)
        if text is None or text.kind != kind:
            return None
        known = self._keys.get(text.token_hash)
        if known is not None and self._clock.monotonic_seconds() - known[1] < _BELIEVED_SECONDS:
            return self._brand(known[0])
        async with self._database.read() as reader:
            key = await service.find_key(reader, plaintext)
        self._keys.pop(text.token_hash, None)
        if key is None:
            return None
        if len(self._keys) >= _KEYS_REMEMBERED:
            self._keys.pop(next(iter(self._keys)))
        self._keys[text.token_hash] = (key.brand_id, self._clock.monotonic_seconds())
        return await self.by_id(key.brand_id)

    def _brand(self, brand_id: str | None) -> LoadedBrand | None:
        if brand_id is None:
            return None
        if brand_id in self._broken:
            raise BrandMisconfigured()
        return self._brands.get(brand_id)

    async def fresh(self) -> None:
        """See to it that what is in memory is at most five seconds old. Not within a transaction: it takes a connection."""
        now = self._clock.monotonic_seconds()
        if self._looked_at_seconds is None or now - self._looked_at_seconds >= _BELIEVED_SECONDS:
            first = self._looked_at_seconds is None
            if not first:
                self._looked_at_seconds = now  # before the query: only one asks
            await self.refresh()

    async def refresh(self) -> None:
        """Look for changed brands now."""
        async with self._database.read() as reader:
            digests = await repository.digests(reader)
            known = {brand.id: brand.digest for brand in self._brands.values()} | self._broken
            if digests != known:
                self._take(await repository.all_brands(reader))
        self._looked_at_seconds = self._clock.monotonic_seconds()

    def _take(self, rows: list[repository.BrandRow]) -> None:
        brands: dict[str, LoadedBrand] = {}
        broken: dict[str, str] = {}
        hosts: dict[str, str] = {}
        origins: dict[str, str] = {}
        for row in rows:
            try:
                config = stored(row.config)
                loaded = self._loaded(row, config)
            except (ConfigurationError, msgspec.ValidationError) as error:
                _log.error("brand_misconfigured", extra={"brand": row.slug, "reason": str(error)})
                broken[row.id] = row.config_digest
                for host in _hosts_of(row.config):
                    hosts.setdefault(host, row.id)
                continue
            brands[row.id] = loaded
            hosts |= dict.fromkeys(config.hosts, row.id)
            for origin in config.cors_origins:
                origins.setdefault(origin, row.id)
        self._brands, self._broken, self._hosts, self._origins = brands, broken, hosts, origins

    def _loaded(self, row: repository.BrandRow, config: BrandConfig) -> LoadedBrand:
        known = self._brands.get(row.id)
        if known is not None and known.digest == row.config_digest:
            return known
        return LoadedBrand(
            id=row.id,
            slug=row.slug,
            digest=row.config_digest,
            config=config,
            policy=compile_policy(self._packs, config.choices()),
            prices={style.slug: style.credits for style in config.styles},
        )


class _HostsOnly(msgspec.Struct):
    hosts: tuple[str, ...] = ()


def _hosts_of(config: str) -> tuple[str, ...]:
    """The hosts of a brand that cannot be read otherwise, so that its visitors get an honest answer."""
    try:
        return msgspec.json.decode(config, type=_HostsOnly).hosts
    except msgspec.DecodeError:
        return ()
