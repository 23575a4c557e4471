"""What is read to improve models: of those who agree while it is read, and of nobody else anything at all."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from statuette.kernel.cli.usage import write
from statuette.kernel.db.database import Reader
from statuette.kernel.domain.usage import improvement
from statuette.kernel.domain.usage.improvement import Example, Export
from statuette.kernel.permit import PermitRefused
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

_ABOUT_PEOPLE = re.compile(r"\b(FROM|JOIN) (usage_event|figurine|generation|upload)\b")


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand(more='purposes = ["improvement"]')
        yield site


@pytest.fixture
def reads(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every read of what is people's, of the database and of the store, from now on."""
    seen: list[str] = []
    rows, stream = Reader.rows, site.platform.plugins.storage.stream

    async def reading(self: Reader, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        if type(self) is Reader and _ABOUT_PEOPLE.search(sql):
            seen.append(sql)
        return await rows(self, sql, **parameters)

    def streaming(key: str) -> Any:
        seen.append(key)
        return stream(key)

    monkeypatch.setattr(Reader, "rows", reading)
    monkeypatch.setattr(site.platform.plugins.storage, "stream", streaming)
    return seen


async def with_figurines(site: Site, many: int) -> Visitor:
    person = await site.person()
    upload = (await person.upload())["id"]
    job = await person.finished((await person.order(upload, count=many))["id"])
    rating = f"/v1/figurines/{job['figurines'][0]['id']}/rating"
    assert (await person.http.put(rating, json={"stars": 4})).status_code == 200
    await site.settled()
    return person


async def says(person: Visitor, granted: bool) -> None:
    said = await person.http.put("/v1/account/consents/improvement", json={"granted": granted})
    assert said.status_code == 200, said.text


def export(site: Site, *, pictures: bool = True) -> Export:
    (brand,) = site.platform.brands.loaded()
    return Export(site.platform.database, brand, site.platform.plugins.storage if pictures else None)


async def all_of(examples: AsyncIterator[Example]) -> list[Example]:
    return [example async for example in examples]


@pytest.mark.rule("purpose.improvement")
async def test_nothing_is_read_of_anybody_who_has_not_agreed_or_has_taken_it_back(site: Site, reads: list[str]) -> None:
    # Given somebody who was never asked, somebody who said yes and then no, and somebody who stopped every use
    await with_figurines(site, 1)
    changed, stopped = await with_figurines(site, 1), await with_figurines(site, 1)
    await says(changed, True)
    await says(changed, False)
    await says(stopped, True)
    assert (await stopped.http.post("/v1/account/requests", json={"kind": "restriction"})).status_code == 201
    await site.settled()
    reads.clear()

    # When an export is made, then nothing of theirs is read, from the database or from the store
    assert await all_of(export(site).examples()) == []
    assert reads == []

    # And where nobody is even asked, there is no export
    await site.apply_brand()
    with pytest.raises(PermitRefused):
        await all_of(export(site).examples())
    assert reads == []


@pytest.mark.rule("purpose.improvement")
async def test_who_agrees_is_read_without_a_name_until_they_take_it_back_in_the_middle(
    site: Site, reads: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given two who agree, each with more pictures than are read at once
    monkeypatch.setattr(improvement, "BATCH", 1)
    ada, ben = await with_figurines(site, 3), await with_figurines(site, 2)
    for person in (ada, ben):
        await says(person, True)

    # When all of it is written, with pictures
    assert await write(export(site).examples(), tmp_path) == 5

    # Then each figurine is there with its style and its stars, and whose it is is a number
    told = capsys.readouterr().out
    assert _pictures(tmp_path) == 5 and told.count('"style":"chibi"') == 5
    assert told.count('"stars":4') == 2
    assert not re.search(r"acc_|fig_|gen_|@", told)

    # When one of them takes it back while their pictures are being read
    reads.clear()
    read: list[Example] = []
    async for example in export(site).examples():
        read.append(example)
        if len(read) == 1:
            await says(ada, False)
            reads.clear()

    # Then nothing more of theirs is read, and the other's still is
    assert [example.person for example in read] == [1, 2, 2]
    assert len([key for key in reads if key.startswith("figurines/")]) == 2


def _pictures(folder: Path) -> int:
    return len(list(folder.glob("*.png")))
