"""Who gets data, and whether they may use it for themselves; who answers for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from statuette.errors import ConfigurationError
from statuette.kernel.domain.brands.probes import BrandProbes
from statuette.testing import FrozenClock
from tests.integration.road.faults import hurry, until
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

AUTHORITY = 'authority = "The Authority"'
GREEDY = "It may learn from what it gets."


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand(more="signup_credits = 3")
        hurry(site)
        yield site


async def go_live(site: Site, *, controller: bool = True, authority: str = "") -> None:
    text = (site.folder / "alpha.toml").read_text().replace('mode = "test"', 'mode = "live"')
    before, _, says = text.partition("[controller]")
    await site.apply_file(f"{before}[controller]{says}{authority}\n" if controller else before)


def make_greedy(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    own = msgspec.structs.replace(site.scripted.processor, own_use=GREEDY)
    monkeypatch.setattr(type(site.scripted), "processor", property(lambda _: own))


async def state(person: Visitor) -> str:
    """How an order for a photo of theirs ends."""
    upload = await person.upload()
    job = await person.finished((await person.order(upload["id"]))["id"])
    return str(job["state"])


@pytest.mark.rule("processor.egress")
async def test_a_live_site_gives_nothing_to_whoever_may_use_it_for_themselves(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a provider that may learn from photos
    make_greedy(site, monkeypatch)
    person = await site.person()

    # While the site is for trying things out, it is asked; its probe is well
    assert await state(person) == "succeeded"
    probes = BrandProbes(site.platform.brands, (site.scripted.processor,))
    assert (await probes.processors()).ok

    # When the site goes live, then not a photo leaves, and the probe says why
    await go_live(site)
    before = len(site.scripted.calls)
    assert await state(person) == "failed"
    assert len(site.scripted.calls) == before
    found = await probes.processors()
    assert (found.ok, GREEDY in found.detail) == (False, True)


@pytest.mark.rule("controller.named")
async def test_a_site_does_not_go_live_before_it_says_who_answers(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="who answers for people's data"):
        await go_live(site, controller=False)


async def test_a_live_site_that_names_no_authority_is_found(site: Site) -> None:
    await go_live(site)
    found = await site.platform.probes.one("controllers")
    assert (found.ok, "authority" in found.detail) == (False, True)

    await go_live(site, authority=AUTHORITY)

    assert (await site.platform.probes.one("controllers")).ok


@pytest.mark.rule("upload.derived")
async def test_what_was_made_out_of_a_photo_goes_with_it(site: Site, clock: FrozenClock) -> None:
    # Given a photo with a smaller copy beside it
    person = await site.person()
    upload = await person.upload()
    (key,) = [key for key in site.objects() if upload["id"] in key]
    beside = key.replace("photo.jpg", "preview-64.jpg")
    await site.platform.plugins.storage.put(beside, b"smaller", media_type="image/jpeg")

    # When its owner deletes it, then both go
    await person.http.delete(f"/v1/uploads/{upload['id']}")

    async def gone() -> bool:
        receipts = (await person.http.get("/v1/account/receipts")).json()["items"]
        return [each["record_id"] for each in receipts] == [upload["id"]]

    await until(gone, clock)
    assert not [key for key in site.objects() if upload["id"] in key]
    assert (await site.platform.probes.one("derivatives")).ok

    # And a copy that turns up later is found.
    await site.platform.plugins.storage.put(beside, b"smaller", media_type="image/jpeg")
    assert not (await site.platform.probes.one("derivatives")).ok
