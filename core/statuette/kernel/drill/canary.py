"""The canary: a person who does not exist, whose every word is unmistakable and whose photo is like no other.

All words of one canary begin with the same letters, its stem, so that a search can pass by quickly what holds none of them.
They are small letters and digits only: nothing on the way has a reason to write them otherwise.
"""

from __future__ import annotations

import io
import random
import secrets

import msgspec

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_STEM_LENGTH = 14
_SIDE = 640

SEALED = frozenset({"address", "name", "question", "statement", "subject"})
"""Words that the platform keeps encrypted: nobody finds them in the clear, also while the account is there."""


class Canary(msgspec.Struct, frozen=True):
    """Attributes:
    stem: what all words begin with.
    words: by what they are used as.
    network_address: of the documentation's range (RFC 3849), so that it is nobody's.
    """

    stem: str
    words: dict[str, str]
    network_address: str

    def __repr__(self) -> str:
        return f"Canary({self.stem})"

    def email(self, mailbox: str) -> str:
        """An address that letters to `mailbox` would come from or go to, with a tag: no stranger ever gets one.

        Where that is no domain of the public internet's, one where nobody is (RFC 2606).
        """
        _, _, inside = mailbox.rpartition("<")
        local, _, domain = inside.strip("<> ").rpartition("@")
        return f"{local}+{self.words['address']}@{domain if '.' in domain else 'canary.invalid'}"

    def photo(self) -> bytes:
        """A JPEG of noise that no other canary has, with a comment in it."""
        from PIL import Image

        dice = random.Random(self.stem)  # noqa: S311 - a picture, not a secret
        grain = Image.frombytes("RGB", (80, 80), dice.randbytes(80 * 80 * 3)).resize((_SIDE, _SIDE))
        encoded = io.BytesIO()
        grain.save(encoded, "JPEG", quality=88, comment=self.words["comment"].encode())
        return encoded.getvalue()


def hatch() -> Canary:
    """A new one."""
    stem = "kn" + "".join(secrets.choice(_LETTERS) for _ in range(_STEM_LENGTH - 2))
    uses = {
        "address": "ad",
        "name": "na",
        "file name": "fi",
        "comment": "co",
        "browser": "br",
        "idempotency key": "ke",
        "typed words": "wo",
        "statement": "st",
        "subject": "su",
        "question": "qs",
        "attached": "at",
        "baggage": "ba",
        "query": "qu",
        "wrong order": "wr",
        "wrong code": "wc",
    }
    network = ":".join(f"{secrets.randbelow(0x10000):x}" for _ in range(6))
    return Canary(stem, {use: stem + tail for use, tail in uses.items()}, f"2001:db8:{network}")
