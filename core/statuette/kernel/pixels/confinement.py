"""Child side: give up, for good, everything that decoding does not need.

Whoever takes over a decoder finds a process with no secrets in its environment, no way to open a file or a socket, no
privileges, and little memory and time.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_NOBODY = 65_534
_STANDARD_STREAMS = 3


def confine(*, memory_bytes: int, parent_pid: int) -> None:
    """Call once, after every import and before the first foreign byte. Exits at once if the parent is gone already."""
    os.umask(0o077)
    os.closerange(_STANDARD_STREAMS, 256)
    _limit(resource.RLIMIT_CORE, 0)  # a core dump would hold photos
    _limit(resource.RLIMIT_FSIZE, 0)
    # No descriptor beyond the three standard streams can ever be had: neither a file nor a socket can be opened.
    _limit(resource.RLIMIT_NOFILE, _STANDARD_STREAMS)
    _limit(resource.RLIMIT_AS, memory_bytes)
    _drop_root()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        # After the change of user, which clears it.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(0)


def allow_cpu(seconds: int) -> None:
    """Let the process compute for `seconds` more, rounded up; past that the system kills it with SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (lowest, lowest))


def _drop_root() -> None:
    if os.geteuid() != 0:
        return
    try:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    except OSError:
        # A user namespace may map one user only; its root has no power outside it, and the limits above hold.
        return
