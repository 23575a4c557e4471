"""The platform puts S3 to use as its settings, variables and secret files say, and by nothing else."""

from __future__ import annotations

from pathlib import Path

from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.settings_loading import load_settings
from statuette.testing import FrozenClock


def test_the_platform_builds_both_from_its_settings_and_secret_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of-the-objects\n")
    (tmp_path / "statuette.toml").write_text(
        f"""
        data_dir = "{tmp_path}/var"
        storage = "s3"
        key_store = "s3_keys"
        [plugins.s3]
        bucket = "photos-example"
        region = "eu-central-1"
        [plugins.s3_keys]
        bucket = "keys-example"
        region = "eu-central-1"
        """
    )
    environment = {
        "S3_ACCESS_KEY_ID": "one",
        "S3_SECRET_ACCESS_KEY_FILE": str(tmp_path / "secret"),
        "S3_KEYS_ACCESS_KEY_ID": "two",
        "S3_KEYS_SECRET_ACCESS_KEY": "of-the-keys",
    }

    settings = load_settings(environment, folder=tmp_path)
    registry = PluginRegistry.load(settings, FrozenClock(), environment=environment)

    assert (registry.storage.name, registry.key_store.name) == ("s3", "s3_keys")
    assert registry.quarantined == []


def test_one_bucket_for_both_keeps_the_keys_out_and_the_platform_down(tmp_path: Path) -> None:
    (tmp_path / "statuette.toml").write_text(f'data_dir = "{tmp_path}/var"\n')
    environment = {
        f"{start}_{name}": "same-bucket" if name == "BUCKET" else "eu-central-1"
        for start in ("S3", "S3_KEYS")
        for name in ("BUCKET", "REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
    }

    settings = load_settings(environment, folder=tmp_path)
    registry = PluginRegistry.survey(settings, FrozenClock(), environment=environment)

    assert [(entry.name, entry.stage, entry.code) for entry in registry.quarantined] == [
        ("s3_keys", "key_stores", "configuration_error")
    ]
