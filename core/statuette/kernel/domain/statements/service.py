"""The rules of statements: made once, on record with the words shown, and asked for again when these have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from statuette.errors import Conflict, NotFound, StatuetteError
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.statements.words import Statement, Wording, chosen, worded, wordings
from statuette.policy.enforcers import enforces


class StatementsMissing(StatuetteError):
    """The brand asks for statements that this person has not made in the words in force. Final until they make them.

    Attribute `statements`: id, text and digest of each.
    """

    code = "statements_missing"
    summary = "This site asks you to state something first."


class StatementOutdated(Conflict):
    """Other words are in force than those that the person was shown. Final: show the new ones.

    Attributes `statement`, `text`, `digest`.
    """

    code = "statement_outdated"
    summary = "What you stated has been worded anew."


class Made(msgspec.Struct, frozen=True):
    """A statement as a person stands to it: the words in force, and when they last made it, in whatever words."""

    wording: Wording
    in_force: bool
    made_at: datetime | None


def outdated(statement: Statement, locale: str) -> StatementOutdated:
    now = worded(statement, locale)
    return StatementOutdated(statement=statement.id, text=now.text, digest=now.digest)


async def made(
    reader: Reader, brand_id: str, account_id: str, asked: Sequence[Statement], locale: str
) -> dict[str, Made]:
    """How the person stands to each statement asked for."""
    known = await consent.current(reader, brand_id, account_id) if asked else {}
    found = {}
    for statement in asked:
        state = known.get(purpose_of(statement.id))
        holds = state is not None and state.statement_digest in wordings(statement)
        found[statement.id] = Made(worded(statement, locale), holds, state.decided_at if state is not None else None)
    return found


@enforces("minor.account")
async def require(reader: Reader, brand_id: str, account_id: str, asked: Sequence[Statement]) -> None:
    """Raise `StatementsMissing` unless the person has made every one of them in words in force. Free where none is asked."""
    _refuse(
        [each.wording for each in (await made(reader, brand_id, account_id, asked, "en")).values() if not each.in_force]
    )


@enforces("minor.account")
def refuse_silence(asked: Sequence[Statement], said: Mapping[str, str | None], locale: str) -> None:
    """For somebody who is about to have an account. Raises `StatementsMissing`."""
    _refuse([worded(statement, locale) for statement in asked if statement.id not in said])


async def make(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    asked: Sequence[Statement],
    said: Mapping[str, str | None],
    policy_digest: str,
    locale: str,
    surface: str,
) -> None:
    """Put on record what the person states, with the words they were shown; what is on record already stays as it is.

    Args:
        said: digest of the words shown, or None for those in force in their language, by statement.

    Raises:
        NotFound: the brand asks for no such statement. StatementOutdated.
    """
    by_id = {statement.id: statement for statement in asked}
    if unknown := set(said) - set(by_id):
        raise NotFound(f"This site asks for no statement {min(unknown)[:40]!r}.")
    before = await made(tx, brand_id, account_id, asked, locale)
    for name in sorted(said):
        shown = chosen(by_id[name], said[name], locale)
        if shown is None:
            raise outdated(by_id[name], locale)
        if before[name].in_force:
            continue
        await consent.keep_text(tx, digest=shown.digest, purpose=purpose_of(name), locale=shown.locale, body=shown.text)
        await consent.record(
            tx,
            brand_id,
            account_id,
            purpose_of(name),
            True,
            shown.digest,
            policy_digest,
            shown.locale,
            surface,
            "explicit",
        )


async def keep(tx: Transaction, shown: Wording) -> None:
    """Keep the words of a statement that is on record elsewhere, as a photo's is."""
    await consent.keep_text(
        tx, digest=shown.digest, purpose=purpose_of(shown.statement), locale=shown.locale, body=shown.text
    )


def purpose_of(statement_id: str) -> str:
    """What a consent record calls it."""
    return f"statement.{statement_id}"


def _refuse(missing: Sequence[Wording]) -> None:
    if missing:
        raise StatementsMissing(
            statements=[{"id": each.statement, "text": each.text, "digest": each.digest} for each in missing],
            cure="Show each text; send what the person states with POST /v1/signin, or to PUT /v1/account/statements/{id}.",
        )
