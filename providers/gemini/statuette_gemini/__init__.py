"""Figurines by Google's Gemini image models."""

from statuette_gemini.config import GeminiConfig
from statuette_gemini.models import GeminiModel
from statuette_gemini.plugin import GeminiPlugin, plugin
from statuette_gemini.provider import GeminiImageProvider

__all__ = ["GeminiConfig", "GeminiImageProvider", "GeminiModel", "GeminiPlugin", "plugin"]
