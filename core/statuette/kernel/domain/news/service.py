"""The rules of news: to those alone who want it, in batches that resume where they stopped."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from statuette.errors import Conflict, NotFound
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.news import repository
from statuette.kernel.domain.news.repository import NewsRow
from statuette.kernel.mail.wording import Wording
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.queues import MAIL
from statuette.policy import EffectivePolicy

PREPARE = "prepare_news"
SEND = "send_news"
PURPOSE = "marketing"
BATCH = 50


class NewsNotOffered(Conflict):
    """The brand does not ask people whether they want news, so nobody can have said yes."""

    code = "news_not_offered"
    summary = "This brand does not offer news by mail."


async def write(
    tx: Transaction,
    outbox: Outbox,
    *,
    brand_id: str,
    texts: Mapping[str, Wording],
    created_by: str,
    policy: EffectivePolicy,
) -> str:
    """Have a letter go to everybody who wants news; returns its id. Raises `NewsNotOffered`."""
    if PURPOSE not in policy.purposes:
        raise NewsNotOffered(cure='Add `purposes = ["marketing"]` to the brand\'s file.')
    letter_id = tx.new_id("nws")
    await repository.add(
        tx,
        letter_id=letter_id,
        brand_id=brand_id,
        texts=msgspec.json.encode(texts).decode(),
        created_by=created_by,
    )
    await outbox.put(tx, queue=MAIL, actor=PREPARE, subject_id=letter_id)
    return letter_id


async def get(reader: Reader, brand_id: str, letter_id: str) -> NewsRow:
    """Raises `NotFound`."""
    row = await repository.get(reader, brand_id, letter_id)
    if row is None:
        raise NotFound()
    return row


async def by_id(reader: Reader, letter_id: str) -> NewsRow | None:
    return await repository.by_id(reader, letter_id)


async def prepare(tx: Transaction, outbox: Outbox, letter_id: str, policy: EffectivePolicy) -> bool:
    """Ask for the next batch of letters; whether that was the last. Who says no until theirs goes out gets none."""
    letter = await repository.lock(tx, letter_id)
    if letter is None or letter.prepared_at is not None:
        return True
    found = await accounts.of_brand(
        tx, letter.brand_id, after=letter.upto or "", made_before=letter.created_at, limit=BATCH
    )
    wanted = 0
    for account_id in found:
        if await consent.is_granted(tx, letter.brand_id, account_id, PURPOSE, policy):
            await outbox.put(tx, queue=MAIL, actor=SEND, subject_id=f"{letter_id}.{account_id}")
            wanted += 1
    last = len(found) < BATCH
    await repository.set_upto(tx, letter_id, found[-1] if found else letter.upto, wanted, tx.now if last else None)
    return last


def texts_of(letter: NewsRow) -> dict[str, Wording]:
    return msgspec.json.decode(letter.texts, type=dict[str, Wording])
