"""Program: passes TCP connections on to the emulator, which keeps objects in memory only.

    python -I s3_door.py PORT EMULATOR_PORT

This is what is stopped, killed and paused in the emulator's place, so that objects survive it, as they do in a real store.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

_CHUNK_BYTES = 64 * 1024


async def _serve(port: int, emulator_port: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", emulator_port)
            await asyncio.gather(_pass_on(reader, there_writer), _pass_on(there_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
