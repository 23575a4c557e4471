"""The program a child runs: `python -I -m statuette.kernel.pixels.child`, frames in on stdin, frames out on stdout.

One picture at a time, in the order asked. It ends when its input ends, when its parent dies, or when memory ran out.
"""

from __future__ import annotations

import io
import os
import sys

from PIL import Image, features

from statuette.kernel.pixels import wire
from statuette.kernel.pixels.confinement import allow_cpu, confine
from statuette.kernel.pixels.decode import DECODERS, prepare_decoders
from statuette.kernel.pixels.encode import normalise, render
from statuette.kernel.pixels.errors import REFUSALS, ImageTooDemanding
from statuette.kernel.pixels.limits import PixelLimits

_INPUT, _OUTPUT = 0, 1
_MAX_SETUP_BYTES = 4096
_PIPE_BYTES = 1024 * 1024
# Text in metadata is decoded with these; Python loads a codec from disk when it is first used.
_CODECS = ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


def main() -> None:
    body = _read(_MAX_SETUP_BYTES)
    setup = None if body is None else wire.parse_request(body)
    if not isinstance(setup, wire.Setup):
        sys.exit("This program is started by the pixel pool and speaks frames, not text.")
    _widen_pipes()
    prepare_decoders(setup.limits)
    _rehearse(setup.limits)
    confine(memory_bytes=setup.memory_bytes, parent_pid=setup.parent_pid)
    _rehearse(setup.limits)
    _write(wire.Ready())
    while (body := _read(wire.max_request_bytes(setup.limits))) is not None:
        allow_cpu(setup.cpu_seconds)
        reply = _answer(body, setup.limits)
        _write(reply)
        if isinstance(reply, wire.Refused) and reply.spent:
            return


def _answer(body: bytearray, limits: PixelLimits) -> wire.Reply:
    try:
        match wire.parse_request(body):
            case wire.Normalise() as request:
                return normalise(request, limits)
            case wire.Render() as request:
                return render(request, limits)
            case wire.Setup():
                sys.exit("A second set-up.")
    except MemoryError:
        return wire.Refused(ImageTooDemanding.code, spent=True)
    except tuple(REFUSALS.values()) as refusal:
        return wire.Refused(refusal.code, spent=refusal.code == ImageTooDemanding.code)


def _rehearse(limits: PixelLimits) -> None:
    """Run one small picture through every codec, so that what is loaded late is loaded before the doors close."""
    for codec in _CODECS:
        "".encode(codec)
    forms = [decoder.__name__.removeprefix("PIL.").removesuffix("ImagePlugin").upper() for decoder in DECODERS]
    for form in forms:
        if form == "AVIF" and not features.check("avif"):
            continue
        buffer = io.BytesIO()
        Image.new("RGB", (limits.min_edge_pixels, limits.min_edge_pixels)).save(buffer, form)
        normalise(wire.Normalise(buffer.getvalue()), limits)
        render(wire.Render(buffer.getvalue(), (limits.min_edge_pixels,), None), limits)


def _widen_pipes() -> None:
    """Fewer, larger reads and writes; best effort, since a user may hold only so much of the system's pipe memory."""
    if sys.platform == "linux":
        import fcntl

        for descriptor in (_INPUT, _OUTPUT):
            try:
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            except OSError:
                return


def _read(max_bytes: int) -> bytearray | None:
    """One frame's body; None at the end of the input."""
    header = _read_exactly(wire.HEADER_BYTES)
    if header is None:
        return None
    length = wire.body_length(header)
    return None if length > max_bytes else _read_exactly(length)


def _read_exactly(length: int) -> bytearray | None:
    buffer = bytearray(length)
    view = memoryview(buffer)
    while view:
        count = os.readv(_INPUT, [view])
        if count == 0:
            return None
        view = view[count:]
    return buffer


def _write(message: wire.Reply) -> None:
    view = memoryview(wire.frame(message))
    while view:
        view = view[os.write(_OUTPUT, view) :]


if __name__ == "__main__":
    main()
