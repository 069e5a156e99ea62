"""The event in a letter: what programs put into a calendar, move there and take out again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from dateutil import tz

from service.domain.booking import BookingStatus
from service.domain.interval import Interval
from service.notify.letters.composing import compose
from service.notify.letters.facts import LetterKind
from tests.letters import samples
from tests.letters.reading import check_nothing_was_added, read


def mail_of(letter, **envelope):
    return read(compose(letter, samples.an_envelope(**envelope)).data)


def test_an_invitation_says_all_that_was_booked():
    mail = mail_of(samples.a_letter())
    event = mail.event

    assert mail.method == "REQUEST"
    assert event.uid == "00000000-0000-0000-0000-000000000001@salon.slotcast"
    assert (event.start, event.end) == (samples.START, samples.START + timedelta(minutes=45))
    assert event.status == "CONFIRMED"
    assert event.summary == "Haircut and styling: Salon Lindenhof"
    assert event.location == "Lindenstraße 12, 10969 Berlin"
    assert event.description.endswith(samples.LINK)
    assert event.organizer == "mailto:bookings@slotcast.example"
    assert event.attendees == ("mailto:ada@example.com",)
    assert event.alarm_before == timedelta(hours=1)
    check_nothing_was_added(mail)


@pytest.mark.parametrize(
    ("kind", "status", "version", "method", "told"),
    [
        (LetterKind.CONFIRMATION, BookingStatus.CONFIRMED, 1, "REQUEST", "CONFIRMED"),
        (LetterKind.PENDING, BookingStatus.PENDING, 1, "REQUEST", "TENTATIVE"),
        (LetterKind.APPROVED, BookingStatus.CONFIRMED, 2, "REQUEST", "CONFIRMED"),
        (LetterKind.DECLINED, BookingStatus.DECLINED, 2, "CANCEL", "CANCELLED"),
        (LetterKind.RESCHEDULED, BookingStatus.CONFIRMED, 3, "REQUEST", "CONFIRMED"),
        (LetterKind.RESCHEDULED, BookingStatus.PENDING, 2, "REQUEST", "TENTATIVE"),
        (LetterKind.CANCELLED, BookingStatus.CANCELLED, 4, "CANCEL", "CANCELLED"),
        (LetterKind.REMINDER, BookingStatus.CONFIRMED, 3, "REQUEST", "CONFIRMED"),
    ],
)
def test_uid_stays_sequence_rises_and_method_and_status_say_what_it_is(
    kind, status, version, method, told
):
    letter = samples.a_letter(kind)
    given = replace(letter.appointments[0], status=status, version=version)

    mail = mail_of(replace(letter, appointments=(given,)))

    assert mail.event.uid == f"{UUID(int=1)}@salon.slotcast"
    assert mail.event.sequence == version - 1
    assert (mail.method, mail.event.status) == (method, told)
    assert (mail.event.alarm_before is None) is (method == "CANCEL")


def test_an_answer_is_asked_for_only_where_it_does_something():
    asked = mail_of(samples.a_letter(replies_cancel=True))
    unasked = mail_of(samples.a_letter())
    staff = mail_of(samples.a_staff_letter(replies_cancel=True))
    over = mail_of(samples.a_letter(LetterKind.CANCELLED, replies_cancel=True))

    assert "RSVP=TRUE" in asked.ics.replace("\r\n ", "")
    assert "PARTSTAT=NEEDS-ACTION" in asked.ics.replace("\r\n ", "")
    assert "If you decline in your calendar" in asked.text
    check_nothing_was_added(asked, asks=True)
    for mail in (unasked, staff, over):
        assert "RSVP" not in mail.ics
        assert "decline in your calendar" not in mail.text


ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "America/Scoresbysund",
)


@pytest.mark.parametrize("zone", ZONES)
def test_a_named_zone_is_defined_so_that_every_instant_is_the_same_to_everyone(zone):
    clock = ZoneInfo(zone)
    mail = mail_of(samples.a_letter(appointment={"zone": zone}))
    lines = mail.ics.partition("BEGIN:VTIMEZONE")[2].partition("END:VTIMEZONE")[0]
    # dateutil goes by the definition alone: it is the fourth to read this.
    defined = tz.tzical(StringIO(f"BEGIN:VTIMEZONE{lines}END:VTIMEZONE")).get()

    for hours in range(-24 * 300, 24 * 365 * 9, 61):
        local = (samples.START + timedelta(hours=hours)).astimezone(clock)
        if not local.fold:
            read_back = local.replace(tzinfo=defined).astimezone(UTC)
            assert read_back == local.astimezone(UTC)


@pytest.mark.parametrize("hour", [0, 1, 2, 3, 4])
def test_hours_around_a_change_of_clocks_are_told_right(hour):
    start = datetime(2031, 3, 30, hour, 15, tzinfo=UTC)
    during = Interval(start, start + timedelta(hours=1))

    mail = mail_of(samples.a_letter(appointment={"during": during}))

    assert (mail.event.start, mail.event.end) == (during.start, during.end)


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "Mars/Olympus", ""])
def test_utc_and_what_is_no_zone_are_written_as_utc_without_a_definition(zone):
    mail = mail_of(samples.a_letter(appointment={"zone": zone}))

    assert "VTIMEZONE" not in mail.ics
    assert "TZID" not in mail.ics
    assert "DTSTART:20300604T083000Z" in mail.ics


def test_several_appointments_are_a_list_that_nobody_answers():
    mail = mail_of(samples.several(5))

    assert mail.method == "PUBLISH"
    assert [event.start for event in mail.events] == [
        samples.START + timedelta(weeks=week) for week in range(5)
    ]
    assert len({event.uid for event in mail.events}) == 5
    assert all(event.attendees == () for event in mail.events)
    assert all(event.description.endswith(samples.LINK) for event in mail.events)
    assert mail.ics.count("BEGIN:VTIMEZONE") == 1


def test_a_letter_that_is_sent_again_is_the_same_event():
    first = mail_of(samples.a_letter())
    again = mail_of(samples.a_letter(), date=samples.NOW + timedelta(hours=3))

    assert first.ics == again.ics
    assert "DTSTAMP:20300603T120000Z" in first.ics


def test_no_line_is_longer_than_75_bytes_and_none_ends_but_by_crlf():
    host = samples.a_host(name="Ü" * 100, location="山" * 200)

    ics = mail_of(samples.a_letter(host=host)).ics

    lines = ics.encode().split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert not any(b"\n" in line or b"\r" in line for line in lines)
