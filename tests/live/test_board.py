"""The board: which frames are made while changes keep coming, on a clock that the test moves."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.change import Change, ChangeKind, ClaimRef
from service.domain.claim_book import ClaimBook
from service.domain.errors import Overloaded
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.live.board import Board, LiveView
from service.live.clock import UNPROVED_MAX, DatabaseClock
from service.live.days import DayCache
from service.live.follower import Follower
from service.live.following import Surroundings
from service.live.frames import Heartbeat, Sent
from service.live.limits import LiveLimits
from service.live.shared import SharedFrames
from service.live.source import Loaded, Source
from service.store.changes import Head, Heads
from tests.builders import NOW, a_catalog, a_hold, at
from tests.live.world import TOKENS, Client

HEARTBEAT_SECONDS_MAX = 5.0
ROUND_TRIP_SECONDS = 0.05
MORNING = SlotQuery(business_id="demo", window=Interval(at("09:00"), at("10:00")))
AFTERNOON = SlotQuery(business_id="demo", window=Interval(at("14:00"), at("16:00")))


class Busy(Source):
    """A business on which a slot is held anew all the time, also while PostgreSQL is asked."""

    def __init__(self, start):
        self.seconds = 0.0
        self.step = timedelta()
        self.start = start
        self.revision = 1
        self.hold = None
        self.limits = LiveLimits()
        days = DayCache()
        self.clock = DatabaseClock(self.monotonic)
        self.board = Board(
            clock=self.clock,
            days=days,
            tokens=TOKENS,
            encode=lambda frame: b"",
            monotonic=self.monotonic,
            limits=self.limits,
        )
        around = Surroundings(source=self, clock=self.clock, days=days, board=self.board)
        self.follower = Follower(around, monotonic=self.monotonic, limits=self.limits)
        self.live: LiveView | None = None

    def monotonic(self):
        return self.seconds

    @property
    def database_now(self):
        return NOW + timedelta(seconds=self.seconds) + self.step

    async def load(self, business_id):
        return Loaded(
            epoch="e1",
            revision=self.revision,
            as_of=self.database_now,
            catalog=a_catalog(),
            claims=ClaimBook() if self.hold is None else ClaimBook([self.hold]),
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


async def test_w4_where_a_view_stood_after_a_reading_is_not_said_to_have_been_read(busy):
    """The answer may be late, or wait for the replica: meanwhile PostgreSQL was asked again."""
    replica = (await busy.follower.get("demo")).replica
    async with busy.board.watching(replica, AFTERNOON) as live:
        await busy.board.settle(live, NOW)
        read_as_of, revision = busy.database_now, busy.revision
        busy.seconds += 1
        await busy.board.settle(live, busy.database_now)
        busy.board.verifying(replica)
        busy.commit()
        busy.seconds += 4
        busy.board.verified(replica, revision, read_as_of)

        assert live.stood.as_of > read_as_of
        assert live.beats == 0


async def test_w5_time_alone_takes_no_view_further_than_postgresql_has_proved(busy):
    """Others may have committed meanwhile: what is told must not look as new as the clock is."""
    replica = (await busy.follower.get("demo")).replica
    async with busy.board.watching(replica, MORNING) as live:
        busy.commit()
        await busy.board.settle(live, NOW)
        assert live.view.open_slots == 1
        busy.seconds += 3600
        await busy.board.settle(live, busy.database_now)

        assert live.view.as_of == NOW + UNPROVED_MAX
        assert live.view.open_slots == 1


async def test_w6_what_time_did_meanwhile_is_told_when_postgresql_is_read_again(busy):
    replica = (await busy.follower.get("demo")).replica
    async with busy.board.watching(replica, MORNING) as live:
        busy.commit()
        await busy.board.settle(live, NOW)
        busy.seconds += 400
        await busy.follower.verify()
        while live.view.open_slots == 1:
            await live.changed.wait()

        assert live.view.as_of == busy.database_now
        assert live.view.open_slots == 2


async def test_a_database_whose_clock_was_set_back_ends_its_streams_and_holds_count_again(busy):
    replica = (await busy.follower.get("demo")).replica
    async with busy.board.watching(replica, MORNING) as live:
        busy.commit()
        busy.seconds += 400
        await busy.follower.verify()
        await busy.board.settle(live, busy.database_now)
        assert live.view.open_slots == 2
        busy.step -= timedelta(seconds=399)
        await busy.follower.verify()

        assert isinstance(live.failure, Overloaded)
        async with busy.board.watching(replica, MORNING) as anew:
            await busy.board.settle(anew, NOW)
            assert anew.view.as_of == busy.database_now
            assert anew.view.open_slots == 1


async def test_a_hold_that_was_forgotten_before_the_clock_was_set_back_is_loaded_again(busy):
    replica = (await busy.follower.get("demo")).replica
    busy.commit()
    with busy.follower.pinned("demo"):
        busy.seconds += 2 * 3600
        await busy.follower.verify()
        assert len(replica.offer.claims) == 0
        busy.step -= timedelta(seconds=2 * 3600)
        await busy.follower.verify()
        replica = (await busy.follower.get("demo")).replica

    assert [claim.claim_id for claim in replica.offer.claims] == [busy.hold.claim_id]


async def test_a_hold_is_not_forgotten_before_its_views_are_as_far_as_the_clock(busy, monkeypatch):
    """The clock may be known from a reading that the replica has not come up to yet."""

    async def never(*_):
        await asyncio.Event().wait()

    replica = (await busy.follower.get("demo")).replica
    busy.commit()
    monkeypatch.setattr(busy, "log_after", never)
    with busy.follower.pinned("demo"):
        busy.revision += 1
        busy.seconds += 2 * 3600
        await busy.follower.verify()

    assert replica.revision < busy.revision
    assert busy.hold in list(replica.offer.claims)


async def test_a_reader_whose_answers_are_always_overtaken_is_told_to_retry(busy, monkeypatch):
    def overtaken(*_):
        busy.seconds += ROUND_TRIP_SECONDS
        return False

    await busy.follower.get("demo")
    monkeypatch.setattr(busy.clock, "observe", overtaken)
    with pytest.raises(Overloaded):
        await busy.follower.get("demo")


async def test_many_views_are_told_in_slices_so_that_others_have_their_turn(busy, monkeypatch):
    replica = (await busy.follower.get("demo")).replica
    told_in_turns = [0]

    def turn():
        told_in_turns.append(0)
        asyncio.get_running_loop().call_soon(turn)

    def heartbeat(self, revision, as_of):
        told_in_turns[-1] += 1
        busy.seconds += 0.001
        return Sent(Heartbeat(business_id="demo", revision=revision, as_of=as_of), b"")

    monkeypatch.setattr(SharedFrames, "heartbeat", heartbeat)
    async with AsyncExitStack() as watches:
        lives = [
            await watches.enter_async_context(
                busy.board.watching(replica, replace(MORNING, window=Interval(at("09:00"), end)))
            )
            for end in (at("10:00") + timedelta(minutes=number) for number in range(20))
        ]
        for live in lives:
            await busy.board.settle(live, NOW)
        busy.seconds += HEARTBEAT_SECONDS_MAX
        turn()
        await busy.follower.verify()
        for live in lives:
            while not live.beats:
                await live.changed.wait()

    assert max(told_in_turns) <= 5


async def test_a_replica_that_is_always_a_little_behind_is_known_to_have_what_it_came_to(
    busy, monkeypatch
):
    async def never(*_):
        await asyncio.Event().wait()

    first = (await busy.follower.get("demo")).revision
    monkeypatch.setattr(busy, "log_after", never)
    with busy.follower.pinned("demo") as following:
        following.check(first + 2, NOW)
        busy.commit()
        following.check(first + 3, NOW + timedelta(seconds=1))
        busy.commit()

    assert following.checked == (first + 2, NOW)


async def test_a_reading_of_a_business_is_not_told_of_the_one_that_was_made_anew(busy, monkeypatch):
    first = (await busy.follower.get("demo")).revision
    head = Head(revision=first + 5, epoch="e2")

    async def log_after(*_):
        return head, []

    async def made_anew(business_id):
        return replace(await Busy.load(busy, business_id), epoch=head.epoch, revision=head.revision)

    monkeypatch.setattr(busy, "log_after", log_after)
    monkeypatch.setattr(busy, "load", made_anew)
    with busy.follower.pinned("demo") as following:
        following.check(first + 2, NOW)
        await following.advance(10)

        assert following.replica.epoch == head.epoch
        assert following.checked is None
