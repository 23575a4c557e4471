"""Why a picture is refused, and what may go wrong on our side. The codes are part of the API contract."""

from __future__ import annotations

from statuette.errors import InvalidInput, Unavailable


class UnsupportedImageFormat(InvalidInput):
    """Judged by content; the declared media type is not looked at. Final."""

    code = "unsupported_image_format"
    summary = "The file is not a JPEG, PNG, WebP, HEIC, AVIF, GIF or TIFF picture."


class ImageTruncated(InvalidInput):
    """The container is of a known format, but it is cut short, corrupt, or has no pixels. Final."""

    code = "image_truncated"
    summary = "The picture is damaged or incomplete."


class ImageTooLarge(InvalidInput):
    """Attribute `max_bytes`. Final."""

    code = "image_too_large"
    summary = "The picture has too many bytes."


class ImageTooManyPixels(InvalidInput):
    """Attribute `max_pixels`. Final."""

    code = "image_too_many_pixels"
    summary = "The picture has too many pixels."


class ImageTooSmall(InvalidInput):
    """An edge is, or after shrinking the longer edge would be, too short. Attribute `min_edge_pixels`. Final."""

    code = "image_too_small"
    summary = "The picture is too small or too narrow."


class ImageEmpty(InvalidInput):
    """Zero bytes. Final."""

    code = "image_empty"
    summary = "The file is empty."


class ImageTooDemanding(InvalidInput):
    """Decoding it takes more memory or computing time than one picture may have, or crashes the decoder. Final."""

    code = "image_too_demanding"
    summary = "The picture takes too much memory or computing time to read."


class ImageProcessingTimeout(Unavailable):
    """Not done in time although its share of computing time was not used up: the machine is overloaded."""

    code = "image_processing_timeout"
    summary = "The picture could not be processed in time."


class PixelWorkerLost(Unavailable):
    """The child died twice over one picture for reasons outside it, answered nonsense, or the pool closed."""

    code = "pixel_worker_lost"
    summary = "The picture could not be processed right now."


class PixelQueueFull(Unavailable):
    """Too many bytes are waiting already. Attribute `retry_after_seconds`."""

    code = "pixel_queue_full"
    summary = "Too many pictures are waiting to be processed."


REFUSALS: dict[str, type[InvalidInput]] = {
    refusal.code: refusal
    for refusal in (
        UnsupportedImageFormat,
        ImageTruncated,
        ImageTooManyPixels,
        ImageTooSmall,
        ImageTooDemanding,
    )
}
"""What a child may say of a picture. Anything else in its answer is taken as a sign that it is broken."""
