"""Random sequences with a waitlist: what holds after each decision, whatever came before."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import datetime
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.availability import open_slots
from service.domain.booking import Booking, BookingStatus, Hold, Holder, HoldStatus
from service.domain.decisions import decide
from service.domain.errors import DomainError
from service.domain.interval import Interval
from service.domain.ledger import Decision
from service.domain.slot import Slot, SlotKey, SlotQuery
from service.domain.waitlist import ALL_WAITING, EntryStatus, Freed, WaitlistEntry
from tests.builders import a_calendar, a_catalog, a_schedule, a_type, at, hours, minutes, wall
from tests.domain import desk as desk_module
from tests.domain.desk import Desk, a_wish
from tests.domain.strategies import QUICK

TYPES = {
    "visit": a_type(any_of=("anna", "ben")),
    "slow": a_type("slow", any_of=("anna", "ben"), buffer_after=minutes(15)),
    "long": a_type("long", any_of=("anna", "ben"), durations=(minutes(60), minutes(90))),
    "class": a_type("class", capacity=2),
    "pair": a_type("pair", any_of=("anna", "ben"), all_of=("room",)),
    "rare": a_type("rare", any_of=("ben",), day_cap=1),
}
CATALOG = a_catalog(
    types=TYPES.values(),
    calendars=[a_calendar(each) for each in ("anna", "ben", "room")],
    schedules=[a_schedule(wall("10:00", "11:30"))],
    holds_per_holder_max=4,
)
OPEN, CLOSE = at("09:00"), at("17:00")
DAY = Interval(OPEN, CLOSE)
FIRST = at("10:00")

STARTS = st.integers(0, 2).map(lambda number: FIRST + minutes(30) * number)
SLOTS = st.tuples(st.sampled_from(sorted(TYPES)), st.sampled_from(["anna", "ben", None]), STARTS)
WINDOWS = st.lists(st.tuples(STARTS, st.integers(1, 4)), min_size=1, max_size=2)
NUMBERS = st.integers(0, 9)
JOINS = st.tuples(
    st.just("join"),
    st.sampled_from(sorted(TYPES)),
    st.sampled_from([(), (), ("anna",), ("ben",)]),
    WINDOWS,
    st.sampled_from(["wendy", "will", "wanda"]),
)
STEPS = st.one_of(
    st.tuples(st.just("book"), SLOTS, st.sampled_from([None, "wendy", "will"])),
    st.tuples(st.just("hold"), SLOTS, st.sampled_from(["wendy", "will", "mallory"])),
    JOINS,
    JOINS,
    st.tuples(st.just("cancel"), NUMBERS),
    st.tuples(st.sampled_from(["release", "leave", "take"]), NUMBERS),
    st.tuples(st.just("move"), SLOTS, NUMBERS),
    st.tuples(st.just("pass_on"), st.booleans()),
    st.tuples(st.just("wait"), st.integers(1, 5)),
)


class Story:
    """Does each step at the desk, and looks at what it did."""

    def __init__(self) -> None:
        self.desk = Desk(CATALOG)
        self.bookings: list[Booking] = []
        self.holds: list[Hold] = []
        self.entries: list[WaitlistEntry] = []
        # All is taken, so that one has to wait.
        for number in range(3):
            start = FIRST + minutes(30) * number
            self.book(("rare", "ben", start) if number == 0 else ("visit", "ben", start), None)
            self.book(("class", "anna", start), None)
            self.book(("class", "anna", start), None)
        for type_id in ("long", "visit", "class", "pair", "visit"):
            self.join(type_id, (), [(FIRST, 4)], type_id)

    def do(self, step: tuple) -> None:
        ledger = self.desk.ledger
        waiting = [each for each in ledger.entries.values() if each.status is EntryStatus.WAITING]
        open_before = set(self.open_keys())
        decisions: list[Decision] = []

        def watched(*arguments):
            before = self.desk.state()
            try:
                decisions.append(decide(*arguments))
            except DomainError:
                assert self.desk.state() == before
                raise
            return decisions[-1]

        with patch.object(desk_module, "decide", watched), suppress(DomainError):
            getattr(self, step[0])(*step[1:])
        for decision in decisions:
            self.check_decision(decision, waiting, open_before)
        self.check_state()

    # Steps

    def book(self, slot: tuple, holder: str | None) -> None:
        wish = a_wish(slot[2], type_id=slot[0], calendar_id=slot[1])
        self.bookings += self.desk.book_all(wish, holder=holder)

    def hold(self, slot: tuple, holder: str) -> None:
        self.holds.append(
            self.desk.hold(slot[2], type_id=slot[0], calendar_id=slot[1], holder=holder)
        )

    def join(self, type_id: str, calendar_ids: tuple, windows: list, holder: str) -> None:
        spans = [(start, start + minutes(30) * steps) for start, steps in windows]
        self.entries.append(
            self.desk.join(*spans, type_id=type_id, calendar_ids=calendar_ids, holder=holder)
        )

    def cancel(self, number: int) -> None:
        self.desk.cancel(self.pick(self.bookings, number, self.desk.ledger.bookings, "booking_id"))

    def move(self, slot: tuple, number: int) -> None:
        booking = self.pick(self.bookings, number, self.desk.ledger.bookings, "booking_id")
        wish = a_wish(slot[2], type_id=booking.type_id, calendar_id=slot[1])
        self.desk.move(booking, wish)

    def release(self, number: int) -> None:
        self.desk.release(self.pick(self.holds, number, self.desk.ledger.holds, "hold_id"))

    def leave(self, number: int) -> None:
        self.desk.leave(self.pick(self.entries, number, self.desk.ledger.entries, "entry_id"))

    def take(self, number: int) -> None:
        entry = self.pick(self.entries, number, self.desk.ledger.entries, "entry_id")
        if entry.hold_id is not None:
            self.bookings.append(self.desk.book_hold(self.desk.offered(entry)))

    def pass_on(self, is_told: bool) -> None:
        self.desk.pass_on(*self.desk.ledger.entries.values(), is_told=is_told)

    def wait(self, number: int) -> None:
        self.desk.wait(minutes(4) * number)

    def pick(self, things: list, number: int, known: dict, name: str):
        if not things:
            raise DomainError("There is none.")
        return known[getattr(things[number % len(things)], name)]

    # What holds

    def open_keys(self) -> list[SlotKey]:
        return [slot.key for slot in self.open_slots()]

    def open_slots(self) -> list[Slot]:
        """Return all that is open, of each duration, for somebody who holds nothing."""
        return [
            slot
            for type_ in TYPES.values()
            for duration in type_.durations
            for slot in open_slots(
                self.desk.ledger.offer,
                SlotQuery(
                    business_id="demo",
                    window=DAY,
                    type_ids=(type_.type_id,),
                    duration=duration,
                ),
                self.desk.now,
            )
        ]

    def check_decision(
        self, decision: Decision, waited: list[WaitlistEntry], open_before: set[SlotKey]
    ) -> None:
        entries = self.desk.ledger.entries
        open_now = set(self.open_keys())
        for offer in decision.offers:
            entry, hold = entries[offer.entry_id], self.desk.ledger.holds[offer.hold_id]
            slot = key_of(hold)
            assert entry.status is EntryStatus.OFFERED
            assert entry.wants(slot)
            assert slot not in open_now or TYPES[hold.type_id].capacity > 1
            assert not any(wants(other, slot) for other in self.passed_over(waited, entry))
        # What it opened, nobody waits for.
        opened = open_now - open_before
        still = [entry for entry in entries.values() if self.may_be_offered(entry)]
        assert not [(entry, slot) for entry in still for slot in opened if wants(entry, slot)]

    def passed_over(
        self, waited: list[WaitlistEntry], offered: WaitlistEntry
    ) -> list[WaitlistEntry]:
        """Return those who joined before, and wait still."""
        entries = self.desk.ledger.entries
        return [
            each
            for each in waited
            if each.revision < offered.revision and self.may_be_offered(entries[each.entry_id])
        ]

    def may_be_offered(self, entry: WaitlistEntry) -> bool:
        return entry.status is EntryStatus.WAITING and not entry.rests(self.desk.now)

    def check_state(self) -> None:
        ledger = self.desk.ledger
        for booking in ledger.bookings.values():
            claimed = [
                each for each in self.desk.claims if each.owner_id == str(booking.booking_id)
            ]
            assert bool(claimed) == (booking.status is BookingStatus.CONFIRMED)
        for entry in ledger.entries.values():
            hold = None if entry.hold_id is None else ledger.holds[entry.hold_id]
            if entry.status is EntryStatus.OFFERED:
                assert hold is not None
                assert hold.status is HoldStatus.LIVE
                assert hold.entry_id == entry.entry_id
            else:
                assert hold is None or hold.status is not HoldStatus.LIVE
        live = [entry for entry in ledger.entries.values() if entry.is_live]
        counted = {holder: number for holder, number in ledger.waiting.items() if number}
        holders = [
            holder
            for entry in live
            for holder in (entry.owner, Holder(entry.principal_id), ALL_WAITING)
        ]
        assert counted == Counter(holders)
        self.check_places()

    def check_places(self) -> None:
        """No seat is taken twice: the law of the constraint, and of time."""
        live = [claim for claim in self.desk.claims if claim.is_live(self.desk.now)]
        for number, one in enumerate(live):
            for other in live[:number]:
                if one.calendar_id != other.calendar_id or one.owner_id == other.owner_id:
                    continue
                if one.start < other.end and other.start < one.end:
                    assert None not in (one.seat, other.seat)
                    assert one.seat != other.seat
                    assert (one.type_id, one.appointment) == (other.type_id, other.appointment)


def key_of(hold: Hold) -> SlotKey:
    appointment = hold.appointment
    return SlotKey(appointment.start, hold.type_id, hold.calendar_ids[0], appointment.end)


def wants(entry: WaitlistEntry, slot: SlotKey) -> bool:
    duration = entry.duration or TYPES[entry.type_id].durations[0]
    is_its_kind = (slot.type_id, slot.end - slot.start) == (entry.type_id, duration)
    return is_its_kind and entry.wants(slot)


@given(st.lists(STEPS, min_size=5, max_size=40))
@settings(QUICK, max_examples=150)
def test_whatever_happens_no_seat_is_offered_twice_and_nobody_is_passed_over(steps):
    story = Story()
    for step in steps:
        story.do(step)


@given(st.integers(1, 30), st.integers(1, 4))
@settings(QUICK)
def test_of_many_who_wait_for_one_seat_each_is_offered_it_in_turn(number, seats):
    desk = Desk(a_catalog(types=[a_type(capacity=seats)] if seats > 1 else None))
    entries = [desk.join((FIRST, FIRST + minutes(30)), holder=str(each)) for each in range(number)]
    desk.offer_open(Freed(calendar_id="anna", span=Interval(FIRST, FIRST + minutes(30))))
    order: list[int] = []
    while True:
        offered = [e for e in desk.ledger.entries.values() if e.status is EntryStatus.OFFERED]
        if not offered:
            break
        assert len(offered) <= seats
        order += [entries.index(entries_by_id(entries, each)) for each in offered]
        desk.wait(hours(1))
        desk.pass_on(*offered)

    assert order == list(range(number))


def entries_by_id(entries: list[WaitlistEntry], wanted: WaitlistEntry) -> WaitlistEntry:
    return next(each for each in entries if each.entry_id == wanted.entry_id)


def test_the_clock_of_the_story_stays_before_its_slots():
    # Forty waits of 16 minutes are less than the two days to MONDAY.
    assert datetime.fromisoformat("2030-06-01T12:00+00:00") + minutes(16) * 40 < OPEN
