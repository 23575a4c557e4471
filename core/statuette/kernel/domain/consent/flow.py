"""Units of work on consent."""

from __future__ import annotations

from collections import OrderedDict

from statuette.kernel.db.database import Database
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.consent import service, texts
from statuette.kernel.domain.consent.repository import RecordRow
from statuette.kernel.domain.consent.schemas import (
    RECORD_SCHEMA,
    ConsentEvent,
    ConsentList,
    ConsentRecordView,
    ConsentResponse,
    ConsentTexts,
    ConsentTextView,
)
from statuette.kernel.domain.consent.service import ConsentState
from statuette.policy import Basis, EffectivePolicy, Purpose

_HEARD_AT_MOST = 10_000


class ConsentFlow:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._heard: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def purposes(
        self, *, brand_id: str, account_id: str, policy: EffectivePolicy, locale: str | None = None
    ) -> ConsentList:
        """Every purpose of the policy in force, with the account's decision.

        Args:
            locale: the language of the texts; None: the account's.
        """
        async with self._database.read() as reader:
            states = await service.current(reader, brand_id, account_id)
            locale = locale or await accounts.locale_of(reader, brand_id, account_id) or texts.ENGLISH
        items = [_response(policy, name, states.get(name), locale) for name in sorted(policy.purposes)]
        return ConsentList(items, policy.digest)

    async def decide(
        self,
        *,
        brand_id: str,
        account_id: str,
        purpose: str,
        granted: bool,
        statement_digest: str | None,
        policy: EffectivePolicy,
        locale: str,
        surface: str,
    ) -> ConsentResponse:
        """Record a decision; durable on return. Raises what `service.decide` raises."""
        state = await self._database.run(
            lambda tx: service.decide(
                tx,
                brand_id=brand_id,
                account_id=account_id,
                purpose=purpose,
                granted=granted,
                seen_statement_digest=statement_digest,
                policy=policy,
                locale=locale,
                surface=surface,
            )
        )
        return _response(policy, purpose, state, locale)

    async def history(
        self, brand: LoadedBrand, account_id: str, *, purpose: str | None, before: str | None, limit: int
    ) -> tuple[list[ConsentRecordView], bool]:
        """Decisions on record, newest first, and whether there are more."""
        async with self._database.read() as reader:
            rows = await service.history(reader, brand.id, account_id, purpose=purpose, before=before, limit=limit + 1)
            shown = await service.kept_texts(reader, [row.statement_digest for row in rows[:limit]])
        return [_record(brand, account_id, row, shown) for row in rows[:limit]], len(rows) > limit

    async def heed_signal(self, brand: LoadedBrand, account_id: str) -> None:
        """The account's browser sent `Sec-GPC: 1`. Durable on return; costs a query once a process and policy."""
        place = (account_id, brand.policy.digest)
        if place in self._heard:
            return
        await self._database.run(
            lambda tx: service.opt_out_by_signal(tx, brand_id=brand.id, account_id=account_id, policy=brand.policy)
        )
        self._heard[place] = None
        if len(self._heard) > _HEARD_AT_MOST:
            self._heard.popitem(last=False)


def texts_of(policy: EffectivePolicy, locale: str) -> ConsentTexts:
    """What is to be shown of every purpose, in the language asked for where it is worded in that."""
    found = [(purpose, texts.text(purpose, locale)) for _, purpose in sorted(policy.purposes.items())]
    return ConsentTexts(
        items=[
            ConsentTextView(each.purpose, each.title, each.statement, each.digest, each.locale, _choice(purpose))
            for purpose, each in found
        ],
        locales=texts.locales(policy.purposes),
        policy_digest=policy.digest,
    )


def _choice(purpose: Purpose) -> str:
    if purpose.opt_out:
        return "opt_out"
    return "opt_in" if purpose.basis is Basis.consent else "none"


def _response(policy: EffectivePolicy, purpose_id: str, state: ConsentState | None, locale: str) -> ConsentResponse:
    purpose = policy.purposes[purpose_id]
    shown = texts.text(purpose, locale)
    live = service.is_live(state, purpose, policy.publication) if purpose.decidable else None
    return ConsentResponse(
        purpose=purpose.id,
        title=shown.title,
        statement=shown.statement,
        statement_digest=shown.digest,
        locale=shown.locale,
        basis=purpose.basis.value,
        choice=_choice(purpose),
        granted=live,
        ask_again=live is False and state is not None and state.granted,
        decided_at=state.decided_at if state is not None else None,
    )


def _record(brand: LoadedBrand, account_id: str, row: RecordRow, shown: dict[str, str]) -> ConsentRecordView:
    purpose = brand.policy.purposes.get(row.purpose)
    controller = brand.config.controller
    return ConsentRecordView(
        record_id=row.id,
        schema_version=RECORD_SCHEMA,
        pii_principal_id=account_id,
        pii_controller=controller.name if controller is not None else brand.config.title,
        privacy_notice=row.policy_digest,
        language=row.locale,
        purpose=row.purpose,
        lawful_basis=purpose.basis.value if purpose is not None else None,
        statement=shown.get(row.statement_digest),
        statement_digest=row.statement_digest,
        collection_method=row.surface,
        event=ConsentEvent(
            event_time=row.created_at,
            event_type=row.method or "explicit",
            event_state="given" if row.granted else "withdrawn",
            entity_id=account_id if row.decided_by in (None, "account") else row.decided_by,
        ),
    )
