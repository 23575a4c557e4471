"""Statuette: the headless platform under AI figurine sites.

These are the names for plugin authors. Ports live in `statuette.ports`, the policy language in `statuette.policy`,
conformance suites and fakes in `statuette.testing`. Everything below `statuette.kernel` is private.
"""

from statuette.errors import ConfigurationError, StatuetteError
from statuette.hookspecs import hookimpl
from statuette.plugin import NoConfig, Plugin, PluginContext
from statuette.values import Clock, CostMicros, Credits, Money, SystemClock, new_id

__version__ = "0.1.0"

__all__ = [
    "Clock",
    "ConfigurationError",
    "CostMicros",
    "Credits",
    "Money",
    "NoConfig",
    "Plugin",
    "PluginContext",
    "StatuetteError",
    "SystemClock",
    "__version__",
    "hookimpl",
    "new_id",
]
