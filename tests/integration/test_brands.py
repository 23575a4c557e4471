"""Brand files are applied whole or not at all, keys work until revoked, and the directory notices changes."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from statuette.errors import ConfigurationError, InvalidInput, NotFound
from statuette.kernel.db.database import Database
from statuette.kernel.domain.brands import repository, service
from statuette.kernel.domain.brands.config import stored
from statuette.kernel.domain.brands.dataset import DATASET
from statuette.kernel.domain.brands.directory import BrandDirectory, BrandMisconfigured
from statuette.kernel.domain.brands.flow import apply_brands, brand_files, check_files
from statuette.kernel.domain.brands.tables import ApiKey, Brand, BrandHost
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.settings import Settings
from statuette.policy import Period
from statuette.testing import FrozenClock

REPOSITORY = Path(__file__).parents[2]
DEMO = REPOSITORY / "brands" / "demo.toml"
BRAND = """\
slug = "{slug}"
title = "Shop"
hosts = ["{slug}.example"]
models = ["sketch/sketch-1"]
styles = [
  "chibi",
  {{ slug = "bust", credits = 7 }},
]
daily_cost_ceiling = {{ currency = "USD", amount = "5.25" }}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> PluginRegistry:
    return PluginRegistry.load(Settings(data_dir=tmp_path_factory.mktemp("var")), FrozenClock(), environment={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "brands"
    made.mkdir()
    return made


def write(folder: Path, slug: str, *, more: str = "", **changes: str) -> Path:
    """A good brand file, with each of `changes` (`old=>new`) made and `more` put at its end."""
    text = BRAND.format(slug=slug)
    for change in changes.values():
        old, _, new = change.partition("=>")
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{slug}.toml"
    path.write_text(text + more)
    return path


async def stored_brands(database: Database) -> dict[str, repository.BrandRow]:
    async with database.read() as reader:
        return {row.slug: row for row in await service.all_brands(reader)}


async def test_a_file_becomes_a_brand_with_prices_ceiling_and_policy(
    database: Database, registry: PluginRegistry, folder: Path, clock: FrozenClock
) -> None:
    path = write(folder, "shop", more='signup_credits = 3\n[policy]\n"upload.used" = "45m"\n')

    await apply_brands(database, registry, [path], dry_run=False)

    directory = BrandDirectory(database, registry.policy_packs, clock)
    brand = await directory.by_host("shop.example")
    assert brand is not None
    assert brand.styles_with_prices() == [("chibi", registry.style("chibi", 1).credits), ("bust", 7)]
    assert brand.style_price("bobblehead") is None
    assert brand.config.daily_cost_ceiling.micros == 5_250_000
    assert brand.config.mail_sender == '"Shop" <no-reply@shop.example>'
    assert brand.config.signup_credits == 3
    assert brand.policy.retain["upload.used"].after == Period(minutes=45)
    assert brand.id.startswith("brd_")


async def test_applying_again_changes_nothing(
    database: Database, registry: PluginRegistry, folder: Path, clock: FrozenClock
) -> None:
    path = write(folder, "shop")
    await apply_brands(database, registry, [path], dry_run=False)
    before = await stored_brands(database)
    clock.advance(timedelta(hours=1))

    again = await apply_brands(database, registry, [path], dry_run=False)

    assert (again.changes, again.unchanged) == ([], ["shop"])
    assert await stored_brands(database) == before


async def test_a_change_is_shown_field_by_field_and_written(
    database: Database, registry: PluginRegistry, folder: Path
) -> None:
    await apply_brands(database, registry, [write(folder, "shop")], dry_run=False)
    before = (await stored_brands(database))["shop"]
    changed = write(
        folder,
        "shop",
        a='title = "Shop"=>title = "Shop!"',
        b='  "chibi",=>  "bobblehead",',
        more="[limits]\ncount_max = 8\n",
    )

    applied = await apply_brands(database, registry, [changed], dry_run=False)

    lines = [str(change) for change in applied.changes]
    assert 'shop: ~ title: "Shop" -> "Shop!"' in lines
    assert "shop: ~ limits.count_max: 4 -> 8" in lines
    assert "shop: - styles.chibi.credits = 1" in lines
    assert "shop: + styles.bobblehead.credits = 1" in lines
    after = (await stored_brands(database))["shop"]
    assert after.id == before.id
    assert stored(after.config).title == "Shop!"


async def test_a_dry_run_shows_the_same_and_writes_nothing(
    database: Database, registry: PluginRegistry, folder: Path
) -> None:
    path = write(folder, "shop")

    tried = await apply_brands(database, registry, [path], dry_run=True)
    nothing = await stored_brands(database)
    done = await apply_brands(database, registry, [path], dry_run=False)

    assert nothing == {}
    assert tried.changes == done.changes != []


async def test_nothing_is_written_when_one_of_several_files_is_wrong(
    database: Database, registry: PluginRegistry, folder: Path
) -> None:
    files = [write(folder, "one"), write(folder, "two", a="credits = 7=>credits = -7")]

    with pytest.raises(ConfigurationError, match=r"two\.toml:7: styles\[1\]\.credits: Expected `int` >= 0"):
        await apply_brands(database, registry, files, dry_run=False)

    assert await stored_brands(database) == {}


async def test_a_host_of_another_brand_is_refused_and_names_both(
    database: Database, registry: PluginRegistry, folder: Path
) -> None:
    await apply_brands(database, registry, [write(folder, "one")], dry_run=False)
    thief = write(folder, "two", a='"two.example"=>"two.example", "one.example"')

    with pytest.raises(
        ConfigurationError, match=r"two\.toml:3: The host 'one\.example' of the brand 'two' belongs to the brand 'one'"
    ):
        await apply_brands(database, registry, [thief], dry_run=False)

    assert list(await stored_brands(database)) == ["one"]


async def test_a_host_moves_between_brands_in_one_go(
    database: Database, registry: PluginRegistry, folder: Path, clock: FrozenClock
) -> None:
    await apply_brands(database, registry, [write(folder, "aaa"), write(folder, "bbb")], dry_run=False)
    files = [
        write(folder, "aaa", a='"aaa.example"=>"bbb.example"'),
        write(folder, "bbb", a='"bbb.example"=>"new.example"'),
    ]

    await apply_brands(database, registry, files, dry_run=False)

    brand = await BrandDirectory(database, registry.policy_packs, clock).by_host("bbb.example")
    assert brand is not None
    assert brand.slug == "aaa"


@pytest.mark.parametrize(
    ("old", "new", "more", "message"),
    [
        ('slug = "shop"', 'slug = "Shop"', "", "shop.toml:1: slug: "),
        ("title", "titel", "", "shop.toml:2: titel: There is no such field. Did you mean `title`?"),
        (
            'hosts = ["shop.example"]',
            'hosts = ["a", "https://b"]',
            "",
            "shop.toml:3: hosts[1]: 'https://b' is not a host name.",
        ),
        ('hosts = ["shop.example"]', 'hosts = ["a", "a"]', "", "shop.toml:3: hosts[1]: 'a' is named twice."),
        (
            "sketch/sketch-1",
            "sketch/sketch-9",
            "",
            "shop.toml:4: models: None of these models is on offer. Did you mean",
        ),
        ('  "chibi",', '  "chibbi",', "", "shop.toml:6: styles[0]: No loaded plugin offers the style 'chibbi'."),
        ('  "chibi",', '  "bust",', "", "shop.toml:7: styles[1]: 'bust' is named twice."),
        ('"5.25"', '"five"', "", "shop.toml:9: daily_cost_ceiling.amount: 'five' is not an amount of money."),
        ('"5.25"', '"NaN"', "", "shop.toml:9: daily_cost_ceiling.amount: 'NaN' is not an amount of money."),
        ('"5.25"', '"1e99"', "", "shop.toml:9: daily_cost_ceiling.amount: '1e99' is not an amount of money."),
        ('"5.25"', '"-1"', "", "shop.toml:9: daily_cost_ceiling.amount: '-1' is not an amount of money."),
        ("USD", "usd", "", "shop.toml:9: daily_cost_ceiling.currency: "),
        ("", "", 'cors_origins = ["*"]', "shop.toml:10: cors_origins[0]: '*' is not an origin."),
        (
            "",
            "",
            'cors_origins = ["https://a.example/"]',
            "shop.toml:10: cors_origins[0]: 'https://a.example/' is not an origin.",
        ),
        ("", "", 'cors_origins = ["https://u@a.example"]', "shop.toml:10: cors_origins[0]: "),
        ("", "", 'mail_sender = "Shop"', "shop.toml:10: mail_sender: 'Shop' is not a sender."),
        ("", "", 'mail_sender = "a@b.example\\nBcc: x@y.example"', "shop.toml:10: mail_sender: "),
        ("", "", 'mode = "live"', "shop.toml:10: mode: A live brand says who answers for people's data."),
        ("", "", '[policy]\n"upload.used" = "soon"', "shop.toml:11: policy.upload.used: 'soon' is not a time."),
        ("", "", '[policy]\n\n"upload.used" = "25h"', "shop.toml:12 loosens the rule 'upload.used'"),
        ("", "", '[policy]\n"upload.usd" = "5m"', "shop.toml:11 sets a time for the rule 'upload.usd'"),
        ("", "", "[limits]\ncount_max = 99", "shop.toml:11: limits.count_max: Expected `int` <= 16"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_line(
    registry: PluginRegistry, folder: Path, old: str, new: str, more: str, message: str
) -> None:
    path = write(folder, "shop", more=more)
    path.write_text(path.read_text().replace(old, new, 1) if old else path.read_text())

    with pytest.raises(ConfigurationError) as caught:
        check_files(registry, [path])

    assert str(caught.value).startswith(f"{folder}/{message}")


def test_two_files_with_the_same_slug_or_host_name_each_other(registry: PluginRegistry, folder: Path) -> None:
    one = write(folder, "one")
    same_slug = folder / "other.toml"
    same_slug.write_text(one.read_text())
    same_host = write(folder, "two", a='"two.example"=>"one.example"')

    with pytest.raises(ConfigurationError, match=r"other\.toml:1: slug: .*one\.toml:1 is called 'one' too"):
        check_files(registry, [one, same_slug])
    with pytest.raises(ConfigurationError, match=r"two\.toml:3: hosts\[0\]: .*brand 'one' \(.*one\.toml:3\)"):
        check_files(registry, [one, same_host])


def test_a_model_that_is_not_on_offer_is_passed_over_with_a_warning(registry: PluginRegistry) -> None:
    _, warnings = check_files(registry, [DEMO])

    assert len(warnings) == 1
    assert "The model 'gemini/gemini-3.1-flash-image' is not on offer" in warnings[0]


def test_the_demo_brand_offers_every_classic_style(registry: PluginRegistry) -> None:
    brands, _ = check_files(registry, [DEMO])

    assert {style.slug for style in brands[0].config.styles} == set(registry.styles)


def test_files_are_those_named_or_all_of_the_folder(folder: Path) -> None:
    one, two = write(folder, "one"), write(folder, "two")

    assert brand_files([], folder) == [one, two]
    assert brand_files([two], folder) == [two]
    with pytest.raises(ConfigurationError, match="no brand file"):
        brand_files([], folder / "empty")


async def test_a_key_is_found_by_its_text_and_only_its_hash_is_kept(
    database: Database, registry: PluginRegistry, folder: Path
) -> None:
    await apply_brands(database, registry, [write(folder, "shop")], dry_run=False)

    async with database.transaction() as tx:
        brand_id = await service.brand_id_of(tx, "shop")
        view, text = await service.create_key(tx, brand_id, "secret", "till", ["credits:write", "brand:read"])

    async with database.read() as reader:
        assert await service.find_key(reader, text) == view
        assert await service.find_key(reader, text[:-1] + ("a" if text[-1] != "a" else "b")) is None
        assert await service.find_key(reader, text.replace("sk_", "pk_")) is None
        rows = await reader.rows("SELECT * FROM api_key")
    assert text.startswith("sk_test_")
    assert view.scopes == ("brand:read", "credits:write")
    assert (view.brand_id, view.ending) == (brand_id, text[-4:])
    assert text not in repr(rows)


async def test_a_revoked_key_is_no_key_and_only_its_own_brand_can_revoke_it(
    database: Database, registry: PluginRegistry, folder: Path
) -> None:
    await apply_brands(database, registry, [write(folder, "one"), write(folder, "two")], dry_run=False)
    async with database.transaction() as tx:
        one, two = await service.brand_id_of(tx, "one"), await service.brand_id_of(tx, "two")
        view, text = await service.create_key(tx, one, "publishable", "site")

        assert not await service.revoke_key(tx, two, view.id)
        assert await service.find_key(tx, text) is not None
        assert await service.revoke_key(tx, one, view.id)
        assert not await service.revoke_key(tx, one, view.id)
        assert await service.find_key(tx, text) is None
        assert [key.revoked_at is None for key in await service.keys_of(tx, one)] == [False]


async def test_a_test_key_does_not_work_once_the_brand_is_live(
    database: Database, registry: PluginRegistry, folder: Path
) -> None:
    await apply_brands(database, registry, [write(folder, "shop")], dry_run=False)
    async with database.transaction() as tx:
        _, text = await service.create_key(tx, await service.brand_id_of(tx, "shop"), "secret", "", [])

    live = write(folder, "shop", more='mode = "live"\n[controller]\nname = "S"\ncontact = "s@s.example"\n')
    await apply_brands(database, registry, [live], dry_run=False)

    async with database.transaction() as tx:
        _, new = await service.create_key(tx, await service.brand_id_of(tx, "shop"), "secret", "", [])
        assert await service.find_key(tx, text) is None
        assert await service.find_key(tx, new) is not None
    assert new.startswith("sk_live_")


async def test_a_key_with_unknown_scopes_or_of_no_brand_is_not_made(
    database: Database, registry: PluginRegistry, folder: Path
) -> None:
    await apply_brands(database, registry, [write(folder, "shop")], dry_run=False)
    async with database.transaction() as tx:
        brand_id = await service.brand_id_of(tx, "shop")

        with pytest.raises(InvalidInput, match="Did you mean `credits:write`"):
            await service.create_key(tx, brand_id, "secret", "", ["credits:writ"])
        with pytest.raises(InvalidInput, match="no scopes"):
            await service.create_key(tx, brand_id, "publishable", "", ["credits:write"])
        with pytest.raises(InvalidInput, match="printable"):
            await service.create_key(tx, brand_id, "secret", "a\nb")
        with pytest.raises(NotFound):
            await service.create_key(tx, "brd_nope", "secret", "")
        assert await service.keys_of(tx, brand_id) == []


async def test_the_directory_notices_changes_within_five_seconds(
    database: Database, registry: PluginRegistry, folder: Path, clock: FrozenClock
) -> None:
    await apply_brands(database, registry, [write(folder, "shop")], dry_run=False)
    directory = BrandDirectory(database, registry.policy_packs, clock)
    first = await directory.by_host("shop.example")
    assert first is not None
    assert await directory.by_host("new.example") is None
    files = [write(folder, "shop", a='title = "Shop"=>title = "Changed"'), write(folder, "new")]
    await apply_brands(database, registry, files, dry_run=False)

    clock.advance(timedelta(seconds=4))
    early = await directory.by_host("shop.example")
    clock.advance(timedelta(seconds=1))
    late = await directory.by_host("shop.example")

    assert early is not None and late is not None
    assert late is await directory.by_id(first.id)
    assert (early.config.title, late.config.title) == ("Shop", "Changed")
    assert await directory.by_host("new.example") is not None


async def test_the_directory_finds_brands_by_origin_and_by_either_kind_of_key(
    database: Database, registry: PluginRegistry, folder: Path, clock: FrozenClock
) -> None:
    await apply_brands(
        database, registry, [write(folder, "shop", more='cors_origins = ["https://a.example:8443"]')], dry_run=False
    )
    directory = BrandDirectory(database, registry.policy_packs, clock)
    async with database.transaction() as tx:
        brand_id = await service.brand_id_of(tx, "shop")
        _, publishable = await service.create_key(tx, brand_id, "publishable", "")
        secret, secret_text = await service.create_key(tx, brand_id, "secret", "")

    by_origin = await directory.by_origin("https://a.example:8443")
    by_publishable = await directory.by_publishable_key(publishable)
    by_secret = await directory.by_secret_key(secret_text)

    assert by_origin is by_publishable is by_secret is not None
    assert by_secret is not None
    assert by_secret.id == brand_id
    assert await directory.by_publishable_key(secret_text) is None
    assert await directory.by_secret_key(publishable) is None
    assert await directory.by_origin("https://a.example") is None
    async with database.transaction() as tx:
        await service.revoke_key(tx, brand_id, secret.id)
    clock.advance(timedelta(seconds=5))
    assert await directory.by_secret_key(secret_text) is None


async def test_a_brand_that_no_longer_fits_the_packs_is_refused_and_the_others_go_on(
    database: Database, registry: PluginRegistry, folder: Path, clock: FrozenClock
) -> None:
    files = [write(folder, "bad", more='[policy]\n"upload.used" = "45m"\n'), write(folder, "good")]
    await apply_brands(database, registry, files, dry_run=False)
    # The packs of a later day know no such rule.
    packs = tuple(
        msgspec.structs.replace(pack, rules=tuple(rule for rule in pack.rules if rule.id != "upload.used"))
        for pack in registry.policy_packs
    )

    directory = BrandDirectory(database, packs, clock)

    with pytest.raises(BrandMisconfigured):
        await directory.by_host("bad.example")
    assert await directory.by_host("good.example") is not None
    with pytest.raises(NotFound):
        await directory.by_id("brd_nope")


def test_every_column_is_classified() -> None:
    classified = {table.table: set(table.columns) for table in DATASET.tables}

    for table in (Brand, BrandHost, ApiKey):
        assert classified.pop(table._meta.tablename) == {column._meta.name for column in table._meta.columns}
    assert classified == {}


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from statuette.kernel.cli.main import main; main()", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], **environment},
    )


def test_the_commands_apply_a_brand_and_make_a_key(folder: Path, database_url: str) -> None:
    write(folder, "shop")
    home, stored = folder.parent, {"STATUETTE_DATABASE_URL": database_url}

    migrated = run(home, "migrate", **stored)
    applied = run(home, "brand", "apply", **stored)
    made = run(home, "brand", "keys", "create", "shop", "--kind", "secret", "--scope", "brand:read", **stored)
    listed = run(home, "brand", "keys", "list", "shop", "--json", **stored)

    assert (migrated.returncode, applied.returncode, made.returncode) == (0, 0, 0), applied.stderr
    assert 'shop: + title = "Shop"' in applied.stdout
    assert made.stdout.startswith("sk_test_")
    keys = msgspec.json.decode(listed.stdout)
    assert [key["scopes"] for key in keys] == [["brand:read"]]
    assert made.stdout.strip() not in listed.stdout


def test_a_command_says_what_is_wrong_in_one_line_with_a_cure_and_exit_code_two(folder: Path) -> None:
    write(folder, "shop", a='"chibi"=>"chibbi"')

    done = run(folder.parent, "brand", "apply", "--dry-run")

    assert done.returncode == 2
    assert done.stdout == ""
    assert "error: brands/shop.toml:6: styles[0]: No loaded plugin offers the style 'chibbi'." in done.stderr
    assert "  cure: " in done.stderr
    assert "Traceback" not in done.stderr


def test_help_imports_no_command(folder: Path) -> None:
    code = (
        "import sys\nfrom statuette.kernel.cli.main import root\n"
        "try: root.main(['--help'], prog_name='statuette')\nexcept SystemExit: pass\n"
        "heavy = {'litestar', 'piccolo', 'asyncpg', 'uvicorn', 'PIL', 'statuette.kernel.cli.brand'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=folder)

    assert done.returncode == 0, done.stderr
    assert "brand       Apply brand files" in done.stdout
