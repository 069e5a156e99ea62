"""The bookings of a calendar as a file: read back by another's library, whatever is in them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import icalendar
import pytest

from service.domain.booking import Booking, BookingStatus, Customer
from service.domain.interval import Interval
from service.feeds.outgoing import CalendarPage

START = datetime(2030, 3, 1, 9, tzinfo=UTC)
HOSTILE = [
    "Kim\r\nATTENDEE:mailto:a@b",
    "Kim\nBEGIN:VALARM",
    "Kim\rDTSTART:19700101T000000Z",
    "Kim\u2028UID:other",
    "Kim\u2029END:VEVENT",
    "Kim\x85END:VCALENDAR",
    "Kim\0\x0b\x0c\x1b[31m",
    "Kim; DROP, \\n \\ \\, \\;",
    "=?UTF-8?Q?=0A?=Bcc: a@b",
    "漢字🙂" * 60,
    "é" * 500,
    " " * 300,
    '"quoted": x=y',
]


def a_booking(number=0, name="Kim", **changes):
    booking = Booking(
        booking_id=UUID(int=number + 1),
        type_id="visit",
        calendar_ids=("anna",),
        appointment=Interval(
            START + timedelta(hours=number), START + timedelta(hours=number, minutes=30)
        ),
        zone="Europe/Berlin",
        status=BookingStatus.CONFIRMED,
        version=1,
        customer=Customer(display_name=name),
        fields={},
        created_at=START - timedelta(days=9),
        updated_at=START - timedelta(days=8, microseconds=5),
    )
    return replace(booking, **changes)


def a_page(*bookings, **changes):
    page = CalendarPage(
        business_id="salon",
        business_name="Salon",
        location="",
        calendar_name="Anna",
        zone="Europe/Berlin",
        type_names={"visit": "Visit"},
        bookings=bookings,
        with_names=True,
    )
    return replace(page, **changes)


def read(page):
    return icalendar.Calendar.from_ical(page.file())


def test_an_event_is_what_the_booking_is():
    (event,) = read(a_page(a_booking(version=4), location="Main St 1; 2nd floor")).walk("VEVENT")

    assert {name: event.decoded(name) for name in event} == {
        "UID": "00000000-0000-0000-0000-000000000001@salon.slotcast",
        "SEQUENCE": 3,
        "DTSTAMP": datetime(2030, 2, 21, 8, 59, 59, tzinfo=UTC),
        "CREATED": datetime(2030, 2, 20, 9, tzinfo=UTC),
        "LAST-MODIFIED": datetime(2030, 2, 21, 8, 59, 59, tzinfo=UTC),
        "DTSTART": START,
        "DTEND": START + timedelta(minutes=30),
        "SUMMARY": "Visit: Kim",
        "STATUS": "CONFIRMED",
        "LOCATION": "Main St 1; 2nd floor",
    }


def test_what_waits_for_approval_is_tentative():
    (event,) = read(a_page(a_booking(status=BookingStatus.PENDING))).walk("VEVENT")

    assert event["STATUS"] == "TENTATIVE"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_makes_a_property_or_a_line_that_is_too_long(text):
    page = a_page(
        a_booking(name=text),
        location=text,
        business_name=text,
        calendar_name=text,
        type_names={"visit": text},
    )

    data = page.file()

    calendar = icalendar.Calendar.from_ical(data)
    (event,) = calendar.walk("VEVENT")
    usual = read(a_page(a_booking(), location="x"))
    assert set(calendar) == set(usual)
    assert set(event) <= set(usual.walk("VEVENT")[0])
    assert [part.name for part in calendar.walk()] == ["VCALENDAR", "VEVENT"]
    lines = data.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert all(line.decode().isprintable() for line in lines)


def test_the_tag_is_another_where_the_file_is_another():
    page = a_page(a_booking(), a_booking(1))
    others = [
        a_page(a_booking()),
        a_page(a_booking(), a_booking(1, version=2)),
        a_page(a_booking(), a_booking(1, name="Ida")),
        replace(page, with_names=False),
        replace(page, business_name="Other"),
        replace(page, location="Here"),
        replace(page, calendar_name="Ben"),
        replace(page, zone="UTC"),
        replace(page, type_names={"visit": "Call"}),
    ]

    assert page.content_tag == a_page(a_booking(), a_booking(1)).content_tag
    assert len({page.content_tag, *(other.content_tag for other in others)}) == len(others) + 1


def test_what_means_something_in_a_value_is_escaped():
    data = a_page(a_booking(name=r"a;b,c\d")).file()

    assert rb"SUMMARY:Visit: a\;b\,c\\d" in data
