"""Every integration test runs on both profiles, unless it is listed here with the reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.profiles import PROFILES

REPOSITORY = Path(__file__).parents[2]
INTEGRATION = REPOSITORY / "tests" / "integration"

# Folders, modules or single tests that run on one profile.
ONE_PROFILE = {
    "rights/test_copy.py::test_thousands_of_figurines_are_streamed_in_bounded_memory": "thousands of pictures, once",
    "backup": "PostgreSQL and S3 are backed up by their own means",
    "drill/test_drill.py::test_a_road_that_breaks_off_is_told_and_leaves_no_account_behind": "what is walked is the same on both",
    "keys/test_rotation.py::test_a_rotation_that_is_killed_is_finished_by_the_next": "the command on the folder of keys; that of a"
    " bucket is cut off in the provider's own tests",
    "policy_commands/test_policy_commands.py::test_every_paper_is_rendered_in_each_form_and_language": "thirty commands that"
    " print the same on both",
    "probes/test_doctor.py::test_the_command_tells_people_and_machines": "what it finds is asked on both; this prints it",
    "postgres": "the subject is PostgreSQL itself: pools, locks, lost connections, migrations beside a working site",
    "road/test_presence.py::test_a_process_that_sleeps_in_a_transaction_keeps_nobody_from_freeing_the_rest": "SQLite has one"
    " writer, which nobody else waits beside",
    "road/test_full_disk.py": "a bound on pages is SQLite's own; PostgreSQL's disk belongs to whoever runs the server",
    "road/test_receipts.py::test_a_receipt_counts_only_once_the_row_is_gone_from_disk_too": "SQLite's write-ahead log;"
    " PostgreSQL's receipts say that dead rows last until a vacuum",
    "test_isolation.py": "the subject is what tests share of Redis and S3",
    "test_redis_loops.py": "the subject is what goes on in the background with Redis",
    "test_waiting_workers.py": "the subject is waiting for work on Redis",
    "test_without_broker.py": "the subject is a Redis that fails",
}
# Those that ask for no profile at all. Where other tests of the module do, each is named, so that the next one is looked at, too.
NO_PROFILE = {
    "accounts/test_account_data.py::test_every_column_is_classified_and_every_rule_exists": "looks at declarations",
    "accounts/test_field_encryption.py": "enciphers; what is stored of it is the business of test_authentication and its like",
    "consent/test_consent.py::test_every_column_is_classified_and_every_rule_exists": "looks at declarations",
    "credits/test_credit_data.py::test_every_column_is_classified_by_a_category_of_the_baseline": "looks at declarations",
    "credits/test_verification.py::test_there_is_tampering_for_every_check": "looks at the tests beside it",
    "credits/test_verification.py::test_the_command_makes_no_database_where_there_is_none": "only SQLite makes a database by"
    " opening it",
    "drill/test_ids_only.py::test_our_own_lines_say_what_they_were_filled_with": "writes lines",
    "drill/test_ids_only.py::test_what_others_fill_into_their_lines_and_every_address_stays_out_of_the_log": "writes lines",
    "road/test_watchers.py::test_a_process_takes_no_more_watchers_than_leave_room_for_others": "computes numbers",
    "test_brands.py::test_a_mistake_in_a_file_is_named_with_its_line": "reads files and stores nothing",
    "test_brands.py::test_two_files_with_the_same_slug_or_host_name_each_other": "reads files and stores nothing",
    "test_brands.py::test_a_model_that_is_not_on_offer_is_passed_over_with_a_warning": "reads files and stores nothing",
    "test_brands.py::test_the_demo_brand_offers_every_classic_style": "reads files and stores nothing",
    "test_brands.py::test_files_are_those_named_or_all_of_the_folder": "reads files and stores nothing",
    "test_brands.py::test_every_column_is_classified": "looks at declarations",
    "test_brands.py::test_a_command_says_what_is_wrong_in_one_line_with_a_cure_and_exit_code_two": "fails before it stores",
    "test_brands.py::test_help_imports_no_command": "stores nothing",
    "test_pixels.py": "pictures, in memory",
    "test_pixels_pool.py": "pictures, in memory",
    "test_pixels_render.py": "pictures, in memory",
    "rules/test_mutations.py": "runs other tests, which have their profiles",
    "test_policy_packs.py::test_a_good_pack_is_offered": "loads packs, which have nothing to store",
    "test_policy_packs.py::test_a_wrong_pack_is_kept_out_and_named_by_file_and_line": "loads packs",
    "test_policy_packs.py::test_what_is_not_a_rule_is_no_rule": "loads packs",
    "test_plugins.py": "finds and configures plugins, of which none has anything to store yet",
    "test_s3_plugins.py::test_the_platform_builds_both_from_its_settings_and_secret_files": "builds clients and calls nobody",
    "test_s3_plugins.py::test_one_bucket_for_both_keeps_the_keys_out_and_the_platform_down": "builds clients and calls nobody",
    "test_servers.py": "the subject is the servers that tests start",
    "test_telemetry_outages.py": "starts a process of its own, whose sender of telemetry is the same on both",
    "test_telemetry_processes.py": "starts a cluster of its own, of which a process is killed",
    "test_telemetry_variables.py": "looks at what a process sends to others than its stores",
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


@cache
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


def test_a_test_without_a_profile_is_listed() -> None:
    profiles = _profiles_of_tests()

    without = {name for name, of_test in profiles.items() if not of_test}
    listed = {**ONE_PROFILE, **NO_PROFILE}
    assert {name for name in without if _entry(name, listed) is None} == set()
    assert set(NO_PROFILE) == {_entry(name, NO_PROFILE) for name in without} - {None}, "listed, and yet on a profile"
    others = {name for name in profiles.keys() - without if _entry(name, NO_PROFILE) is not None}
    assert others == set(), "of a module with tests of both kinds, name those that ask for no profile"


def test_no_test_names_a_database_by_itself() -> None:
    naming = {
        str(path.relative_to(INTEGRATION))
        for path in INTEGRATION.rglob("*.py")
        if re.search(r"""["'](sqlite:///|postgresql://)[^"']|\bembedded\(""", path.read_text())
    }

    assert {name for name in naming if _entry(name, ADDRESSES) is None} == set()
    assert set(ADDRESSES) == {_entry(name, ADDRESSES) for name in naming}, "listed, and yet without an address"
