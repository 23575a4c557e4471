"""Rendering a provider's picture: encoded anew, in named sizes, and marked as made by an algorithm."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import AsyncIterator
from xml.etree import ElementTree

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from statuette.kernel.pixels.errors import ImageTooSmall, UnsupportedImageFormat
from statuette.kernel.pixels.mark import SOURCE_TYPE, mark_packet, read_mark
from statuette.kernel.pixels.pool import PixelPool

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[PixelPool]:
    pool = PixelPool(workers=1)
    await pool.start()
    yield pool
    await pool.aclose()


def figurine(form: str, size: tuple[int, int] = (1536, 1024), mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
async def test_original_and_every_size_carry_the_mark(pool: PixelPool, form: str) -> None:
    source = figurine(form)
    assert not read_mark(source)

    rendered = await pool.render(source, sizes=(1024, 256), provenance="sketch/vinyl")

    pictures = [rendered.original, *rendered.sizes.values()]
    assert [p.media_type for p in pictures] == ["image/png", "image/webp", "image/webp"]
    assert [(p.width, p.height) for p in pictures] == [(1536, 1024), (1024, 683), (256, 171)]
    for picture in pictures:
        assert read_mark(picture.data)
        assert picture.sha256 == hashlib.sha256(picture.data).hexdigest()
        viewed = Image.open(io.BytesIO(picture.data))
        viewed.load()
        assert viewed.size == (picture.width, picture.height)
        assert viewed.get_format_mimetype() == picture.media_type
        assert SOURCE_TYPE.encode() in viewed.info["xmp"] and b"sketch/vinyl" in viewed.info["xmp"]


async def test_metadata_of_the_provider_is_dropped(pool: PixelPool) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", "canary prompt of a person")

    rendered = await pool.render(figurine("PNG", pnginfo=text))

    assert all(b"canary" not in p.data for p in (rendered.original, *rendered.sizes.values()))


async def test_transparency_is_kept(pool: PixelPool) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (300, 300), (200, 10, 10, 0)).save(buffer, "PNG")

    rendered = await pool.render(buffer.getvalue(), sizes=(64,))

    for picture in (rendered.original, rendered.sizes[64]):
        viewed = Image.open(io.BytesIO(picture.data))
        assert viewed.mode == "RGBA"
        assert viewed.getpixel((10, 10))[3] == 0  # type: ignore[index]


async def test_a_small_picture_is_not_enlarged_and_a_huge_one_is_bounded(pool: PixelPool) -> None:
    small = await pool.render(figurine("PNG", (200, 100)))
    huge = await pool.render(figurine("PNG", (8000, 4000)), sizes=())

    assert {edge: (p.width, p.height) for edge, p in small.sizes.items()} == {1024: (200, 100), 256: (200, 100)}
    assert (huge.original.width, huge.original.height) == (4096, 2048)


async def test_a_provider_is_held_to_the_same_rules_as_a_stranger(pool: PixelPool) -> None:
    with pytest.raises(UnsupportedImageFormat):
        await pool.render(b"<svg onload='alert(1)'/>")
    with pytest.raises(ImageTooSmall):
        await pool.render(figurine("PNG", (8, 8)))


@pytest.mark.parametrize("provenance", ["x" * 201, "two\nlines", "nul\x00"])
async def test_a_provenance_that_is_no_short_line_is_a_bug_of_the_caller(pool: PixelPool, provenance: str) -> None:
    with pytest.raises(ValueError, match="provenance"):
        await pool.render(figurine("PNG"), provenance=provenance)


async def test_the_mark_is_a_well_formed_packet_whatever_made_the_picture() -> None:
    hostile = """a"/><x> & 'b' ]]> <!DOCTYPE"""

    packet = mark_packet(hostile)

    tools = [e.get("{http://ns.adobe.com/xap/1.0/}CreatorTool") for e in ElementTree.fromstring(packet).iter()]
    assert hostile in tools


async def test_the_mark_is_read_from_jpeg_and_from_compressed_and_element_forms() -> None:
    as_element = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"<e:DigitalSourceType>{SOURCE_TYPE}</e:DigitalSourceType></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
    compressed = PngImagePlugin.PngInfo()
    compressed.add_itxt("XML:com.adobe.xmp", as_element.decode(), zip=True)

    assert read_mark(figurine("JPEG", xmp=mark_packet(None)))
    assert read_mark(figurine("WEBP", xmp=as_element))
    assert read_mark(figurine("PNG", pnginfo=compressed))


async def test_a_mere_mention_of_the_mark_is_no_mark() -> None:
    packet = mark_packet(None)
    elsewhere = PngImagePlugin.PngInfo()
    elsewhere.add_itxt("Comment", packet.decode())
    other_type = packet.replace(b"trainedAlgorithmicMedia", b"digitalCapture")
    with_entities = b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + packet

    assert not read_mark(figurine("PNG", pnginfo=elsewhere))
    assert not read_mark(figurine("JPEG", comment=packet))
    assert not read_mark(figurine("JPEG") + packet)
    assert not read_mark(figurine("WEBP", xmp=other_type))
    assert not read_mark(figurine("WEBP", xmp=with_entities))
    assert not read_mark(packet)


async def test_a_packet_that_inflates_without_end_is_cut_off() -> None:
    body = b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + zlib.compress(b" " * 200_000_000)
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", zlib.crc32(b"iTXt" + body))

    assert not read_mark(b"\x89PNG\r\n\x1a\n" + chunk)


@given(
    head=st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1", b"RIFF0000WEBP", b""]),
    tail=st.binary(max_size=300),
)
async def test_reading_a_mark_never_raises(head: bytes, tail: bytes) -> None:
    assert read_mark(head + tail) is False
