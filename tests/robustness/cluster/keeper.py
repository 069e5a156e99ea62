"""The thread that PostgreSQL and Valkey are started from.

The kernel ends a server when the thread ends that has started it, and starting one takes a while:
so it is neither a thread that comes and goes, nor the one in which the proxies pass bytes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

T = TypeVar("T")


class Keeper:
    """Does one thing after another."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._thread.shutdown)

    async def do(self, what: Callable[[], T]) -> T:
        """Do it in the thread; once begun it is done to the end, even if nobody waits any more."""
        return await asyncio.shield(asyncio.wrap_future(self._thread.submit(what)))
