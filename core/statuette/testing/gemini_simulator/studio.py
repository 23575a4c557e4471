"""What the simulated model draws: the photo itself, posterised in a frame, so that anyone sees where it came from."""

from __future__ import annotations

import io
import struct
import zlib
from collections import OrderedDict
from hashlib import blake2b

_CACHED_PICTURES = 64


class Studio:
    """Turns photos into PNGs. Remembers the last few results, so that a benchmark pays for one drawing.

    Args:
        edge: longest edge of what it draws, pixels.
    """

    def __init__(self, edge: int) -> None:
        self._edge = edge
        self._finished: OrderedDict[tuple[bytes, str], bytes] = OrderedDict()

    def draw(self, photo: bytes, aspect_ratio: str) -> bytes:
        """A PNG made from `photo`.

        Raises:
            ValueError: `photo` is no picture. OSError: it is broken.
        """
        key = (blake2b(photo, digest_size=16).digest(), aspect_ratio)
        if key not in self._finished:
            self._finished[key] = self._draw(photo, aspect_ratio)
            if len(self._finished) > _CACHED_PICTURES:
                self._finished.popitem(last=False)
        return self._finished[key]

    def _draw(self, photo: bytes, aspect_ratio: str) -> bytes:
        from PIL import Image, ImageOps, UnidentifiedImageError

        across, down = (int(part) for part in aspect_ratio.split(":"))
        scale = self._edge / max(across, down)
        size = (max(16, round(across * scale)), max(16, round(down * scale)))
        try:
            with Image.open(io.BytesIO(photo)) as opened:
                opened.draft("RGB", size)
                subject = ImageOps.fit(opened.convert("RGB"), size)
        except (UnidentifiedImageError, SyntaxError, Image.DecompressionBombError) as broken:
            raise ValueError("not a picture") from broken
        framed = ImageOps.expand(ImageOps.posterize(subject, 3), border=max(2, size[0] // 32), fill=(214, 164, 60))
        encoded = io.BytesIO()
        framed.save(encoded, "PNG", compress_level=1)
        return encoded.getvalue()


def with_c2pa_box(png: bytes) -> bytes:
    """The same picture with a `caBX` chunk that holds an empty JUMBF manifest store. Unsigned: a box, not a proof."""
    label = b"c2pa\x00"
    description = struct.pack(
        ">I4s16sB", 8 + 16 + 1 + len(label), b"jumd", b"c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71", 3
    )
    superbox = description + label
    body = b"caBX" + struct.pack(">I4s", 8 + len(superbox), b"jumb") + superbox
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    after_header = 8 + 25
    return png[:after_header] + chunk + png[after_header:]
