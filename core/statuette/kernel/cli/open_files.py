"""How many files a process may open: every connection is one."""

from __future__ import annotations

import logging
import resource

_BESIDE_CONNECTIONS = 512
"""Connections to the database, Redis, the store and children; libraries; logs."""
_log = logging.getLogger(__name__)


def connections_allowed(wanted: int) -> int:
    """Raise the limit of open files so that `wanted` connections fit, and return how many do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _BESIDE_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    _log.warning("open_files_limited", extra={"facts": {"limit": soft, "connections_wanted": wanted}})
    return max(1, soft - _BESIDE_CONNECTIONS)
