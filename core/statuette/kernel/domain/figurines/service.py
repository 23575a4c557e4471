"""Rules of figurines: kept until their owner asks, with a deadline that waits unarmed for that day."""

from __future__ import annotations

from statuette.errors import InvalidInput, NotFound
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.figurines import repository
from statuette.kernel.domain.figurines.repository import FigurineRow
from statuette.kernel.enforcement import deadlines
from statuette.kernel.pixels.results import EncodedPicture

DATASET = "figurines"
KEEP = "figurine.keep"
__all__ = ["DATASET", "KEEP", "SIZES", "FigurineRow", "UnknownSize"]
SIZES = ("original", "1024", "256")


class UnknownSize(InvalidInput):
    code = "unknown_image_size"
    summary = "There is no such size of the picture."


def object_prefix(brand_id: str, figurine_id: str) -> str:
    return f"figurines/{brand_id}/{figurine_id}/"


def object_key(brand_id: str, figurine_id: str, size: str) -> str:
    """Raises `UnknownSize`."""
    if size not in SIZES:
        raise UnknownSize(cure=f"Use one of: {', '.join(SIZES)}.")
    ending = "png" if size == "original" else "webp"
    return f"{object_prefix(brand_id, figurine_id)}{size}.{ending}"


def media_type(size: str) -> str:
    return "image/png" if size == "original" else "image/webp"


async def begin(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    generation_id: str,
    attempt_id: str,
    position: int,
    original: EncodedPicture,
    policy_digest: str,
) -> str:
    """Write the row and its unarmed deadline; returns the id. The first byte is stored after this is committed."""
    figurine_id = tx.new_id("fig")
    await repository.insert(
        tx,
        figurine_id=figurine_id,
        brand_id=brand_id,
        account_id=account_id,
        generation_id=generation_id,
        attempt_id=attempt_id,
        position=position,
        original=original,
    )
    await deadlines.unarmed(
        tx,
        brand_id=brand_id,
        account_id=account_id,
        dataset=DATASET,
        record_id=figurine_id,
        rule=KEEP,
        policy_digest=policy_digest,
    )
    return figurine_id


async def complete(tx: Transaction, figurine_id: str) -> None:
    """All sizes are stored."""
    await repository.make_ready(tx, figurine_id)


async def discard_unfinished(tx: Transaction, generation_id: str) -> None:
    """What a killed worker had begun to store is deleted by the ordinary way, at once."""
    for figurine_id in await repository.unfinished_of(tx, generation_id):
        await deadlines.arm(tx, figurine_id, KEEP, tx.now)


async def size_bytes(reader: Reader, figurine_id: str) -> int:
    """How much memory it takes, about; whoever's it is. 0 if it is gone."""
    return await repository.size_bytes(reader, figurine_id)


async def get(reader: Reader, brand_id: str, account_id: str | None, figurine_id: str) -> FigurineRow:
    """Raises `NotFound`."""
    row = await repository.get(reader, brand_id, account_id, figurine_id)
    if row is None:
        raise NotFound()
    return row


async def page(reader: Reader, brand_id: str, account_id: str, *, before: str | None, limit: int) -> list[FigurineRow]:
    """Those of one account, newest first."""
    return await repository.page(reader, brand_id, account_id, before=before, limit=limit)


async def of_generation(reader: Reader, brand_id: str, generation_id: str) -> list[FigurineRow]:
    """The visible pictures of one job, oldest first."""
    return await repository.of_generation(reader, brand_id, generation_id)


async def ask_deletion(tx: Transaction, *, brand_id: str, account_id: str, figurine_id: str) -> None:
    """Delete now, with every size: invisible from this commit on. Raises `NotFound`."""
    if await repository.lock(tx, brand_id, account_id, figurine_id) is None:
        raise NotFound()
    await deadlines.arm(tx, figurine_id, KEEP, tx.now, asked=True)
