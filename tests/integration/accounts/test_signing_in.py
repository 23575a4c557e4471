"""Signing in with a mailed code."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from statuette.errors import RateLimited, Unavailable
from statuette.kernel.db.database import Database
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.db.engines import TunedSQLite
from statuette.kernel.db.schema import tables
from statuette.kernel.domain.accounts import codes, service
from statuette.kernel.domain.accounts.address import InvalidEmail
from statuette.kernel.domain.accounts.flow import AccountFlow
from statuette.kernel.domain.accounts.service import AccountLeaving, NewAccount, SigninFailed
from statuette.kernel.egress import Egress
from statuette.kernel.enforcement import deadlines
from statuette.kernel.mail.post import Post
from statuette.policy import EffectivePolicy
from statuette.ports.keys import KeyDestroyed
from statuette.ports.mail import MailRefused, MailUnavailable
from statuette.testing import FrozenClock
from statuette.testing.memory_key_store import MemoryKeyStore
from statuette.testing.outbox_mailer import RecordingMailer

from .signin import BRAND, OTHER_BRAND, Signin, noted, wrong

ADA = "ada@example.org"


async def test_the_first_sign_in_makes_account_wallet_and_deadline(signin: Signin, database: Database) -> None:
    # Given nobody, when a mailed code comes back
    signed_in = await signin.sign_in(ADA)

    # Then account, wallet and an unarmed deadline are there
    assert signed_in.created
    assert signed_in.token.startswith("st_")
    assert signed_in.csrf_token is None
    async with database.read() as reader:
        wallet = await reader.rows("SELECT available, held FROM wallet WHERE account_id = :id", id=signed_in.account_id)
        deadline = await reader.rows(
            "SELECT dataset, rule, due_at FROM deadline WHERE record_id = :id", id=signed_in.account_id
        )
    assert wallet == [{"available": 0, "held": 0}]
    assert deadline == [{"dataset": "accounts", "rule": "account.erase", "due_at": None}]


async def test_the_next_sign_in_finds_the_account_however_the_address_is_written(signin: Signin) -> None:
    first = await signin.sign_in(ADA)
    await signin.ask("  Ada@EXAMPLE.org ")

    second = await signin.answer("ADA@example.ORG", signin.mailed_code(ADA))

    assert not second.created
    assert second.account_id == first.account_id
    assert second.token != first.token


async def test_one_address_has_an_account_of_its_own_with_every_brand(signin: Signin) -> None:
    one = await signin.sign_in(ADA, BRAND)

    other = await signin.sign_in(ADA, OTHER_BRAND)

    assert other.created
    assert other.account_id != one.account_id


async def test_a_code_signs_in_once(signin: Signin) -> None:
    await signin.ask(ADA)
    code = signin.mailed_code(ADA)
    await signin.answer(ADA, code)

    with pytest.raises(SigninFailed):
        await signin.answer(ADA, code)


async def test_a_code_sent_twice_at_once_signs_in_once(signin: Signin) -> None:
    await signin.ask(ADA)
    code = signin.mailed_code(ADA)

    outcomes = await asyncio.gather(*(signin.answer(ADA, code) for _ in range(4)), return_exceptions=True)

    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(failures) == 3
    assert all(isinstance(failure, SigninFailed) for failure in failures)


async def test_a_code_is_good_for_ten_minutes(signin: Signin, clock: FrozenClock) -> None:
    await signin.ask(ADA)
    clock.advance(timedelta(minutes=10))

    with pytest.raises(SigninFailed):
        await signin.answer(ADA, signin.mailed_code(ADA))


async def test_only_the_newest_code_is_good(signin: Signin) -> None:
    await signin.ask(ADA)
    older = signin.mailed_code(ADA)
    await signin.ask(ADA)
    newest = signin.mailed_code(ADA)

    if older != newest:
        with pytest.raises(SigninFailed):
            await signin.answer(ADA, older)
    assert (await signin.answer(ADA, newest)).created


async def test_a_code_of_one_brand_is_nothing_to_another(signin: Signin) -> None:
    await signin.ask(ADA, BRAND)
    await signin.ask(ADA, OTHER_BRAND)
    code_of_other = signin.mailed_code(ADA)

    with pytest.raises(SigninFailed):
        await signin.answer(ADA, wrong(code_of_other), BRAND)
    assert (await signin.answer(ADA, code_of_other, OTHER_BRAND)).created
    with pytest.raises(SigninFailed):
        await signin.answer(ADA, code_of_other, OTHER_BRAND)


@pytest.mark.parametrize("in_parallel", [False, True])
async def test_five_wrong_guesses_end_a_code(signin: Signin, database: Database, in_parallel: bool) -> None:
    # Given a code
    await signin.ask(ADA)
    code = signin.mailed_code(ADA)
    guesses = [f"{(int(code) + 1 + step) % 1_000_000:06d}" for step in range(12)]

    # When somebody guesses
    if in_parallel:
        outcomes = await asyncio.gather(*(signin.answer(ADA, guess) for guess in guesses), return_exceptions=True)
        assert all(isinstance(outcome, SigninFailed) for outcome in outcomes)
    else:
        for guess in guesses[:5]:
            with pytest.raises(SigninFailed):
                await signin.answer(ADA, guess)

    # Then five attempts were spent, and the code itself is no good any more
    async with database.read() as reader:
        assert await reader.value("SELECT attempts_left FROM signin_code") == 0
    with pytest.raises(SigninFailed):
        await signin.answer(ADA, code)


async def test_four_wrong_guesses_leave_one(signin: Signin) -> None:
    await signin.ask(ADA)
    code = signin.mailed_code(ADA)
    for _ in range(4):
        with pytest.raises(SigninFailed):
            await signin.answer(ADA, wrong(code))

    assert (await signin.answer(ADA, f" {code[:3]} {code[3:]} ")).created


async def test_an_address_gets_five_codes_in_a_quarter_of_an_hour(signin: Signin, clock: FrozenClock) -> None:
    for _ in range(5):
        await signin.ask(ADA)
        clock.advance(timedelta(minutes=1))

    with pytest.raises(RateLimited) as refused:
        await signin.ask(ADA)
    await signin.ask("grace@example.org")
    await signin.ask(ADA, OTHER_BRAND)
    clock.advance(timedelta(seconds=refused.value.attributes["retry_after_seconds"]))
    await signin.ask(ADA)

    assert refused.value.attributes["retry_after_seconds"] == 10 * 60


async def test_an_address_gets_twenty_codes_a_day(signin: Signin, clock: FrozenClock) -> None:
    for _ in range(20):
        await signin.ask(ADA)
        clock.advance(timedelta(minutes=16))

    with pytest.raises(RateLimited) as refused:
        await signin.ask(ADA)

    assert refused.value.attributes["retry_after_seconds"] == (24 * 60 - 20 * 16) * 60


async def test_requests_at_once_get_no_more_codes_than_requests_in_a_row(signin: Signin, database: Database) -> None:
    outcomes = await asyncio.gather(*(signin.ask(ADA) for _ in range(9)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes].count(RateLimited) == 4
    async with database.read() as reader:
        assert await reader.value("SELECT COUNT(*) FROM signin_code WHERE used_at IS NULL") == 1


@pytest.mark.parametrize(
    "email", ["ada", "ada@", "@example.org", "a b@example.org", "ada@example", "ada@exa\nmple.org"]
)
async def test_what_is_no_address_is_refused(signin: Signin, email: str) -> None:
    with pytest.raises(InvalidEmail) as refused:
        await signin.ask(email)

    assert email not in str(refused.value)


async def test_while_mail_is_down_the_caller_is_told_and_the_code_is_void(
    signin: Signin, mailer: RecordingMailer, database: Database
) -> None:
    mailer.fail_next(MailUnavailable())

    with pytest.raises(Unavailable) as refused:
        await signin.ask(ADA)

    assert refused.value.retryable
    async with database.read() as reader:
        assert await reader.value("SELECT COUNT(*) FROM signin_code WHERE used_at IS NULL") == 0
    assert (await signin.sign_in(ADA)).created


async def test_refused_addresses_are_told_so_and_never_close_the_mailer_to_others(
    signin: Signin, mailer: RecordingMailer
) -> None:
    for number in range(20):
        mailer.fail_next(MailRefused())
        with pytest.raises(InvalidEmail):
            await signin.ask(f"typo{number}@example.org")

    assert (await signin.sign_in(ADA)).created


async def test_known_and_unknown_addresses_run_the_same_statements(
    signin: Signin, database: Database, cipher: FieldCipher, mailer: RecordingMailer, policy: EffectivePolicy
) -> None:
    # Given an address with an account and one without
    await signin.sign_in(ADA)
    twin, statements = noted(database)
    watched = Signin(AccountFlow(twin, Post(mailer, Egress(database.clock, concurrency=8)), cipher), mailer, policy)

    # When each asks for a code and guesses wrong, and a third guesses without having asked
    seen: list[list[str]] = []
    for email in (ADA, "stranger@example.org"):
        await watched.ask(email)
        seen.append(statements.copy())
        statements.clear()
        with pytest.raises(SigninFailed):
            await watched.answer(email, wrong(watched.mailed_code(email)))
        seen.append(statements.copy())
        statements.clear()
    with pytest.raises(SigninFailed):
        await watched.answer("nobody@example.org", "123456")

    # Then the database saw the same, and the letters differ by their code alone
    assert seen[0] == seen[2]
    assert seen[1] == seen[3] == statements
    assert seen[0]
    assert not any(" account" in statement for asked in seen for statement in asked)
    letters = [mailer.sent_to(email)[-1] for email in (ADA, "stranger@example.org")]
    texts = {letter.text.replace(watched.mailed_code(letter.recipient), "code") for letter in letters}
    assert len(texts) == 1


async def test_two_first_sign_ins_at_once_make_one_account(
    database: Database, cipher: FieldCipher, policy: EffectivePolicy, clock: FrozenClock
) -> None:
    # Given two spendable codes of one address, which only a fault could leave behind
    index = cipher.blind_index(BRAND, ADA)
    async with database.transaction() as tx:
        for code_id in ("sic_1", "sic_2"):
            await codes.add(
                tx,
                code_id=code_id,
                brand_id=BRAND,
                email_index=index,
                code_hash="0" * 64,
                attempts=5,
                expires_at=clock.now() + timedelta(minutes=10),
            )

    # When both make a newcomer of it
    async def enter(number: int) -> tuple[str, bool]:
        async with database.transaction() as tx:
            return await service.enter(
                tx,
                brand_id=BRAND,
                email_index=index,
                code_id=f"sic_{number}",
                newcomer=NewAccount(f"acc_{number}", b"sealed", "en"),
                policy=policy,
            )

    (one, one_made), (other, other_made) = await asyncio.gather(enter(1), enter(2))

    # Then there is one account, and one of them made it
    assert one == other
    assert {one_made, other_made} == {True, False}
    async with database.read() as reader:
        assert await reader.value("SELECT COUNT(*) FROM account") == 1
        assert await reader.value("SELECT COUNT(*) FROM wallet") == 1


class _OvertakenKeyStore(MemoryKeyStore):
    """While the first key is being made, a newer code is asked for."""

    overtake: Signin | None = None
    made: str = ""

    async def create(self, subject: str) -> bytes:
        key = await super().create(subject)
        if self.overtake is not None:
            signin, self.overtake = self.overtake, None
            self.made = subject
            await signin.ask(ADA)
        return key


async def test_the_key_of_an_account_that_was_never_born_is_destroyed(
    database: Database, mailer: RecordingMailer, policy: EffectivePolicy, clock: FrozenClock
) -> None:
    key_store = _OvertakenKeyStore()
    flow = AccountFlow(database, Post(mailer, Egress(clock, concurrency=8)), FieldCipher(key_store, bytes(32), clock))
    signin = Signin(flow, mailer, policy)
    await signin.ask(ADA)
    key_store.overtake = signin

    with pytest.raises(SigninFailed):
        await signin.answer(ADA, signin.mailed_code(ADA))

    with pytest.raises(KeyDestroyed):
        await key_store.create(key_store.made)


async def test_an_account_past_its_erasure_is_gone_and_its_address_waits(
    signin: Signin, database: Database, clock: FrozenClock
) -> None:
    # Given an account whose erasure is due and late
    signed_in = await signin.sign_in(ADA)
    async with database.transaction() as tx:
        assert await deadlines.arm(tx, signed_in.account_id, "account.erase", tx.now + timedelta(days=7))
    clock.advance(timedelta(days=7))

    # When its owner signs in
    with pytest.raises(AccountLeaving) as refused:
        await signin.sign_in(ADA)

    # Then they are asked to come back, and the session they had is over
    assert refused.value.retryable
    async with database.read() as reader:
        assert await service.session_by_token(reader, BRAND, signed_in.token) is None


async def test_neither_address_nor_code_nor_token_is_stored_readably(signin: Signin, database: Database) -> None:
    # Given a canary that signed in
    canary = "canary.6c1f9e@example.org"
    await signin.ask(canary)
    code = signin.mailed_code(canary)
    signed_in = await signin.answer(canary, code, cookie=True)

    # When everything that is stored is read
    stored = await _everything_stored(database)

    # Then ids are found and nothing else
    assert signed_in.account_id.encode() in stored
    assert signed_in.csrf_token is not None
    for secret in (canary, "canary.6c1f9e", signed_in.token, signed_in.csrf_token):
        assert secret.encode() not in stored
        assert secret.encode().hex().encode() not in stored
    async with database.read() as reader:
        assert len(code) == 6
        hashes = await reader.rows("SELECT code_hash FROM signin_code")
    assert all(code not in row["code_hash"][:6] for row in hashes)


async def _everything_stored(database: Database) -> bytes:
    engine = database.engine
    if isinstance(engine, TunedSQLite):
        assert await engine.truncate_log()
        return engine._path.read_bytes()
    rows: list[str] = []
    async with database.read() as reader:
        for table in tables():
            name = table._meta.tablename
            rows += [row["content"] for row in await reader.rows(f'SELECT t::text AS content FROM "{name}" t')]
    return "\n".join(rows).encode()


async def test_nothing_of_a_sign_in_reaches_a_log(
    signin: Signin, mailer: RecordingMailer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        signed_in = await signin.sign_in(ADA)
        mailer.fail_next(MailUnavailable())
        with pytest.raises(Unavailable):
            await signin.ask(ADA)
        logging.getLogger("statuette").info("%r %r", signed_in, mailer.sent)

    assert signed_in.account_id in caplog.text
    for secret in (ADA, signin.mailed_code(ADA), signed_in.token):
        assert secret not in caplog.text


async def test_letters_speak_the_language_asked_for(signin: Signin, mailer: RecordingMailer) -> None:
    await signin.ask(ADA, locale="de-AT")
    await signin.ask(ADA, locale="xx")

    german, fallback = mailer.sent_to(ADA)
    assert german.subject == "Dein Anmeldecode für Little People"
    assert fallback.subject == "Your sign-in code for Little People"
    assert signin.mailed_code(ADA) not in fallback.subject


async def test_a_sign_in_lasts_as_long_as_the_setting_and_never_longer_than_the_rule(
    database: Database, cipher: FieldCipher, mailer: RecordingMailer, policy: EffectivePolicy, clock: FrozenClock
) -> None:
    lasted = {}
    for days in (2, 400):
        flow = AccountFlow(database, Post(mailer, Egress(clock, concurrency=8)), cipher, session_days=days)
        lasted[days] = (await Signin(flow, mailer, policy).sign_in(ADA)).expires_at - clock.now()

    assert lasted == {2: timedelta(days=2), 400: policy.rule("session.keep").due(clock.now()) - clock.now()}
