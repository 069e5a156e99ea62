"""Plays a trace in its order: who asks, and who cancels later, each at their moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from loadtest.replay.person import UNANSWERED, Desk, Outcome, Visit, cancel, cancels_later, visit
from loadtest.replay.town import midnight
from loadtest.replay.trace import Request

SILENCE_SECONDS_MAX = 1.0
FAILURES_MAX = 500
CANCELLED_AT_LEAST_AFTER = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A request, or the cancellation of what it led to, at a moment of the trace."""

    moment: datetime
    request: Request
    cancels: bool = False


def events_of(requests: Sequence[Request]) -> list[Event]:
    """Put requests and cancellations in order.

    One cancels halfway between the request and the day, not sooner than half an hour after the
    request; what would come after the last request comes right after it.
    """
    asked = [Event(moment=request.requested_at, request=request) for request in requests]
    last = requests[-1].requested_at
    cancelled = [
        Event(moment=min(_cancelled_at(request), last), request=request, cancels=True)
        for request in requests
        if cancels_later(request)
    ]
    return sorted(asked + cancelled, key=lambda event: (event.moment, event.cancels))


class Pace:
    """When each moment of a trace is due: `speed` times faster, silences cut to a second.

    Without a speed everything is due at once.
    """

    def __init__(self, speed: float | None) -> None:
        """Begin with the first moment that is waited for."""
        self._speed = speed
        self._moment: datetime | None = None
        self._due_at = time.monotonic()

    async def wait_for(self, moment: datetime) -> float:
        """Wait until a moment is due; return how many seconds late it is already."""
        if self._speed is None:
            return 0.0
        if self._moment is not None:
            gap_seconds = (moment - self._moment).total_seconds() / self._speed
            self._due_at += min(gap_seconds, SILENCE_SECONDS_MAX)
        self._moment = moment
        early_seconds = self._due_at - time.monotonic()
        if early_seconds > 0:
            await asyncio.sleep(early_seconds)
        return max(-early_seconds, 0.0)


class Player:
    """Plays events; at most `concurrency` people are served at a time, the others wait in order.

    After 500 failures nobody else is let in: the server is gone, or does not mean well.
    """

    def __init__(self, desk: Desk, *, concurrency: int, speed: float | None) -> None:
        """Take what all people share."""
        self._desk = desk
        self._places = asyncio.Semaphore(concurrency)
        self._pace = Pace(speed)
        self._visits: dict[int, asyncio.Future[Visit]] = {}

    async def play(self, events: Iterable[Event]) -> dict[int, Visit]:
        """Play all; return what became of each request, by its line."""
        measures = self._desk.measures
        async with asyncio.TaskGroup() as tasks:
            for event in events:
                if sum(map(measures.counts.__getitem__, UNANSWERED)) > FAILURES_MAX:
                    break
                late_seconds = await self._pace.wait_for(event.moment)
                measures.lag_seconds_max = max(measures.lag_seconds_max, late_seconds)
                await self._places.acquire()
                before = self._visits.get(event.request.line)
                self._visits[event.request.line] = tasks.create_task(self._serve(event, before))
        return {line: served.result() for line, served in self._visits.items()}

    async def _serve(self, event: Event, before: asyncio.Future[Visit] | None) -> Visit:
        counts = self._desk.measures.counts
        try:
            if before is not None:
                visited = await cancel(self._desk, await before)
                if visited.outcome is Outcome.CANCELLED:
                    counts["cancelled"] += 1
                return visited
            visited = await visit(self._desk, event.request)
            counts[visited.outcome] += 1
            counts["rows"] += 1
            return visited
        finally:
            self._places.release()


def _cancelled_at(request: Request) -> datetime:
    until_day = midnight(request.appointment_date) - request.requested_at
    return request.requested_at + max(until_day / 2, CANCELLED_AT_LEAST_AFTER)
