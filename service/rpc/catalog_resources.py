"""The four kinds of things in a catalogue: how each is named, read, written and changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from service.domain import commands, ids
from service.domain.catalog import Catalog
from service.domain.commands import CatalogCommand
from service.rpc.convert import catalog as convert


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """One kind. `field` is its field in requests and answers, `message` its name in methods."""

    message: str
    field: str
    plural: str
    name: Callable[[str, str], str]
    collection: Callable[[Catalog], Mapping[str, Any]]
    # (message, business id, its id) -> the thing, and (the thing, business id) -> message.
    read: Callable[[Any, str, str], Any]
    write: Callable[[Any, str], Message]
    put: Callable[[bool, Any], CatalogCommand]
    delete: Callable[[str], CatalogCommand]


CALENDARS = Resource(
    message="Calendar",
    field="calendar",
    plural="calendars",
    name=ids.calendar_name,
    collection=lambda catalog: catalog.calendars,
    read=convert.read_calendar,
    write=convert.write_calendar,
    put=lambda create, calendar: commands.PutCalendar(create=create, calendar=calendar),
    delete=lambda calendar_id: commands.DeleteCalendar(calendar_id=calendar_id),
)
TYPES = Resource(
    message="AppointmentType",
    field="appointment_type",
    plural="appointment_types",
    name=ids.type_name,
    collection=lambda catalog: catalog.types,
    read=convert.read_type,
    write=convert.write_type,
    put=lambda create, type_: commands.PutType(create=create, type=type_),
    delete=lambda type_id: commands.DeleteType(type_id=type_id),
)
SCHEDULES = Resource(
    message="Schedule",
    field="schedule",
    plural="schedules",
    name=ids.schedule_name,
    collection=lambda catalog: catalog.schedules,
    read=lambda message, _, schedule_id: convert.read_schedule(message, schedule_id),
    write=convert.write_schedule,
    put=lambda create, schedule: commands.PutSchedule(create=create, schedule=schedule),
    delete=lambda schedule_id: commands.DeleteSchedule(schedule_id=schedule_id),
)
CLOSURES = Resource(
    message="Closure",
    field="closure",
    plural="closures",
    name=ids.closure_name,
    collection=lambda catalog: catalog.closures,
    read=convert.read_closure,
    write=convert.write_closure,
    put=lambda create, closure: commands.PutClosure(create=create, closure=closure),
    delete=lambda closure_id: commands.DeleteClosure(closure_id=closure_id),
)
RESOURCES = (CALENDARS, TYPES, SCHEDULES, CLOSURES)
