"""People who do whatever comes into their heads, one thing after the other, until they are told that it is over."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import reduce
from operator import add

from tests.chaos.deployment import Deployment
from tests.chaos.person import Person
from tests.chaos.promises import Promises

_WANTED = (
    ["upload"] * 2 + ["order"] * 6 + ["redo", "cancel", "save", "delete_photo", "delete_figurine", "change_of_mind"]
)
_LONGEST_PAUSE_SECONDS = 0.1


class Crowd:
    """Some people of a site.

    Args:
        choices: what they do follows from it, and from what the site answers.
        ordered: called as somebody is about to order.
    """

    def __init__(self, deployment: Deployment, people: int, choices: random.Random) -> None:
        self.ordered: Callable[[], None] = lambda: None
        self._people = [
            (Person(deployment, f"person{number}"), random.Random(choices.random())) for number in range(people)
        ]

    @property
    def promises(self) -> Promises:
        """Everybody's."""
        return reduce(add, (person.promises for person, _ in self._people), Promises())

    @property
    def jobs(self) -> int:
        """How many were ordered so far."""
        return sum(len(person.promises.jobs) for person, _ in self._people)

    async def arrive(self, operator_key: str) -> None:
        await asyncio.gather(*(person.arrive(operator_key) for person, _ in self._people))

    async def act_until(self, over: asyncio.Event) -> None:
        try:
            await asyncio.gather(*(self._act_until(over, person, dice) for person, dice in self._people))
        finally:
            await asyncio.gather(*(person.http.aclose() for person, _ in self._people))

    async def _act_until(self, over: asyncio.Event, person: Person, dice: random.Random) -> None:
        while not over.is_set():
            await self._act(person, dice)
            await asyncio.sleep(dice.uniform(0, _LONGEST_PAUSE_SECONDS))

    async def _act(self, person: Person, dice: random.Random) -> None:
        match dice.choice(_WANTED):
            case "redo" if person.jobs:
                self.ordered()
                await person.try_order(parent=dice.choice(person.jobs))
            case "cancel" if person.jobs:
                await person.cancel(person.jobs[-1])
            case "save" if person.photos:
                await person.save(dice.choice(person.photos))
            case "delete_photo" if len(person.photos) > 2:
                await person.delete_photo(dice.choice(person.photos))
            case "delete_figurine" if person.jobs:
                job = await person.job(dice.choice(person.jobs))
                if job.get("final") and job["figurines"]:
                    await person.delete_figurine(job["figurines"][0]["id"])
            case "change_of_mind" if len(person.jobs) % 5 == 4:
                await person.withdraw()
                await person.agree()
            case "order" if person.photos:
                self.ordered()
                await person.try_order(
                    inputs=[{"upload_id": dice.choice(person.photos)}],
                    style=dice.choice(["chibi", "bust"]),
                    count=dice.choice([1, 1, 2]),
                )
            case "upload":
                await person.try_upload(dice.randrange(1000))
