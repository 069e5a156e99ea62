"""How a background task is ended."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

CANCEL_AGAIN_SECONDS = 1.0
"""What a task does at its end has so long, undisturbed."""

_log = logging.getLogger(__name__)


async def cancelled(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task, and return when it has ended.

    Once may not be enough: `asyncio.wait_for` of Python 3.11, with which redis-py writes, drops a
    cancellation that comes as the write ends (github.com/python/cpython/issues/86296).
    """
    if task is None:
        return
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_SECONDS)
        if not task.done():
            _log.warning("%s has not ended; it is cancelled again.", task.get_coro())
