"""The board: which frames are made while changes keep coming, on a clock that the test moves."""

from datetime import timedelta

import pytest

from service.domain.change import Change, ChangeKind, ClaimRef
from service.domain.claim_book import ClaimBook
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.live.board import Board, LiveView
from service.live.clock import DatabaseClock
from service.live.days import DayCache
from service.live.follower import Follower
from service.live.following import Surroundings
from service.live.limits import LiveLimits
from service.live.source import Loaded, Source
from service.store.changes import Head, Heads
from tests.builders import NOW, a_catalog, a_hold, at
from tests.live.world import TOKENS, Client

HEARTBEAT_SECONDS_MAX = 5.0
ROUND_TRIP_SECONDS = 0.05
AFTERNOON = SlotQuery(business_id="demo", window=Interval(at("14:00"), at("16:00")))


class Busy(Source):
    """A business on which a slot is held anew all the time, also while PostgreSQL is asked."""

    def __init__(self, start):
        self.seconds = 0.0
        self.start = start
        self.revision = 1
        self.hold = None
        self.limits = LiveLimits()
        clock, days = DatabaseClock(self.monotonic), DayCache()
        self.board = Board(
            clock=clock,
            days=days,
            tokens=TOKENS,
            encode=lambda frame: b"",
            monotonic=self.monotonic,
            limits=self.limits,
        )
        around = Surroundings(source=self, clock=clock, days=days, board=self.board)
        self.follower = Follower(around, monotonic=self.monotonic, limits=self.limits)
        self.live: LiveView | None = None

    def monotonic(self):
        return self.seconds

    @property
    def database_now(self):
        return NOW + timedelta(seconds=self.seconds)

    async def load(self, business_id):
        return Loaded(
            epoch="e1",
            revision=self.revision,
            as_of=self.database_now,
            catalog=a_catalog(),
            claims=ClaimBook(),
        )

    async def heads(self, business_ids):
        heads = Heads(
            as_of=self.database_now,
            by_business={"demo": Head(revision=self.revision, epoch="e1")},
        )
        if self.live is not None:
            await self.keep_holding(ROUND_TRIP_SECONDS, self.limits.pace_seconds)
            self.commit()
            assert self.live.view.is_unsettled
        return heads

    async def keep_holding(self, seconds, pace_seconds):
        """Hold the slot anew, again and again, and see the view settled each time."""
        assert self.live is not None
        until = self.seconds + seconds
        while self.seconds < until:
            self.commit()
            self.seconds += pace_seconds
            await self.board.settle(self.live, NOW)

    def commit(self):
        removed = () if self.hold is None else (a_ref(self.hold),)
        self.hold = a_hold(self.start, expires_at=self.database_now + timedelta(minutes=5))
        self.revision += 1
        change = Change(
            revision=self.revision,
            at=self.database_now,
            kind=ChangeKind.HELD,
            added=(self.hold,),
            removed=removed,
        )
        self.follower.committed("demo", "e1", [change])


def a_ref(claim):
    return ClaimRef(
        claim_id=claim.claim_id, calendar_id=claim.calendar_id, start=claim.start, end=claim.end
    )


@pytest.fixture
async def busy():
    busy = Busy(at("09:00"))
    yield busy
    await busy.follower.stop()


async def test_changes_that_a_watch_does_not_see_never_keep_its_heartbeats_from_it(busy):
    replica = (await busy.follower.get("demo")).replica
    client, gaps = Client(), []
    async with busy.board.watching(replica, AFTERNOON) as live:
        await busy.board.settle(live, NOW)
        client.take(live.frames.snapshot(NOW, 1))
        busy.live, told_at, beats = live, busy.seconds, live.beats
        while busy.seconds < 4 * HEARTBEAT_SECONDS_MAX:
            revision_before = busy.revision
            await busy.follower.verify()
            if live.beats > beats:
                gaps.append(busy.seconds - told_at)
                told_at, beats = busy.seconds, live.beats
                client.take([live.beat])
                assert client.frames[-1].revision >= revision_before - 1
            await busy.keep_holding(busy.limits.verify_seconds, pace_seconds=0.1)
        gaps.append(busy.seconds - told_at)

    assert live.view.history.seq == 0
    assert len(client.slots) == 4
    assert max(gaps) <= HEARTBEAT_SECONDS_MAX


async def test_a_view_that_was_not_settled_for_long_does_not_look_alive(busy):
    replica = (await busy.follower.get("demo")).replica
    async with busy.board.watching(replica, AFTERNOON) as live:
        await busy.board.settle(live, NOW)
        busy.commit()
        busy.seconds += 2 * HEARTBEAT_SECONDS_MAX
        # The loop has not had its turn.
        busy.board.verifying(replica)
        busy.board.verified(replica, replica.revision, busy.database_now)

        assert live.view.is_unsettled
        assert live.beats == 0
