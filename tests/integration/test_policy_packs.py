"""Packs of plugins: a wrong one is kept out, named by file and line, and what was in force stays in force."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from statuette.errors import ConfigurationError
from statuette.kernel.db.database import Database
from statuette.kernel.domain.brands.directory import BrandDirectory
from statuette.kernel.domain.brands.flow import apply_brands
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.quarantine import Quarantined
from statuette.kernel.settings import Settings
from statuette.policy import Period, compile_policy
from statuette.testing import FrozenClock
from tests.integration.test_plugins import Site, plugin
from tests.integration.test_plugins import site as site

PACK = """
from statuette.policy import *
CATALOGUE = Catalogue(
    categories=(
        Category("voice", "Your voice", Sensitivity.personal),
    ),
    purposes=(
        Purpose("singing", "Singing", Basis.consent, "I sing."),
    ),
)
RULES = (
    Retain(
        "voice.keep",
        dataset="voices",
        triggers=(Trigger.created,),
        after=Period(hours=1),
        maximum=Period(hours=24),
        minimum=Floor(minutes=1),
        action=Action.delete,
        sentence="A recording goes {after} after it was made.",
    ),
)
TOY = PolicyPack("toy", "1", __name__, CATALOGUE, RULES)
"""
HOOK = """
@hookimpl
def policy_packs(self):
    return [TOY]
"""

BRAND = """\
slug = "alpha"
title = "Alpha"
hosts = ["alpha.example"]
models = ["sketch/sketch-1"]
styles = ["chibi"]
daily_cost_ceiling = { currency = "USD", amount = "5.00" }
"""


def installed(site: Site, old: str = "", new: str = "") -> tuple[PluginRegistry, list[str]]:
    """A plugin with the pack, changed; and the lines of its module."""
    assert old in PACK
    site.install("toy_pack", PACK.replace(old, new) + plugin("toy_pack", HOOK))
    module = (site.packages / "statuette_toy_pack" / "__init__.py").read_text().splitlines()
    return site.survey(allowed=("toy_pack", "policies")), module


def line_named_by(entry: Quarantined, module: list[str]) -> str:
    (number,) = re.findall(r"statuette_toy_pack/__init__\.py:(\d+)", entry.message)
    return module[int(number) - 1].strip()


def test_a_good_pack_is_offered(site: Site) -> None:
    registry, _ = installed(site)

    assert [entry for entry in registry.quarantined if entry.name == "toy_pack"] == []
    assert compile_policy([registry.all_policy_packs["toy"]]).rule("voice.keep").after == Period(hours=1)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("maximum=", "maximumm=", "Retain(", "Unexpected keyword argument 'maximumm'"),
        ("Basis.consent, ", "", 'Purpose("singing", "Singing", "I sing."),', "Missing required argument"),
        (
            "Basis.consent",
            "None",
            'Purpose("singing", "Singing", None, "I sing."),',
            "The purpose 'singing'",
        ),
        (
            "Sensitivity.personal",
            '"harmless"',
            'Category("voice", "Your voice", "harmless"),',
            "Invalid enum value 'harmless'",
        ),
        ("hours=24", "minutes=5", "after=Period(hours=1),", "its time of PT1H can be longer than its maximum of PT5M"),
        (
            "minutes=1",
            "hours=48",
            "minimum=Floor(hours=48),",
            "its minimum of P2D can be longer than its maximum of PT24H",
        ),
        (
            "maximum=Period(hours=24)",
            "maximum=86400",
            "maximum=86400,",
            "The rule 'voice.keep'",
        ),
        ('"voice.keep"', '"Voice"', "Retain(", "The rule 'Voice'"),
        (" {after}", "", 'sentence="A recording goes after it was made.",', "must say {after}"),
        ('"I sing."', '" "', 'Purpose("singing", "Singing", Basis.consent, " "),', "its statement says nothing"),
    ],
)
def test_a_wrong_pack_is_kept_out_and_named_by_file_and_line(
    site: Site, old: str, new: str, line: str, message: str
) -> None:
    registry, module = installed(site, old, new)

    (entry,) = (each for each in registry.quarantined if each.name == "toy_pack")
    assert message in entry.message, entry
    assert line_named_by(entry, module) == line
    assert "toy" not in registry.all_policy_packs


def test_what_is_not_a_rule_is_no_rule(site: Site) -> None:
    registry, _ = installed(site, "CATALOGUE, RULES)", 'CATALOGUE, ("delete it",))')

    (entry,) = (each for each in registry.quarantined if each.name == "toy_pack")
    assert "str where a rule is due" in entry.message


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "brands").mkdir()
    return tmp_path / "brands"


def brand_file(folder: Path, more: str = "", policy: str = "") -> Path:
    path = folder / "alpha.toml"
    path.write_text(f"{more}\n{BRAND}\n{policy}")
    return path


@pytest.mark.parametrize(
    ("more", "policy", "message"),
    [
        (
            "",
            '[policy]\n"upload.used" = "25h"',
            r"alpha\.toml:\d+ loosens the rule 'upload\.used' to PT25H; statuette_policies\.baseline"
            r" \(statuette_policies/baseline/retention\.py:\d+\) allows PT24H at most",
        ),
        ("", '[policy]\n"upload.usd" = "1h"', r"alpha\.toml:\d+ .*upload\.usd"),
        ('policy_packs = ["gdpx"]', "", r"alpha\.toml:1: policy_packs\[0\]: No loaded plugin offers.*gdpx"),
        ('polcy_packs = ["gdpr"]', "", r"alpha\.toml:1: polcy_packs: There is no such field"),
    ],
)
async def test_a_brand_file_that_loosens_is_refused_and_what_was_in_force_stays(
    tmp_path: Path,
    folder: Path,
    database: Database,
    clock: FrozenClock,
    more: str,
    policy: str,
    message: str,
) -> None:
    # Given a brand in force
    registry = PluginRegistry.survey(Settings(data_dir=tmp_path / "var"), clock)
    directory = BrandDirectory(database, registry.policy_packs, clock, registry.all_policy_packs)
    await apply_brands(
        database, registry, [brand_file(folder, policy='[policy]\n"upload.used" = "30m"')], dry_run=False
    )
    await directory.refresh()
    (before,) = directory.loaded()

    # When a wrong file is applied
    with pytest.raises(ConfigurationError, match=message):
        await apply_brands(database, registry, [brand_file(folder, more, policy)], dry_run=False)
    await directory.refresh()

    # Then nothing has changed
    (after,) = directory.loaded()
    assert after.policy == before.policy
    assert after.policy.rule("upload.used").after == Period(minutes=30)
