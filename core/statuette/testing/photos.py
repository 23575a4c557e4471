"""Real photos for tests and demos, out of development packages, so that the repository carries none.

Faces, an animal and a thing; two are in the public domain and two are CC0.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import msgspec

from statuette.errors import ConfigurationError


class SamplePhoto(msgspec.Struct, frozen=True):
    """One photo.

    Attributes:
        path: an existing PNG or JPEG.
        licence: an SPDX id, or `public domain`.
        credit: who made it and what it shows.
        has_face: whether a person's face is in it.
    """

    name: str
    path: Path
    licence: str
    credit: str
    has_face: bool

    def read(self) -> bytes:
        return self.path.read_bytes()


_SAMPLES = (
    ("astronaut", "skimage", "data/astronaut.png", "public domain", "NASA: the astronaut Eileen Collins", True),
    (
        "grace_hopper",
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        "public domain",
        "US Navy: Commodore Grace M. Hopper",
        True,
    ),
    ("chelsea", "skimage", "data/chelsea.png", "CC0-1.0", "Stéfan van der Walt: Chelsea the cat", False),
    ("coffee", "skimage", "data/coffee.png", "CC0-1.0", "Rachel Michetti: a cup of espresso", False),
)


class SamplePhotosMissing(ConfigurationError):
    """A package that carries sample photos is not installed. Final. Attribute `package` names it."""

    code = "sample_photos_missing"
    summary = "The sample photos come with development packages that are not installed."


def sample_photos() -> dict[str, SamplePhoto]:
    """The photos by name: `astronaut`, `grace_hopper`, `chelsea`, `coffee`.

    The packages that carry them are located, not imported.

    Raises:
        SamplePhotosMissing: with the cure.
    """
    return {
        name: SamplePhoto(name, _located(package, inside), licence, credit, has_face)
        for name, package, inside, licence, credit, has_face in _SAMPLES
    }


def _located(package: str, inside: str) -> Path:
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, inside)
        if path.is_file():
            return path
    raise SamplePhotosMissing(
        f"The photo {Path(inside).name} of the package {package} was not found.",
        cure="Run `make setup`, or install scikit-image and matplotlib.",
        package=package,
    )
