"""What every key store must do. Subclass, override the fixtures, and pytest runs it over yours."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from statuette.ports.keys import REWRAP_PARTS, KeyDestroyed, KeyStore


class KeyStoreSuite:
    """Conformance of a `KeyStore`.

    Override `key_store` with a store that nothing else uses. Stores that outlive their process override `reopened`, and
    those with master keys `new_master_key`.

        class TestMyKeys(KeyStoreSuite):
            @pytest.fixture
            def key_store(self, tmp_path):
                return MyKeyStore(tmp_path)
    """

    pytestmark = pytest.mark.asyncio

    @pytest.fixture
    def key_store(self) -> KeyStore:
        raise NotImplementedError("override the fixture `key_store`")

    @pytest.fixture
    def reopened(self, key_store: KeyStore) -> KeyStore:
        """The same keys through a second store object, as after a restart."""
        return key_store

    @pytest.fixture
    def subject(self) -> str:
        return f"acc_{secrets.token_hex(13)}"

    async def add_master_key(self, key_store: KeyStore) -> None:
        """Rotate: from now on there is a newer master key. Override unless the store has none."""

    async def test_a_new_key_has_32_bytes_and_is_found_again(self, key_store: KeyStore, subject: str) -> None:
        data_key = await key_store.create(subject)

        assert isinstance(data_key, bytes) and len(data_key) == 32
        assert await key_store.use(subject) == data_key

    async def test_creating_again_returns_the_same_key(self, key_store: KeyStore, subject: str) -> None:
        data_key = await key_store.create(subject)

        assert await key_store.create(subject) == data_key

    async def test_no_two_subjects_share_a_key(self, key_store: KeyStore, subject: str) -> None:
        keys = [await key_store.create(f"{subject}{number}") for number in range(20)]

        assert len(set(keys)) == 20

    async def test_creating_at_the_same_time_yields_one_key(self, key_store: KeyStore, subject: str) -> None:
        keys = await asyncio.gather(*(key_store.create(subject) for _ in range(12)))

        assert set(keys) == {await key_store.use(subject)}

    async def test_an_unknown_subject_has_no_key(self, key_store: KeyStore, subject: str) -> None:
        with pytest.raises(KeyDestroyed):
            await key_store.use(subject)

    async def test_asking_for_an_unknown_key_does_not_prevent_creating_it(
        self, key_store: KeyStore, subject: str
    ) -> None:
        with pytest.raises(KeyDestroyed):
            await key_store.use(subject)

        assert len(await key_store.create(subject)) == 32

    async def test_a_key_outlives_the_store_object(self, key_store: KeyStore, reopened: KeyStore, subject: str) -> None:
        data_key = await key_store.create(subject)

        assert await reopened.use(subject) == data_key

    async def test_a_destroyed_key_is_gone_and_none_is_made_again(
        self, key_store: KeyStore, reopened: KeyStore, subject: str
    ) -> None:
        await key_store.create(subject)

        await key_store.destroy(subject)

        for store in (key_store, reopened):
            with pytest.raises(KeyDestroyed):
                await store.use(subject)
            with pytest.raises(KeyDestroyed):
                await store.create(subject)

    async def test_destroying_twice_is_destroying_once(self, key_store: KeyStore, subject: str) -> None:
        await key_store.create(subject)

        await key_store.destroy(subject)
        await key_store.destroy(subject)

        with pytest.raises(KeyDestroyed):
            await key_store.use(subject)

    async def test_destroying_an_unknown_subject_is_fine(self, key_store: KeyStore, subject: str) -> None:
        await key_store.destroy(subject)

        with pytest.raises(KeyDestroyed):
            await key_store.use(subject)

    async def test_destroying_leaves_other_subjects_alone(self, key_store: KeyStore, subject: str) -> None:
        kept = await key_store.create(f"{subject}1")
        await key_store.create(f"{subject}2")

        await key_store.destroy(f"{subject}2")

        assert await key_store.use(f"{subject}1") == kept

    async def test_destroying_while_others_create_leaves_no_key(self, key_store: KeyStore, subject: str) -> None:
        await asyncio.gather(
            *(key_store.create(subject) for _ in range(4)),
            key_store.destroy(subject),
            *(key_store.create(subject) for _ in range(4)),
            return_exceptions=True,
        )

        with pytest.raises(KeyDestroyed):
            await key_store.use(subject)

    async def test_rewrapping_keeps_every_key_and_is_done_once(self, key_store: KeyStore, subject: str) -> None:
        keys = {f"{subject}{number}": await key_store.create(f"{subject}{number}") for number in range(8)}
        await key_store.rewrap_all()
        await self.add_master_key(key_store)

        await key_store.rewrap_all()

        assert await key_store.rewrap_all() == 0
        assert {name: await key_store.use(name) for name in keys} == keys

    async def test_parts_together_are_all_keys(self, key_store: KeyStore, subject: str) -> None:
        keys = {f"{subject}{number}": await key_store.create(f"{subject}{number}") for number in range(8)}
        await key_store.rewrap_all()
        await self.add_master_key(key_store)

        changed = [await key_store.rewrap_part(part) for part in range(REWRAP_PARTS)]

        assert await key_store.rewrap_all() == 0
        assert sum(changed) in (0, 8)  # a store without master keys has nothing to change
        assert {name: await key_store.use(name) for name in keys} == keys

    async def test_rewrapping_brings_no_destroyed_key_back(self, key_store: KeyStore, subject: str) -> None:
        await key_store.create(subject)
        await key_store.destroy(subject)
        await self.add_master_key(key_store)

        await key_store.rewrap_all()

        with pytest.raises(KeyDestroyed):
            await key_store.use(subject)

    async def test_keys_can_be_used_while_they_are_rewrapped(self, key_store: KeyStore, subject: str) -> None:
        keys = {f"{subject}{number}": await key_store.create(f"{subject}{number}") for number in range(8)}
        await self.add_master_key(key_store)

        _, *seen = await asyncio.gather(
            key_store.rewrap_all(), *(key_store.use(name) for _ in range(5) for name in keys)
        )

        assert seen == [keys[name] for _ in range(5) for name in keys]

    async def test_a_check_passes_and_changes_nothing(self, key_store: KeyStore, subject: str) -> None:
        data_key = await key_store.create(subject)

        await key_store.check()

        assert await key_store.use(subject) == data_key
        assert await key_store.rewrap_all() == 0

    async def test_closing_twice_is_fine(self, key_store: KeyStore) -> None:
        await key_store.aclose()
        await key_store.aclose()
