"""The pool and its children: killed, hung, lying, cancelled, confined. Real processes, real signals."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from PIL import Image

from statuette.errors import InvalidInput, Unavailable
from statuette.kernel.pixels import worker
from statuette.kernel.pixels.errors import (
    ImageProcessingTimeout,
    ImageTooDemanding,
    PixelQueueFull,
    PixelWorkerLost,
)
from statuette.kernel.pixels.pool import PixelPool


@asynccontextmanager
async def opened_pool(**options: Any) -> AsyncIterator[PixelPool]:
    pool = PixelPool(**{"workers": 1, **options})
    await pool.start()
    try:
        yield pool
    finally:
        await pool.aclose()


def photo(width: int = 64, height: int = 48) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 100, 50)).save(buffer, "JPEG")
    return buffer.getvalue()


async def gone(pids: tuple[int, ...], within_seconds: float = 5.0) -> bool:
    """Whether none of the processes runs any more (a zombie does not)."""
    until = asyncio.get_running_loop().time() + within_seconds
    while any(_runs(pid) for pid in pids):
        if asyncio.get_running_loop().time() > until:
            return False
        await asyncio.sleep(0.02)
    return True


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def keep_killing(pool: PixelPool, number: signal.Signals) -> None:
    """Strike every child of the pool as soon as it is warm, until cancelled."""
    struck: set[int] = set()
    while True:
        for pid in set(pool.pids()) - struck:
            os.kill(pid, number)
            struck.add(pid)
        await asyncio.sleep(0.005)


async def test_a_killed_child_is_replaced_and_the_photo_tried_again() -> None:
    async with opened_pool() as pool:
        (pid,) = pool.pids()
        os.kill(pid, signal.SIGSTOP)
        asked = asyncio.create_task(pool.normalise(photo()))
        await asyncio.sleep(0.1)

        os.kill(pid, signal.SIGKILL)
        result = await asked

        assert (result.width, result.height) == (64, 48)
        assert pool.restarts == 1
        assert pool.pids() != (pid,)
        assert await gone((pid,))


async def test_a_child_killed_between_two_photos_is_not_noticed_by_the_caller() -> None:
    async with opened_pool() as pool:
        os.kill(pool.pids()[0], signal.SIGKILL)

        result = await pool.normalise(photo())

        assert result.width == 64
        assert pool.restarts == 1


@pytest.mark.parametrize(
    ("number", "error", "family"),
    [
        pytest.param(signal.SIGKILL, PixelWorkerLost, Unavailable, id="killed-from-outside"),
        pytest.param(signal.SIGSEGV, ImageTooDemanding, InvalidInput, id="decoder-crashed"),
        pytest.param(signal.SIGABRT, ImageTooDemanding, InvalidInput, id="allocation-refused"),
    ],
)
async def test_two_deaths_over_one_photo_end_in_a_clear_error(
    number: signal.Signals, error: type[Exception], family: type[Exception]
) -> None:
    async with opened_pool() as pool:
        large = photo(6000, 4000)
        killer = asyncio.create_task(keep_killing(pool, number))

        with pytest.raises(error) as raised:
            await pool.normalise(large)
        killer.cancel()
        await asyncio.wait([killer])
        after = await pool.normalise(photo())

        assert isinstance(raised.value, family)
        assert pool.restarts >= 2
        assert after.width == 64


async def test_a_child_that_hangs_is_killed_in_time_and_replaced() -> None:
    async with opened_pool(task_timeout=timedelta(seconds=1)) as pool:
        pids = pool.pids()
        os.kill(pids[0], signal.SIGSTOP)

        with pytest.raises(ImageProcessingTimeout) as raised:
            async with asyncio.timeout(10):
                await pool.normalise(photo())
        after = await pool.normalise(photo())

        assert raised.value.retryable
        assert await gone(pids)
        assert after.width == 64
        assert pool.restarts == 1


async def test_a_picture_that_takes_too_much_computing_time_is_the_pictures_fault() -> None:
    noise = io.BytesIO()
    Image.effect_noise((4000, 4000), 90).convert("RGB").save(noise, "JPEG", quality=80)
    async with opened_pool(task_timeout=timedelta(seconds=120), cpu_timeout=timedelta(seconds=1)) as pool:
        with pytest.raises(ImageTooDemanding):
            await pool.render(noise.getvalue(), sizes=(4000, 3999, 3998, 3997))

        assert (await pool.normalise(photo())).width == 64


async def test_callers_who_go_away_do_not_disturb_those_who_stay() -> None:
    async with opened_pool() as pool:
        large = photo(6000, 4000)
        leaving = [asyncio.create_task(pool.normalise(large)) for _ in range(4)]
        staying = [asyncio.create_task(pool.normalise(photo(100 + n, 50))) for n in range(8)]
        await asyncio.sleep(0.05)

        for task in leaving:
            task.cancel()
        results = await asyncio.gather(*staying)

        assert [result.width for result in results] == [100 + n for n in range(8)]
        assert all(task.cancelled() for task in leaving)
        assert pool.restarts == 0


async def test_each_caller_gets_the_own_photo_back_from_several_children() -> None:
    async with opened_pool(workers=2) as pool:
        results = await asyncio.gather(*(pool.normalise(photo(20 + n, 40)) for n in range(40)))

        assert [result.width for result in results] == [20 + n for n in range(40)]


async def test_more_bytes_than_may_wait_are_turned_away_at_once() -> None:
    data = photo()
    async with opened_pool(queue_bytes=2 * len(data)) as pool:
        os.kill(pool.pids()[0], signal.SIGSTOP)
        accepted = []
        for _ in range(3):  # one is with the child, two wait
            accepted.append(asyncio.create_task(pool.normalise(data)))
            await asyncio.sleep(0.02)

        with pytest.raises(PixelQueueFull) as refused:
            await pool.normalise(data)
        os.kill(pool.pids()[0], signal.SIGCONT)

        assert refused.value.attributes["retry_after_seconds"] > 0
        assert len(await asyncio.gather(*accepted)) == 3
        assert (await pool.normalise(data)).width == 64


async def test_a_child_is_replaced_after_its_share_of_pictures_without_counting_as_a_restart() -> None:
    async with opened_pool(tasks_per_child=3) as pool:
        seen: set[int] = set()
        for _ in range(9):
            await pool.normalise(photo())
            seen.update(pool.pids())

        assert len(seen) >= 3
        assert pool.restarts == 0


async def test_closing_the_pool_ends_children_and_answers_whoever_waits() -> None:
    pool = PixelPool(workers=2)
    await pool.start()
    pids = pool.pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    waiting = [asyncio.create_task(pool.normalise(photo())) for _ in range(5)]
    await asyncio.sleep(0.05)

    async with asyncio.timeout(10):
        await pool.aclose()
        await pool.aclose()
        answers = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(answer) for answer in answers] == [PixelWorkerLost] * 5
    assert len(pids) == 2 and await gone(pids)
    with pytest.raises(PixelWorkerLost):
        await pool.normalise(photo())


async def test_children_die_with_a_parent_that_is_killed() -> None:
    program = """
        import asyncio, os, signal
        from statuette.kernel.pixels.pool import PixelPool

        async def main():
            pool = PixelPool(workers=2)
            await pool.start()
            for pid in pool.pids():
                os.kill(pid, signal.SIGSTOP)  # so that an end of its input would go unnoticed
            print(*pool.pids(), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

        asyncio.run(main())
    """
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await parent.communicate()
    pids = tuple(int(word) for word in output.split())

    all_gone = await gone(pids)
    for pid in pids if not all_gone else ():
        os.kill(pid, signal.SIGKILL)

    assert parent.returncode == -signal.SIGKILL
    assert len(pids) == 2 and all_gone


async def test_the_pool_works_on_the_servers_event_loop_too() -> None:
    program = """
        import io, uvloop
        from PIL import Image
        from statuette.kernel.pixels.pool import PixelPool

        async def main():
            buffer = io.BytesIO()
            Image.new("RGB", (3000, 2000)).save(buffer, "PNG")
            pool = PixelPool(workers=1)
            await pool.start()
            photo = await pool.normalise(buffer.getvalue())
            await pool.aclose()
            print(photo.width, pool.restarts)

        uvloop.run(main())
    """
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", textwrap.dedent(program), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, complaints = await run.communicate()

    assert (run.returncode, output.split(), complaints) == (0, [b"2048", b"0"], b"")


async def test_a_confined_process_can_open_neither_files_nor_sockets_nor_more_memory() -> None:
    program = """
        import os, resource, socket
        from statuette.kernel.pixels.confinement import confine

        confine(memory_bytes=256 << 20, parent_pid=os.getppid())
        tries = {
            "read": lambda: open("/etc/passwd"),
            "write": lambda: open("/tmp/pixels-canary", "w"),
            "socket": lambda: socket.socket(),
            "pipe": lambda: os.pipe(),
            "memory": lambda: bytearray(512 << 20),
            "more files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
            "become root": lambda: os.setuid(0) or os.setgroups([0]),
        }
        for name, attempt in tries.items():
            try:
                attempt()
                print(name, "worked")
            except (OSError, MemoryError, ValueError) as error:
                print(name, "refused")
    """
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, complaints = await run.communicate()

    lines = output.decode().splitlines()
    assert (len(lines), complaints) == (7, b"")
    assert all(line.endswith("refused") for line in lines), lines


async def test_a_child_inherits_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Given a child that lets its environment and descriptors be seen before it does anything else
    seen = tmp_path / "seen"
    spy = tmp_path / "spy.py"
    spy.write_text(
        f"import os; open({str(seen)!r}, 'w').write(repr((dict(os.environ), os.getcwd(), os.listdir('/dev/fd'))))"
    )
    monkeypatch.setenv("GEMINI_API_KEY", "canary")
    monkeypatch.setattr(worker, "CHILD_COMMAND", (sys.executable, "-I", str(spy)))

    with pytest.raises(PixelWorkerLost) as raised:
        await PixelPool(workers=1).start()

    words = seen.read_text()
    assert "canary" not in words and "PATH" not in words
    assert raised.value.cure is not None


_LIAR = """
import os, sys
from statuette.kernel.pixels import wire

def read():
    header = os.read(0, 4)
    if not header:
        sys.exit()
    length = wire.body_length(header)
    while length:
        length -= len(os.read(0, length))

def say(data):
    while data:
        data = data[os.write(1, data):]

lies = {
    "html": wire.frame(wire.Photo(wire.Encoded(b"<html><script>", 64, 48))),
    "wrong size": wire.frame(wire.Photo(wire.Encoded(bytes.fromhex("ffd8ffe0"), 1 << 40, 48))),
    "wrong kind": wire.frame(wire.Ready()),
    "unknown code": wire.frame(wire.Refused("let_me_in")),
    "no frame": bytes.fromhex("00000005") + b"\\x80\\x04\\x95cp",
    "endless": bytes.fromhex("ffffffff") + bytes(100_000),
}
read()
say(wire.frame(wire.Ready()))
while True:
    read()
    say(lies[sys.argv[1]])
"""


@pytest.mark.parametrize("lie", ["html", "wrong size", "wrong kind", "unknown code", "no frame", "endless"])
async def test_a_child_that_was_taken_over_is_not_believed_and_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lie: str
) -> None:
    program = tmp_path / "liar.py"
    program.write_text(_LIAR)
    monkeypatch.setattr(worker, "CHILD_COMMAND", (sys.executable, str(program), lie))
    async with opened_pool() as pool:
        pids = pool.pids()

        with pytest.raises(PixelWorkerLost):
            await pool.normalise(photo())

        assert pool.restarts == 2
        assert await gone(pids)
