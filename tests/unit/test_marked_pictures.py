"""The parent believes no child that a picture is marked: it looks."""

from __future__ import annotations

import io

import pytest
from PIL import Image, PngImagePlugin

from statuette.kernel.pixels import wire
from statuette.kernel.pixels.acceptance import ImplausibleError, accept_picture
from statuette.kernel.pixels.limits import PixelLimits
from statuette.kernel.pixels.mark import PNG_KEYWORD, mark_packet

LIMITS = PixelLimits()


def encoded(form: str, *, marked: bool) -> wire.Encoded:
    buffer, picture = io.BytesIO(), Image.new("RGB", (64, 64), "teal")
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        if marked:
            info.add_itxt(PNG_KEYWORD, mark_packet(None).decode())
        picture.save(buffer, form, pnginfo=info)
    else:
        picture.save(buffer, form, **({"xmp": mark_packet(None)} if marked else {}))
    return wire.Encoded(buffer.getvalue(), 64, 64)


def test_a_picture_with_the_mark_in_every_size_is_taken() -> None:
    reply = wire.Picture(encoded("PNG", marked=True), (encoded("WEBP", marked=True),))

    assert set(accept_picture(reply, (256,), LIMITS).sizes) == {256}


@pytest.mark.rule("ai.mark")
@pytest.mark.parametrize(("original", "small"), [(False, True), (True, False), (False, False)])
def test_a_picture_that_lacks_the_mark_in_any_size_is_never_served(original: bool, small: bool) -> None:
    reply = wire.Picture(encoded("PNG", marked=original), (encoded("WEBP", marked=small),))

    with pytest.raises(ImplausibleError):
        accept_picture(reply, (256,), LIMITS)
