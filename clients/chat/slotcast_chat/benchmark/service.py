"""A Slotcast of the benchmark's own: `slotcast serve`, in a folder that is thrown away."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

READY_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 30.0
_READY = "Slotcast serves on "


class NotStarted(Exception):
    """The service did not start, and why."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where to call, and with which key."""

    target: str
    api_key: str


@asynccontextmanager
async def running_service() -> AsyncIterator[Access]:
    """Run one until the block ends."""
    command = _command()
    with tempfile.TemporaryDirectory(prefix="slotcast-benchmark-") as folder:
        environment = {
            **os.environ,
            "SLOTCAST_DATA": folder,
            "SLOTCAST_LOG_LEVEL": "ERROR",
            "SLOTCAST_PUBLIC_URL": "http://127.0.0.1",
        }
        for name in ("DATABASE_URL", "REDIS_URL"):
            environment.pop(name, None)
        process = await asyncio.create_subprocess_exec(
            command,
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--workers",
            "1",
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            target = await _ready(process)
            draining = asyncio.create_task(_drain(process))
            yield Access(target, (Path(folder) / "operator_key").read_text().strip())
            draining.cancel()
        finally:
            await _stop(process)


def _command() -> str:
    beside = Path(sys.executable).with_name("slotcast")
    command = str(beside) if beside.exists() else shutil.which("slotcast")
    if command is None:
        raise NotStarted("There is no `slotcast` to start: install it, or name a --target.")
    return command


async def _ready(process: asyncio.subprocess.Process) -> str:
    lines: list[str] = []
    assert process.stderr is not None
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            async for line in process.stderr:
                lines.append(line.decode(errors="replace").strip())
                if _READY in lines[-1]:
                    return lines[-1].partition(_READY)[2].split()[0].rstrip(".")
    except TimeoutError:
        pass
    raise NotStarted("`slotcast serve` did not start:\n" + "\n".join(lines[-20:]))


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    async for _ in process.stderr:
        pass


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()
