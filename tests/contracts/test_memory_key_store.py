"""The fake keeps the contract it stands in for."""

from __future__ import annotations

import pytest

from statuette.ports.keys import KeyStore, KeyStoreUnavailable
from statuette.testing.keys_suite import KeyStoreSuite
from statuette.testing.memory_key_store import MemoryKeyStore


class TestMemoryKeyStore(KeyStoreSuite):
    @pytest.fixture
    def key_store(self) -> KeyStore:
        return MemoryKeyStore()

    async def add_master_key(self, key_store: KeyStore) -> None:
        assert isinstance(key_store, MemoryKeyStore)
        key_store.master_key_version += 1

    async def test_a_fault_is_raised_once_and_has_no_effect(self, subject: str) -> None:
        store = MemoryKeyStore()
        data_key = await store.create(subject)
        store.fail_next(KeyStoreUnavailable())

        with pytest.raises(KeyStoreUnavailable):
            await store.destroy(subject)

        assert await store.use(subject) == data_key
