"""What people write, as it is kept."""

from __future__ import annotations

from statuette.errors import InvalidInput

_LAYOUT = frozenset("\n\r\t")


def checked_line(line: str) -> str:
    """One line, trimmed. Raises `InvalidInput`: nothing is left, or it holds control characters."""
    kept = line.strip()
    if not kept or not kept.isprintable():
        raise InvalidInput("A subject is one line of printable characters.", field="subject")
    return kept


def checked_text(text: str) -> str:
    """Several lines, trimmed. Raises `InvalidInput`: nothing is left, or it holds control characters."""
    kept = text.strip()
    if not kept or any(not each.isprintable() and each not in _LAYOUT and not each.isspace() for each in kept):
        raise InvalidInput("A message is text, without control characters.", field="message")
    return kept
