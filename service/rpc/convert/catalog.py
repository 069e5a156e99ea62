"""The catalogue: businesses, calendars, appointment types, opening hours and closures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from google.protobuf.duration_pb2 import Duration

from service.domain import ids
from service.domain.catalog import (
    AppointmentType,
    Business,
    Calendar,
    Closure,
    Schedule,
    WallInterval,
)
from service.domain.errors import InvalidRequest
from service.domain.interval import Interval
from service.rpc.convert.names import child_id, child_ids
from service.rpc.convert.times import (
    check_zone,
    read_date,
    read_duration,
    read_instant,
    read_minutes,
    read_wall_interval,
    write_duration,
    write_instant,
    write_wall_interval,
)
from slotcast.v1 import catalog_service_pb2 as catalog_pb

HOLDS_PER_HOLDER_DEFAULT = 5
HOLDS_PER_KEY_DEFAULT = 1000
HORIZON_DEFAULT = timedelta(days=60)
HOLD_DURATION_DEFAULT = timedelta(minutes=5)
OFFER_DURATION_DEFAULT = timedelta(minutes=15)


def read_business(message: catalog_pb.Business, business_id: str) -> Business:
    """Return a business."""
    return Business(
        business_id=business_id,
        display_name=message.display_name,
        holds_per_holder_max=message.holds_per_holder_max or HOLDS_PER_HOLDER_DEFAULT,
        holds_per_key_max=message.holds_per_key_max or HOLDS_PER_KEY_DEFAULT,
        email=message.email,
        phone=message.phone,
        location=message.location,
        language=message.language,
    )


def write_business(business: Business) -> catalog_pb.Business:
    """Return a business as a message."""
    return catalog_pb.Business(
        name=ids.business_name(business.business_id),
        display_name=business.display_name,
        holds_per_holder_max=business.holds_per_holder_max,
        holds_per_key_max=business.holds_per_key_max,
        email=business.email,
        phone=business.phone,
        location=business.location,
        language=business.language,
    )


def read_calendar(message: catalog_pb.Calendar, business_id: str, calendar_id: str) -> Calendar:
    """Return a calendar."""
    return Calendar(
        calendar_id=calendar_id,
        display_name=message.display_name,
        zone=check_zone(message.time_zone, "calendar.time_zone"),
        schedule_id=child_id(message.schedule, business_id),
        email=message.email,
    )


def write_calendar(calendar: Calendar, business_id: str) -> catalog_pb.Calendar:
    """Return a calendar as a message."""
    return catalog_pb.Calendar(
        name=ids.calendar_name(business_id, calendar.calendar_id),
        display_name=calendar.display_name,
        time_zone=calendar.zone,
        schedule=ids.schedule_name(business_id, calendar.schedule_id),
        email=calendar.email,
    )


def read_type(
    message: catalog_pb.AppointmentType, business_id: str, type_id: str
) -> AppointmentType:
    """Return an appointment type."""
    durations = tuple(
        read_minutes(duration, f"appointment_type.durations[{index}]")
        for index, duration in enumerate(message.durations)
    )
    return AppointmentType(
        type_id=type_id,
        display_name=message.display_name,
        durations=_distinct(durations, "appointment_type.durations"),
        slot_step=(
            read_minutes(message.slot_step, "appointment_type.slot_step")
            if message.HasField("slot_step")
            else durations[0]
        ),
        any_of=child_ids(message.any_of, business_id),
        all_of=child_ids(message.all_of, business_id),
        buffer_before=_duration(message.buffer_before, "buffer_before"),
        buffer_after=_duration(message.buffer_after, "buffer_after"),
        minimum_notice=_duration(message.minimum_notice, "minimum_notice"),
        horizon=_duration(message.horizon, "horizon") or HORIZON_DEFAULT,
        capacity=message.capacity or 1,
        hold_duration=_duration(message.hold_duration, "hold_duration") or HOLD_DURATION_DEFAULT,
        requires_approval=message.requires_approval,
        day_cap=message.day_cap or None,
        week_cap=message.week_cap or None,
        cancellation_notice=_duration(message.cancellation_notice, "cancellation_notice"),
        reminders=_distinct(
            tuple(
                read_minutes(reminder, f"appointment_type.reminders[{index}]")
                for index, reminder in enumerate(message.reminders)
            ),
            "appointment_type.reminders",
        ),
        offer_duration=_duration(message.offer_duration, "offer_duration")
        or OFFER_DURATION_DEFAULT,
        cancel_by_reply=message.cancel_by_reply,
        price=message.price,
    )


def write_type(kind: AppointmentType, business_id: str) -> catalog_pb.AppointmentType:
    """Return an appointment type as a message, with every default filled in."""
    return catalog_pb.AppointmentType(
        name=ids.type_name(business_id, kind.type_id),
        display_name=kind.display_name,
        durations=[write_duration(duration) for duration in kind.durations],
        slot_step=write_duration(kind.slot_step),
        buffer_before=write_duration(kind.buffer_before),
        buffer_after=write_duration(kind.buffer_after),
        minimum_notice=write_duration(kind.minimum_notice),
        horizon=write_duration(kind.horizon),
        capacity=kind.capacity,
        hold_duration=write_duration(kind.hold_duration),
        requires_approval=kind.requires_approval,
        day_cap=kind.day_cap or 0,
        week_cap=kind.week_cap or 0,
        any_of=[ids.calendar_name(business_id, each) for each in kind.any_of],
        all_of=[ids.calendar_name(business_id, each) for each in kind.all_of],
        cancellation_notice=write_duration(kind.cancellation_notice),
        reminders=[write_duration(reminder) for reminder in kind.reminders],
        offer_duration=write_duration(kind.offer_duration),
        cancel_by_reply=kind.cancel_by_reply,
        price=kind.price,
    )


def read_schedule(message: catalog_pb.Schedule, schedule_id: str) -> Schedule:
    """Return opening hours; a weekday or a date that is named twice is refused."""
    return Schedule(
        schedule_id=schedule_id,
        display_name=message.display_name,
        weekly=_read_weekly(message),
        exceptions=_read_exceptions(message),
    )


def write_schedule(schedule: Schedule, business_id: str) -> catalog_pb.Schedule:
    """Return opening hours as a message, by weekday and by date."""
    return catalog_pb.Schedule(
        name=ids.schedule_name(business_id, schedule.schedule_id),
        display_name=schedule.display_name,
        weekly=[
            catalog_pb.WeekdayHours(
                weekday=catalog_pb.Weekday.ValueType(weekday + 1),
                intervals=[write_wall_interval(interval) for interval in intervals],
            )
            for weekday, intervals in sorted(schedule.weekly.items())
            if intervals
        ],
        exceptions=[
            catalog_pb.DateHours(
                date=day.isoformat(),
                intervals=[write_wall_interval(interval) for interval in intervals],
            )
            for day, intervals in sorted(schedule.exceptions.items())
        ],
    )


def read_closure(message: catalog_pb.Closure, business_id: str, closure_id: str) -> Closure:
    """Return a closure, of dates or of times."""
    first_date = last_date = interval = None
    if message.HasField("dates"):
        first_date = read_date(message.dates.first_date, "closure.dates.first_date")
        last_date = read_date(message.dates.last_date, "closure.dates.last_date")
        if last_date < first_date:
            raise InvalidRequest("closure.dates.last_date", "It must not be before first_date.")
    else:
        start = read_instant(message.times.start_time, "closure.times.start_time")
        end = read_instant(message.times.end_time, "closure.times.end_time")
        if not start < end:
            raise InvalidRequest("closure.times.end_time", "It must be after start_time.")
        interval = Interval(start, end)
    return Closure(
        closure_id=closure_id,
        display_name=message.display_name,
        calendar_ids=frozenset(child_ids(message.calendars, business_id)),
        first_date=first_date,
        last_date=last_date,
        interval=interval,
    )


def write_closure(closure: Closure, business_id: str) -> catalog_pb.Closure:
    """Return a closure as a message."""
    message = catalog_pb.Closure(
        name=ids.closure_name(business_id, closure.closure_id),
        display_name=closure.display_name,
        calendars=[ids.calendar_name(business_id, each) for each in sorted(closure.calendar_ids)],
    )
    if closure.interval is not None:
        message.times.start_time.CopyFrom(write_instant(closure.interval.start))
        message.times.end_time.CopyFrom(write_instant(closure.interval.end))
    elif closure.first_date is not None and closure.last_date is not None:
        message.dates.first_date = closure.first_date.isoformat()
        message.dates.last_date = closure.last_date.isoformat()
    return message


def _read_weekly(message: catalog_pb.Schedule) -> Mapping[int, tuple[WallInterval, ...]]:
    weekly: dict[int, tuple[WallInterval, ...]] = {}
    for index, hours in enumerate(message.weekly):
        weekday = hours.weekday - catalog_pb.WEEKDAY_MONDAY
        if weekday in weekly:
            raise InvalidRequest(f"schedule.weekly[{index}].weekday", "It is named twice.")
        weekly[weekday] = tuple(read_wall_interval(interval) for interval in hours.intervals)
    return MappingProxyType(weekly)


def _read_exceptions(message: catalog_pb.Schedule) -> Mapping[date, tuple[WallInterval, ...]]:
    exceptions: dict[date, tuple[WallInterval, ...]] = {}
    for index, hours in enumerate(message.exceptions):
        day = read_date(hours.date, f"schedule.exceptions[{index}].date")
        if day in exceptions:
            raise InvalidRequest(f"schedule.exceptions[{index}].date", "It is named twice.")
        exceptions[day] = tuple(read_wall_interval(interval) for interval in hours.intervals)
    return MappingProxyType(exceptions)


def _duration(value: Duration, field: str) -> timedelta:
    """Read a duration; one that is absent is zero."""
    return read_duration(value, f"appointment_type.{field}")


def _distinct(durations: tuple[timedelta, ...], field: str) -> tuple[timedelta, ...]:
    if len(set(durations)) < len(durations):
        raise InvalidRequest(field, "One is named twice.")
    return durations
