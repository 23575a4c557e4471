"""What can be wrong with an input. Apart from the pixel code, so that the provider can name it without importing OpenCV."""

from __future__ import annotations


class UndecodableInput(ValueError):
    """The bytes are no picture this provider can read, or one far larger than intake lets through. Final."""
