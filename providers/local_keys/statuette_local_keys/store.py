"""The key store: the folder of keys, off the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from statuette.ports.keys import REWRAP_PARTS, KeyStore, KeyStoreUnavailable
from statuette_local_keys.vault import Vault


class LocalKeyStore(KeyStore):
    """Data keys in a local folder, which several processes may share. A network folder must support `flock`."""

    name = "local_keys"

    def __init__(self, vault: Vault, *, off_host: bool = False) -> None:
        self._vault = vault
        self.off_host = off_host

    async def create(self, subject: str) -> bytes:
        return await asyncio.to_thread(self._vault.create, subject)

    async def use(self, subject: str) -> bytes:
        return await asyncio.to_thread(self._vault.use, subject)

    async def destroy(self, subject: str) -> None:
        await asyncio.to_thread(self._vault.destroy, subject)

    async def rewrap_all(self) -> int:
        changed = 0
        first_failure: KeyStoreUnavailable | None = None
        for part in range(REWRAP_PARTS):
            try:
                changed += await self.rewrap_part(part)
            except KeyStoreUnavailable as failure:
                first_failure = first_failure or failure
        if first_failure is not None:
            raise first_failure
        return changed

    async def rewrap_part(self, part: int) -> int:
        return await asyncio.to_thread(self._vault.rewrap, f"{part:02x}")

    async def add_master_key(self) -> str:
        return await asyncio.to_thread(self._vault.add_master_key)

    async def back_up(self, folder: Path) -> int:
        return await asyncio.to_thread(self._vault.back_up, folder)

    async def put_back(self, folder: Path) -> int:
        return await asyncio.to_thread(self._vault.put_back, folder)
