"""The routes of operators, with what they want of a caller."""

from __future__ import annotations

from collections.abc import Iterator

from litestar import Controller
from litestar.handlers import BaseRouteHandler

from statuette.kernel.access.probe import OperatorRoute
from statuette.kernel.http.routes import ROUTES

PREFIX = "/admin/"


def operator_routes() -> Iterator[OperatorRoute]:
    """Every handler of the kernel's admin API."""
    for controller in ROUTES:
        if not (isinstance(controller, type) and issubclass(controller, Controller)):
            continue
        if not str(vars(controller).get("path", "")).startswith(PREFIX):
            continue
        common = vars(controller).get("opt", {})
        for name, handler in vars(controller).items():
            if isinstance(handler, BaseRouteHandler):
                yield OperatorRoute(f"{controller.__name__}.{name}", {**common, **handler.opt})
