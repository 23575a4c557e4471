"""Plugins are found as real distributions; what goes wrong with one keeps that one out and leaves the rest alone."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from statuette import hookspecs
from statuette.errors import ConfigurationError
from statuette.kernel.master_key import derived, master_key
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.quarantine import Quarantined
from statuette.kernel.settings import FIRST_PARTY_PLUGINS, Settings
from statuette.kernel.settings_loading import load_settings
from statuette.testing import FrozenClock

HOOKS = sorted(
    name
    for name, value in vars(hookspecs).items()
    if callable(value) and hasattr(value, f"{hookspecs.hookspec.project_name}_spec")
)
HOOKS_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "hooks.md"

PREAMBLE = """
from typing import Annotated
import msgspec
from statuette import Plugin, hookimpl
from statuette.testing.memory_key_store import MemoryKeyStore
from statuette.testing.outbox_mailer import RecordingMailer
"""


class Site:
    """A folder of installed distributions on `sys.path`, and the settings file of a deployment that uses them."""

    def __init__(self, folder: Path) -> None:
        self.packages = folder / "site-packages"
        self.packages.mkdir()
        self.folder = folder
        self.clock = FrozenClock()

    def install(self, name: str, body: str, *, distribution: str | None = None) -> None:
        """Put a distribution there as an installer would: a package, its metadata, its entry point."""
        distribution = distribution or f"statuette-{name.replace('_', '-')}"
        module = distribution.replace("-", "_")
        (self.packages / module).mkdir()
        (self.packages / module / "__init__.py").write_text(PREAMBLE + textwrap.dedent(body))
        info = self.packages / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[statuette]\n{name} = {module}:plugin\n")

    def settings(
        self, text: str = "", *, allowed: tuple[str, ...], environment: dict[str, str] | None = None
    ) -> Settings:
        (self.folder / "statuette.toml").write_text(
            f"allowed_plugins = {list(allowed)}\ndata_dir = '{self.folder}/var'\n{text}"
        )
        return load_settings(environment or {}, folder=self.folder)

    def survey(
        self, text: str = "", *, allowed: tuple[str, ...], environment: dict[str, str] | None = None
    ) -> PluginRegistry:
        settings = self.settings(text, allowed=allowed, environment=environment)
        found = [entry for dist in distributions(path=[str(self.packages)]) for entry in dist.entry_points]
        return PluginRegistry.survey(settings, self.clock, found, environment=environment or {})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path)
    monkeypatch.syspath_prepend(str(made.packages))
    for name in [name for name in sys.modules if name.startswith("statuette_toy")]:
        monkeypatch.delitem(sys.modules, name)
    return made


def plugin(name: str, hooks: str = "", *, requires: str = ">=0.1,<0.2", config: str = "", attributes: str = "") -> str:
    return "\n".join(
        [
            textwrap.dedent(config),
            "class Made(Plugin):",
            f"    name = {name!r}",
            "    version = '1.0'",
            f"    requires = {requires!r}",
            textwrap.indent(textwrap.dedent(attributes), "    "),
            textwrap.indent(textwrap.dedent(hooks), "    "),
            "plugin = Made()",
        ]
    )


MAILER = """
@hookimpl
def mailers(self, context):
    return [RecordingMailer()]
"""


def only(registry: PluginRegistry) -> Quarantined:
    assert len(registry.quarantined) == 1, registry.quarantined
    return registry.quarantined[0]


def test_a_good_plugin_is_found_where_installers_put_it_and_offers_what_it_has(site: Site) -> None:
    site.install("toy_mail", plugin("toy_mail", MAILER))

    # No entry points are handed in: the process's own discovery has to find it.
    registry = PluginRegistry.survey(site.settings(allowed=("toy_mail",)), site.clock, environment={})

    assert registry.quarantined == []
    assert [(one.name, one.distribution) for one in registry.loaded] == [("toy_mail", "statuette-toy-mail 1.0")]
    assert len(registry.mailers) == 1


def test_what_is_not_on_the_allow_list_is_not_even_imported(site: Site) -> None:
    site.install("toy_evil", "open('/nonexistent/marker', 'w')\n" + plugin("toy_evil", MAILER))

    registry = site.survey(allowed=())

    assert registry.loaded == []
    assert registry.quarantined == []
    assert "statuette_toy_evil" not in sys.modules


CONFIG = """
class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    colour: str = "red"
    pieces: Annotated[int, msgspec.Meta(extra={"env": "TOY_PIECES"})] = 1
    token: Annotated[str | None, msgspec.Meta(extra={"env": "TOY_TOKEN", "secret": True})] = None
    def __post_init__(self):
        if self.token == "hunter2":
            raise ValueError(f"the token {self.token} is too weak")
"""
WITH_CONFIG = {"config": CONFIG, "attributes": "Config = Config"}


@pytest.mark.parametrize(
    ("body", "stage", "code", "message"),
    [
        ("import no_such_module_here", "import", "plugin_failed", "No module named 'no_such_module_here'"),
        ("import sys; sys.exit(3)", "import", "plugin_failed", "SystemExit: 3"),
        ("plugin = 3", "check", "plugin_malformed", "names int, not an instance of a Plugin"),
        (plugin("other"), "check", "plugin_malformed", "calls itself 'other' and its entry point 'toy_bad'"),
        (plugin("toy_bad", requires=">=9"), "check", "plugin_incompatible", "works with statuette >=9; this is 0."),
        (plugin("toy_bad", requires="soon"), "check", "plugin_malformed", "'soon', which is no range"),
        (
            plugin("toy_bad", "@hookimpl\ndef no_such_hook(self): ..."),
            "register",
            "plugin_malformed",
            "no hook `no_such_hook`",
        ),
        (
            plugin("toy_bad", "@hookimpl\ndef mailers(self, context, more): ..."),
            "register",
            "plugin_failed",
            "PluginValidationError",
        ),
        (
            plugin("toy_bad", "@hookimpl\ndef mailers(self, context):\n    raise RuntimeError('broken')"),
            "mailers",
            "plugin_failed",
            "RuntimeError: broken",
        ),
        (
            plugin("toy_bad", "@hookimpl\ndef mailers(self, context):\n    return [3]"),
            "mailers",
            "configuration_error",
            "answers int where Mailer is due",
        ),
        (
            plugin("toy_bad", "@hookimpl\ndef mailers(self, context):\n    return None"),
            "mailers",
            "configuration_error",
            "answers NoneType where a sequence is due",
        ),
    ],
)
def test_a_broken_plugin_is_kept_out_with_stage_and_reason_and_the_rest_goes_on(
    site: Site, body: str, stage: str, code: str, message: str
) -> None:
    site.install("toy_bad", body)
    site.install("toy_mail", plugin("toy_mail", MAILER))

    registry = site.survey(allowed=("toy_bad", "toy_mail"))

    entry = only(registry)
    assert (entry.name, entry.stage, entry.code) == ("toy_bad", stage, code)
    assert message in entry.message
    assert [one.name for one in registry.loaded] == ["toy_mail"]


def test_nothing_of_a_plugin_is_used_when_a_later_hook_fails(site: Site) -> None:
    site.install("toy_half", plugin("toy_half", MAILER + "@hookimpl\ndef styles(self):\n    raise KeyError('x')\n"))

    registry = site.survey(allowed=("toy_half",))

    assert only(registry).stage == "styles"
    assert registry.mailers == {}


def test_a_broken_style_keeps_its_plugin_out(site: Site) -> None:
    hooks = """
    @hookimpl
    def styles(self):
        from statuette.styles import Style
        return [Style("gnome", 1, "Gnome", "Clay.", ("1:1",), (), ())]
    """
    site.install("toy_style", plugin("toy_style", hooks))

    entry = only(site.survey(allowed=("toy_style",)))

    assert entry.stage == "styles"
    assert "gnome" in entry.message


def test_an_allowed_plugin_that_is_not_installed_is_named(site: Site) -> None:
    entry = only(site.survey(allowed=("toy_absent",)))

    assert (entry.stage, entry.code) == ("find", "plugin_not_installed")


def test_two_distributions_with_the_same_name_are_both_left_alone(site: Site) -> None:
    site.install("toy_mail", plugin("toy_mail", MAILER))
    site.install("toy_mail", plugin("toy_mail", MAILER), distribution="statuette-toy-typo")

    registry = site.survey(allowed=("toy_mail",))

    assert only(registry).code == "plugin_ambiguous"
    assert registry.mailers == {}


def test_the_second_to_take_a_name_is_kept_out(site: Site) -> None:
    site.install("toy_mail", plugin("toy_mail", MAILER))
    site.install("toy_copy", plugin("toy_copy", MAILER))

    registry = site.survey(allowed=("toy_mail", "toy_copy"))

    entry = only(registry)
    assert (entry.name, entry.code) == ("toy_copy", "plugin_name_taken")
    assert "'toy_mail'" in entry.message


def test_configuration_comes_from_the_table_and_the_environment_wins(site: Site) -> None:
    remember = "@hookimpl\ndef mailers(self, context):\n    Made.seen = context\n    return []"
    site.install("toy_conf", plugin("toy_conf", remember, **WITH_CONFIG))

    registry = site.survey(
        "[plugins.toy_conf]\ncolour = 'blue'\npieces = 2\n", allowed=("toy_conf",), environment={"TOY_PIECES": "7"}
    )

    seen: Any = sys.modules["statuette_toy_conf"].plugin.seen
    assert registry.quarantined == []
    assert (seen.config.colour, seen.config.pieces, seen.config.token) == ("blue", 7, None)
    assert seen.data_dir == site.folder / "var" / "plugins" / "toy_conf"


def test_each_plugin_gets_a_key_of_its_own_that_survives_restarts(site: Site) -> None:
    remember = "@hookimpl\ndef mailers(self, context):\n    Made.seen = context\n    return []"
    site.install("toy_one", plugin("toy_one", remember))
    site.install("toy_two", plugin("toy_two", remember))

    site.survey(allowed=("toy_one", "toy_two"))

    keys = [sys.modules[f"statuette_toy_{name}"].plugin.seen.master_key for name in ("one", "two")]
    key = master_key(Settings(data_dir=site.folder / "var"))
    assert keys == [derived(key, "plugin:toy_one"), derived(key, "plugin:toy_two")]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("table", "environment", "message"),
    [
        (
            "\n[plugins.toy_conf]\npieces = 'x'",
            {},
            "statuette.toml:5: plugins.toy_conf.pieces: Expected `int`, got `str`",
        ),
        (
            "[plugins.toy_conf]\ncolor = 'x'",
            {},
            "statuette.toml:4: plugins.toy_conf.color: There is no such field. Did you mean `colour`?",
        ),
        ("", {"TOY_PIECES": "many"}, "TOY_PIECES: Expected `int`, got `str`."),
        (
            "[plugins.toy_conf]\ntoken = 'hunter2'",
            {},
            "statuette.toml:3: plugins.toy_conf: the token [hidden] is too weak",
        ),
        ("", {"TOY_TOKEN": "hunter2"}, "the token [hidden] is too weak"),
    ],
)
def test_wrong_configuration_is_named_by_line_or_variable_and_shows_no_secret(
    site: Site, table: str, environment: dict[str, str], message: str
) -> None:
    site.install("toy_conf", plugin("toy_conf", MAILER, **WITH_CONFIG))

    entry = only(site.survey(table, allowed=("toy_conf",), environment=environment))

    assert entry.stage == "configure"
    assert message in str(entry)
    assert "hunter2" not in repr(entry)


def test_a_secret_in_what_a_hook_raises_is_hidden(site: Site) -> None:
    hooks = "@hookimpl\ndef mailers(self, context):\n    raise RuntimeError('refused ' + context.config.token)"
    site.install("toy_conf", plugin("toy_conf", hooks, **WITH_CONFIG))

    entry = only(site.survey(allowed=("toy_conf",), environment={"TOY_TOKEN": "s3cret-s3cret"}))

    assert entry.message.startswith("RuntimeError: refused [hidden] (statuette_toy_conf/__init__.py:")


def test_a_missing_field_names_its_variable_and_its_table(site: Site) -> None:
    config = """
    class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        token: Annotated[str, msgspec.Meta(extra={"env": "TOY_TOKEN", "secret": True})]
    """
    site.install("toy_conf", plugin("toy_conf", MAILER, config=config, attributes="Config = Config"))

    entry = only(site.survey(allowed=("toy_conf",)))

    assert entry.cure == "Set TOY_TOKEN, or add `token = …` below [plugins.toy_conf] in the settings file."


def test_a_broken_plugin_that_the_settings_choose_is_an_error_with_its_reason(site: Site) -> None:
    site.install("toy_store", "raise RuntimeError('no disk')")
    settings = site.settings("storage = 'toy_store'\npolicy_packs = ['baseline']", allowed=("toy_store", "policies"))

    with pytest.raises(ConfigurationError) as caught:
        PluginRegistry.load(settings, site.clock, environment={})

    assert "The setting `storage` (statuette.toml:3) names 'toy_store'" in str(caught.value)
    assert "RuntimeError: no disk" in str(caught.value)


def test_mail_does_not_quietly_go_to_the_terminal_when_smtp_is_broken(site: Site) -> None:
    settings = site.settings("[plugins.smtp]\nprot = 1", allowed=("smtp", "console"))
    broken = PluginRegistry.survey(settings, site.clock, environment={})

    assert only(broken).name == "smtp"
    assert list(broken.mailers) == ["console"]
    with pytest.raises(ConfigurationError, match=r"statuette\.toml:4: plugins\.smtp\.prot"):
        _ = broken.mailer


async def test_first_party_plugins_load_without_any_setting_and_close(tmp_path: Path) -> None:
    registry = PluginRegistry.load(Settings(data_dir=tmp_path / "var"), FrozenClock(), environment={})

    assert registry.quarantined == []
    assert {one.name for one in registry.loaded} == set(FIRST_PARTY_PLUGINS)
    assert (registry.storage.name, registry.mailer.name, registry.key_store.name) == ("local", "console", "local_keys")
    assert [pack.name for pack in registry.policy_packs] == ["baseline", "providers"]
    assert len(registry.styles) == 12
    assert registry.latest_style("chibi") == registry.style("chibi", 1)
    assert registry.latest_style("nope") is None
    assert "sketch/sketch-1" in registry.models()
    assert registry.model("sketch-1") == registry.model("sketch/sketch-1") is not None
    assert registry.provider_of("sketch/nope") is None
    await registry.aclose()


async def test_one_part_that_fails_to_close_does_not_keep_the_others_open(site: Site) -> None:
    body = """
    closed = []
    class Sticky(RecordingMailer):
        name = "a_sticky"
        async def aclose(self): raise RuntimeError("stuck")
    class Tidy(MemoryKeyStore):
        async def aclose(self): closed.append(True)
    """
    hooks = """
    @hookimpl
    def mailers(self, context): return [Sticky()]
    @hookimpl
    def key_stores(self, context): return [Tidy()]
    """
    site.install("toy_close", plugin("toy_close", hooks, config=body))
    registry = site.survey(allowed=("toy_close",))

    await registry.aclose()

    assert sys.modules["statuette_toy_close"].closed == [True]


ANSWERS: dict[str, Callable[[PluginRegistry], object]] = {
    "image_providers": lambda registry: registry.models(),
    "storages": lambda registry: registry.storages,
    "mailers": lambda registry: registry.mailers,
    "payment_providers": lambda registry: registry.payment_providers["piggybank"],
    "key_stores": lambda registry: registry.key_stores,
    "anchors": lambda registry: registry.anchors["printer"],
    "policy_packs": lambda registry: registry.all_policy_packs["hasty"],
    "styles": lambda registry: registry.latest_style("garden_gnome"),
    "datasets": lambda registry: registry.datasets["toybox_wishes"],
    "routes": lambda registry: registry.routes["toybox"],
}


def test_every_hook_has_a_heading_and_a_test() -> None:
    headings = re.findall(r"^## (\w+)$", HOOKS_PAGE.read_text(), flags=re.MULTILINE)

    assert sorted(headings) == HOOKS
    assert sorted(ANSWERS) == HOOKS
    assert len(HOOKS) >= 8


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_each_hook_is_a_plugin_whose_answer_reaches_the_platform(site: Site, hook: str) -> None:
    section = HOOKS_PAGE.read_text().partition(f"\n## {hook}\n")[2].partition("\n## ")[0]
    example = section.partition("```python\n")[2].partition("```")[0]
    site.install("toybox", example)

    registry = site.survey(allowed=("toybox",))

    assert registry.quarantined == []
    assert ANSWERS[hook](registry)


def test_plugin_command_lists_what_is_kept_out_and_says_so_by_its_exit_code(site: Site) -> None:
    site.settings("[plugins.smtp]\nprot = 1", allowed=("smtp", "console"))

    done = subprocess.run(
        [sys.executable, "-c", "from statuette.kernel.cli.main import main; main()", "plugins"],
        cwd=site.folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin"},
    )

    assert done.returncode == 1
    assert "console" in done.stdout
    assert re.search(
        r"smtp +kept out \(configure, configuration_error\): statuette\.toml:4: plugins\.smtp\.prot", done.stdout
    )
