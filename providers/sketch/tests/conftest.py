"""Requests as the kernel makes them, on real photos."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from statuette.ports.image import ImageInput, ImageRequest, InputRole
from statuette.testing.photos import sample_photos
from statuette_sketch.provider import SketchProvider

Ask = Callable[..., ImageRequest]


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
