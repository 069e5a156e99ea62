"""What chance comes to too seldom: what was so for a moment only, and what was of a life before."""

from datetime import timedelta
from random import Random
from uuid import UUID

from service.domain.availability import open_slots
from service.domain.change import Change, ChangeKind, ref_of
from service.domain.claim import Claim, ClaimKind
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from service.live.days import DayCache
from service.live.hints import Hint
from service.live.replica import Replica
from service.live.shared import SharedFrames
from service.live.views import View
from tests.robustness.simulation.bus import Bus, Manners
from tests.robustness.simulation.loop import VirtualLoop
from tests.robustness.simulation.process import Machine, Process
from tests.robustness.simulation.readers import TOKENS
from tests.robustness.simulation.shop import AFTERNOON, BUSINESS, NOON, a_shop, second
from tests.robustness.simulation.store import Store
from tests.robustness.simulation.truth import State, Truth


def a_claim(calendar_id, start, seconds, *, expires_at=None):
    return Claim(
        claim_id=UUID(int=1),
        calendar_id=calendar_id,
        kind=ClaimKind.BOOKING if expires_at is None else ClaimKind.HOLD,
        owner_id="ada",
        start=start,
        end=start + second(seconds),
        type_id="walk-in" if calendar_id == "desk" else "visit",
        appointment=Interval(start, start + second(seconds)),
        expires_at=expires_at,
        holder_key=None if expires_at is None else "ada",
    )


class Desk:
    """A view of a replica at revision 5, with the frames that are made of it."""

    def __init__(self, query, *claims):
        self.query = query
        self.replica = Replica(epoch="e1", revision=5, catalog=a_shop(1), claims=claims)
        self.view = View(query, self.replica, DayCache())
        self.frames = SharedFrames(self.view, self.replica, TOKENS, lambda _: b"")

    def apply(self, change):
        before = self.replica.revision
        self.view.touch(self.replica.apply(change), before)

    def open_slots(self, now):
        return {slot.key for slot in open_slots(self.replica.offer, self.query, now)}


BOOKED = a_claim("anna", NOON + timedelta(hours=1), 1800)


def test_w4_a_heartbeat_does_not_say_a_revision_that_was_passed_over():
    desk = Desk(SlotQuery(business_id=BUSINESS, window=AFTERNOON, type_ids=("visit",)))
    desk.view.advance(NOON)
    shown = desk.view.slots()
    desk.apply(Change(revision=6, at=NOON, kind=ChangeKind.BOOKED, added=(BOOKED,)))
    assert desk.open_slots(NOON) != {slot.key for slot in shown}
    desk.apply(Change(revision=7, at=NOON, kind=ChangeKind.CANCELLED, removed=(ref_of(BOOKED),)))
    now = NOON + second(1)
    assert not desk.view.advance(now)

    assert desk.frames.heartbeat(6, now) is None
    assert desk.frames.heartbeat(7, now) is not None


def test_w4_a_heartbeat_does_not_say_an_instant_that_was_passed_over():
    """At first it is held; when it is free again it is soon too late to take it."""
    start = NOON + second(30)
    hold = a_claim("desk", start, 10, expires_at=NOON + second(10))
    window = Interval(start, start + second(10))
    desk = Desk(SlotQuery(business_id=BUSINESS, window=window, type_ids=("walk-in",)), hold)
    free = NOON + second(12)
    desk.view.advance(NOON + second(5))
    assert len(desk.open_slots(free)) == 1
    now = NOON + second(20)
    assert not desk.view.advance(now)

    assert desk.frames.heartbeat(5, free) is None
    assert desk.frames.heartbeat(5, now) is not None


def a_state(revision, at):
    return State(
        revision=revision,
        committed_at=at,
        stamp=NOON,
        catalog=a_shop(1),
        claims={},
        change=None,
    )


def test_w3_a_hint_that_waits_is_not_taken_by_the_next_life_of_the_business():
    loop = VirtualLoop.begun()
    truth = Truth()
    store, bus = Store(loop, truth, Random(0)), Bus(loop, Random(0), Manners())
    machine = Machine(started_at=0.0, drift=0.0, look_seconds=0.0, renewal_max=2_000)
    process = Process("one", machine, loop, store, bus)
    booked = Change(revision=7, at=NOON, kind=ChangeKind.BOOKED, added=(BOOKED,))
    hint = Hint(
        business_id=BUSINESS, epoch="life-1", revision=7, revision_before=6, changes=(booked,)
    )
    found = []

    async def main():
        truth.begin_life("life-1", a_state(5, 0.0))
        await process.start()
        await process.follower.get(BUSINESS)
        process.follower.hinted(hint)
        truth.end_life(loop.time())
        truth.begin_life("life-2", a_state(6, loop.time()))
        # So soon that PostgreSQL was not read again to verify.
        await loop.elapse(0.2)
        found.append(await process.follower.get(BUSINESS))
        await process.stop(drains=False)

    loop.run(main())

    (fresh,) = found
    assert (fresh.replica.epoch, fresh.replica.revision) == ("life-2", 6)
    assert not list(fresh.replica.offer.claims)
