"""The opening: the owner makes the business that all the others fight over."""

from __future__ import annotations

from functools import partial

from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.robustness.catalogue import BUSINESS, CALENDARS, STRANGERS_KEY, TYPES
from tests.robustness.history import Outcome
from tests.robustness.traffic.ground import Doors, Drawn, Ground
from tests.robustness.traffic.owner import catalogue_type
from tests.robustness.traffic.requests import PARENT

SCHEDULE = f"{PARENT}/schedules/always"
HOLDS_PER_HOLDER_MAX = 3
WEEKDAYS = range(1, 8)


async def open_business(ground: Ground) -> None:
    """Make it, by calls that are in the history as all others are; and that of the strangers."""
    recorder, server = ground.recorder, ground.servers[0]
    async with Doors(ground.targets) as doors:
        await doors.by_server[server].catalog.CreateBusiness(
            _business(STRANGERS_KEY.business_id).request,
            metadata=ground.metadata("owner"),
            timeout=10.0,
        )
        for drawn in _requests():
            method = getattr(doors.by_server[server].catalog, drawn.method)
            call = recorder.begin(
                recorder.operation(), "owner", server, drawn.method, drawn.request
            )
            ask = partial(method, drawn.request, metadata=ground.metadata("owner"), timeout=10.0)
            await recorder.make(call, ask)
            if call.outcome is not Outcome.OK:
                raise RuntimeError(f"The business could not be made: {call.reason}")


def _requests() -> list[Drawn]:
    return [
        _business(BUSINESS),
        _schedule(),
        *(_calendar(calendar_id) for calendar_id in CALENDARS),
        *(_type(type_id) for type_id in TYPES),
    ]


def _business(business_id: str) -> Drawn:
    business = catalog_pb.Business(display_name="Salon", holds_per_holder_max=HOLDS_PER_HOLDER_MAX)
    request = catalog_pb.CreateBusinessRequest(
        business_id=business_id, business=business, request_id="opening-business"
    )
    return Drawn("CreateBusiness", request)


def _schedule() -> Drawn:
    always = [
        catalog_pb.WeekdayHours(
            weekday=catalog_pb.Weekday.ValueType(day),
            intervals=[catalog_pb.WallInterval(start="00:00", end="24:00")],
        )
        for day in WEEKDAYS
    ]
    request = catalog_pb.CreateScheduleRequest(
        parent=PARENT,
        schedule_id="always",
        schedule=catalog_pb.Schedule(display_name="Always", weekly=always),
        request_id="opening-schedule",
    )
    return Drawn("CreateSchedule", request)


def _calendar(calendar_id: str) -> Drawn:
    request = catalog_pb.CreateCalendarRequest(
        parent=PARENT,
        calendar_id=calendar_id,
        calendar=catalog_pb.Calendar(display_name=calendar_id, time_zone="UTC", schedule=SCHEDULE),
        request_id=f"opening-{calendar_id}",
    )
    return Drawn("CreateCalendar", request)


def _type(type_id: str) -> Drawn:
    request = catalog_pb.CreateAppointmentTypeRequest(
        parent=PARENT,
        appointment_type_id=type_id,
        appointment_type=catalogue_type(type_id),
        request_id=f"opening-{type_id}",
    )
    return Drawn("CreateAppointmentType", request)
