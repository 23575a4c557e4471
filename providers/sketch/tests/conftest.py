"""Requests as the kernel makes them, on real photos."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image
from statuette.ports.image import Finished, GeneratedImage, ImageInput, ImageRequest, InputRole, Succeeded
from statuette.testing.photos import sample_photos
from statuette_sketch.provider import SketchProvider

Ask = Callable[..., ImageRequest]
Pixels = Callable[[GeneratedImage], np.ndarray]


@pytest.fixture
def provider() -> SketchProvider:
    return SketchProvider()


@pytest.fixture
def ask() -> Ask:
    """Builds a request for one or several sample photos, given by name or as bytes."""

    def build(
        *subjects: str | bytes,
        style: str = "vinyl_big_head",
        ratio: str = "1:1",
        count: int = 1,
        seed: int = 0,
        roles: tuple[InputRole, ...] = (),
        model: str = "sketch-1",
        **variables: str,
    ) -> ImageRequest:
        photos = sample_photos()
        data = [photos[s].read() if isinstance(s, str) else s for s in subjects]
        roles = roles or (InputRole.subject,) * len(data)
        inputs = tuple(ImageInput(role, "image/jpeg", d, 512, 512) for role, d in zip(roles, data, strict=True))
        return ImageRequest("att_test", model, "", inputs, style, dict(variables), ratio, count, seed)

    return build


async def pictures(provider: SketchProvider, request: ImageRequest) -> tuple[GeneratedImage, ...]:
    submission = await provider.submit(request)
    assert isinstance(submission, Finished)
    assert isinstance(submission.outcome, Succeeded)
    return submission.outcome.images


def pixels(image: GeneratedImage) -> np.ndarray:
    with Image.open(io.BytesIO(image.data), formats=["PNG"]) as opened:
        return np.asarray(opened.convert("RGB"))


def thumbnail(image: GeneratedImage) -> np.ndarray:
    """Small and soft, so that two pictures differ by what a person would see."""
    return cv2.resize(pixels(image), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
