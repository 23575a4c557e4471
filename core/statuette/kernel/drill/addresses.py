"""What answers: addresses of pictures that somebody may have kept, and the data key that opens what is encrypted."""

from __future__ import annotations

from collections import Counter

from statuette.kernel.drill.asking import Browser
from statuette.kernel.drill.needles import Kind, Needle
from statuette.kernel.drill.places import Found, Place, Seen
from statuette.kernel.drill.search import Search
from statuette.ports.keys import KeyDestroyed, KeyStore

PICTURE = "a picture's address"
KEY = "the account's data key"


class Addresses(Place):
    """Signed addresses of pictures, asked for again as whoever kept them would."""

    name = "addresses of pictures"
    unit = "addresses"

    def __init__(self, browser: Browser, paths: tuple[str, ...]) -> None:
        self._browser = browser
        self._paths = paths

    async def searched(self, search: Search) -> Seen:
        found: Counter[Found] = Counter()
        size = 0
        for path in self._paths:
            answer = await self._browser.ask("GET", path, headers={"authorization": ""})
            if answer.status == 200:
                found[Found("over HTTP", Needle(PICTURE, Kind.bytes, b""), "answered")] += 1
                size += len(answer.body)
        return Seen(len(self._paths), size, found)


class DataKey(Place):
    """The store of data keys, asked for the account's."""

    name = "data keys"
    unit = "keys"

    def __init__(self, keys: KeyStore, account_id: str) -> None:
        self._keys = keys
        self._account_id = account_id

    async def searched(self, search: Search) -> Seen:
        try:
            await self._keys.use(self._account_id)
        except KeyDestroyed:
            return Seen(1, 0, Counter())
        return Seen(1, 32, Counter({Found(self._keys.name, Needle(KEY, Kind.bytes, b""), "usable"): 1}))
