"""What was written is found in whatever form, wherever a piece ends; and what is found is judged."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuette.kernel.cli.policy_drill import _exit_code
from statuette.kernel.drill.canary import hatch
from statuette.kernel.drill.needles import Kind, Needle
from statuette.kernel.drill.places import Found, Place, Seen, Tally
from statuette.kernel.drill.report import Report, Verdict, judged, worst
from statuette.kernel.drill.search import Reader, Search

STEM = "kn0123456789ab"
WORD = Needle("typed words", Kind.words, f"{STEM}wo".encode())
OTHER = Needle("account id", Kind.id, b"acc_01kf0rdqg0gwa9p3r0awb6bgcs")
PICTURE = Needle("photo as stored", Kind.bytes, bytes(range(200, 248)))
SEARCH = Search(STEM, (WORD, OTHER, PICTURE))
WAYS = {
    "plain": lambda data: data,
    "hexadecimal": lambda data: data.hex().encode(),
    "HEXADECIMAL": lambda data: data.hex().upper().encode(),
    "base64": base64.b64encode,
    "urlsafe": base64.urlsafe_b64encode,
    "percent": lambda data: "".join(f"%{byte:02X}" for byte in data).encode(),
    "gzip": lambda data: b"junk" + gzip.compress(data),
    "zlib": zlib.compress,
    "gzip of base64": lambda data: gzip.compress(base64.b64encode(data)),
    "gzip of gzip": lambda data: gzip.compress(gzip.compress(data)),
}


@pytest.mark.parametrize("way", WAYS)
@given(before=st.binary(max_size=40), after=st.binary(max_size=40))
def test_a_needle_is_found_in_every_form_whatever_stands_around_it(way: str, before: bytes, after: bytes) -> None:
    for needle in (WORD, OTHER) if way == "percent" else (WORD, OTHER, PICTURE):
        data = WAYS[way](before + needle.value + after)

        found = SEARCH.hits(data) + SEARCH.opened(data, whole=True)

        assert needle in {each for each, _ in found}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_a_needle_is_found_in_wide_letters(encoding: str) -> None:
    data = f"<{STEM}wo>".encode(encoding)

    assert SEARCH.hits(data) == Counter({(WORD, "UTF-16"): 1})


@given(st.data())
def test_a_needle_counts_once_wherever_a_stream_is_cut(data: st.DataObject) -> None:
    whole = b"x" * 50 + quote(WORD.value).encode() + b"y" * 50 + PICTURE.value + b"z" * 9
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    reader = Reader(SEARCH)

    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        reader.take(whole[start:end])

    assert reader.found == Counter({(WORD, "plain"): 1, (PICTURE, "plain"): 1})


@given(st.binary(max_size=4000))
def test_nothing_is_found_in_noise(noise: bytes) -> None:
    assert SEARCH.hits(noise) == Counter()


def test_values_that_meet_in_a_batch_are_not_taken_for_one() -> None:
    tally = Tally(SEARCH)
    tally.value("table.column", WORD.value[:8])
    tally.value("table.column", WORD.value[8:])

    assert tally.end().found == Counter()


def test_two_canaries_have_nothing_in_common_and_one_never_leaves_its_brands_domain() -> None:
    one, other = hatch(), hatch()

    assert one.stem != other.stem and one.photo() != other.photo()
    assert one.email("Alpha <hello@alpha.example>") == f"hello+{one.words['address']}@alpha.example"


class _Somewhere(Place):
    unit = "rows"

    def __init__(self, name: str, *, told: bool = False) -> None:
        self.name, self.told = name, told

    async def searched(self, search: Search) -> Seen:
        raise NotImplementedError


def _seen(*found: tuple[str, Needle]) -> Seen:
    return Seen(1, 10, Counter(Found(where, needle, "plain") for where, needle in found))


SEALED = Needle("name", Kind.words, b"", sealed=True)
JUDGEMENTS = {
    "gone": ("database", _seen(("generation.variables", WORD)), _seen(), Verdict.clean),
    "still there": ("database", _seen(("a.b", WORD)), _seen(("a.b", WORD)), Verdict.leak),
    "by a rule": ("database", _seen(("a.b", WORD)), _seen(("journal_mark.destroyed", OTHER)), Verdict.residual),
    "words where a rule lets ids stay": (
        "database",
        _seen(("a.b", WORD)),
        _seen(("journal_note.body", WORD)),
        Verdict.leak,
    ),
    "never found": ("database", _seen(), _seen(), Verdict.blind),
    "in the clear": ("database", _seen(("a.b", WORD), ("account.name", SEALED)), _seen(), Verdict.leak),
    "unreadable": ("database", _seen(("a.b", WORD)), "it could not be read", Verdict.not_searched),
}


@pytest.mark.parametrize("name", JUDGEMENTS)
def test_what_two_looks_say(name: str) -> None:
    place, before, after, verdict = JUDGEMENTS[name]

    found = judged(_Somewhere(place), before, after, expected=frozenset({"typed words"}), in_rows={})

    assert found.verdict is verdict


def test_words_in_a_queue_are_a_leak_while_the_account_lives_and_ids_are_not() -> None:
    queue = _Somewhere("Redis", told=True)

    words = judged(queue, _seen(("q", WORD)), _seen(), expected=frozenset(), in_rows={})
    ids = judged(queue, _seen(("q", OTHER)), _seen(("q", OTHER)), expected=frozenset(), in_rows={})

    assert (words.verdict, ids.verdict) == (Verdict.leak, Verdict.residual)


@pytest.mark.parametrize(
    ("verdicts", "whole", "code"),
    [
        ([Verdict.clean], Verdict.clean, 0),
        ([Verdict.clean, Verdict.residual], Verdict.residual, 0),
        ([Verdict.residual, Verdict.not_searched], Verdict.not_searched, 3),
        ([Verdict.not_searched, Verdict.blind], Verdict.blind, 3),
        ([Verdict.blind, Verdict.leak, Verdict.clean], Verdict.leak, 1),
        ([], Verdict.blind, 3),
    ],
)
def test_a_drill_is_as_good_as_its_worst_place(verdicts: list[Verdict], whole: Verdict, code: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert worst(verdicts) is whole
    assert _exit_code(Report("alpha", "test", "embedded", "", now, now, whole, [], [], [], [])) == code
