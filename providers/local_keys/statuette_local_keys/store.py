"""The key store: the folder of keys, off the event loop."""

from __future__ import annotations

import asyncio

from statuette.ports.keys import KeyStore, KeyStoreUnavailable
from statuette_local_keys.vault import Vault


class LocalKeyStore(KeyStore):
    """Data keys in a local folder, which several processes may share. A network folder must support `flock`."""

    name = "local_keys"

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def create(self, subject: str) -> bytes:
        return await asyncio.to_thread(self._vault.create, subject)

    async def use(self, subject: str) -> bytes:
        return await asyncio.to_thread(self._vault.use, subject)

    async def destroy(self, subject: str) -> None:
        await asyncio.to_thread(self._vault.destroy, subject)

    async def rewrap_all(self) -> int:
        changed = 0
        first_failure: KeyStoreUnavailable | None = None
        for shard in await asyncio.to_thread(self._vault.shards):
            try:
                changed += await asyncio.to_thread(self._vault.rewrap, shard)
            except KeyStoreUnavailable as failure:
                first_failure = first_failure or failure
        if first_failure is not None:
            raise first_failure
        return changed
