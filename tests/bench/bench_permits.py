"""What a permit costs: checking one in hand before a call, and minting one from a person's live consent."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import engine_for
from statuette.kernel.db.schema import migrate
from statuette.kernel.domain.consent.flow import ConsentFlow
from statuette.kernel.domain.consent.service import mint_permit
from statuette.kernel.egress import Egress
from statuette.kernel.permit import Permit
from statuette.policy import EffectivePolicy, compile_policy
from statuette.ports.processor import Processor
from statuette.values import SystemClock
from statuette_policies import BASELINE
from tests.bench.report import Figure, at_most, without_bar

_CHECKS = 50_000
_MINTED = 500
_CATEGORIES = frozenset({"photo", "style_choices", "prompt_variables"})
_MODEL = Processor(
    "model", "A model", "EU", ("generation",), ("photo", "figurine", "style_choices", "prompt_variables")
)


async def measure() -> list[Figure]:
    policy = compile_policy([BASELINE])
    with tempfile.TemporaryDirectory() as folder:
        database = Database(engine_for(f"sqlite:///{Path(folder) / 'bench.sqlite'}"), SystemClock())
        await database.open()
        try:
            await migrate(database.engine)
            await _agree(database, policy)
            minting = [await _minting(database, policy) for _ in range(5)]
            permit = await _mint(database, policy)
        finally:
            await database.close()
    checking = [_checking(permit) for _ in range(9)]
    return [
        at_most(
            "checking a permit in hand, at the egress",
            statistics.median(checking) * 1e6,
            20,
            f"purpose, categories, receivers, clock: median of 9 × {_CHECKS:,}",
            "µs",
        ),
        without_bar(
            "minting a permit from live consent",
            statistics.median(minting) * 1e6,
            f"a read transaction on SQLite with one account: median of 5 × {_MINTED}",
            "µs",
        ),
    ]


def _checking(permit: Permit) -> float:
    egress = Egress(SystemClock(), concurrency=8)
    began = time.perf_counter()
    for _ in range(_CHECKS):
        egress._check(_MODEL, permit, "generation", _CATEGORIES, 0, 0)
    return (time.perf_counter() - began) / _CHECKS


async def _minting(database: Database, policy: EffectivePolicy) -> float:
    began = time.perf_counter()
    for _ in range(_MINTED):
        await _mint(database, policy)
    return (time.perf_counter() - began) / _MINTED


async def _mint(database: Database, policy: EffectivePolicy) -> Permit:
    async with database.read() as reader:
        return await mint_permit(
            reader, brand_id="brd", account_id="acc", purpose="generation", categories=_CATEGORIES, policy=policy
        )


async def _agree(database: Database, policy: EffectivePolicy) -> None:
    await ConsentFlow(database).decide(
        brand_id="brd",
        account_id="acc",
        purpose="generation",
        granted=True,
        statement_digest=None,
        policy=policy,
        locale="en",
        surface="bench",
    )
