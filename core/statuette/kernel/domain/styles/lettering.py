"""Which texts people may type. Pure.

Letters of all scripts are welcome; what cannot be seen, turns text around or looks like a quotation mark is not.
"""

from __future__ import annotations

import unicodedata

NAME_PUNCTUATION = ".,'!&-"
CHANGE_PUNCTUATION = ".,'!&-:;?()/%+"

_MAX_MARKS_IN_A_ROW = 2  # more than any living script stacks on one letter after composition

# Letters and marks that show nothing (Unicode's default-ignorable code points of the categories L and M).
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
# Spacing modifiers count as letters, and some look like quotation marks; the two of Hawaiian and Ukrainian names stay.
_MODIFIERS = frozenset(map(chr, range(0x02B0, 0x0300))) - {"\u02bb", "\u02bc"}

# What keyboards put in by themselves.
_KEYBOARD = str.maketrans({"’": "'", "‘": "'", "–": "-", "\u00a0": " "})


class RejectedText(Exception):
    """The end of a sentence that begins with `The text …`. Does not repeat the text."""


def clean_text(text: str, max_length: int, punctuation: str) -> str:
    """`text` in NFC, without outer and doubled spaces. Cleaning what is clean changes nothing.

    Raises:
        RejectedText: a character is not allowed, or the text is too long.
    """
    # Composition shrinks a text only so far; beyond that the length alone decides, and cheaply.
    if len(text) > max_length * 4 + 64:
        raise RejectedText(f"is longer than {max_length} characters")
    tidy = " ".join(part for part in unicodedata.normalize("NFC", text.translate(_KEYBOARD)).split(" ") if part)
    marks = 0
    for position, character in enumerate(tidy):
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        if not _is_allowed(character, punctuation) or marks > _MAX_MARKS_IN_A_ROW or (marks and _bare(tidy, position)):
            raise RejectedText(f"has a character that is not allowed at place {position + 1}")
    if len(tidy) > max_length:
        raise RejectedText(f"is longer than {max_length} characters")
    return tidy


def _is_allowed(character: str, punctuation: str) -> bool:
    if character in _INVISIBLE or character in _MODIFIERS:
        return False
    category = unicodedata.category(character)
    # Me (enclosing marks) would draw frames around letters.
    return character in punctuation or character == " " or category[0] == "L" or category in ("Nd", "Mn", "Mc")


def _bare(text: str, position: int) -> bool:
    """Whether the mark at `position` has no letter or mark before it to sit on."""
    return position == 0 or unicodedata.category(text[position - 1])[0] not in "LM"
