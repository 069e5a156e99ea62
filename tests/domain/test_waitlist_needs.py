"""What is loaded to make offers is enough: with all there is, the same is offered."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain import needs, waitlist_needs
from service.domain.booking import BookingEvent
from service.domain.commands import BookingCommand, ChangeStatus, OfferOpen, ReleaseHold, Reschedule
from service.domain.decisions import decide
from service.domain.errors import DomainError
from service.domain.interval import Interval
from service.domain.ledger import Decision
from service.domain.waitlist import Freed
from tests.builders import MONDAY, a_calendar, a_catalog, a_claim, a_schedule, a_type, at, minutes
from tests.domain.desk import PRINCIPAL, Desk, a_wish
from tests.domain.strategies import QUICK

DAYS = [MONDAY + timedelta(days=number) for number in range(3)]
TYPES = [
    a_type(any_of=("anna", "ben")),
    a_type("slow", any_of=("anna", "ben"), buffer_before=minutes(45), buffer_after=minutes(75)),
    a_type("long", any_of=("anna",), durations=(minutes(90), minutes(30))),
    a_type("pair", any_of=("anna", "ben"), all_of=("room",)),
    a_type("class", capacity=3),
    a_type("rare", any_of=("ben",), day_cap=1),
    a_type("rarer", any_of=("anna", "ben"), week_cap=2),
]
CATALOG = a_catalog(
    types=TYPES,
    calendars=[a_calendar(each) for each in ("anna", "ben", "room")],
    schedules=[a_schedule()],
    holds_per_holder_max=100,
)
NAMES = st.sampled_from([type_.type_id for type_ in TYPES])
STARTS = st.tuples(st.sampled_from(DAYS), st.integers(0, 15)).map(
    lambda each: at("09:00", each[0]) + minutes(30) * each[1]
)
BOOKED = st.lists(st.tuples(NAMES, st.sampled_from(["anna", "ben"]), STARTS), max_size=40)
BUSY = st.lists(st.tuples(st.sampled_from(["anna", "ben", "room"]), STARTS), max_size=6)
WAITING = st.lists(st.tuples(NAMES, STARTS, st.integers(1, 48)), min_size=1, max_size=8)


def a_desk(booked, busy, waiting) -> Desk:
    """Return a desk with all there is; the same ids for the same story."""
    desk = Desk(CATALOG)
    for number, (calendar_id, start) in enumerate(busy):
        claim = a_claim(start, calendar_id=calendar_id, claim_id=UUID(int=number + 1))
        desk.claims.add(claim)
    for type_id, calendar_id, start in booked:
        try:
            desk.book(start, type_id=type_id, calendar_id=calendar_id)
        except DomainError:
            continue
    for number, (type_id, start, steps) in enumerate(waiting):
        window = (start, start + minutes(30) * steps)
        desk.join(window, type_id=type_id, holder=str(number))
    return desk


def forget_the_rest(desk: Desk, command: BookingCommand) -> None:
    """Leave only what a batch with this one command would have loaded."""
    ledger = desk.ledger
    whole = list(desk.claims)

    def keep(windows) -> None:
        for claim in whole:
            span = Interval(claim.start, claim.end)
            if any(each == claim.calendar_id and span.overlaps(at_) for each, at_ in windows):
                desk.claims.add(claim)

    for claim in whole:
        desk.claims.remove(claim.claim_id)
    keep(needs.windows(ledger, command))
    survey = waitlist_needs.survey(ledger, [command])
    ledger.surveyed, ledger.surveyed_times = survey.claim_ids, survey.times
    keep(waitlist_needs.all_windows(ledger, survey.vacancies))
    shortlist = waitlist_needs.Shortlist(ledger, survey)
    for entry in list(ledger.entries.values()):
        shortlist.add(entry)
    ledger.entries = {entry.entry_id: entry for entry in shortlist.entries}
    for claim in list(desk.claims):
        desk.claims.remove(claim.claim_id)
    keep(needs.windows(ledger, command))
    keep(waitlist_needs.offer_windows(ledger, survey.vacancies, [command]))


def offered(decision: Decision) -> list[tuple]:
    holds = {hold.hold_id: hold for hold in decision.holds}
    return [
        (offer.entry_id, holds[offer.hold_id].calendar_ids, holds[offer.hold_id].appointment)
        for offer in decision.offers
    ]


def outcome(desk: Desk, command: BookingCommand):
    try:
        return offered(decide(desk.ledger, command))
    except DomainError as refusal:
        return type(refusal)


@given(BOOKED, BUSY, WAITING, st.integers(0, 39), st.sampled_from(["cancel", "move", "release"]))
@settings(QUICK, max_examples=200)
def test_what_is_loaded_for_what_frees_is_enough(booked, busy, waiting, number, how):
    all_, some = a_desk(booked, busy, waiting), a_desk(booked, busy, waiting)
    bookings = list(all_.ledger.bookings.values())
    if not bookings:
        return
    booking = bookings[number % len(bookings)]
    if how == "release":
        try:
            holds = [desk.hold(at("12:00"), type_id="slow") for desk in (all_, some)]
        except DomainError:
            return
        command: BookingCommand = ReleaseHold(hold_id=holds[0].hold_id, principal_id=PRINCIPAL)
    elif how == "move":
        command = Reschedule(
            booking_id=booking.booking_id,
            version=1,
            principal_id=PRINCIPAL,
            wish=a_wish(at("16:00"), type_id=booking.type_id, calendar_id=booking.calendar_ids[0]),
            override_notice=False,
        )
    else:
        command = ChangeStatus(booking_id=booking.booking_id, version=1, event=BookingEvent.CANCEL)

    forget_the_rest(some, command)

    assert outcome(some, command) == outcome(all_, command)


@given(BOOKED, BUSY, WAITING, STARTS, st.sampled_from(["anna", "ben", "room"]))
@settings(QUICK)
def test_what_is_loaded_for_what_has_opened_is_enough(booked, busy, waiting, start, calendar_id):
    all_, some = a_desk(booked, busy, waiting), a_desk(booked, busy, waiting)
    span = Interval(start, start + minutes(60))
    command = OfferOpen(found=(Freed(calendar_id=calendar_id, span=span),))

    forget_the_rest(some, command)

    assert outcome(some, command) == outcome(all_, command)
