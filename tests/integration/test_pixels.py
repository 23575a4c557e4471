"""Intake of photos: what is accepted, what comes out, and that nothing of the input but its picture survives."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pillow_heif
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from statuette.errors import InvalidInput
from statuette.kernel.pixels import wire
from statuette.kernel.pixels.errors import (
    ImageEmpty,
    ImageTooDemanding,
    ImageTooLarge,
    ImageTooManyPixels,
    ImageTooSmall,
    ImageTruncated,
    UnsupportedImageFormat,
)
from statuette.kernel.pixels.limits import PixelLimits
from statuette.kernel.pixels.pool import PixelPool
from statuette.kernel.pixels.results import NormalisedPhoto
from statuette.testing.pictures import photo_jpeg
from tests.soak import effort

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANARY = b"canary-48.2082N-16.3738E"
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 180, 40), (30, 40, 200), (250, 250, 250)
_ORIENTATION, _GPS = 0x0112, 0x8825


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[PixelPool]:
    pool = PixelPool(workers=2)
    await pool.start()
    yield pool
    await pool.aclose()


def quarters(width: int = 320, height: int = 240) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right: tells every turn and every wrong colour."""
    picture = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), RED)
    draw.rectangle((width // 2, 0, width, height // 2 - 1), GREEN)
    draw.rectangle((0, height // 2, width // 2 - 1, height), BLUE)
    return picture


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def heic(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture).save(buffer, quality=95, **options)
    return buffer.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A valid PNG header with next to nothing behind it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\x00" * 4096)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def opened(photo: NormalisedPhoto) -> Image.Image:
    """The output as a stranger's viewer reads it; fails when it is not a bare RGB JPEG of the size it claims."""
    assert photo.media_type == "image/jpeg"
    picture = Image.open(io.BytesIO(photo.data))
    picture.load()
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (photo.width, photo.height))
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    return picture


def corners(picture: Image.Image) -> list[tuple[int, int, int]]:
    """The colours an eighth in from each corner, in reading order."""
    width, height = picture.size
    spots = [(1, 1), (7, 1), (1, 7), (7, 7)]
    return [picture.convert("RGB").getpixel((width * x // 8, height * y // 8)) for x, y in spots]  # type: ignore[misc]


def near(one: tuple[int, ...], other: tuple[int, ...], by: int = 24) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def assert_quarters(photo: NormalisedPhoto, by: int = 24) -> None:
    found = corners(opened(photo))
    assert all(near(a, b, by) for a, b in zip(found, [RED, GREEN, BLUE, WHITE], strict=True)), found


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda p: encoded(p, "JPEG", quality=95), id="jpeg"),
        pytest.param(lambda p: encoded(p, "JPEG", quality=95, progressive=True), id="progressive-jpeg"),
        pytest.param(
            lambda p: encoded(p, "MPO", save_all=True, append_images=[p.rotate(180)]), id="multi-picture-jpeg"
        ),
        pytest.param(lambda p: encoded(p, "PNG"), id="png"),
        pytest.param(lambda p: encoded(p.quantize(16), "PNG"), id="palette-png"),
        pytest.param(lambda p: encoded(p, "WEBP", quality=95), id="webp"),
        pytest.param(lambda p: encoded(p, "WEBP", lossless=True), id="lossless-webp"),
        pytest.param(lambda p: encoded(p, "AVIF", quality=95), id="avif"),
        pytest.param(heic, id="heic"),
        pytest.param(lambda p: encoded(p, "GIF"), id="gif"),
        pytest.param(lambda p: encoded(p, "TIFF"), id="tiff"),
        pytest.param(lambda p: encoded(p, "TIFF", compression="tiff_lzw"), id="lzw-tiff"),
        pytest.param(lambda p: encoded(p, "TIFF", compression="jpeg", quality=95), id="jpeg-in-tiff"),
    ],
)
async def test_a_picture_in_every_accepted_format_becomes_the_same_bare_jpeg(
    pool: PixelPool, encode: Callable[[Image.Image], bytes]
) -> None:
    photo = await pool.normalise(encode(quarters()))

    assert (photo.width, photo.height) == (320, 240)
    assert_quarters(photo)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
async def test_only_the_first_frame_of_many_is_read(pool: PixelPool, form: str) -> None:
    others = [Image.new("RGB", (320, 240), "black"), Image.new("RGB", (320, 240), "yellow")]
    animated = encoded(quarters(), form, save_all=True, append_images=others)

    assert_quarters(await pool.normalise(animated))


async def test_a_large_photo_is_shrunk_and_a_small_one_is_not_enlarged(pool: PixelPool) -> None:
    large = await pool.normalise(encoded(quarters(4000, 3000), "JPEG"))
    tall = await pool.normalise(encoded(quarters(900, 3600), "PNG"))
    small = await pool.normalise(encoded(quarters(64, 48), "JPEG"))

    assert (large.width, large.height) == (2048, 1536)
    assert (tall.width, tall.height) == (512, 2048)
    assert (small.width, small.height) == (64, 48)
    assert_quarters(large)
    assert_quarters(tall)


_TURNED = {
    1: lambda p: p,
    2: lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda p: p.transpose(Image.Transpose.ROTATE_180),
    4: lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda p: p.transpose(Image.Transpose.TRANSPOSE),
    6: lambda p: p.transpose(Image.Transpose.ROTATE_90),
    7: lambda p: p.transpose(Image.Transpose.TRANSVERSE),
    8: lambda p: p.transpose(Image.Transpose.ROTATE_270),
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_photo_comes_out_upright(pool: PixelPool, form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    stored = encoded(_TURNED[orientation](quarters()), form, exif=exif)

    photo = await pool.normalise(stored)

    assert (photo.width, photo.height) == (320, 240)
    assert_quarters(photo)


async def test_a_heic_with_an_orientation_is_turned_once(pool: PixelPool) -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    stored = heic(_TURNED[6](quarters()), exif=exif.tobytes())

    photo = await pool.normalise(stored)

    assert (photo.width, photo.height) == (320, 240)
    assert_quarters(photo)


async def test_location_comments_profiles_and_text_are_gone(pool: PixelPool) -> None:
    exif = Image.Exif()
    exif[0x010E] = CANARY.decode()
    exif.get_ifd(_GPS)[0x001D] = CANARY.decode()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", CANARY.decode())
    text.add_itxt("XML:com.adobe.xmp", CANARY.decode())
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + CANARY
    common = {"exif": exif, "icc_profile": profile}
    inputs = [
        encoded(quarters(), "JPEG", comment=CANARY, xmp=CANARY, **common),
        encoded(quarters(), "PNG", pnginfo=text, **common),
        encoded(quarters(), "WEBP", xmp=CANARY, **common),
        encoded(quarters(), "AVIF", xmp=CANARY, **common),
        encoded(quarters(), "TIFF", description=CANARY.decode(), **common),
        encoded(quarters(), "GIF", comment=CANARY),
        heic(quarters(), exif=exif.tobytes(), xmp=CANARY),
    ]
    assert all(CANARY in data for data in inputs)

    photos = [await pool.normalise(data) for data in inputs]

    for photo in photos:
        assert_quarters(photo)
        assert b"canary" not in photo.data and b"Exif" not in photo.data and b"ICC_PROFILE" not in photo.data


async def test_a_huge_exif_block_neither_harms_nor_survives(pool: PixelPool) -> None:
    filler = CANARY * 200_000
    oversized = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x01" + filler
    png = encoded(quarters(), "PNG", exif=oversized)
    assert len(png) > 4_000_000

    photo = await pool.normalise(png)

    assert_quarters(photo)
    assert b"canary" not in photo.data


async def test_of_a_polyglot_only_the_picture_survives(pool: PixelPool) -> None:
    script = b"<script>alert('canary')</script>"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("canary.sh", "#!/bin/sh\necho canary\n")
    appended = encoded(quarters(), "JPEG", quality=95) + script + archive.getvalue()
    commented = encoded(quarters(), "JPEG", quality=95, comment=b"<html><body>" + script)
    assert zipfile.is_zipfile(io.BytesIO(appended))

    photos = [await pool.normalise(appended), await pool.normalise(commented)]

    for photo in photos:
        assert_quarters(photo)
        assert b"canary" not in photo.data and b"<script" not in photo.data
        assert photo.data.endswith(b"\xff\xd9") and not zipfile.is_zipfile(io.BytesIO(photo.data))


async def test_transparency_becomes_white(pool: PixelPool) -> None:
    clear = quarters().convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 120, 160, 240))
    grey = Image.new("LA", (64, 64), (0, 0))
    palette = Image.new("P", (64, 64), 0)
    palette.putpalette([10, 10, 10, 200, 200, 200])

    photo = await pool.normalise(encoded(clear, "PNG"))
    grey_photo = await pool.normalise(encoded(grey, "PNG"))
    palette_photo = await pool.normalise(encoded(palette, "PNG", transparency=0))

    assert near(corners(opened(photo))[2], (255, 255, 255))
    assert near(corners(opened(photo))[0], RED)
    assert near(corners(opened(grey_photo))[0], (255, 255, 255))
    assert near(corners(opened(palette_photo))[0], (255, 255, 255))


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
async def test_sixteen_bit_grey_keeps_its_brightness(pool: PixelPool, form: str) -> None:
    bright = await pool.normalise(encoded(Image.new("I;16", (64, 64), 40_000), form))
    dark = await pool.normalise(encoded(Image.new("I;16", (64, 64), 200), form))

    assert near(corners(opened(bright))[0], (156, 156, 156), by=3)
    assert near(corners(opened(dark))[0], (1, 1, 1), by=3)


async def test_bilevel_and_floating_point_pictures_are_read(pool: PixelPool) -> None:
    bilevel = await pool.normalise(encoded(Image.new("1", (64, 64), 1), "PNG"))
    floating = Image.new("F", (64, 64), 0.5)
    floating.putpixel((0, 0), 1.0)
    half = await pool.normalise(encoded(floating, "TIFF"))

    assert near(corners(opened(bilevel))[3], (255, 255, 255), by=3)
    assert near(corners(opened(half))[3], (127, 127, 127), by=4)


async def test_cmyk_becomes_rgb(pool: PixelPool) -> None:
    photo = await pool.normalise(encoded(quarters().convert("CMYK"), "JPEG", quality=95))

    assert_quarters(photo)


async def test_colours_are_converted_by_the_embedded_profile(pool: PixelPool) -> None:
    # Given a profile whose red and blue primaries are exchanged, so that ignoring it shows at once
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = _with_primaries_exchanged(srgb)
    red, green, blue = quarters().split()
    stored = Image.merge("RGB", (blue, green, red))

    converted = await pool.normalise(encoded(stored, "PNG", icc_profile=swapped))
    unfitting = await pool.normalise(encoded(quarters(), "PNG", icc_profile=lab))
    broken = await pool.normalise(encoded(quarters(), "PNG", icc_profile=b"no profile at all"))

    assert_quarters(converted)
    assert_quarters(unfitting)
    assert_quarters(broken)


def _with_primaries_exchanged(profile: bytes) -> bytes:
    """Exchange the tags rXYZ and bXYZ and rename the profile (ICC.1:2022, 7.3)."""
    count = int.from_bytes(profile[128:132], "big")
    table = {profile[at : at + 4]: at for at in range(132, 132 + 12 * count, 12)}
    swapped = bytearray(profile)
    swapped[table[b"rXYZ"] : table[b"rXYZ"] + 4], swapped[table[b"bXYZ"] : table[b"bXYZ"] + 4] = b"bXYZ", b"rXYZ"
    for name in (b"sRGB", "sRGB".encode("utf-16-be")):
        swapped = swapped.replace(name, name.replace(b"s", b"x"))
    return bytes(swapped)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", id="svg"),
        pytest.param(b"%PDF-1.7\n1 0 obj\n", id="pdf"),
        pytest.param(encoded(quarters(), "BMP"), id="bmp"),
        pytest.param(b"8BPS\x00\x01" + bytes(64), id="psd"),
        pytest.param(encoded(quarters(), "PPM"), id="ppm"),
        pytest.param(encoded(quarters(), "JPEG2000"), id="jpeg2000"),
        pytest.param(encoded(quarters(), "ICO"), id="ico"),
        pytest.param(b"just text, whatever its declared type", id="text"),
        pytest.param(b"\x00", id="one byte"),
        pytest.param(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", id="mp4"),
    ],
)
async def test_other_formats_are_refused_by_content(pool: PixelPool, data: bytes) -> None:
    with pytest.raises(UnsupportedImageFormat) as refused:
        await pool.normalise(data)

    assert refused.value.code == "unsupported_image_format"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF"])
async def test_half_a_picture_is_refused(pool: PixelPool, form: str) -> None:
    whole = encoded(Image.effect_noise((320, 240), 60).convert("RGB"), form)

    with pytest.raises(ImageTruncated) as refused:
        await pool.normalise(whole[: len(whole) // 2])

    assert refused.value.code == "image_truncated"


async def test_half_a_heic_is_refused(pool: PixelPool) -> None:
    whole = heic(Image.effect_noise((320, 240), 60).convert("RGB"))

    with pytest.raises(ImageTruncated):
        await pool.normalise(whole[: len(whole) // 2])


@pytest.mark.parametrize("size", [(0, 0), (0, 100), (100, 0)])
async def test_a_picture_without_pixels_is_refused(pool: PixelPool, size: tuple[int, int]) -> None:
    with pytest.raises(ImageTruncated):
        await pool.normalise(png_claiming(*size))


async def test_no_bytes_are_refused(pool: PixelPool) -> None:
    with pytest.raises(ImageEmpty) as refused:
        await pool.normalise(b"")

    assert refused.value.code == "image_empty"


async def test_too_many_bytes_are_refused_before_a_child_sees_them(pool: PixelPool) -> None:
    with pytest.raises(ImageTooLarge) as refused:
        await pool.normalise(encoded(quarters(), "JPEG") + bytes(20 * 1024 * 1024))

    assert refused.value.attributes == {"max_bytes": 20 * 1024 * 1024}


def _webp_claiming(edge: int) -> bytes:
    canvas = bytes(4) + (edge - 1).to_bytes(3, "little") * 2
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + canvas


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(png_claiming(30_000, 30_000), id="png"),
        pytest.param(png_claiming(7_100, 7_100), id="just-over"),
        pytest.param(png_claiming(2**31 - 1, 2**31 - 1), id="largest-png"),
        pytest.param(_webp_claiming(16_383), id="webp"),
        pytest.param(
            b"GIF89a"
            + struct.pack("<HH", 65_535, 65_535)
            + b"\x00\x00\x00,\x00\x00\x00\x00"
            + b"\xff\xff\xff\xff\x00\x02\x02D\x01\x00;",
            id="gif",
        ),
    ],
)
async def test_bombs_are_refused_by_their_header(pool: PixelPool, bomb: bytes) -> None:
    assert len(bomb) < 10_000

    with pytest.raises(ImageTooManyPixels) as refused:
        await pool.normalise(bomb)

    assert refused.value.attributes == {"max_pixels": 50_000_000}


async def test_a_real_bomb_of_900_megapixels_in_a_few_kilobytes_is_refused(pool: PixelPool) -> None:
    bomb = encoded(Image.new("1", (30_000, 30_000)), "PNG")
    assert len(bomb) < 200_000

    with pytest.raises(ImageTooManyPixels):
        await pool.normalise(bomb)


@pytest.mark.parametrize("size", [(15, 64), (64, 15), (1, 1), (17, 4000)])
async def test_pictures_too_small_or_too_narrow_are_refused(pool: PixelPool, size: tuple[int, int]) -> None:
    with pytest.raises(ImageTooSmall) as refused:
        await pool.normalise(encoded(Image.new("RGB", size), "PNG"))

    assert refused.value.attributes == {"min_edge_pixels": 16}


async def test_the_largest_allowed_photo_is_read_in_the_memory_a_child_has(pool: PixelPool) -> None:
    restarts = pool.restarts
    inputs = [
        encoded(quarters(8000, 6000), "JPEG"),
        encoded(quarters(8000, 6000).convert("RGBA"), "PNG", compress_level=1),
        encoded(quarters(8000, 6000).convert("CMYK"), "JPEG"),
    ]

    photos = [await pool.normalise(data) for data in inputs]

    assert all((photo.width, photo.height) == (2048, 1536) for photo in photos)
    assert pool.restarts == restarts


async def test_a_photo_that_takes_more_memory_than_a_child_has_is_the_photos_fault() -> None:
    small = PixelPool(workers=1, memory_bytes=200 * 1024 * 1024)
    await small.start()
    try:
        with pytest.raises(ImageTooDemanding) as refused:
            await small.normalise(encoded(Image.new("RGBA", (6000, 6000)), "PNG", compress_level=1))
        after = await small.normalise(encoded(quarters(), "JPEG", quality=95))
    finally:
        await small.aclose()

    assert isinstance(refused.value, InvalidInput)
    assert refused.value.code == "image_too_demanding"
    assert_quarters(after)


_SEEDS = [
    encoded(quarters(64, 48), "JPEG", exif=Image.Exif(), comment=b"x"),
    encoded(quarters(64, 48), "PNG"),
    encoded(quarters(64, 48), "WEBP"),
    encoded(quarters(64, 48), "AVIF"),
    encoded(quarters(64, 48), "GIF", save_all=True, append_images=[Image.new("RGB", (64, 48))]),
    encoded(quarters(64, 48), "TIFF", compression="tiff_lzw"),
    heic(quarters(64, 48)),
]
_MAGICS = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x00\x10\x00\x00WEBPVP8 ", b"II*\x00", b"MM\x00*"]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sound file with a few bytes overwritten, or cut, or a magic number followed by anything."""
    if draw(st.booleans()):
        return draw(st.sampled_from(_MAGICS)) + draw(st.binary(max_size=2_000))
    data = bytearray(draw(st.sampled_from(_SEEDS)))
    for _ in range(draw(st.integers(1, 12))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(1, len(data)))]) if draw(st.booleans()) else bytes(data)


_HARMLESS = photo_jpeg()


@settings(
    max_examples=effort(100, soaking=3000),
    deadline=timedelta(seconds=20),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.one_of(mutated(), st.binary(max_size=500)))
async def test_whatever_the_bytes_there_is_a_photo_or_a_coded_refusal(pool: PixelPool, data: bytes) -> None:
    limits = PixelLimits()
    try:
        photo = await pool.normalise(data)
    except InvalidInput as refusal:
        assert refusal.code.startswith(("image_", "unsupported_image_format"))
    else:
        assert max(opened(photo).size) <= limits.longest_edge_pixels
    # Whatever it did to the child, the next one's photo is taken in.
    assert (await pool.normalise(_HARMLESS)).width == 320


async def test_the_pool_still_works_after_all_of_this(pool: PixelPool) -> None:
    assert_quarters(await pool.normalise(encoded(quarters(), "JPEG", quality=95)))


async def test_no_picture_is_printed_by_accident(pool: PixelPool) -> None:
    data = encoded(quarters(), "JPEG")

    results = [await pool.normalise(data), await pool.render(data)]
    words = repr([*results, wire.Normalise(data), wire.Photo(wire.Encoded(data, 1, 1))])

    assert "\\x" not in words and "JFIF" not in words
    assert "NormalisedPhoto(image/jpeg, 320x240" in words
