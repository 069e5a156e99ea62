"""Commands, typed in as at a shell beside the server."""

import asyncio
import os
import sys

import pytest


@pytest.fixture
def try_in(settings):
    """Type a command of the salon; returns its exit code and what it printed to its outputs."""

    async def run(*words):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service", *words),
            env={
                **os.environ,
                "DATABASE_URL": settings.database_url,
                "REDIS_URL": settings.redis_url,
                "SLOTCAST_DATA": str(settings.data_folder),
                "SLOTCAST_BUSINESS": "salon",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        return process.returncode, output.decode(), errors.decode()

    return run


@pytest.fixture
def type_in(try_in):
    """Type a command of the salon that goes well; returns what it printed."""

    async def run(*words):
        code, output, errors = await try_in(*words)
        assert code == 0, errors
        return output

    return run
