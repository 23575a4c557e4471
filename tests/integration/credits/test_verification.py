"""Whatever is done to the ledger's rows behind its back is found."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from statuette.kernel.domain.credits.checks import EQUATION, PAGED
from statuette.kernel.domain.credits.verify import Discrepancy, verify
from statuette.testing import FrozenClock

from .ledger import ALICE, BOB, BRAND, CAROL, Ledger


@pytest.fixture
async def busy(tampered: Ledger, clock: FrozenClock) -> Ledger:
    """A ledger in which everything has happened that can."""
    soon = clock.now() + timedelta(days=1)
    await tampered.grant(20, "welcome")
    await tampered.grant(10, "bought", kind="purchased")
    await tampered.grant(4, "short", expires_at=soon)
    await tampered.grant(9, "bob", account_id=BOB, kind="purchased")
    await tampered.hold("gen_open", 3)
    await tampered.hold("gen_partly", 5)
    await tampered.hold("gen_freed", 2)
    await tampered.hold("gen_free", 0)
    await tampered.capture("gen_partly", 4)
    await tampered.capture("gen_free", 0)
    await tampered.grant(6, "short too", expires_at=soon)
    clock.advance(timedelta(days=1))
    await tampered.expire_due()
    await tampered.release("gen_freed")
    await tampered.adjust(7, "up")
    await tampered.adjust(-8, "down")
    await tampered.grant(9, "carol", account_id=CAROL, kind="purchased")
    await tampered.take_back(12, "refund", account_id=CAROL, of="carol")
    return tampered


async def test_an_untouched_ledger_is_sound(busy: Ledger) -> None:
    assert await busy.verify() == []
    assert await busy.verify(page=10_000) == []


_TRANSFER = "(SELECT id FROM ledger_transfer WHERE transfer_key = '{}')"
_LOT = "(SELECT reference FROM ledger_transfer WHERE transfer_key = '{}')"
_OPEN = "(SELECT id FROM credit_hold WHERE reference = 'gen_open')"
_GRANT, _DOWN = _TRANSFER.format("grant:welcome"), _TRANSFER.format("adjust:down")
_WELCOME_LOT = _LOT.format("grant:welcome")

TAMPERING = {
    "a leg is dropped": (
        f"DELETE FROM ledger_entry WHERE transfer_id = {_GRANT} AND amount > 0",
        {"transfer_legs", "transfer_unbalanced", "transfer_misposted", "wallet_available"},
    ),
    "a leg is changed": (
        f"UPDATE ledger_entry SET amount = amount + 1 WHERE transfer_id = {_GRANT} AND amount < 0",
        {"transfer_unbalanced", "transfer_misposted"},
    ),
    "a third leg of nothing is added": (
        "INSERT INTO ledger_entry (id, brand_id, transfer_id, ledger_account, amount)"
        f" VALUES ('ent_x', 'brd_one', {_GRANT}, 'adjusted', 0)",
        {"transfer_legs"},
    ),
    "a leg goes to another ledger account": (
        f"UPDATE ledger_entry SET ledger_account = 'sink:captured' WHERE transfer_id = {_GRANT} AND amount < 0",
        {"transfer_misposted"},
    ),
    "a leg goes to another wallet": (
        f"UPDATE ledger_entry SET ledger_account = 'wallet:acc_bob' WHERE transfer_id = {_GRANT} AND amount > 0",
        {"transfer_misposted", "wallet_available"},
    ),
    "a leg goes to another brand": (
        f"UPDATE ledger_entry SET brand_id = 'brd_two' WHERE transfer_id = {_GRANT} AND amount < 0",
        {"transfer_misposted"},
    ),
    "entries lose their transfer": (
        "UPDATE ledger_entry SET transfer_id = 'trf_none' WHERE transfer_id = " + _GRANT,
        {"entry_orphan", "transfer_legs", "transfer_misposted"},
    ),
    "a transfer is dropped": (
        "DELETE FROM ledger_transfer WHERE transfer_key = 'grant:welcome'",
        {"entry_orphan", "lot_orphan", "brand_equation"},
    ),
    "a transfer changes its amount": (
        "UPDATE ledger_transfer SET amount = amount + 1 WHERE transfer_key = 'grant:welcome'",
        {"transfer_misposted", "transfer_lot", "brand_equation"},
    ),
    "a transfer changes its kind": (
        "UPDATE ledger_transfer SET kind = 'purchased' WHERE transfer_key = 'grant:welcome'",
        {"transfer_misposted", "transfer_lot", "lot_orphan"},
    ),
    "a transfer gets an unknown kind": (
        "UPDATE ledger_transfer SET kind = 'gift' WHERE transfer_key = 'grant:welcome'",
        {"transfer_misposted", "lot_orphan", "brand_equation"},
    ),
    "a transfer is turned round": (
        "UPDATE ledger_transfer SET amount = -amount WHERE transfer_key = 'hold:gen_open'",
        {"transfer_amount", "transfer_misposted", "hold_held"},
    ),
    "a transfer is of nothing": (
        "UPDATE ledger_transfer SET amount = 0 WHERE transfer_key = 'grant:welcome'",
        {"transfer_amount", "transfer_misposted", "transfer_lot", "brand_equation"},
    ),
    "a transfer is given to another account": (
        "UPDATE ledger_transfer SET account_id = 'acc_bob' WHERE transfer_key = 'capture:gen_partly'",
        {"transfer_misposted", "transfer_hold", "hold_captured"},
    ),
    "an adjustment changes what it took": (
        f"UPDATE credit_hold_lot SET amount = amount + 1 WHERE hold_id = {_DOWN}",
        {"transfer_parts", "lot_remaining"},
    ),
    "a wallet gets richer": (
        "UPDATE wallet SET available = available + 5 WHERE account_id = 'acc_alice'",
        {"wallet_available", "wallet_lots", "brand_equation"},
    ),
    "a debt is forgotten": (
        "UPDATE wallet SET debt = 0 WHERE account_id = 'acc_carol'",
        {"wallet_debt", "brand_equation"},
    ),
    "a repayment took less": (
        "UPDATE credit_hold_lot SET amount = amount - 1 WHERE hold_id IN (SELECT id FROM ledger_transfer WHERE kind = 'repaid')",
        {"transfer_parts", "lot_remaining"},
    ),
    "a wallet holds more": (
        "UPDATE wallet SET held = held + 5 WHERE account_id = 'acc_alice'",
        {"wallet_held", "wallet_holds", "brand_equation"},
    ),
    "what is held becomes available": (
        "UPDATE wallet SET available = available + held, held = 0 WHERE account_id = 'acc_alice'",
        {"wallet_available", "wallet_lots", "wallet_held", "wallet_holds"},
    ),
    "a wallet goes below zero": (
        "UPDATE wallet SET available = -1 WHERE account_id = 'acc_alice'",
        {"wallet_negative", "wallet_available", "wallet_lots", "brand_equation"},
    ),
    "a wallet is dropped": (
        "DELETE FROM wallet WHERE account_id = 'acc_alice'",
        {"wallet_missing", "brand_equation"},
    ),
    "a wallet moves to another brand": (
        "UPDATE wallet SET brand_id = 'brd_two' WHERE account_id = 'acc_bob'",
        {"wallet_missing", "wallet_available", "wallet_lots", "brand_equation"},
    ),
    "a lot is refilled": (
        f"UPDATE credit_lot SET remaining = remaining + 1 WHERE id = {_WELCOME_LOT}",
        {"lot_remaining", "wallet_lots"},
    ),
    "credits move from a lot that ends to one that lasts": (
        "UPDATE credit_lot SET remaining = remaining + CASE kind WHEN 'purchased' THEN 1 ELSE -1 END"
        f" WHERE id IN ({_WELCOME_LOT}, {_LOT.format('grant:bought')})",
        {"lot_remaining"},
    ),
    "a lot goes below zero": (
        f"UPDATE credit_lot SET remaining = -1 WHERE id = {_WELCOME_LOT}",
        {"lot_negative", "lot_remaining", "wallet_lots"},
    ),
    "a lot was larger": (
        f"UPDATE credit_lot SET amount = amount + 1 WHERE id = {_WELCOME_LOT}",
        {"transfer_lot", "lot_remaining"},
    ),
    "a lot is dropped": (
        f"DELETE FROM credit_lot WHERE id = {_LOT.format('grant:bob')}",
        {"transfer_lot", "wallet_lots"},
    ),
    "a lot comes from nowhere": (
        "INSERT INTO credit_lot (id, brand_id, account_id, kind, amount, remaining, created_at)"
        " SELECT 'lot_x', brand_id, account_id, kind, 5, 5, created_at FROM credit_lot WHERE account_id = 'acc_bob'",
        {"lot_orphan", "wallet_lots"},
    ),
    "a hold changes its amount": (
        "UPDATE credit_hold SET amount = amount + 1 WHERE reference = 'gen_open'",
        {"hold_held", "hold_parts", "wallet_holds"},
    ),
    "a hold is closed by hand": (
        "UPDATE credit_hold SET state = 'released', closed_at = created_at WHERE reference = 'gen_open'",
        {"hold_released", "hold_parts", "wallet_holds"},
    ),
    "a hold is opened again": (
        "UPDATE credit_hold SET state = 'open', captured = 0, closed_at = NULL WHERE reference = 'gen_partly'",
        {"hold_captured", "hold_released", "hold_parts", "wallet_holds"},
    ),
    "a hold was captured less": (
        "UPDATE credit_hold SET captured = captured - 1 WHERE reference = 'gen_partly'",
        {"hold_captured", "hold_released", "hold_parts"},
    ),
    "a hold is in no known state": (
        "UPDATE credit_hold SET state = 'lost' WHERE reference = 'gen_freed'",
        {"hold_state"},
    ),
    "a hold is dropped": (
        "DELETE FROM credit_hold WHERE reference = 'gen_open'",
        {"transfer_hold", "part_orphan", "wallet_holds"},
    ),
    "a part of a hold is dropped": (
        f"DELETE FROM credit_hold_lot WHERE hold_id = {_OPEN}",
        {"hold_parts", "lot_remaining"},
    ),
    "a part of a hold is turned round": (
        f"UPDATE credit_hold_lot SET amount = -amount WHERE hold_id = {_OPEN}",
        {"part_amount", "hold_parts", "lot_remaining"},
    ),
    "a part is taken from somebody else's lot": (
        f"UPDATE credit_hold_lot SET lot_id = {_LOT.format('grant:bob')} WHERE hold_id = {_OPEN}",
        {"part_orphan", "lot_remaining"},
    ),
}


class Undone(Exception):
    """Rolls a transaction back."""


async def _found_after(ledger: Ledger, sql: str, *, page: int) -> set[str]:
    found: set[str] = set()
    with contextlib.suppress(Undone):
        async with ledger.database.transaction() as tx:
            await tx.execute(sql)
            found = {item.code for item in await verify(tx, page=page)}
            raise Undone
    return found


async def test_all_tampering_is_found(busy: Ledger) -> None:
    expected = {what: codes for what, (_, codes) in TAMPERING.items()}

    for page in (1, 10_000):
        found = {what: await _found_after(busy, sql, page=page) for what, (sql, _) in TAMPERING.items()}

        assert found == expected
    assert await busy.verify() == []


def test_there_is_tampering_for_every_check() -> None:
    checks = [EQUATION, *(check for _, _, paged in PAGED for check in paged)]

    named = {code for check in checks for code in re.findall(r"'(\w+)' AS code", check)}

    assert named == set().union(*(codes for _, codes in TAMPERING.values()))


async def test_a_discrepancy_says_where_and_how_much(busy: Ledger) -> None:
    alice, bob, carol = await busy.balance(ALICE), await busy.balance(BOB), await busy.balance(CAROL)
    total = alice.available + alice.held + bob.available - carol.debt

    await busy.tamper("UPDATE wallet SET available = available + 5 WHERE account_id = :id", id=BOB)

    found = {item.code: item for item in await busy.verify()}
    assert found["wallet_available"] == Discrepancy("wallet_available", BRAND, BOB, bob.available, bob.available + 5)
    assert found["brand_equation"] == Discrepancy("brand_equation", BRAND, BRAND, total, total + 5)


def _command(database_url: str, as_json: bool) -> subprocess.CompletedProcess[str]:
    script = "import sys; from statuette.kernel.cli.ledger import verify_command"
    return subprocess.run(
        [sys.executable, "-c", f"{script}; sys.exit(verify_command(sys.argv[1], {as_json}))", database_url],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


async def test_the_command_exits_with_zero_only_when_the_ledger_is_sound(busy: Ledger, database_url: str) -> None:
    sound = _command(database_url, as_json=False)
    await busy.tamper("UPDATE wallet SET available = available + 5 WHERE account_id = :id", id=BOB)

    broken, listed = _command(database_url, as_json=False), _command(database_url, as_json=True)

    assert (sound.returncode, sound.stdout) == (0, "The ledger adds up.\n"), sound.stderr
    assert broken.returncode == listed.returncode == 1
    assert "wallet_available" in broken.stdout
    assert msgspec.json.decode(listed.stdout, type=list[Discrepancy]) == await busy.verify()


def test_the_command_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    finished = _command(f"sqlite:///{tmp_path}/none.db", as_json=False)

    assert finished.returncode == 1
    assert "There is no database" in finished.stderr
    assert not (tmp_path / "none.db").exists()
