"""Every integration test that stores something runs on both profiles, unless it is listed here with the reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.profiles import PROFILES

REPOSITORY = Path(__file__).parents[2]
INTEGRATION = REPOSITORY / "tests" / "integration"

# Folders, modules or single tests that run on one profile.
ONE_PROFILE = {
    "postgres": "the subject is PostgreSQL itself: pools, locks, lost connections, migrations beside a working site",
    "road/test_presence.py::test_a_process_that_sleeps_in_a_transaction_keeps_nobody_from_freeing_the_rest": "SQLite has one"
    " writer, which nobody else waits beside",
    "road/test_full_disk.py": "a bound on pages is SQLite's own; PostgreSQL's disk belongs to whoever runs the server",
    "test_isolation.py": "the subject is what tests share of Redis and S3",
    "test_redis_loops.py": "the subject is what goes on in the background with Redis",
    "test_waiting_workers.py": "the subject is waiting for work on Redis",
    "test_without_broker.py": "the subject is a Redis that fails",
}
# Where an address of a database stands in the source, instead of coming from a fixture that tries both.
ADDRESSES = {
    "postgres": "see above",
    "credits/test_verification.py": "names a database that does not exist",
}

_COLLECT = """
import json, pytest

SERVERS = {"postgres_server", "redis_server", "s3_server"}

class Seen:
    def pytest_collection_modifyitems(self, items):
        seen = {}
        for item in items:
            parameters = getattr(getattr(item, "callspec", None), "params", {})
            profile = parameters.get("profile_name", parameters.get("module_profile"))
            if profile is None and SERVERS & set(item.fixturenames):
                profile = "cluster"
            seen.setdefault(item.nodeid.partition("[")[0], []).append(profile)
        print("\\n" + json.dumps(seen))

raise SystemExit(pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", "tests/integration"], plugins=[Seen()]))
"""


def _profiles_of_tests() -> dict[str, set[str]]:
    """By `folder/test_module.py::test_name`; of a test that asks for no profile, nothing."""
    told = subprocess.run([sys.executable, "-c", _COLLECT], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    seen = json.loads(next(line for line in told.stdout.splitlines() if line.startswith("{")))
    return {name.removeprefix("tests/integration/"): set(profiles) - {None} for name, profiles in seen.items()}


def _entry(name: str, places: dict[str, str]) -> str | None:
    """The one that covers a test or a module."""
    return next((place for place in places if name == place or name.startswith((f"{place}/", f"{place}::"))), None)


def test_a_test_that_runs_on_one_profile_is_listed() -> None:
    profiles = _profiles_of_tests()

    on_one = {name for name, of_test in profiles.items() if len(of_test) == 1}
    assert sum(of_test == set(PROFILES) for of_test in profiles.values()) > 200
    assert {name for name in on_one if _entry(name, ONE_PROFILE) is None} == set()
    assert set(ONE_PROFILE) == {_entry(name, ONE_PROFILE) for name in on_one}, "listed, and yet on both"


def test_no_test_names_a_database_by_itself() -> None:
    naming = {
        str(path.relative_to(INTEGRATION))
        for path in INTEGRATION.rglob("*.py")
        if re.search(r"""["'](sqlite:///|postgresql://)[^"']|\bembedded\(""", path.read_text())
    }

    assert {name for name in naming if _entry(name, ADDRESSES) is None} == set()
    assert set(ADDRESSES) == {_entry(name, ADDRESSES) for name in naming}, "listed, and yet without an address"
