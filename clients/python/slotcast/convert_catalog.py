"""The catalogue: wire messages to plain values, and back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from google.protobuf.duration_pb2 import Duration

from slotcast.catalog import (
    AppointmentType,
    Business,
    Calendar,
    Closure,
    DateSpan,
    Schedule,
    TimeSpan,
    WallInterval,
    Weekday,
)
from slotcast.convert import duration, instant, timestamp
from slotcast.names import Names
from slotcast.v1 import catalog_service_pb2 as pb


def business(message: pb.Business, revision: int = 0) -> Business:
    """Read a business, as of a revision."""
    return Business(
        name=message.name,
        display_name=message.display_name,
        holds_per_holder_max=message.holds_per_holder_max,
        holds_per_key_max=message.holds_per_key_max,
        email=message.email,
        phone=message.phone,
        location=message.location,
        language=message.language,
        revision=revision,
    )


def business_message(value: Business, names: Names) -> pb.Business:
    """Write a business."""
    return pb.Business(
        name=names.business(value.name),
        display_name=value.display_name,
        holds_per_holder_max=value.holds_per_holder_max,
        holds_per_key_max=value.holds_per_key_max,
        email=value.email,
        phone=value.phone,
        location=value.location,
        language=value.language,
    )


def calendar(message: pb.Calendar, revision: int = 0) -> Calendar:
    """Read a calendar, as of a revision."""
    return Calendar(
        name=message.name,
        display_name=message.display_name,
        time_zone=message.time_zone,
        schedule=message.schedule,
        email=message.email,
        revision=revision,
    )


def calendar_message(value: Calendar, names: Names) -> pb.Calendar:
    """Write a calendar."""
    return pb.Calendar(
        name=names.calendar(value.name),
        display_name=value.display_name,
        time_zone=value.time_zone,
        schedule=names.schedule(value.schedule),
        email=value.email,
    )


def appointment_type(message: pb.AppointmentType, revision: int = 0) -> AppointmentType:
    """Read an appointment type, as of a revision."""

    def said(field: Duration, *, present: bool) -> timedelta | None:
        return field.ToTimedelta() if present else None

    return AppointmentType(
        name=message.name,
        display_name=message.display_name,
        durations=tuple(item.ToTimedelta() for item in message.durations),
        any_of=tuple(message.any_of),
        all_of=tuple(message.all_of),
        slot_step=said(message.slot_step, present=message.HasField("slot_step")),
        buffer_before=message.buffer_before.ToTimedelta(),
        buffer_after=message.buffer_after.ToTimedelta(),
        minimum_notice=message.minimum_notice.ToTimedelta(),
        horizon=said(message.horizon, present=message.HasField("horizon")),
        capacity=message.capacity,
        hold_duration=said(message.hold_duration, present=message.HasField("hold_duration")),
        requires_approval=message.requires_approval,
        day_cap=message.day_cap,
        week_cap=message.week_cap,
        cancellation_notice=message.cancellation_notice.ToTimedelta(),
        reminders=tuple(item.ToTimedelta() for item in message.reminders),
        offer_duration=said(message.offer_duration, present=message.HasField("offer_duration")),
        cancel_by_reply=message.cancel_by_reply,
        price=message.price,
        revision=revision,
    )


def appointment_type_message(value: AppointmentType, names: Names) -> pb.AppointmentType:
    """Write an appointment type."""
    message = pb.AppointmentType(
        name=names.appointment_type(value.name),
        display_name=value.display_name,
        slot_step=duration(value.slot_step),
        buffer_before=duration(value.buffer_before),
        buffer_after=duration(value.buffer_after),
        minimum_notice=duration(value.minimum_notice),
        horizon=duration(value.horizon),
        capacity=value.capacity,
        hold_duration=duration(value.hold_duration),
        requires_approval=value.requires_approval,
        day_cap=value.day_cap,
        week_cap=value.week_cap,
        any_of=[names.calendar(name) for name in value.any_of],
        all_of=[names.calendar(name) for name in value.all_of],
        cancellation_notice=duration(value.cancellation_notice),
        offer_duration=duration(value.offer_duration),
        cancel_by_reply=value.cancel_by_reply,
        price=value.price,
    )
    for span in value.durations:
        message.durations.add().FromTimedelta(span)
    for span in value.reminders:
        message.reminders.add().FromTimedelta(span)
    return message


def schedule(message: pb.Schedule, revision: int = 0) -> Schedule:
    """Read a schedule, as of a revision."""
    return Schedule(
        name=message.name,
        display_name=message.display_name,
        weekly={Weekday(day.weekday): _intervals(day.intervals) for day in message.weekly},
        exceptions={
            date.fromisoformat(day.date): _intervals(day.intervals) for day in message.exceptions
        },
        revision=revision,
    )


def schedule_message(value: Schedule, names: Names) -> pb.Schedule:
    """Write a schedule; a weekday without hours is one that is not named."""
    return pb.Schedule(
        name=names.schedule(value.name),
        display_name=value.display_name,
        weekly=[
            pb.WeekdayHours(
                weekday=pb.Weekday.ValueType(int(day)), intervals=_interval_messages(intervals)
            )
            for day, intervals in sorted(value.weekly.items())
            if intervals
        ],
        exceptions=[
            pb.DateHours(date=day.isoformat(), intervals=_interval_messages(intervals))
            for day, intervals in sorted(value.exceptions.items())
        ],
    )


def closure(message: pb.Closure, revision: int = 0) -> Closure:
    """Read a closure, as of a revision."""
    span: DateSpan | TimeSpan
    if message.HasField("dates"):
        span = DateSpan(
            first_date=date.fromisoformat(message.dates.first_date),
            last_date=date.fromisoformat(message.dates.last_date),
        )
    else:
        span = TimeSpan(
            start=instant(message.times.start_time), end=instant(message.times.end_time)
        )
    return Closure(
        name=message.name,
        display_name=message.display_name,
        span=span,
        calendars=tuple(message.calendars),
        revision=revision,
    )


def closure_message(value: Closure, names: Names) -> pb.Closure:
    """Write a closure."""
    message = pb.Closure(
        name=names.closure(value.name),
        display_name=value.display_name,
        calendars=[names.calendar(name) for name in value.calendars],
    )
    if isinstance(value.span, DateSpan):
        message.dates.first_date = value.span.first_date.isoformat()
        message.dates.last_date = value.span.last_date.isoformat()
    else:
        message.times.start_time.CopyFrom(timestamp(value.span.start))
        message.times.end_time.CopyFrom(timestamp(value.span.end))
    return message


def _intervals(messages: Iterable[pb.WallInterval]) -> tuple[WallInterval, ...]:
    return tuple(WallInterval(start=item.start, end=item.end) for item in messages)


def _interval_messages(values: Iterable[WallInterval]) -> list[pb.WallInterval]:
    return [pb.WallInterval(start=item.start, end=item.end) for item in values]
