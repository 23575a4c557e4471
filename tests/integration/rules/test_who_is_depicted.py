"""What is asked about people in photos and about age: nothing is taken in without it, and a probe finds what was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from statuette.testing import FrozenClock
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

LATER = timedelta(hours=1)
SIGNED_IN = {"adult": None}


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        yield site


async def asked(site: Site, language: str = "en") -> dict[str, str]:
    """The words of each statement."""
    listed = (await site.visitor().http.get(f"/v1/statements?locale={language}")).json()["items"]
    return {each["id"]: each["text"] for each in listed}


@pytest.mark.rule("depicted.statement")
async def test_no_photo_is_taken_in_without_a_word_on_who_is_in_it(site: Site, clock: FrozenClock) -> None:
    await site.apply_brand()
    ada = await site.person()

    refused = await ada.try_upload(statement="")

    assert (refused.status_code, refused.json()["code"]) == (400, "statement_required")
    assert (await ada.http.get("/v1/uploads")).json()["items"] == []

    # And what got in without it, however it did, is found.
    clock.advance(LATER)
    photo = await ada.upload()
    assert (await site.platform.probes.one("photo_statements")).ok
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE upload SET statement_digest = '' WHERE id = :id", id=photo["id"])
    assert not (await site.platform.probes.one("photo_statements")).ok


@pytest.mark.rule("minor.account")
async def test_a_site_for_adults_takes_nothing_from_somebody_who_has_not_said_that_they_are_one(
    site: Site, clock: FrozenClock
) -> None:
    # Given somebody who came before the site was for adults
    await site.apply_brand(adults_only=False)
    ada = await site.person()
    await site.apply_brand(adults_only=True)

    # When they upload, then they are asked first
    refused = await ada.try_upload()
    assert (refused.status_code, refused.json()["code"]) == (403, "statements_missing")

    # And a photo taken in all the same is found.
    clock.advance(LATER)
    await ada.http.put("/v1/account/statements/adult", json={})
    await ada.upload()
    assert (await site.platform.probes.one("account_statements")).ok
    async with site.platform.database.transaction() as tx:
        await tx.execute("DELETE FROM consent_record WHERE purpose = 'statement.adult'")
    assert not (await site.platform.probes.one("account_statements")).ok


@pytest.mark.rule("minor.refused")
async def test_a_site_that_refuses_photos_of_children_has_it_said_that_nobody_is_one(site: Site) -> None:
    await site.apply_brand(more='children_depicted = "refused"')

    assert "Nobody in it is under 18." in (await asked(site))["depicted"]
    assert "unter 18" in (await asked(site, "de"))["depicted"]


@pytest.mark.rule("minor.depicted")
async def test_elsewhere_a_parent_or_guardian_must_have_agreed(site: Site) -> None:
    # Given a site that refused children, and a photo with that said of it
    await site.apply_brand(more='children_depicted = "refused"')
    ada: Visitor = await site.person()
    photo = await ada.upload()

    # When it admits them, with their guardian's word
    await site.apply_brand(more='children_depicted = "guardian"')

    # Then that is what is asked, and of what is there already, too
    assert "a parent or guardian agreed" in (await asked(site))["depicted"]
    order = await ada.try_order(photo["id"])
    assert (order.status_code, order.json()["code"]) == (409, "upload_statement_outdated")


async def test_a_site_promises_of_age_what_it_asks(site: Site) -> None:
    async def promised(*, adults_only: bool) -> set[str]:
        await site.apply_brand(adults_only=adults_only)
        (brand,) = site.platform.brands.loaded()
        return {rule for rule in brand.policy.safeguards if rule.startswith("minor.")}

    assert await promised(adults_only=True) == {"minor.account", "minor.refused"}
    assert await promised(adults_only=False) == {"minor.depicted"}
