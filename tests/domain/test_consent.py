"""Consent: what was shown is compared with what would be booked; the first difference is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from service.domain.commands import HoldWish
from service.domain.consent import Consent
from service.domain.errors import ConsentMismatch, SlotTaken
from tests.builders import a_calendar, a_catalog, a_schedule, a_type, at, minutes, wall
from tests.domain.desk import Desk, a_wish

TEN = at("10:00")
SHOWN = Consent(
    start=datetime.fromisoformat("2030-06-03T12:00:00+02:00"),
    zone="Europe/Berlin",
    type="Visit",
    calendar="Anna",
    price="45.00 EUR",
    duration=minutes(30),
)


def a_desk(**changes) -> Desk:
    types = [
        a_type(price="45.00 EUR", durations=(minutes(30), minutes(60)), **changes),
        a_type("treatment", display_name="Treatment", all_of=("room", "anna")),
    ]
    calendars = [a_calendar(), a_calendar("room", display_name="Blue room")]
    return Desk(a_catalog(types=types, calendars=calendars))


def agreed(at_=TEN, consent=SHOWN, **changes):
    return a_wish(at_, consent=replace(consent, **changes))


def told(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"calendar": ""},
        {"duration": None},
        {"start": told("2030-06-03T10:00:00+00:00"), "zone": "Etc/UTC"},
        {"start": told("2030-06-03T06:00:00-04:00"), "zone": "America/New_York"},
    ],
    ids=str,
)
def test_what_was_shown_is_booked(changes):
    desk = a_desk()

    (booking,) = desk.book_all(agreed(**changes))

    assert booking.appointment.start == TEN


@pytest.mark.parametrize(
    ("changes", "field", "shown", "actual"),
    [
        (
            {"start": told("2030-06-03T10:00:00+02:00")},
            "start",
            "2030-06-03T10:00:00+02:00",
            "2030-06-03T12:00:00+02:00",
        ),
        (
            # The right instant, but Berlin has summer time on that day.
            {"start": told("2030-06-03T11:00:00+01:00")},
            "start",
            "2030-06-03T11:00:00+01:00",
            "2030-06-03T12:00:00+02:00",
        ),
        (
            {"zone": "Europe/London"},
            "start",
            "2030-06-03T12:00:00+02:00",
            "2030-06-03T11:00:00+01:00",
        ),
        ({"type": "visit"}, "appointment_type", "visit", "Visit"),
        ({"calendar": "Ben"}, "calendar", "Ben", "Anna"),
        ({"price": "40.00 EUR"}, "price", "40.00 EUR", "45.00 EUR"),
        ({"price": ""}, "price", "", "45.00 EUR"),
        ({"duration": minutes(60)}, "duration", "3600s", "1800s"),
    ],
    ids=str,
)
def test_a_difference_books_nothing_and_is_named(changes, field, shown, actual):
    desk = a_desk()
    before = desk.state()

    with pytest.raises(ConsentMismatch) as refused:
        desk.book_all(agreed(**changes))

    assert refused.value.metadata == {"field": field, "shown": shown, "actual": actual}
    assert desk.state() == before


def test_a_price_that_the_type_does_not_have_was_shown_by_mistake():
    desk = Desk()

    with pytest.raises(ConsentMismatch) as refused:
        desk.book_all(agreed())

    assert refused.value.metadata == {"field": "price", "shown": "45.00 EUR", "actual": ""}


def test_whoever_of_those_that_the_slot_occupies_was_named_is_right():
    desk = a_desk()
    shown = replace(SHOWN, type="Treatment", price="")

    for hour, name in (("10:00", "Blue room"), ("11:00", "Anna")):
        start = at(hour)
        wish = agreed(start, shown, calendar=name, start=start.astimezone(SHOWN.start.tzinfo))
        assert desk.book_all(replace(wish, type_id="treatment", calendar_id="room"))


def test_the_two_hours_that_a_clock_shows_twice_are_told_apart_by_their_offset():
    types = [a_type(horizon=timedelta(days=3650))]
    always = a_schedule(wall("00:00", "00:00"), weekdays=range(7))
    catalog = a_catalog(
        types=types, schedules=[always], calendars=[a_calendar(zone="Europe/Berlin")]
    )
    shown = Consent(start=told("2030-10-27T02:30:00+01:00"), zone="Europe/Berlin", type="Visit")
    first = told("2030-10-27T00:30:00+00:00")

    with pytest.raises(ConsentMismatch) as refused:
        Desk(catalog).book_all(a_wish(first, consent=shown))

    assert refused.value.metadata["actual"] == "2030-10-27T02:30:00+02:00"
    right = replace(shown, start=told("2030-10-27T02:30:00+02:00"))
    assert Desk(catalog).book_all(a_wish(first, consent=right))


def test_one_of_several_that_was_shown_otherwise_refuses_all():
    desk = a_desk()
    before = desk.state()
    later = told("2030-06-03T13:00:00+02:00")

    with pytest.raises(ConsentMismatch):
        desk.book_all(agreed(), agreed(at("11:00"), start=later, price="44.00 EUR"))

    assert desk.state() == before
    assert len(desk.book_all(agreed(), agreed(at("11:00"), start=later))) == 2


def test_what_was_shown_of_a_hold_is_compared_with_its_slot():
    desk = a_desk()
    hold = desk.hold(TEN)
    before = desk.state()

    with pytest.raises(ConsentMismatch):
        desk.book_all(HoldWish(hold_id=hold.hold_id, consent=replace(SHOWN, calendar="Ben")))

    assert desk.state() == before
    assert desk.book_all(HoldWish(hold_id=hold.hold_id, consent=SHOWN))


def test_a_booking_is_not_moved_to_what_was_not_shown():
    desk = a_desk()
    booking = desk.book(at("14:00"))
    before = desk.state()

    with pytest.raises(ConsentMismatch):
        desk.move(booking, agreed(price=""))

    assert desk.state() == before
    assert desk.move(booking, agreed()).appointment.start == TEN


def test_a_lost_slot_is_told_first():
    """For whatever was shown of it, nobody can have it."""
    desk = a_desk()
    desk.book(TEN)

    with pytest.raises(SlotTaken):
        desk.book_all(agreed(price=""))


class TestConversation:
    def test_a_booking_belongs_to_that_of_its_hold(self):
        desk = Desk()
        hold = desk.hold(TEN, conversation="chat-1")

        assert desk.renew(hold).conversation == "chat-1"
        assert desk.book_hold(hold).conversation == "chat-1"

    def test_a_booking_that_names_one_belongs_to_that(self):
        desk = Desk()
        hold = desk.hold(TEN, conversation="chat-1")

        (booking,) = desk.book_all(HoldWish(hold_id=hold.hold_id), conversation="chat-2")

        assert booking.conversation == "chat-2"

    def test_each_of_several_belongs_to_that_of_its_own_hold(self):
        desk = Desk()
        first = desk.hold(TEN, conversation="chat-1")
        second = desk.hold(at("11:00"), conversation="chat-2")

        bookings = desk.book_all(
            a_wish(at("12:00")),
            HoldWish(hold_id=first.hold_id),
            HoldWish(hold_id=second.hold_id),
        )

        assert [booking.conversation for booking in bookings] == ["", "chat-1", "chat-2"]

    def test_a_booking_that_is_moved_keeps_its_own(self):
        desk = Desk()
        (booking,) = desk.book_all(a_wish(TEN), conversation="chat-1")
        hold = desk.hold(at("11:00"), conversation="chat-2")

        assert desk.move(booking, HoldWish(hold_id=hold.hold_id)).conversation == "chat-1"
