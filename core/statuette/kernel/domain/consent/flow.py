"""Units of work on consent."""

from __future__ import annotations

from statuette.kernel.db.database import Database
from statuette.kernel.domain.consent import service
from statuette.kernel.domain.consent.schemas import ConsentList, ConsentResponse
from statuette.kernel.domain.consent.service import ConsentState
from statuette.policy import Basis, EffectivePolicy, Purpose


class ConsentFlow:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def purposes(self, *, brand_id: str, account_id: str, policy: EffectivePolicy) -> ConsentList:
        """Every purpose of the policy in force, with the account's decision."""
        async with self._database.read() as reader:
            states = await service.current(reader, brand_id, account_id)
        return ConsentList([_response(policy.purposes[name], states.get(name)) for name in sorted(policy.purposes)])

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
        return _response(policy.purposes[purpose], state)


def _response(purpose: Purpose, state: ConsentState | None) -> ConsentResponse:
    return ConsentResponse(
        purpose=purpose.id,
        title=purpose.title,
        statement=purpose.statement,
        statement_digest=service.statement_digest(purpose),
        basis=purpose.basis.value,
        granted=service.is_live(state, purpose) if purpose.basis is Basis.consent else None,
        decided_at=state.decided_at if state is not None else None,
    )
