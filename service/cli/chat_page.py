"""The demo's chat page: `slotcast-chat serve`, in a process of its own that ends with the demo."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.cli.connection import Access
from service.embedded.process import is_free

PORT = 7440
READY_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 5.0
_READY = "The chat is at "


class ChatPage:
    """The process. It waits for `open`, for it may have been started before there is a business."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take the process."""
        self._process = process

    async def open(self) -> str | None:
        """Let it serve, and tell where; None where it does not."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        return await _url(self._process)


@asynccontextmanager
async def running_chat_page(access: Access, business: str) -> AsyncIterator[ChatPage]:
    """Run it until the block ends. Enter it before gRPC is used here, which forking disturbs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "slotcast_chat",
        "serve",
        "--target",
        access.target,
        "--business",
        business,
        "--port",
        str(PORT if is_free(PORT) else 0),
        "--child",
        env={**os.environ, "SLOTCAST_API_KEY": access.api_key},
        # Held open while we live: without it the child stops by itself.
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield ChatPage(process)
    finally:
        await _stop(process)


async def _url(process: asyncio.subprocess.Process) -> str | None:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS_MAX)
    except TimeoutError:
        return None
    before, _, url = line.decode(errors="replace").strip().partition(_READY)
    return url if url and not before else None


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()
