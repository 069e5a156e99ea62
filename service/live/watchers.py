"""Watchers: the streams of this process, each at its own position in a shared view."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

from service.domain.errors import Overloaded
from service.domain.slot import SlotQuery
from service.live.board import Board, LiveView
from service.live.follower import Follower, Fresh
from service.live.frames import Goodbye, GoodbyeReason, ResetReason, Sent
from service.live.limits import LiveLimits
from service.live.replica import Replica
from service.live.resume import replacement, reset_reason
from service.live.shared import Position
from service.live.signals import Signal
from service.live.tokens import ResumeToken, Tokens
from service.ops.jitter import JITTER

RECALLS_MAX = 3
"""How often the log is read for a stream that resumes while the replica is loaded anew."""


class Watchers:
    """Opens streams, and ends them as planned."""

    def __init__(
        self,
        *,
        follower: Follower,
        board: Board,
        tokens: Tokens,
        monotonic: Callable[[], float],
        limits: LiveLimits,
    ) -> None:
        """Begin without streams."""
        self._follower = follower
        self._board = board
        self._tokens = tokens
        self._monotonic = monotonic
        self._limits = limits
        self._streams = 0
        self._is_draining = False
        self._ended = Signal()

    def __len__(self) -> int:
        """Count the streams."""
        return self._streams

    @property
    def is_draining(self) -> bool:
        """Say whether all streams are told goodbye."""
        return self._is_draining

    async def drain(self) -> None:
        """Tell every stream goodbye, and wait until all have ended. The caller bounds the wait."""
        self._is_draining = True
        self._board.wake_all()
        while self._streams:
            await self._ended.wait()

    async def watch(
        self,
        query: SlotQuery,
        *,
        resume_token: str = "",
        min_revision: int = 0,
        is_web: bool = False,
    ) -> AsyncGenerator[Sent]:
        """Yield the frames of one stream, each with its encoding. Close it when the reader is gone.

        A reader that is slow to ask for the next frame is given merged state, and delays nobody.
        """
        given = None
        if resume_token:
            given = self._tokens.read_resume(resume_token, query.business_id)
        if self._is_draining:
            raise Overloaded("The server is about to stop. Retry.")
        with self._counted():
            fresh = await self._fresh(query.business_id, given, min_revision)
            async with self._kept(fresh.replica, query) as live:
                position = Position()
                frames = await self._open(live, position, given, fresh.as_of)
                age_ends_at = self._monotonic() + self._limits.stream_age_seconds(is_web=is_web)
                while True:
                    for sent in frames:
                        position.move(sent.frame)
                        yield sent
                    if frames and isinstance(frames[-1].frame, Goodbye):
                        return
                    frames = await self._next(live, position, age_ends_at)

    async def _fresh(self, business_id: str, given: ResumeToken | None, min_revision: int) -> Fresh:
        fresh = await self._follower.get(business_id, min_revision=min_revision)
        if given is not None and given.epoch == fresh.replica.epoch:
            ahead = max(given.revision, min_revision)
            if ahead > fresh.replica.revision:
                return await self._follower.get(business_id, min_revision=ahead)
        return fresh

    @asynccontextmanager
    async def _kept(self, replica: Replica, query: SlotQuery) -> AsyncIterator[LiveView]:
        """Keep a replica, and a view of it, for as long as the stream lasts."""
        with self._follower.pinned(query.business_id):
            async with self._board.watching(replica, query) as live:
                yield live

    async def _open(
        self,
        live: LiveView,
        position: Position,
        given: ResumeToken | None,
        not_before: datetime,
    ) -> list[Sent]:
        """Return the first frames: what a token lacks, or a snapshot."""
        reason: ResetReason | None = None
        if given is not None:
            reason = await self._reason_to_reset(live, given)
        await self._settle(live, not_before)
        position.seq, position.beats = live.view.history.seq, live.beats
        if given is None:
            return live.frames.snapshot(not_before, live.view.revision)
        # While that was awaited the catalogue may have changed, or the business been made anew.
        reason = reset_reason(given, live.replica, live.frames.filter_hash) or reason
        if reason is not None:
            snapshot = live.frames.snapshot(not_before, live.view.revision)
            return [live.frames.reset(reason, snapshot), *snapshot]
        touches = live.replica.touches_after(given.revision)
        return live.frames.replacement(*replacement(live.view, live.replica, touches, given.as_of))

    async def _reason_to_reset(self, live: LiveView, given: ResumeToken) -> ResetReason | None:
        for _ in range(RECALLS_MAX):
            generation = live.replica.generation
            reason = reset_reason(given, live.replica, live.frames.filter_hash)
            if reason is None and live.replica.touches_after(given.revision) is None:
                reason = await self._follower.recall(live.replica, given.revision)
            if live.replica.generation == generation:
                return reason
        return ResetReason.CATALOG

    async def _next(self, live: LiveView, position: Position, age_ends_at: float) -> list[Sent]:
        """Wait for what a stream is to be sent next."""
        while True:
            if live.failure is not None:
                raise live.failure
            reason = self._reason_to_end(age_ends_at)
            if reason is not None:
                return [live.frames.goodbye(position, reason, self._delay_seconds(reason))]
            frames = self._due(live, position)
            if frames is None:
                return await self._start_over(live, position)
            if frames:
                return frames
            await live.changed.wait()

    def _due(self, live: LiveView, position: Position) -> list[Sent] | None:
        """Return what a stream lacks, merged; None: it is too far behind."""
        seq = live.view.history.seq
        if position.seq < seq:
            frames = live.frames.delta(position.seq)
            if frames is not None:
                position.seq = seq
            return frames
        beat = live.beat
        if beat is None or position.beats == live.beats:
            return []
        position.beats = live.beats
        return [beat] if live.beat_seq == seq and position.may_go_to(beat.frame) else []

    async def _start_over(self, live: LiveView, position: Position) -> list[Sent]:
        assert position.as_of is not None
        await self._settle(live, position.as_of)
        reason = live.view.history.lost_because(position.seq)
        position.seq, position.beats = live.view.history.seq, live.beats
        snapshot = live.frames.snapshot(position.as_of, live.view.revision)
        return [live.frames.reset(reason, snapshot), *snapshot]

    async def _settle(self, live: LiveView, not_before: datetime) -> None:
        await self._board.settle(live, not_before)
        if live.failure is not None:
            raise live.failure

    def _reason_to_end(self, age_ends_at: float) -> GoodbyeReason | None:
        if self._is_draining:
            return GoodbyeReason.DRAIN
        return GoodbyeReason.AGE if self._monotonic() >= age_ends_at else None

    def _delay_seconds(self, reason: GoodbyeReason) -> float:
        """Spread the streams of a server that stops; one that is of age may come back at once."""
        if reason is GoodbyeReason.AGE:
            return 0.0
        return JITTER.uniform(0, self._limits.drain_delay_seconds_max)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1
            self._ended.fire()
