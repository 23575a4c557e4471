"""What a process does with memory it no longer needs."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3  # malloc.h
_LARGE_BYTES = 128 * 1024


def give_back_large_buffers() -> None:
    """From now on, what holds a photo is the system's again as soon as it is freed.

    glibc begins like that, and then keeps more and more for later. Hundreds of photos come and go between small things that
    stay, so what it keeps it can rarely use again: a worker with 200 calls in flight took a quarter more. Other C libraries are
    left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
