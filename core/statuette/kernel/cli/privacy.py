"""`statuette privacy`: what people ask for by right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from statuette.kernel.db.database import Database
    from statuette.kernel.domain.rights.schemas import OperatorRequest
    from statuette.kernel.domain.rights.service import Answers

_BY = click.option("--by", default="command", show_default=True, help="Who answers; on record.")
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
_REASON = click.option("--reason", required=True, help="A code such as manifestly_unfounded; shown to the person.")


@click.group("privacy")
def command() -> None:
    """Answer what people ask for by right."""


@command.group("requests")
def requests() -> None:
    """Privacy requests of a brand: access, portability, correction, erasure, withdrawal, restriction, objection."""


@requests.command("list")
@click.argument("brand")
@click.option("--all", "closed", is_flag=True, help="Also those that are over.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Most rows.")
@_JSON
def list_requests(brand: str, closed: bool, limit: int, as_json: bool) -> None:
    """List requests, newest first. Exit code 1 when one is overdue."""
    from statuette.kernel.domain.rights import operating

    async def read(database: Database, brand_id: str, _: Answers) -> list[OperatorRequest]:
        return await operating.listed(database, brand_id, include_closed=closed, before=None, limit=limit)

    rows: list[OperatorRequest] = asyncio.run(_with_brand(brand, read))
    if as_json:
        _print_json(rows)
    elif not rows:
        click.echo("Nobody waits for an answer.")
    else:
        for row in rows:
            late = "OVERDUE" if row.overdue else ""
            click.echo(
                f"{row.id}  {row.kind:12} {row.state:10} asked {row.asked_at:%Y-%m-%d}  due {row.due_at:%Y-%m-%d}  {late}".rstrip()
            )
    if any(row.overdue for row in rows):
        raise SystemExit(1)


@requests.command("show")
@click.argument("brand")
@click.argument("request_id")
@_JSON
def show(brand: str, request_id: str, as_json: bool) -> None:
    """Show one request with every step; without what the person wrote."""
    from statuette.kernel.domain.rights import operating

    async def read(database: Database, brand_id: str, _: Answers) -> OperatorRequest:
        return await operating.shown(database, brand_id, request_id)

    _print(asyncio.run(_with_brand(brand, read)), as_json)


@requests.command("complete")
@click.argument("brand")
@click.argument("request_id")
@_BY
@_JSON
def complete(brand: str, request_id: str, by: str, as_json: bool) -> None:
    """Say that what was asked for is done. The person gets a letter."""
    from statuette.kernel.domain.rights import operating

    async def answer(database: Database, brand_id: str, answers: Answers) -> OperatorRequest:
        return await operating.completed(database, answers, brand_id, request_id, actor=by)

    _print(asyncio.run(_with_brand(brand, answer)), as_json)


@requests.command("refuse")
@click.argument("brand")
@click.argument("request_id")
@_REASON
@_BY
@_JSON
def refuse(brand: str, request_id: str, reason: str, by: str, as_json: bool) -> None:
    """Say no, and why. The person gets a letter that also says where to complain."""
    from statuette.kernel.domain.rights import operating

    async def answer(database: Database, brand_id: str, answers: Answers) -> OperatorRequest:
        return await operating.refused(
            database, answers, brand_id, request_id, actor=by, reason=operating.checked_reason(reason)
        )

    _print(asyncio.run(_with_brand(brand, answer)), as_json)


@requests.command("extend")
@click.argument("brand")
@click.argument("request_id")
@click.option("--days", required=True, type=click.IntRange(1, 60), help="How many more.")
@_REASON
@_BY
@_JSON
def extend(brand: str, request_id: str, days: int, reason: str, by: str, as_json: bool) -> None:
    """Take more time: once, and before it is over. The person gets a letter."""
    from statuette.kernel.domain.rights import operating

    async def answer(database: Database, brand_id: str, answers: Answers) -> OperatorRequest:
        return await operating.extended(
            database, answers, brand_id, request_id, actor=by, reason=operating.checked_reason(reason), days=days
        )

    _print(asyncio.run(_with_brand(brand, answer)), as_json)


def _print(request: OperatorRequest, as_json: bool) -> None:
    if as_json:
        _print_json(request)
        return
    click.echo(f"{request.id}  {request.kind}  {request.state}{'  OVERDUE' if request.overdue else ''}")
    click.echo(f"  account   {request.account_id}")
    click.echo(f"  asked     {request.asked_at:%Y-%m-%d %H:%M}Z, due {request.due_at:%Y-%m-%d %H:%M}Z")
    if request.purpose is not None:
        click.echo(f"  purpose   {request.purpose}")
    if request.effective_at is not None:
        click.echo(f"  happens   {request.effective_at:%Y-%m-%d %H:%M}Z")
    if request.has_statement:
        click.echo("  wrote     something; read it over HTTP with a reason: POST …/reveal")
    for step in request.steps or ():
        click.echo(f"  {step.at:%Y-%m-%d %H:%M}Z  {step.action}  by {step.actor}  {step.reason or ''}".rstrip())


def _print_json(shown: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(shown)).decode())


async def _with_brand(slug: str, work: Callable[[Database, str, Answers], Awaitable[Any]]) -> Any:
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.domain.brands.service import brand_id_of
    from statuette.kernel.domain.rights.service import Answers
    from statuette.kernel.settings_loading import load_settings
    from statuette.kernel.work.outbox import Outbox

    async with opened_database(load_settings()) as database:
        async with database.read() as reader:
            brand_id = await brand_id_of(reader, slug)
        return await work(database, brand_id, Answers(Outbox(database, "command")))
