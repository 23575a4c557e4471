"""The brands of this deployment, in memory, each with the policy in force for it.

What is in memory is at most five seconds old. Whoever finds it older looks for changes; everybody else goes on with what
there is, so that a burst of requests costs one query.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from statuette.errors import ConfigurationError, NotFound, Unavailable
from statuette.kernel.db.database import Database
from statuette.kernel.domain.brands import keys, repository, service
from statuette.kernel.domain.brands.config import BrandConfig, stored
from statuette.kernel.domain.notices import service as notices
from statuette.policy import EffectivePolicy, PolicyPack, Publication, compile_policy
from statuette.values import Clock

_BELIEVED_SECONDS = 5.0
# A brand that was applied a moment ago is looked for sooner; whoever asks for hosts that do not exist costs one query in this time.
_UNKNOWN_BELIEVED_SECONDS = 1.0
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
    """
    Args:
        packs: in force for every brand.
        more: packs that a brand may name, by name.
    """

    def __init__(
        self,
        database: Database,
        packs: Sequence[PolicyPack],
        clock: Clock,
        more: Mapping[str, PolicyPack] | None = None,
    ) -> None:
        self._database = database
        self._packs = tuple(packs)
        self._more = dict(more or {})
        self._day: date | None = None
        self._clock = clock
        self._brands: dict[str, LoadedBrand] = {}
        self._broken: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        self._origins: dict[str, str] = {}
        self._keys: dict[str, tuple[str, float]] = {}
        self._publications: dict[str, Publication] = {}
        self._looked_at_seconds: float | None = None
        self._looking: asyncio.Future[None] | None = None

    def loaded(self) -> list[LoadedBrand]:
        """Every brand in memory."""
        return list(self._brands.values())

    def is_live(self, brand_id: str) -> bool:
        """Whether it takes real people's data. One that is not in memory may."""
        brand = self._brands.get(brand_id)
        return brand is None or brand.config.mode == "live"

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
        if host not in self._hosts:
            await self._fresher(_UNKNOWN_BELIEVED_SECONDS, wait=True)
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
        await self._fresher(_BELIEVED_SECONDS, wait=self._looked_at_seconds is None)

    async def _fresher(self, than_seconds: float, *, wait: bool = False) -> None:
        """Args:
        wait: for whoever is looking already.
        """
        now = self._clock.monotonic_seconds()
        looking = self._looking
        if looking is not None:
            if wait and looking.get_loop() is asyncio.get_running_loop():
                await asyncio.shield(looking)
        elif self._looked_at_seconds is None or now - self._looked_at_seconds >= than_seconds:
            first = self._looked_at_seconds is None
            if not first:
                self._looked_at_seconds = now  # before the query: only one asks
            self._looking = looking = asyncio.ensure_future(self.refresh())
            looking.add_done_callback(self._looked)
            await asyncio.shield(looking)

    def _looked(self, looking: asyncio.Future[None]) -> None:
        self._looking = None
        if not looking.cancelled():
            looking.exception()  # whoever waits for it gets it; nobody may be left to

    async def refresh(self) -> None:
        """Look for changed brands now."""
        async with self._database.read() as reader:
            digests = await repository.digests(reader)
            publications = await notices.publications(reader)
            known = {brand.id: brand.digest for brand in self._brands.values()} | self._broken
            today = self._clock.now().date()
            # A pack may begin today.
            if digests != known or publications != self._publications or today != self._day:
                self._publications = publications
                self._take(await repository.all_brands(reader), today)
        self._looked_at_seconds = self._clock.monotonic_seconds()

    def _take(self, rows: list[repository.BrandRow], today: date) -> None:
        brands: dict[str, LoadedBrand] = {}
        broken: dict[str, str] = {}
        hosts: dict[str, str] = {}
        origins: dict[str, str] = {}
        for row in rows:
            try:
                config = stored(row.config)
                loaded = self._loaded(row, config, today)
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
        self._day = today

    def _loaded(self, row: repository.BrandRow, config: BrandConfig, today: date) -> LoadedBrand:
        known = self._brands.get(row.id)
        publication = self._publications.get(row.id)
        if known is not None and known.digest == row.config_digest and today == self._day:
            if known.policy.publication == publication:
                return known
            return msgspec.structs.replace(known, policy=msgspec.structs.replace(known.policy, publication=publication))
        policy = compile_policy(
            self._packs_of(config), config.choices(), offered=config.purposes, options=config.options, on=today
        )
        return LoadedBrand(
            id=row.id,
            slug=row.slug,
            digest=row.config_digest,
            config=config,
            policy=msgspec.structs.replace(policy, publication=publication),
            prices={style.slug: style.credits for style in config.styles},
        )

    def _packs_of(self, config: BrandConfig) -> tuple[PolicyPack, ...]:
        missing = [name for name in config.policy_packs if name not in self._more]
        if missing:
            raise ConfigurationError(
                f"The brand {config.slug!r} names the policy pack {missing[0]!r}, which is not here."
            )
        named = [self._more[name] for name in config.policy_packs]
        return (*self._packs, *(pack for pack in named if pack not in self._packs))


class _HostsOnly(msgspec.Struct):
    hosts: tuple[str, ...] = ()


def _hosts_of(config: str) -> tuple[str, ...]:
    """The hosts of a brand that cannot be read otherwise, so that its visitors get an honest answer."""
    try:
        return msgspec.json.decode(config, type=_HostsOnly).hosts
    except msgspec.DecodeError:
        return ()
