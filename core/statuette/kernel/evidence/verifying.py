"""The whole log is verified in a process of its own, so that nobody who is served waits for it.

Run as `python -I -m statuette.kernel.evidence.verifying HEADS KEY…`: entries on stdin, a line each; HEADS is the number of an open
file with the signed heads, a line each; KEYs are public keys in hex. It answers with an `Audit` in JSON.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from typing import IO

import msgspec

from statuette.errors import StatuetteError
from statuette.evidence import Audit, PublicKey, PublicKeys, SignedHead, read_head, verify_log

_SECONDS = 3600.0
_NICENESS = 10
_COMMAND = (sys.executable, "-I", "-m", "statuette.kernel.evidence.verifying")


class LogNotVerified(StatuetteError):
    """The process that verifies did not come to an end. Says nothing of the log; retryable."""

    code = "log_not_verified"
    retryable = True
    summary = "The log could not be verified: the process that does it ended early, or took too long."


async def verified(entries: IO[bytes], heads: IO[bytes], keys: Sequence[str]) -> Audit:
    """What verifying every entry against every head finds.

    Args:
        entries, heads: real files, a document a line.
        keys: public keys, hex.

    Raises:
        LogNotVerified.
    """
    for file in (entries, heads):
        file.flush()
        file.seek(0)
    process = await asyncio.create_subprocess_exec(
        *(*_COMMAND, str(heads.fileno()), *keys),
        stdin=entries,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=(heads.fileno(),),
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
    except TimeoutError:
        raise LogNotVerified() from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise LogNotVerified()
    return msgspec.json.decode(told, type=Audit)


def main() -> None:
    os.nice(_NICENESS)
    heads, *keys = sys.argv[1:]
    public = PublicKeys(keys=tuple(PublicKey(public_key=bytes.fromhex(key)) for key in keys))
    with os.fdopen(int(heads), "rb") as file:
        audit = verify_log(_lines(sys.stdin.buffer), _heads(file), public, read_receipts=True)
    sys.stdout.buffer.write(msgspec.json.encode(audit))


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    for line in file:
        yield line[:-1]


def _heads(file: IO[bytes]) -> Iterator[SignedHead]:
    for line in _lines(file):
        yield read_head(line)


if __name__ == "__main__":
    main()
