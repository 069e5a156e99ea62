"""Watchers: widgets that open streams, stop reading, go away, and resume on any server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import grpc

from slotcast.error_details import error_of_call
from slotcast.v1.availability_service_pb2 import (
    WatchAvailabilityRequest,
    WatchAvailabilityResponse,
)
from tests.robustness.history import Arrival, Ending, Watch
from tests.robustness.traffic.ground import Doors, Ground, pause
from tests.robustness.traffic.recorder import reason_of
from tests.robustness.traffic.requests import Draw

SILENCE_SECONDS_MAX = 9.0
"""After so long without a frame a watcher goes elsewhere, as a client of the API should."""
REOPEN_SECONDS = (0.02, 0.25)
REFUSED_SECONDS = (0.2, 0.6)
Frames = grpc.aio.UnaryStreamCall[WatchAvailabilityRequest, WatchAvailabilityResponse]


class Watcher:
    """One reader. `settle` makes it read all that comes until it is cancelled."""

    def __init__(self, ground: Ground, random: Random, name: str) -> None:
        """Take what it stands on."""
        self._ground = ground
        self._random = random
        self._name = name
        self._draw = Draw(ground, random, name)
        self._settling = asyncio.Event()
        self._past: list[Watch] = []

    def settle(self) -> None:
        """Read on from now, whatever comes, and go away no more."""
        self._settling.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with Doors(self._ground.targets) as doors:
            while True:
                watch = self._next_watch()
                try:
                    await self._read(doors, watch)
                finally:
                    watch.ended = self._ground.recorder.now
                if watch.arrivals:
                    self._past = [*self._past[-3:], watch]
                await pause(self._random.uniform(*_pause_seconds(watch)), unless=asyncio.Event())

    def _next_watch(self) -> Watch:
        """Resume what was watched last, mostly; or begin anew, with another filter."""
        recorder = self._ground.recorder
        server = self._random.choice(self._ground.servers)
        watches = recorder.history.watches
        resumed = self._resumed()
        min_revision = self._random.choice((0, recorder.acknowledged))
        request: WatchAvailabilityRequest = self._draw.filtered(
            WatchAvailabilityRequest, 0 if resumed else min_revision
        )
        watch = Watch(
            number=len(watches) + 1,
            watcher=self._name,
            server=server,
            request=request,
            opened=recorder.now,
        )
        if resumed is not None:
            before, index = resumed
            if self._random.random() < 0.88:
                # Else the token goes with another filter, and is answered by a reset.
                watch.request.CopyFrom(before.request)
                watch.request.min_revision = 0
            watch.request.resume_token = before.arrivals[index].frame.resume_token
            watch.resumes, watch.resumed_at = before.number, index
        watches.append(watch)
        return watch

    def _resumed(self) -> tuple[Watch, int] | None:
        """Return a watch of the last few and which of its tokens to give, mostly the newest."""
        if not self._past or self._random.random() < 0.2:
            return None
        before = self._past[-1] if self._random.random() < 0.85 else self._random.choice(self._past)
        with_token = [
            index for index, arrival in enumerate(before.arrivals) if arrival.frame.resume_token
        ]
        if not with_token:
            return None
        newest = self._random.random() < 0.7
        return before, with_token[-1] if newest else self._random.choice(with_token[-100:])

    async def _read(self, doors: Doors, watch: Watch) -> None:
        leaves_at = self._ground.recorder.now + self._random.uniform(0.2, 6.0)
        async with self._opened(doors, watch) as call:
            try:
                while watch.ending is Ending.OPEN:
                    await self._pause(watch)
                    seconds = SILENCE_SECONDS_MAX
                    if not self._settling.is_set():
                        seconds = min(seconds, leaves_at - self._ground.recorder.now)
                    async with asyncio.timeout(max(seconds, 0.0)):
                        frame = await call.read()
                    self._take(watch, frame)
            except TimeoutError:
                watch.ending = Ending.CANCELLED
            except grpc.aio.AioRpcError as failure:
                watch.ending = reason_of(error_of_call(failure))

    def _take(self, watch: Watch, frame: WatchAvailabilityResponse | object) -> None:
        if not isinstance(frame, WatchAvailabilityResponse):
            if watch.ending is Ending.OPEN:
                watch.ending = grpc.StatusCode.OK.name
            return
        watch.arrivals.append(Arrival(self._ground.recorder.now, frame))
        if frame.WhichOneof("frame") == "goodbye":
            watch.ending = Ending.GOODBYE

    async def _pause(self, watch: Watch) -> None:
        """Stop reading for a while, now and then."""
        if self._settling.is_set() or self._random.random() >= 0.004:
            return
        began = self._ground.recorder.now
        try:
            await pause(self._random.uniform(0.2, 3.0), unless=self._settling)
        finally:
            watch.pauses.append((began, self._ground.recorder.now))

    @asynccontextmanager
    async def _opened(
        self, doors: Doors, watch: Watch
    ) -> AsyncIterator[
        grpc.aio.UnaryStreamCall[WatchAvailabilityRequest, WatchAvailabilityResponse]
    ]:
        call = doors.by_server[watch.server].availability.WatchAvailability(
            watch.request, metadata=self._ground.metadata(self._name)
        )
        try:
            yield call
        finally:
            call.cancel()
            if watch.ending is Ending.OPEN:
                watch.ending = Ending.CANCELLED


def _pause_seconds(watch: Watch) -> tuple[float, float]:
    return REOPEN_SECONDS if watch.arrivals else REFUSED_SECONDS
