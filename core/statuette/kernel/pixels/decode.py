"""Child side: from bytes of a stranger to a small, upright picture in sRGB with eight bits a channel.

Shrinking comes first, so that everything after it touches few pixels: a JPEG is even decoded at a fraction of its size.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pillow_heif
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from statuette.kernel.pixels.errors import (
    ImageTooDemanding,
    ImageTooManyPixels,
    ImageTooSmall,
    ImageTruncated,
    UnsupportedImageFormat,
)
from statuette.kernel.pixels.formats import sniff, webp_canvas
from statuette.kernel.pixels.limits import PixelLimits

# A confined child can open no file, so every decoder must be in memory before it is.
DECODERS = (
    AvifImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
_MAX_PROFILE_BYTES = 4 * 1024 * 1024
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def prepare_decoders(limits: PixelLimits) -> None:
    """Once a process: register HEIC, one thread a decoder, and Pillow's own guard against bombs as an error."""
    pillow_heif.register_heif_opener(thumbnails=False)
    # Threads would each reserve address space, of which a child has little; the pool is where work runs side by side.
    pillow_heif.options.DECODE_THREADS = 1
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode(data: bytes, edge_pixels: int, limits: PixelLimits, *, keep_alpha: bool) -> Image.Image:
    """A picture in RGB (or RGBA, if transparent and `keep_alpha`), longest edge ≤ `edge_pixels`, no metadata.

    Only the first frame or page of those that have several.

    Raises:
        UnsupportedImageFormat, ImageTruncated, ImageTooManyPixels, ImageTooSmall, ImageTooDemanding: final.
    """
    source = _open(data, limits)
    _check_size(source.size, edge_pixels, limits)
    with _decoding(limits):
        small = _shrink(source, edge_pixels)
        upright = _turn_upright(small, _orientation(source))
        picture = _to_srgb(upright, source.info.get("icc_profile"), keep_alpha=keep_alpha)
    picture.info.clear()
    return picture


def _open(data: bytes, limits: PixelLimits) -> Image.Image:
    form = sniff(data)
    if form is None:
        raise UnsupportedImageFormat()
    if form == "WEBP" and (canvas := webp_canvas(data)) is not None:
        _check_pixels(canvas, limits)
    with _decoding(limits):
        return Image.open(io.BytesIO(data), formats=(form,))


@contextmanager
def _decoding(limits: PixelLimits) -> Iterator[None]:
    """Turn whatever decoders of eight formats raise on bad input into one of our refusals."""
    try:
        yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ImageTooManyPixels(max_pixels=limits.max_pixels) from None
    except MemoryError:
        raise ImageTooDemanding() from None
    except Exception as error:
        # The C libraries tell of a failed allocation in prose only.
        raise (ImageTooDemanding() if "memory" in str(error).lower() else ImageTruncated()) from None


def _check_pixels(size: tuple[int, int], limits: PixelLimits) -> None:
    if size[0] * size[1] > limits.max_pixels:
        raise ImageTooManyPixels(max_pixels=limits.max_pixels)


def _check_size(size: tuple[int, int], edge_pixels: int, limits: PixelLimits) -> None:
    _check_pixels(size, limits)
    shorter, longer = sorted(size)
    if shorter * min(1.0, edge_pixels / longer) < limits.min_edge_pixels:
        raise ImageTooSmall(min_edge_pixels=limits.min_edge_pixels)


def _shrink(source: Image.Image, edge_pixels: int) -> Image.Image:
    """Decode and shrink, in the mode of the source where resampling is defined for it."""
    edges = (edge_pixels, edge_pixels)
    if source.format in ("JPEG", "MPO"):
        source.thumbnail(edges)
        source.load()
        return source
    source.load()
    small = source
    if source.has_transparency_data:
        small = source.convert("RGBA")
    elif source.mode == "P":
        small = source.convert("RGB")
    elif source.mode == "1":
        small = source.convert("L")
    elif source.mode.startswith("I;16"):
        wide = source.convert("I")
        wide.thumbnail(edges)
        return _scaled(wide, 255.0 / 65_535.0)
    small.thumbnail(edges)
    return small


def _orientation(source: Image.Image) -> int:
    """Read after decoding: some formats tell only then, and some decoders have turned the picture by then."""
    try:
        return int(source.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1  # in sound photos metadata is often broken, in every way; it is dropped anyway


def _turn_upright(picture: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _to_srgb(picture: Image.Image, profile: object, *, keep_alpha: bool) -> Image.Image:
    if picture.mode in ("I", "F"):
        picture = _to_eight_bits(picture)
    if picture.mode != "RGBA":
        return _opaque_to_srgb(picture, profile)
    alpha = picture.getchannel("A")
    if keep_alpha:
        colour = _opaque_to_srgb(picture.convert("RGB"), profile)
        colour.putalpha(alpha)
        return colour
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=alpha)
    return _opaque_to_srgb(white, profile)


def _opaque_to_srgb(picture: Image.Image, profile: object) -> Image.Image:
    converted = _by_profile(picture, profile)
    if converted is not None:
        return converted
    if picture.mode == "LAB":
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _transformed(picture, lab)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _by_profile(picture: Image.Image, profile: object) -> Image.Image | None:
    """The picture in sRGB by its embedded ICC profile; None when it has none that fits, as if there were none."""
    if not isinstance(profile, bytes) or not profile or len(profile) > _MAX_PROFILE_BYTES:
        return None
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if embedded.profile.xcolor_space != _PROFILE_SPACES.get(picture.mode):
            return None
        if picture.mode == "RGB" and "sRGB" in (embedded.profile.profile_description or ""):
            return None  # the commonest profile by far, and converting it to itself costs as much as any other
        return _transformed(picture, embedded)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _transformed(picture: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    converted = ImageCms.profileToProfile(picture, profile, _SRGB, outputMode="RGB")
    if converted is None:
        raise ImageTruncated()
    return converted


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """Scale wide integers and floats to 0…255. Such files do not name their white: their brightest pixel decides."""
    _, brightest = picture.getextrema()
    if not isinstance(brightest, (int, float)) or not math.isfinite(brightest):
        raise ImageTruncated()
    usual_whites = (255.0, 65_535.0) if picture.mode == "I" else (1.0, 255.0, 65_535.0)
    white = next((white for white in usual_whites if brightest <= white), float(brightest))
    return _scaled(picture, 255.0 / white)


def _scaled(picture: Image.Image, factor: float) -> Image.Image:
    return picture.convert("F").point(lambda value: value * factor).convert("L")
