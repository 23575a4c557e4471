"""Litestar applications that sites in tests take turns with: making one takes longer than most tests need it for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from litestar import Litestar
from litestar.types import ASGIApp, Receive, Scope, Send

from statuette.kernel.cli import serving
from statuette.kernel.http import application
from statuette.kernel.platform import Platform

_DIFFER = ("/x/", "/docs")
"""Plugins' routes, and what names the platform's address."""


class _Turn:
    """Whose turn it is. The application was made with this, and asks it as it would ask a platform."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.plugins = SimpleNamespace(routes={})  # while it is made: those of plugins are each platform's own

    def __getattr__(self, name: str) -> Any:
        return getattr(self.platform, name)


class _Shared:
    """Routes of the kernel by an application that others had before. Those that differ by one that is made when it is asked."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._whole: Litestar | None = None
        self._turn, self._kernels = _free.pop() if _free else _made(platform)
        self._turn.platform = platform
        self._kernels.state.platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_DIFFER):
            if self._whole is None:
                self._whole = application.litestar_app(self.platform)
            await self._whole(scope, receive, send)
        else:
            await self._kernels(scope, receive, send)

    def give_back(self) -> None:
        _free.append((self._turn, self._kernels))


_free: list[tuple[_Turn, Litestar]] = []
_taken: list[_Shared] = []


def _made(platform: Platform) -> tuple[_Turn, Litestar]:
    turn = _Turn(platform)
    made = application.litestar_app(turn)  # type: ignore[arg-type]
    del turn.plugins
    return turn, made


def http_app(platform: Platform) -> ASGIApp:
    """What answers a platform's requests, until it gives it back."""
    if set(platform.plugins.routes) - {"local"} or not platform.settings.docs_enabled:
        return application.http_app(platform)
    shared = _Shared(platform)
    _taken.append(shared)
    return application.http_app(platform, shared)


def give_back(platform: Platform) -> None:
    """The platform serves no more; the next one may have its application."""
    for shared in [shared for shared in _taken if shared.platform is platform]:
        _taken.remove(shared)
        shared.give_back()


serving.http_app = http_app
