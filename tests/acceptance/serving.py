"""Run `slotcast serve` as an operator does: in a process of its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager

from slotcast import Client
from tests.salon import make_salon


@asynccontextmanager
async def serving(settings, *arguments):
    """Run `slotcast serve` in a process of its own; yields where it listens, and the process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service",
        "serve",
        *arguments,
        env={
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SLOTCAST_DATA": str(settings.data_folder),
            "SLOTCAST_LISTEN": "127.0.0.1:0",
            "SLOTCAST_LOG_LEVEL": "WARNING",
        },
        stderr=subprocess.PIPE,
    )
    try:
        async for line in process.stderr:
            if b"serves on" in line:
                break
        told = json.loads((settings.data_folder / "server.json").read_text())
        key = (settings.data_folder / "operator_key").read_text().strip()
        yield told["target"], key, process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


@asynccontextmanager
async def serving_salon(settings):
    """Run `slotcast serve` with a salon on it; yields a client of the salon."""
    async with (
        serving(settings) as (target, key, _),
        Client(target, api_key=key, business="salon") as client,
    ):
        await make_salon(client)
        yield client
