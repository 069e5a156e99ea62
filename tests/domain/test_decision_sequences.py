"""Random sequences of commands, against a small model that does not know how they are decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.availability import ClaimBook
from service.domain.booking import Booking, BookingStatus, Hold
from service.domain.commands import HoldWish
from service.domain.errors import DomainError
from service.domain.ids import holder_key
from service.domain.ledger import Draft
from tests.builders import a_calendar, a_catalog, a_claim, a_type, at, minutes
from tests.domain.desk import PRINCIPAL, Desk, a_wish

TYPES = {
    "visit": a_type(any_of=("anna", "ben"), buffer_after=minutes(15)),
    "long": a_type("long", any_of=("anna", "ben"), durations=(minutes(60),)),
    "class": a_type("class", capacity=2),
    "pair": a_type("pair", any_of=("anna", "ben"), all_of=("room",)),
}
CATALOG = a_catalog(
    types=TYPES.values(),
    calendars=[a_calendar(each) for each in ("anna", "ben", "room")],
    holds_per_holder_max=3,
)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What the model believes to be on calendars."""

    owner_id: str
    type_id: str
    calendar_ids: tuple[str, ...]
    start: datetime
    expires_at: datetime | None = None
    key: str | None = None

    @property
    def span(self) -> tuple[datetime, datetime]:
        type_ = TYPES[self.type_id]
        return (
            self.start - type_.buffer_before,
            self.start + type_.durations[0] + type_.buffer_after,
        )

    def counts_against(self, other: Taken, now: datetime) -> bool:
        if self.expires_at is not None and self.expires_at <= now:
            return False
        if self.key is not None and self.key == other.key:
            return False
        (start, end), (other_start, other_end) = self.span, other.span
        shared = set(self.calendar_ids) & set(other.calendar_ids)
        return bool(shared) and start < other_end and other_start < end


class Model:
    """A list of what is taken, and nothing else."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []

    def fits(self, wish: Taken, now: datetime) -> bool:
        others = [
            other
            for other in self.taken
            if other.owner_id != wish.owner_id and other.counts_against(wish, now)
        ]
        same_group = [
            other for other in others if (other.type_id, other.start) == (wish.type_id, wish.start)
        ]
        return len(others) == len(same_group) and len(others) < TYPES[wish.type_id].capacity

    def put(self, wish: Taken, now: datetime) -> None:
        self.taken = [
            other
            for other in self.taken
            if other.owner_id != wish.owner_id
            and not (other.key == wish.key and self._gives_way(other, wish, now))
        ]
        self.taken.append(wish)

    def _gives_way(self, other: Taken, wish: Taken, now: datetime) -> bool:
        if other.key is None or (other.expires_at or now) <= now:
            return False
        return replace(other, key=None).counts_against(wish, now)

    def free(self, owner_id: str) -> None:
        self.taken = [other for other in self.taken if other.owner_id != owner_id]

    def holds_of(self, key: str, now: datetime) -> list[Taken]:
        return [
            other
            for other in self.taken
            if other.key == key and other.expires_at is not None and other.expires_at > now
        ]


SLOTS = st.tuples(
    st.sampled_from(sorted(TYPES)),
    st.sampled_from(["anna", "ben", None]),
    st.integers(0, 4).map(lambda number: at("10:00") + minutes(30) * number),
)
STEPS = st.one_of(
    st.tuples(st.just("hold"), SLOTS, st.sampled_from(["eve", "mallory"])),
    st.tuples(st.just("book"), SLOTS, st.sampled_from([None, "eve", "mallory"])),
    st.tuples(st.just("move"), SLOTS, st.integers(0, 9)),
    st.tuples(st.sampled_from(["renew", "release", "book_hold", "cancel"]), st.integers(0, 9)),
    st.tuples(st.just("wait"), st.integers(1, 4)),
)


class Story:
    """Does each step at the desk and in the model, and compares."""

    def __init__(self) -> None:
        self.desk = Desk(CATALOG)
        self.model = Model()
        self.holds: list[Hold] = []
        self.bookings: list[Booking] = []

    def do(self, step: tuple) -> None:
        before = self.desk.state()
        try:
            getattr(self, step[0])(*step[1:])
        except DomainError:
            assert self.desk.state() == before
        self.check()

    def wait(self, number: int) -> None:
        self.desk.wait(minutes(2) * number)

    def hold(self, slot: tuple, holder: str) -> None:
        key = holder_key(PRINCIPAL, holder)
        candidates = self.candidates(slot, key)
        full = len(self.model.holds_of(key, self.desk.now)) >= 3
        try:
            hold = self.desk.hold(slot[2], type_id=slot[0], calendar_id=slot[1], holder=holder)
        except DomainError:
            assert not candidates or full
            raise
        assert hold.calendar_ids in [each.calendar_ids for each in candidates]
        self.holds.append(hold)
        self.put_hold(hold)

    def book(self, slot: tuple, holder: str | None) -> None:
        key = None if holder is None else holder_key(PRINCIPAL, holder)
        candidates = self.candidates(slot, key)
        try:
            booking = self.desk.book(slot[2], type_id=slot[0], calendar_id=slot[1], holder=holder)
        except DomainError:
            assert not candidates
            raise
        assert booking.calendar_ids in [each.calendar_ids for each in candidates]
        self.bookings.append(booking)
        self.put_booking(booking, key)

    def book_hold(self, number: int) -> None:
        hold, may = self.pick_hold(number)
        try:
            booking = self.desk.book_hold(hold)
        except DomainError:
            assert not may
            raise
        assert may
        self.model.free(str(hold.hold_id))
        self.bookings.append(booking)
        self.put_booking(booking, hold.holder_key)

    def renew(self, number: int) -> None:
        hold, may = self.pick_hold(number)
        full = len(self.model.holds_of(hold.holder_key, self.desk.now)) >= 3
        try:
            renewed = self.desk.renew(hold)
        except DomainError:
            assert not may or full
            raise
        assert may
        self.put_hold(renewed)

    def release(self, number: int) -> None:
        hold, _ = self.pick_hold(number)
        self.desk.release(hold)
        self.model.free(str(hold.hold_id))

    def cancel(self, number: int) -> None:
        booking = self.pick_booking(number)
        self.desk.cancel(booking)
        self.model.free(str(booking.booking_id))

    def move(self, slot: tuple, number: int) -> None:
        booking = self.pick_booking(number)
        candidates = self.candidates(
            (booking.type_id, *slot[1:]), None, owner_id=str(booking.booking_id)
        )
        wish = a_wish(slot[2], type_id=booking.type_id, calendar_id=slot[1])
        try:
            moved = self.desk.move(booking, wish)
        except DomainError:
            assert not candidates or booking.status is BookingStatus.CANCELLED
            raise
        assert moved.calendar_ids in [each.calendar_ids for each in candidates]
        self.put_booking(moved, None)

    def candidates(self, slot: tuple, key: str | None, owner_id: str = "new") -> list[Taken]:
        type_id, calendar_id, start = slot
        type_ = TYPES[type_id]
        primary_ids = type_.primary_calendar_ids if calendar_id is None else (calendar_id,)
        wishes = [
            Taken(
                owner_id=owner_id,
                type_id=type_id,
                calendar_ids=type_.calendar_ids_for(each),
                start=start,
                key=key,
            )
            for each in primary_ids
            if each in type_.primary_calendar_ids
        ]
        return [wish for wish in wishes if self.model.fits(wish, self.desk.now)]

    def pick_hold(self, number: int) -> tuple[Hold, bool]:
        """Return a hold as it is now, and whether the model lets it keep or regain its place."""
        if not self.holds:
            raise DomainError("There is no hold.")
        hold = self.desk.ledger.holds[self.holds[number % len(self.holds)].hold_id]
        own = [each for each in self.model.taken if each.owner_id == str(hold.hold_id)]
        if own and hold.expires_at > self.desk.now:
            return hold, True
        wish = Taken(
            owner_id=str(hold.hold_id),
            type_id=hold.type_id,
            calendar_ids=hold.calendar_ids,
            start=hold.appointment.start,
            key=hold.holder_key,
        )
        return hold, hold.status == "live" and self.model.fits(wish, self.desk.now)

    def pick_booking(self, number: int) -> Booking:
        if not self.bookings:
            raise DomainError("There is no booking.")
        booking = self.bookings[number % len(self.bookings)]
        return self.desk.ledger.bookings[booking.booking_id]

    def put_hold(self, hold: Hold) -> None:
        self.model.put(
            Taken(
                owner_id=str(hold.hold_id),
                type_id=hold.type_id,
                calendar_ids=hold.calendar_ids,
                start=hold.appointment.start,
                expires_at=hold.expires_at,
                key=hold.holder_key,
            ),
            self.desk.now,
        )

    def put_booking(self, booking: Booking, key: str | None) -> None:
        taken = Taken(
            owner_id=str(booking.booking_id),
            type_id=booking.type_id,
            calendar_ids=booking.calendar_ids,
            start=booking.appointment.start,
            key=key,
        )
        self.model.put(taken, self.desk.now)
        # Who booked does not matter any more.
        self.model.taken[-1] = replace(taken, key=None)

    def check(self) -> None:
        live = {
            (claim.owner_id, claim.calendar_id)
            for claim in self.desk.claims
            if claim.is_live(self.desk.now)
        }
        believed = {
            (taken.owner_id, calendar_id)
            for taken in self.model.taken
            for calendar_id in taken.calendar_ids
            if taken.expires_at is None or taken.expires_at > self.desk.now
        }
        assert live == believed
        assert_claims_fit_capacity(self.desk.claims)


def assert_claims_fit_capacity(claims: ClaimBook) -> None:
    """Check what the database's constraint checks: it does not ask which holds have expired."""
    rows = list(claims)
    for index, one in enumerate(rows):
        for other in rows[index + 1 :]:
            if one.calendar_id != other.calendar_id:
                continue
            apart = one.end <= other.start or other.end <= one.start
            seated_apart = None not in {one.seat, other.seat} and one.seat != other.seat
            assert apart or seated_apart, (one, other)


@given(st.lists(STEPS, max_size=25))
@settings(deadline=None)
def test_every_sequence_of_commands_does_what_a_list_of_taken_places_allows(steps):
    story = Story()
    for step in steps:
        story.do(step)


@given(st.lists(SLOTS, min_size=1, max_size=4), st.integers(0, 4))
@settings(deadline=None)
def test_several_appointments_are_booked_together_or_not_at_all(slots, other):
    desk = Desk(CATALOG)
    desk.book(at("10:00") + timedelta(minutes=30) * other, type_id="long")
    before = desk.state()
    wishes = [a_wish(start, type_id=type_, calendar_id=each) for type_, each, start in slots]

    try:
        bookings = desk.book_all(*wishes)
    except DomainError:
        assert desk.state() == before
    else:
        assert [booking.appointment.start for booking in bookings] == [
            wish.start for wish in wishes
        ]
        assert_claims_fit_capacity(desk.claims)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=20))
def test_an_undone_draft_leaves_no_trace(steps):
    claims = [a_claim(at("09:00") + minutes(30) * number) for number in range(6)]
    desk = Desk(CATALOG, claims=tuple(claims))
    before = desk.state()
    draft = Draft(desk.ledger)
    extra = [a_claim(claim.start, calendar_id="ben") for claim in claims]

    for take, number in steps:
        if take and extra[number] not in draft.added:
            draft.take(extra[number])
        else:
            draft.free((claims + extra)[number * 2])
    draft.undo()

    assert desk.state() == before


def test_a_hold_named_by_its_id_is_found_in_the_windows_of_a_batch():
    desk = Desk(CATALOG)
    hold = desk.hold(at("10:00"), type_id="pair")

    booking = desk.book_all(HoldWish(hold_id=hold.hold_id))[0]

    assert booking.calendar_ids == ("anna", "room")
