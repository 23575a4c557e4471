"""Ordering and cancelling, as the API sees them."""

from __future__ import annotations

from functools import partial

from statuette.errors import Conflict, NotFound
from statuette.kernel.db.database import Database, Reader, Transaction
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.generations import repository, service
from statuette.kernel.domain.generations.budget import DailyCeilingReached
from statuette.kernel.domain.generations.order import Order, OrderInput, plan
from statuette.kernel.domain.generations.outcomes import State
from statuette.kernel.domain.generations.repository import GenerationRow
from statuette.kernel.domain.generations.schemas import GenerationRequest
from statuette.kernel.domain.generations.service import Generations
from statuette.kernel.domain.usage.device import UNKNOWN, Device
from statuette.kernel.idempotency.once import Once
from statuette.kernel.plugins import PluginRegistry
from statuette.ports.image import InputRole

JOBS_ENDED_AT_ONCE = 100


class AlreadyEnded(Conflict):
    code = "generation_ended"
    summary = "The job has ended; it cannot be cancelled."


class GenerationFlow:
    def __init__(self, database: Database, generations: Generations, plugins: PluginRegistry) -> None:
        self._database = database
        self._generations = generations
        self._plugins = plugins

    async def order(
        self,
        brand: LoadedBrand,
        account_id: str,
        request: GenerationRequest,
        once: Once | None,
        device: Device = UNKNOWN,
    ) -> str:
        """Accept a job, or find the one that the same keyed request made; returns its id."""

        async def accept(tx: Transaction) -> str:
            if once is not None and (made := await once.begin(tx)) is not None:
                return made.resource_id
            order = await self._completed(tx, brand.id, account_id, request)
            checked = plan(order, brand, self._plugins)
            generation_id = await self._generations.accept(
                tx, brand=brand, account_id=account_id, order=order, plan=checked, device=device
            )
            if once is not None:
                await once.finish(tx, status=202, resource_id=generation_id)
            return generation_id

        try:
            return await self._database.run(accept)
        except DailyCeilingReached:
            await self._database.run(lambda tx: service.report_ceiling(tx, brand.id))
            raise

    async def cancel(self, brand: LoadedBrand, account_id: str, generation_id: str) -> None:
        """Raises `NotFound`, `AlreadyEnded`."""

        async def cancel(tx: Transaction) -> None:
            if await repository.get(tx, brand.id, account_id, generation_id) is None:
                raise NotFound()
            job = await repository.lock_unfinished(tx, generation_id)
            if job is None:
                raise AlreadyEnded()
            charge = brand.config.cancel_charges == "after_start"
            await self._generations.cancel(tx, job, reason="canceled_by_user", charge=charge)

        await self._database.run(cancel)

    async def consent_withdrawn(self, brand: LoadedBrand, account_id: str) -> int:
        """Cancel what the account has under way, unpaid; returns how many jobs."""
        return await self._database.run(
            lambda tx: self._generations.withdraw_consent(tx, brand_id=brand.id, account_id=account_id)
        )

    async def expire(self) -> int:
        """End jobs that took longer than any job may, up to `JOBS_ENDED_AT_ONCE`; returns how many. The scheduler's job."""
        async with self._database.read() as reader:
            overdue = await repository.overdue(reader, JOBS_ENDED_AT_ONCE)
        for generation_id in overdue:
            await self._database.run(partial(self._end_overdue, generation_id=generation_id))
        return len(overdue)

    async def _end_overdue(self, tx: Transaction, *, generation_id: str) -> None:
        job = await repository.lock_unfinished(tx, generation_id)
        if job is not None:
            have = len(await service.figurines_of(tx, job))
            await self._generations.end(tx, job, state=State.failed, reason="took_too_long", delivered=have)

    async def _completed(self, reader: Reader, brand_id: str, account_id: str, request: GenerationRequest) -> Order:
        """The order with what it leaves out taken from its parent."""
        parent: GenerationRow | None = None
        inputs = tuple(
            OrderInput(role=item.role, upload_id=item.upload_id, figurine_id=item.figurine_id)
            for item in request.inputs
        )
        if request.parent is not None:
            parent = await repository.get(reader, brand_id, account_id, request.parent)
            if parent is None:
                raise NotFound("There is no such parent job.")
            if not inputs:
                inputs = tuple(
                    OrderInput(role=InputRole(row.role), upload_id=row.upload_id, figurine_id=row.figurine_id)
                    for row in await repository.inputs(reader, parent.id)
                )
        same_style = parent is not None and request.style in (None, parent.style)
        return Order(
            inputs=inputs,
            style=request.style or (parent.style if parent else ""),
            variables={**(parent.variable_map() if parent and same_style else {}), **request.variables},
            aspect_ratio=request.aspect_ratio or (parent.aspect_ratio if parent and same_style else None),
            count=request.count,
            subjects=request.subjects or (parent.subject_count if parent and not request.inputs else _subjects(inputs)),
            parent_id=request.parent,
            notify=request.notify,
        )


def _subjects(inputs: tuple[OrderInput, ...]) -> int:
    """One figure an input that shows a subject, unless the person says that there are more in it."""
    return max(1, sum(item.role is InputRole.subject for item in inputs))
