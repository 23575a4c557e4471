"""Settings come from defaults, file and environment, and every mistake names its source and a way out."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from statuette.errors import ConfigurationError
from statuette.kernel.master_key import derived, master_key
from statuette.kernel.settings import Settings, reference
from statuette.kernel.settings_loading import load_settings

KEY = base64.b64encode(bytes(range(32))).decode()
CLUSTER = {
    "STATUETTE_PROFILE": "cluster",
    "STATUETTE_DATABASE_URL": "postgresql://u:hunter2@db/x",
    "STATUETTE_MASTER_KEY": KEY,
    "STATUETTE_REDIS_URL": "redis://:hunter4@redis/0",
    "STATUETTE_STORAGE": "s3",
    "STATUETTE_KEY_STORE": "s3_keys",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def written(folder: Path, text: str) -> Path:
    (folder / "statuette.toml").write_text(text)
    return folder


def test_without_file_and_variables_the_defaults_make_a_local_deployment(folder: Path) -> None:
    settings = load_settings({}, folder=folder)

    assert settings.profile == "embedded"
    assert settings.database_url == "sqlite:///var/statuette.db"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.source("port") == "default"


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(folder: Path) -> None:
    written(folder, 'port = 9000\nhost = "::1"\n')

    settings = load_settings({"STATUETTE_PORT": "9001"}, folder=folder)

    assert (settings.port, settings.source("port")) == (9001, "STATUETTE_PORT")
    assert (settings.host, settings.source("host")) == ("::1", "statuette.toml:2")
    assert settings.public_url == "http://[::1]:9001"


def test_variables_hold_lists_truth_and_paths_as_text(folder: Path) -> None:
    settings = load_settings(
        {
            "STATUETTE_ALLOWED_PLUGINS": "sketch, local",
            "STATUETTE_DOCS_ENABLED": "false",
            "STATUETTE_DATA_DIR": "/srv/data",
            "STATUETTE_LOG_LEVEL": "",
        },
        folder=folder,
    )

    assert settings.allowed_plugins == ("sketch", "local")
    assert settings.docs_enabled is False
    assert settings.database_url == "sqlite:////srv/data/statuette.db"
    assert settings.log_level == "info"


def test_database_url_is_read_under_its_common_name_too(folder: Path) -> None:
    settings = load_settings({"DATABASE_URL": "postgresql://a/b"}, folder=folder)

    assert settings.database_url == "postgresql://a/b"
    assert settings.source("database_url") == "DATABASE_URL"


def test_the_file_may_be_named_and_must_then_exist(folder: Path) -> None:
    (folder / "other.toml").write_text("port = 1234")

    settings = load_settings({"STATUETTE_SETTINGS": str(folder / "other.toml")}, folder=folder)

    assert settings.port == 1234
    with pytest.raises(ConfigurationError, match="There is no such file"):
        load_settings({"STATUETTE_SETTINGS": str(folder / "nowhere.toml")})


def test_a_secret_is_read_from_the_file_a_variable_names(folder: Path) -> None:
    (folder / "url").write_text("postgresql://u:hunter2@db/x\n")

    settings = load_settings({"STATUETTE_DATABASE_URL_FILE": str(folder / "url")}, folder=folder)

    assert settings.database_url == "postgresql://u:hunter2@db/x"
    assert settings.source("database_url") == "STATUETTE_DATABASE_URL_FILE"


def test_secrets_are_not_in_the_representation(folder: Path) -> None:
    written(folder, "[plugins.gemini]\napi_key = 'hunter3'")

    settings = load_settings(CLUSTER, folder=folder)

    shown = f"{settings!r} {settings} {settings.plugin_tables!r} {settings.__rich_repr__()}"
    assert settings.plugin_tables["gemini"].data == {"api_key": "hunter3"}
    assert not any(secret in shown for secret in (KEY, "hunter2", "hunter3", "hunter4"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nport = 'x'", "statuette.toml:2: port: Expected `int`, got `str`. For example: port = 8000"),
        ("prot = 1", "statuette.toml:1: There is no setting `prot`. Did you mean `port`?"),
        ("\n[plugin.gemini]\na=1", "statuette.toml:2: There is no setting `plugin`."),
        ("plugins = ['a']", "statuette.toml:1: `plugins` holds the tables [plugins.<name>]."),
        ("trace_sampling = 2", "statuette.toml:1: trace_sampling: Expected `float` <= 1.0."),
        (
            "allowed_plugins = [\n'a',\n3]",
            "statuette.toml:3: allowed_plugins[1]: Expected `str`, got `int`.",
        ),
        ("data_dir = 3", "statuette.toml:1: data_dir: Expected a path."),
        (
            "trusted_proxies = ['10.0.0.1/8']",
            "The setting `trusted_proxies` (statuette.toml:1): '10.0.0.1/8' is not a network address.",
        ),
        ("database_url = 'mysql://x'", "The setting `database_url` (statuette.toml:1): "),
        ("public_url = 'http://shop.example'", "The setting `public_url` (statuette.toml:1): People would sign in"),
        ("public_url = 'https://shop.example/'", "The setting `public_url` (statuette.toml:1): The address has"),
        ("public_url = 'shop.example'", "The setting `public_url` (statuette.toml:1): This is not an http"),
    ],
)
def test_a_wrong_setting_in_the_file_is_named_with_its_line(folder: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({}, folder=written(folder, text))

    assert str(caught.value).startswith(message)
    assert caught.value.cure


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"STATUETTE_PORT": "x"}, "STATUETTE_PORT: Expected `int`, got `str`. For example: STATUETTE_PORT=8000"),
        ({"STATUETTE_PROT": "1"}, "The environment variable STATUETTE_PROT sets nothing. Did you mean"),
        ({"STATUETTE_PORT": "1", "STATUETTE_PORT_FILE": "x"}, "Both STATUETTE_PORT and STATUETTE_PORT_FILE are set."),
        ({"STATUETTE_PORT_FILE": "/nowhere"}, "STATUETTE_PORT_FILE names /nowhere, which cannot be read: No such file"),
    ],
)
def test_a_wrong_variable_is_named(folder: Path, environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment, folder=folder)

    assert str(caught.value).startswith(message)


def test_variables_of_plugins_clients_and_the_container_platform_are_left_alone(folder: Path) -> None:
    settings = load_settings(
        {
            "STATUETTE_LOCAL_KEYS_DIRECTORY": "/keys",
            "STATUETTE_SERVICE_HOST": "10.0.0.1",
            "STATUETTE_SECRET_KEY": "sk_test_x",
            "STATUETTE_PORT": "tcp://10.0.0.1:8000",
            "STATUETTE_PORT_8000_TCP_ADDR": "10.0.0.1",
        },
        folder=folder,
    )

    assert settings.port == 8000


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("STATUETTE_DATABASE_URL", "The setting `database_url` (default): The profile `cluster` needs"),
        ("STATUETTE_MASTER_KEY", "The setting `master_key` (default): The profile `cluster` makes no keys"),
        ("STATUETTE_REDIS_URL", "The setting `redis_url` (default): The profile `cluster` needs a Redis"),
        ("STATUETTE_STORAGE", "The setting `storage` (default): `local` keeps things in a folder that other machines"),
        ("STATUETTE_KEY_STORE", "The setting `key_store` (default): `local_keys` keeps things in a folder that other"),
    ],
)
def test_a_cluster_refuses_to_start_without_what_its_processes_share(folder: Path, missing: str, message: str) -> None:
    environment = {name: value for name, value in CLUSTER.items() if name != missing}

    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment, folder=folder)

    assert str(caught.value).startswith(message)


def test_a_cluster_may_keep_objects_and_keys_in_a_folder_that_is_shared(folder: Path) -> None:
    environment = {name: value for name, value in CLUSTER.items() if "STOR" not in name}

    settings = load_settings({**environment, "STATUETTE_SHARED_DATA_DIR": "true"}, folder=folder)

    assert (settings.storage, settings.key_store) == ("local", "local_keys")


@pytest.mark.parametrize("name", ["STATUETTE_REDIS_URL", "REDIS_URL"])
def test_an_address_with_a_password_may_come_from_a_file(folder: Path, name: str) -> None:
    (folder / "redis").write_text("rediss://:hunter4@redis/0\n")
    environment = {key: value for key, value in CLUSTER.items() if key != "STATUETTE_REDIS_URL"}

    settings = load_settings({**environment, f"{name}_FILE": str(folder / "redis")}, folder=folder)

    assert settings.redis_url == "rediss://:hunter4@redis/0"


def test_every_setting_is_described_and_its_example_is_one_that_loads(folder: Path) -> None:
    fields = set(Settings.__struct_fields__) - {"sources", "plugin_tables"}

    assert {info.name for info in reference()} == fields
    for info in reference():
        assert info.description.endswith("."), info.name
        example = ",".join(info.example) if isinstance(info.example, list) else str(info.example).lower()
        settings = load_settings({info.variable: example}, folder=folder)
        assert settings.source(info.name) == info.variable


def test_the_embedded_profile_makes_a_private_key_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var")

    first = master_key(settings)
    second = master_key(settings)

    made = tmp_path / "var" / "keys" / "master-key"
    assert first == second
    assert len(first) == 32
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert [path.name for path in made.parent.iterdir()] == ["master-key"]


def test_a_given_key_is_used_and_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")

    assert master_key(Settings(data_dir=tmp_path / "var", master_key=KEY)) == bytes(range(32))
    assert master_key(Settings(data_dir=tmp_path / "var", master_key_file=tmp_path / "key")) == bytes(range(32))
    assert not (tmp_path / "var").exists()


def test_a_key_that_is_not_32_bytes_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not 32 bytes in base64") as caught:
        master_key(Settings(data_dir=tmp_path, master_key="aHVudGVyMg=="))

    assert "aHVudGVyMg" not in str(caught.value)


def test_derived_keys_differ_by_use_and_are_stable() -> None:
    key = bytes(range(32))

    assert derived(key, "plugin:a") == derived(key, "plugin:a")
    assert len({key, derived(key, "plugin:a"), derived(key, "plugin:b")}) == 3
