"""Nothing of one brand is reachable with another's credentials (I7), on any route there is.

The routes are those the application has registered: one that is added, by us or by a plugin, is tried without being named here.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar import get, post
from litestar.params import FromPath

from statuette.kernel.domain.brands import service as brands
from statuette.kernel.http.application import litestar_app
from statuette.kernel.platform import Platform
from statuette.testing.pictures import photo_jpeg
from tests.integration.road.wire import BOUNDARY, form
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOST_A, HOST_B = "127.0.0.1", "beta.example"
_NUMBER = re.compile(r"\{\w+:int\}")
_PARAMETER = re.compile(r"\{[^}]+\}")

# Bodies of routes that want one; a route that is not here is called with `{}`.
BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/v1/account/consents/{purpose:str}"): {"granted": True},
    ("POST", "/admin/v1/accounts/{account:str}/credits"): {"amount": 1},
    ("PUT", "/v1/figurines/{figurine_id:str}/rating"): {"stars": 4},
    ("POST", "/v1/usage/events"): {"events": [{"page": "home", "seconds": 1}]},
    ("POST", "/v1/takedowns"): {"email": "somebody@example.org", "picture": "fig_00000000000000000000000000"},
    ("POST", "/v1/account/takedowns/{case_id:str}/appeal"): {"message": "It is me."},
    ("POST", "/admin/v1/takedowns/{case_id:str}/decision"): {"decision": "keep"},
    ("POST", "/admin/v1/takedowns/{case_id:str}/reveal"): {"reason": "to_decide"},
    ("POST", "/admin/v1/accounts/{account:str}/reveal"): {"reason": "to_answer"},
    ("POST", "/v1/support"): {"subject": "Arms", "message": "Three?", "email": "somebody@example.org"},
    ("POST", "/v1/account/support"): {"subject": "Arms", "message": "Three?"},
    ("POST", "/v1/support/{question_id:str}/messages"): {"message": "And now?"},
    ("POST", "/v1/account/support/{question_id:str}/messages"): {"message": "And now?"},
    ("POST", "/admin/v1/support/{question_id:str}/answers"): {"message": "Wings."},
    ("POST", "/admin/v1/support/{question_id:str}/reveal"): {"reason": "to_answer"},
    ("PUT", "/v1/account/email"): {"email": "somebody@example.org", "code": "000000"},
    ("POST", "/v1/account/requests"): {"kind": "correction"},
    ("POST", "/v1/session/confirm"): {"code": "000000"},
    ("POST", "/admin/v1/privacy-requests/{request_id:str}/reveal"): {"reason": "to_answer"},
    ("POST", "/admin/v1/privacy-requests/{request_id:str}/refuse"): {"reason": "unfounded"},
    ("POST", "/admin/v1/privacy-requests/{request_id:str}/extend"): {"reason": "complex", "days": 10},
    ("POST", "/v1/signin"): {"email": "somebody@example.org", "code": "000000"},
    ("POST", "/v1/signin/codes"): {"email": "somebody@example.org"},
}


@get("/mine/{thing:str}")
async def plugin_read(thing: FromPath[str]) -> dict[str, str]:
    return {"thing": thing}


@post("/mine")
async def plugin_write() -> dict[str, str]:
    return {}


class Belongings:
    """What somebody on brand A has, and what must never be seen on brand B."""

    def __init__(
        self, person: Visitor, upload: dict[str, Any], job: dict[str, Any], request: str, question: str
    ) -> None:
        self.person = person
        self.ids = {
            "upload": upload["id"],
            "generation": job["id"],
            "figurine": job["figurines"][0]["id"],
            "account": person.account_id,
            "request": request,
            "question": question,
        }
        self.address = upload["image_url"]

    def for_path(self, template: str) -> list[str]:
        """The path with each id of A in each of its places."""
        template = _NUMBER.sub("1", template)
        if "{" not in template:
            return [template]
        return [_PARAMETER.sub(lambda _, value=value: value, template) for value in self.ids.values()]

    def shown_in(self, response: httpx.Response) -> list[str]:
        return [value for value in self.ids.values() if value in response.text]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, module_profile: Profile) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("isolation")
    async with serving(folder, module_profile, routes={"guest": (plugin_read, plugin_write)}) as site:
        await site.apply_brand("alpha", host=HOST_A)
        await site.apply_brand("beta", host=HOST_B)
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def of_a(site: Site) -> Belongings:
    person = await site.person(brand="alpha", host=HOST_A, credits=20)
    upload = await person.upload()
    job = await person.finished((await person.order(upload["id"]))["id"])
    request = (await person.http.post("/v1/account/requests", json={"kind": "correction"})).json()["id"]
    asked = await person.http.post("/v1/support", json={"subject": "Arms", "message": "Three?"})
    return Belongings(person, upload, job, request, asked.json()["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def person_of_b(site: Site) -> Visitor:
    return await site.person(brand="beta", host=HOST_B, credits=20)


def operations(platform: Platform) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path template and `opt` of every registered operation but the documentation's."""
    return [
        (str(method), route.path, dict(handler.opt))
        for route in litestar_app(platform).routes
        for handler in route.route_handlers  # type: ignore[attr-defined]
        for method in sorted(handler.http_methods - {"OPTIONS"})
        if not route.path.startswith("/docs")
    ]


def _call(method: str, template: str) -> dict[str, Any]:
    if (method, template) == ("POST", "/v1/uploads"):
        content_type = f"multipart/form-data; boundary={BOUNDARY}"
        return {"content": form(photo_jpeg()), "headers": {"Content-Type": content_type}}
    if method in ("POST", "PUT", "PATCH"):
        return {"json": BODIES.get((method, template), {}), "headers": {"Idempotency-Key": f"{method}{template}"}}
    return {"headers": {}}


async def _try_everything(
    site: Site, of_a: Belongings, credentials: dict[str, str], host: str, *, only: str = "", keep_session: bool = False
) -> list[tuple[str, str, httpx.Response, dict[str, Any]]]:
    answers = []
    visitor = site.visitor(host)
    for method, template, opt in operations(site.platform):
        if not template.startswith(only) or (method, template) in (
            ("DELETE", "/v1/session"),
            ("DELETE", "/v1/sessions"),
        ):
            continue
        for path in of_a.for_path(template):
            call = _call(method, template)
            call["headers"] |= credentials
            answers.append((method, path, await visitor.http.request(method, path, **call), opt))
    return answers


async def test_every_kind_of_route_is_walked(site: Site) -> None:
    paths = {path for _, path, _ in operations(site.platform)}

    assert {"/v1/generations", "/healthz", "/x/guest/mine", "/x/guest/mine/{thing:str}"} <= paths
    assert len(paths) > 25


async def test_every_route_that_is_not_public_wants_credentials(site: Site, of_a: Belongings) -> None:
    for method, path, response, opt in await _try_everything(site, of_a, {}, HOST_A):
        if not opt.get("public"):
            assert response.status_code == 401, (method, path, response.text)
            assert response.json()["code"] == "unauthenticated"


async def test_a_publishable_key_opens_nothing_but_what_is_public(site: Site, of_a: Belongings) -> None:
    async with site.platform.database.transaction() as tx:
        brand_id = await brands.brand_id_of(tx, "alpha")
        _, key = await brands.create_key(tx, brand_id, "publishable", "tests", ())

    for credentials in ({"Statuette-Key": key}, {"Authorization": f"Bearer {key}"}):
        for method, path, response, opt in await _try_everything(site, of_a, credentials, HOST_A):
            if not opt.get("public"):
                assert response.status_code == 401, (method, path, response.text)


async def test_a_session_of_one_brand_is_none_on_another(site: Site, of_a: Belongings) -> None:
    token = {"Authorization": of_a.person.http.headers["Authorization"]}

    for method, path, response, opt in await _try_everything(site, of_a, token, HOST_B):
        if not opt.get("brandless"):
            assert response.status_code == 401, (method, path, response.text)


async def test_a_session_of_b_reaches_nothing_of_a(site: Site, of_a: Belongings, person_of_b: Visitor) -> None:
    token = {"Authorization": person_of_b.http.headers["Authorization"]}
    before = await _state_of(of_a)

    # When every route is called on brand B with A's ids
    for method, path, response, _ in await _try_everything(site, of_a, token, HOST_B, keep_session=True):
        # Then none shows anything of A, and none says that there is something it may not show
        if path.startswith("/x/guest/"):
            continue  # repeats what it is given
        assert response.status_code not in (403, 500), (method, path, response.text)
        named = any(value in path for value in of_a.ids.values())
        if named and "/consents/" not in path:
            assert response.status_code >= 400, (method, path, response.text)
        if response.status_code < 300:
            assert of_a.shown_in(response) == [], (method, path, response.text)

    # And all of it is as it was
    assert await _state_of(of_a) == before


async def test_ids_of_another_brand_in_a_body_are_not_found(site: Site, of_a: Belongings, person_of_b: Visitor) -> None:
    for body in (
        {"inputs": [{"upload_id": of_a.ids["upload"]}], "style": "chibi"},
        {"inputs": [{"figurine_id": of_a.ids["figurine"], "role": "previous"}], "style": "chibi"},
        {"parent": of_a.ids["generation"]},
    ):
        response = await person_of_b.http.post("/v1/generations", json=body)
        assert (response.status_code, response.json()["code"]) == (404, "not_found"), body


async def test_an_operators_key_of_b_reaches_nothing_of_a(site: Site, of_a: Belongings) -> None:
    key = {"Authorization": f"Bearer {site.secret_keys['beta']}"}
    before = await _state_of(of_a)

    # On B's host, on A's, and on none: the key alone says which brand is asked
    for host in (HOST_B, HOST_A, "nobody.example"):
        for method, path, response, opt in await _try_everything(site, of_a, key, host, only="/admin"):
            assert response.status_code not in (401, 403, 500), (method, path, response.text)
            if any(value in path for value in of_a.ids.values()):
                assert response.status_code == 404, (method, path, response.text)
            assert opt.get("scope"), (method, path)
            if response.status_code < 300:
                assert of_a.shown_in(response) == [], (method, path, response.text)

    assert await _state_of(of_a) == before


async def test_a_key_of_b_beside_a_publishable_key_of_a_is_none(site: Site, of_a: Belongings) -> None:
    async with site.platform.database.transaction() as tx:
        brand_id = await brands.brand_id_of(tx, "alpha")
        _, publishable = await brands.create_key(tx, brand_id, "publishable", "tests", ())
    mixed = {"Authorization": f"Bearer {site.secret_keys['beta']}", "Statuette-Key": publishable}

    for method, path, response, opt in await _try_everything(site, of_a, mixed, HOST_B):
        if not opt.get("brandless"):
            assert response.status_code == 401, (method, path, response.text)


async def test_a_picture_address_of_one_brand_does_not_become_one_of_another(
    site: Site, of_a: Belongings, person_of_b: Visitor
) -> None:
    async with site.platform.database.read() as reader:
        brands = {row["slug"]: row["id"] for row in await reader.rows("SELECT id, slug FROM brand")}

    response = await person_of_b.http.get(of_a.address.replace(brands["alpha"], brands["beta"]))

    assert response.status_code == 404


async def test_what_is_open_to_anybody_says_nothing_of_anybody(site: Site, of_a: Belongings) -> None:
    for method, path, response, opt in await _try_everything(site, of_a, {}, HOST_B):
        if opt.get("public") and not path.startswith("/x/"):
            assert response.status_code != 500, (method, path, response.text)
            if response.status_code < 300:
                assert of_a.shown_in(response) == [], (method, path)


async def _state_of(of_a: Belongings) -> list[Any]:
    """What A's owner sees of it."""
    http = of_a.person.http
    upload = (await http.get(f"/v1/uploads/{of_a.ids['upload']}")).json()
    job = (await http.get(f"/v1/generations/{of_a.ids['generation']}")).json()
    figurine = (await http.get(f"/v1/figurines/{of_a.ids['figurine']}")).json()
    for signed in (upload, figurine, *job["figurines"]):
        for volatile in ("image_url", "images", "image_expires_at", "images_expire_at"):
            signed.pop(volatile, None)
    question = (await http.get(f"/v1/account/support/{of_a.ids['question']}")).json()
    return [upload, job, figurine, question, await of_a.person.credits()]
