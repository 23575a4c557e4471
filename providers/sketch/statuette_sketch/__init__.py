"""Figurines without a network: an image provider that renders a photo as a toy with OpenCV, on this machine.

It makes the default demo work offline and gives tests a real picture to look at. `plugin` is the entry point.
"""

from statuette_sketch.plugin import SketchPlugin, plugin

__all__ = ["SketchPlugin", "plugin"]
