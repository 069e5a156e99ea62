"""The command `slotcast demo`, as `make demo` runs it."""

import asyncio
import os
import signal
import sys

SECONDS_MAX = 60


async def test_the_demo_runs_several_workers_and_ends_when_it_is_asked_to(settings):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service",
        "demo",
        env={
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SLOTCAST_DATA": str(settings.data_folder),
            "SLOTCAST_LISTEN": "127.0.0.1:0",
            "SLOTCAST_GATEWAY_PORT": "0",
        },
        stdout=asyncio.subprocess.PIPE,
    )
    said = ""
    try:
        async with asyncio.timeout(SECONDS_MAX):
            async for line in process.stdout:
                said += line.decode()
                if "Ctrl-C stops everything" in said:
                    break
            process.send_signal(signal.SIGTERM)
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()

    assert "starting 2 worker(s)" in said
    assert process.returncode == 0
