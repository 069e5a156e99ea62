"""What a page is told, in order; a page that was cut off is told what it missed."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

KEPT_MAX = 200
HEARTBEAT_SECONDS = 10.0


class Events:
    """The last events of a conversation, numbered from 1. Any number of pages may read them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: deque[tuple[int, str]] = deque(maxlen=KEPT_MAX)
        self._next = 1
        self._told = asyncio.Condition()
        self._is_over = False

    async def tell(self, kind: str, values: Mapping[str, Any]) -> int:
        """Add one; return its number."""
        async with self._told:
            number = self._next
            self._kept.append((number, _written(number, kind, values)))
            self._next += 1
            self._told.notify_all()
        return number

    async def end(self) -> None:
        """Let all who read come to an end."""
        async with self._told:
            self._is_over = True
            self._told.notify_all()

    async def after(self, number: int) -> AsyncIterator[str]:
        """Yield all events after a number, and those to come; a comment where nothing comes.

        Of what is no longer kept, nothing is told: the page then has the newest of all kinds.
        """
        while True:
            missed = [text for each, text in self._kept if each > number]
            for text in missed:
                yield text
            if missed:
                number = self._kept[-1][0]
            elif self._is_over:
                return
            elif not await self._heard(number):
                yield ": still here\n\n"

    async def _heard(self, number: int) -> bool:
        async with self._told:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._told.wait_for(lambda: self._is_over or self._next - 1 > number)
            except TimeoutError:
                return False
        return True


def _written(number: int, kind: str, values: Mapping[str, Any]) -> str:
    # JSON has no line breaks of its own here, which would end the event.
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(values)}\n\n"
