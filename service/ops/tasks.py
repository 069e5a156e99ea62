"""How a background task is ended."""

from __future__ import annotations

import asyncio
from typing import Any

CANCEL_AGAIN_SECONDS = 0.1


async def cancelled(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task, and return when it has ended.

    Once may not be enough: `asyncio.wait_for` of Python 3.11, with which redis-py writes, drops a
    cancellation that comes as the write ends (github.com/python/cpython/issues/86296).
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_SECONDS)
