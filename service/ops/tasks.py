"""How a background task is ended, and how several wait for one."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, TypeVar

CANCEL_AGAIN_SECONDS = 1.0
"""What a task does at its end has so long, undisturbed."""

_log = logging.getLogger(__name__)
T = TypeVar("T")


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


async def shared(future: asyncio.Future[T]) -> T:
    """Wait for what others wait for too: who is cancelled goes away alone.

    Call it without keeping the future: its failure has the frames of all who wait, and what one of
    them keeps, together with the failure, stays until the collector comes.
    """
    try:
        return await asyncio.shield(future)
    finally:
        del future
