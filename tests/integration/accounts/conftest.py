"""A platform's sign-in, with real databases and a mailer that keeps what it sends."""

from __future__ import annotations

import pytest

from statuette.kernel.db.database import Database
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts.flow import AccountFlow
from statuette.kernel.egress import Egress
from statuette.kernel.mail.post import Post
from statuette.policy import EffectivePolicy, compile_policy
from statuette.testing import FrozenClock
from statuette.testing.memory_key_store import MemoryKeyStore
from statuette.testing.outbox_mailer import RecordingMailer
from statuette_policies import BASELINE

from .signin import Signin

INDEX_KEY = bytes(range(32))


@pytest.fixture
def policy() -> EffectivePolicy:
    return compile_policy([BASELINE])


@pytest.fixture
def key_store() -> MemoryKeyStore:
    return MemoryKeyStore()


@pytest.fixture
def mailer() -> RecordingMailer:
    return RecordingMailer()


@pytest.fixture
def cipher(key_store: MemoryKeyStore, clock: FrozenClock) -> FieldCipher:
    return FieldCipher(key_store, INDEX_KEY, clock)


@pytest.fixture
def flow(database: Database, cipher: FieldCipher, mailer: RecordingMailer, clock: FrozenClock) -> AccountFlow:
    return AccountFlow(database, Post(mailer, Egress(clock, concurrency=8)), cipher)


@pytest.fixture
def signin(flow: AccountFlow, mailer: RecordingMailer, policy: EffectivePolicy) -> Signin:
    return Signin(flow, mailer, policy)
