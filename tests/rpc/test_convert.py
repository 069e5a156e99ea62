"""Proto to domain and back."""

from datetime import UTC, date, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from service.domain.catalog import WallInterval
from service.domain.errors import InvalidRequest, ResourceNotFound
from service.rpc.convert import catalog as convert
from service.rpc.convert.names import business_of, child_id
from service.rpc.convert.times import (
    check_zone,
    read_date,
    read_instant,
    read_minutes,
    read_wall_interval,
    write_instant,
    write_wall_interval,
)
from service.rpc.wire import bytes_field, varint_field
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb

ALWAYS = catalog_pb.WallInterval(start="00:00", end="24:00")


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 1),  # noqa: DTZ001 (Hypothesis adds the zone)
        max_value=datetime(2199, 12, 31),  # noqa: DTZ001
        timezones=st.just(UTC),
    )
)
def test_an_instant_survives_the_wire(instant):
    assert read_instant(write_instant(instant), "start_time") == instant


@pytest.mark.parametrize(
    "value",
    [
        Timestamp(seconds=-1),
        Timestamp(seconds=253_402_300_800),
        Timestamp(seconds=2**62),
        Timestamp(nanos=-1),
        Timestamp(nanos=1_000_000_000),
    ],
)
def test_an_instant_that_no_calendar_has_is_refused(value):
    with pytest.raises(InvalidRequest) as refused:
        read_instant(value, "slot.start_time")

    assert refused.value.field == "slot.start_time"


def test_a_part_of_a_microsecond_after_a_start_is_after_it():
    start = datetime(2030, 1, 7, 9, tzinfo=UTC)
    value = write_instant(start)
    value.nanos = 1

    assert read_instant(value, "start_time") > start


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("09:00", "17:00", (540, 1020)),
        ("22:00", "02:00", (1320, 1560)),
        ("18:00", "24:00", (1080, 1440)),
        ("18:00", "00:00", (1080, 1440)),
        ("00:00", "24:00", (0, 1440)),
        ("00:00", "00:00", (0, 1440)),
        ("10:00", "10:00", (600, 2040)),
    ],
)
def test_an_end_at_or_before_the_start_is_on_the_next_day(start, end, minutes):
    interval = read_wall_interval(catalog_pb.WallInterval(start=start, end=end))

    assert (interval.start_minute, interval.end_minute) == minutes


@given(st.integers(0, 1439), st.integers(1, 1440))
def test_opening_hours_survive_the_wire(start_minute, length):
    interval = WallInterval(start_minute=start_minute, end_minute=start_minute + length)

    assert read_wall_interval(write_wall_interval(interval)) == interval


@pytest.mark.parametrize("text", ["2030-02-30", "2029-02-29", "2030-13-01", "1969-12-31", "", "x"])
def test_a_date_that_no_calendar_has_is_refused(text):
    with pytest.raises(InvalidRequest):
        read_date(text, "closure.dates.first_date")


def test_a_leap_day_is_a_date():
    assert read_date("2028-02-29", "date") == date(2028, 2, 29)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Factory", "localtime", "../../etc/passwd"])
def test_a_zone_that_is_nowhere_is_refused(zone):
    with pytest.raises(InvalidRequest):
        check_zone(zone, "calendar.time_zone")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "Etc/GMT+5", "America/New_York"])
def test_a_zone_that_exists_is_taken(zone):
    assert check_zone(zone, "calendar.time_zone") == zone


@pytest.mark.parametrize("value", [Duration(seconds=90), Duration(seconds=60, nanos=1)])
def test_a_duration_that_is_no_whole_minutes_is_refused(value):
    with pytest.raises(InvalidRequest):
        read_minutes(value, "duration")


def test_a_name_of_another_business_is_as_absent():
    with pytest.raises(ResourceNotFound) as refused:
        child_id("businesses/b/calendars/anna", "a")

    assert refused.value.metadata == {"name": "businesses/b/calendars/anna"}


@pytest.mark.parametrize(
    "name",
    ["", "businesses/", "businesses/A", "businesses/a/", "x/a", "businesses/a/b", "businesses/-a"],
)
def test_a_malformed_name_is_of_no_business(name):
    assert business_of(name) is None


@pytest.mark.parametrize("name", ["", "anna", "x/a/calendars/anna", "businesses/a/calendars/"])
def test_nothing_is_found_by_a_malformed_name(name):
    with pytest.raises(ResourceNotFound):
        child_id(name, "a")


def test_a_weekday_that_is_named_twice_is_refused():
    monday = catalog_pb.WeekdayHours(weekday=catalog_pb.WEEKDAY_MONDAY, intervals=[ALWAYS])
    message = catalog_pb.Schedule(display_name="Twice", weekly=[monday, monday])

    with pytest.raises(InvalidRequest) as refused:
        convert.read_schedule(message, "office")

    assert refused.value.field == "schedule.weekly[1].weekday"


def test_a_date_that_is_named_twice_is_refused():
    day = catalog_pb.DateHours(date="2030-12-24")

    with pytest.raises(InvalidRequest) as refused:
        convert.read_schedule(catalog_pb.Schedule(exceptions=[day, day]), "office")

    assert refused.value.field == "schedule.exceptions[1].date"


def test_a_schedule_survives_the_wire():
    message = catalog_pb.Schedule(
        name="businesses/a/schedules/office",
        display_name="Office",
        weekly=[
            catalog_pb.WeekdayHours(
                weekday=catalog_pb.WEEKDAY_MONDAY,
                intervals=[catalog_pb.WallInterval(start="22:00", end="02:00"), ALWAYS],
            ),
            catalog_pb.WeekdayHours(weekday=catalog_pb.WEEKDAY_SUNDAY, intervals=[ALWAYS]),
        ],
        exceptions=[
            catalog_pb.DateHours(date="2030-12-24"),
            catalog_pb.DateHours(date="2030-12-31", intervals=[ALWAYS]),
        ],
    )

    schedule = convert.read_schedule(message, "office")

    assert set(schedule.weekly) == {0, 6}
    assert schedule.exceptions[date(2030, 12, 24)] == ()
    assert convert.write_schedule(schedule, "a") == message


def test_a_type_has_every_default_filled_in():
    message = catalog_pb.AppointmentType(
        display_name="Visit",
        durations=[Duration(seconds=1800), Duration(seconds=3600)],
        all_of=["businesses/a/calendars/anna"],
    )

    kind = convert.read_type(message, "a", "visit")

    assert kind.slot_step == timedelta(minutes=30)
    assert kind.horizon == timedelta(days=60)
    assert kind.hold_duration == timedelta(minutes=5)
    assert (kind.capacity, kind.day_cap, kind.week_cap) == (1, None, None)
    assert kind.primary_calendar_ids == ("anna",)


def test_a_type_survives_the_wire():
    message = catalog_pb.AppointmentType(
        name="businesses/a/appointmentTypes/visit",
        display_name="Visit",
        durations=[Duration(seconds=1800), Duration(seconds=3600)],
        slot_step=Duration(seconds=900),
        buffer_before=Duration(seconds=300),
        buffer_after=Duration(seconds=600),
        minimum_notice=Duration(seconds=7200),
        horizon=Duration(seconds=86400),
        capacity=3,
        hold_duration=Duration(seconds=60),
        requires_approval=True,
        day_cap=4,
        week_cap=9,
        any_of=["businesses/a/calendars/anna", "businesses/a/calendars/ben"],
        all_of=["businesses/a/calendars/room"],
        cancellation_notice=Duration(seconds=86400),
        reminders=[Duration(seconds=86400), Duration(seconds=3600)],
        offer_duration=Duration(seconds=1200),
        cancel_by_reply=True,
        price="45.00 EUR",
    )

    assert convert.write_type(convert.read_type(message, "a", "visit"), "a") == message


@pytest.mark.parametrize(
    "span",
    [
        {"dates": catalog_pb.DateSpan(first_date="2030-12-24", last_date="2030-12-26")},
        {
            "times": catalog_pb.TimeSpan(
                start_time=Timestamp(seconds=60), end_time=Timestamp(seconds=120)
            )
        },
    ],
)
def test_a_closure_survives_the_wire(span):
    message = catalog_pb.Closure(
        name="businesses/a/closures/holiday",
        display_name="Holiday",
        calendars=["businesses/a/calendars/anna"],
        **span,
    )

    assert convert.write_closure(convert.read_closure(message, "a", "holiday"), "a") == message


def test_a_closure_that_ends_before_it_begins_is_refused():
    dates = catalog_pb.DateSpan(first_date="2030-12-24", last_date="2030-12-23")

    with pytest.raises(InvalidRequest) as refused:
        convert.read_closure(catalog_pb.Closure(dates=dates), "a", "holiday")

    assert refused.value.field == "closure.dates.last_date"


@given(st.binary(max_size=300), st.integers(0, 2**63 - 1))
def test_fields_written_by_hand_are_read_as_those_of_messages(payload, revision):
    inner = booking_pb.BookResponse(
        revision=revision, bookings=[booking_pb.Booking(version=revision)]
    )
    written = bytes_field(1, payload.hex().encode()) + bytes_field(2, inner.SerializeToString())

    assert booking_pb.StreamBookingsResponse.FromString(written) == (
        booking_pb.StreamBookingsResponse(request_id=payload.hex(), book=inner)
    )
    assert booking_pb.BookResponse.FromString(varint_field(2, revision)).revision == revision
