"""Files are read with the line of every value, and every mistake is named by file, line and field."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuette.errors import ConfigurationError
from statuette.kernel.toml_source import convert, parse_toml, read_toml

DOCUMENT = '''\
title = "one" # a comment with ] and = in it
"quoted.key" = 1
a.b . "c" = 2

[table]
plain = true
many = [
  "first", # [
  "second",

  { deep = 3, "deeper" = [1,
     2] },
]
text = """
not_a_key = 1
[not_a_table]
closing quotes: """""
literal = \'\'\'
x = '\'\'\'

[[shop]]
name = 'a'
[shop.owner]
age = 3
[[shop]]
name = "b \\" ] }"
[[shop.items]]
price = 1979-05-27 07:32:00
[[shop.items]]
price = 5
[ table . inner ]
z = { }
'''

EXPECTED = {
    ("title",): 1,
    ("quoted.key",): 2,
    ("a", "b", "c"): 3,
    ("table",): 5,
    ("table", "plain"): 6,
    ("table", "many"): 7,
    ("table", "many", 0): 8,
    ("table", "many", 1): 9,
    ("table", "many", 2, "deep"): 11,
    ("table", "many", 2, "deeper", 0): 11,
    ("table", "many", 2, "deeper", 1): 12,
    ("table", "text"): 14,
    ("table", "literal"): 18,
    ("shop", 0, "name"): 22,
    ("shop", 0, "owner", "age"): 24,
    ("shop", 1): 25,
    ("shop", 1, "name"): 26,
    ("shop", 1, "items", 0, "price"): 28,
    ("shop", 1, "items", 1, "price"): 30,
    ("table", "inner", "z"): 32,
}


@pytest.mark.parametrize("path", EXPECTED)
def test_each_value_knows_its_line(path: tuple[str | int, ...]) -> None:
    source = parse_toml(DOCUMENT, "x.toml")

    assert source.lines[path] == EXPECTED[path]
    assert source.value(path) is not None


def test_windows_line_ends_count_the_same() -> None:
    source = parse_toml(DOCUMENT.replace("\n", "\r\n"), "x.toml")

    assert source.lines[("table", "inner", "z")] == 32


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path} | {found for key, item in inner for found in _paths(item, (*path, key))}


_keys = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
_values = st.recursive(
    st.one_of(st.integers(-99, 99).map(str), st.sampled_from(["true", "1.5", "'a]b'", '"#\\""', "'''x\ny'''"])),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[" + ",\n ".join(items) + "]"),
    max_leaves=6,
)


@given(st.dictionaries(_keys, _values, max_size=5), st.dictionaries(_keys, _values, max_size=3))
def test_exactly_the_paths_that_exist_have_lines(top: dict[str, str], table: dict[str, str]) -> None:
    lines = [f"{key} = {value}" for key, value in top.items()]
    lines += ["[[t]]", *(f"{key} = {value}" for key, value in table.items())]
    text = "\n".join(lines)
    if '"t"' in top:
        return

    source = parse_toml(text, "x.toml")

    assert set(source.lines) == _paths(tomllib.loads(text)) - {()}


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    slug: str
    credits: int = 1
    kind: Literal["a", "b"] = "a"


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    slug: str = "x"
    styles: list[str | Price] = []
    limits: dict[str, int] = {}
    groups: dict[str, list[Price]] = {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nslug = 3", "x.toml:2: slug: Expected `str`, got `int`"),
        (
            'styles = [\n "a",\n {slug="b"},\n {slug="c", credits="2"},\n]',
            "x.toml:4: styles[2].credits: Expected `int`, got `str`",
        ),
        ("[limits]\na = 1\nb = 'x'\nc = 'y'", "x.toml:3: limits.b: Expected `int`, got `str`"),
        (
            "[[groups.one]]\nslug='a'\n[[groups.two]]\nslug='a'\n[[groups.two]]\nslug='b'\nkind='c'",
            "x.toml:7: groups.two[1].kind: Invalid enum value 'c'",
        ),
        ("slug='a'\nstile = []", "x.toml:2: stile: There is no such field. Did you mean `styles`?"),
        (
            "[[styles]]\nslug='a'\n\ncredit=1",
            "x.toml:4: styles[0].credit: There is no such field. Did you mean `credits`?",
        ),
        ("slug='a'\nqqq = []", "x.toml:2: qqq: There is no such field. Use one of: groups, limits, slug, styles."),
        ("\n[[styles]]\ncredits=1", "x.toml:2: styles[0]: The field `slug` is missing. Add a line `slug = …`."),
    ],
)
def test_a_wrong_value_is_named_by_file_line_and_field(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        convert(parse_toml(text, "x.toml"), Form)

    assert str(caught.value) == message


def test_a_table_inside_a_file_is_converted_by_its_path() -> None:
    source = parse_toml("[plugins.p]\n\nslug = 1", "x.toml")

    with pytest.raises(ConfigurationError, match=r"^x.toml:3: plugins\.p\.slug: Expected"):
        convert(source, Price, ("plugins", "p"))


def test_a_secret_value_never_shows_in_an_error() -> None:
    class Secretive(msgspec.Struct):
        token: str

        def __post_init__(self) -> None:
            raise ValueError(f"{self.token} is too short")

    with pytest.raises(ConfigurationError) as caught:
        convert(parse_toml("token = 'hunter2'", "x.toml"), Secretive, secrets=["hunter2"])

    assert str(caught.value) == "x.toml:1: [hidden] is too short"
    assert "hunter2" not in repr(parse_toml("token = 'hunter2'", "x.toml"))


@pytest.mark.parametrize(
    ("text", "place"),
    [("a = 1\nb = = 2", "x.toml:2: "), ("a = 1\na = 2\n", "x.toml:2: "), ('a = """\n\n', "x.toml:3: ")],
)
def test_broken_syntax_is_named_by_file_and_line(text: str, place: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_toml(text, "x.toml")

    assert str(caught.value).startswith(f"{place}This is not TOML: ")


def test_a_file_that_is_missing_or_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"a = 1\nb = '\xe9'\n")

    with pytest.raises(ConfigurationError, match=r"latin\.toml:2: The file is not UTF-8"):
        read_toml(tmp_path / "latin.toml")
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: There is no such file"):
        read_toml(tmp_path / "nowhere.toml")
