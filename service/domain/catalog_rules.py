"""What a change of the catalogue needs, and what it leaves: the next catalogue, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from service.domain.catalog import AppointmentType, Calendar, Catalog, Closure
from service.domain.commands import (
    CatalogCommand,
    DeleteBusiness,
    DeleteCalendar,
    DeleteClosure,
    DeleteFeed,
    DeleteSchedule,
    DeleteType,
    ImportBusy,
    PutBusiness,
    PutCalendar,
    PutClosure,
    PutSchedule,
    PutType,
)
from service.domain.errors import ResourceExists, ResourceInUse, ResourceNotFound
from service.domain.ids import calendar_name, closure_name, schedule_name, type_name

Value = TypeVar("Value")


def change_catalog(catalog: Catalog, command: CatalogCommand, version: int) -> Catalog:
    """Return the catalogue after a change; it stays whole: it names nothing that is not there."""
    business_id = catalog.business.business_id
    catalog = replace(catalog, version=version)
    match command:
        case PutBusiness(business=business):
            return replace(catalog, business=business)
        case PutCalendar(create=create, calendar=calendar):
            _check_calendar(catalog, calendar)
            name = calendar_name(business_id, calendar.calendar_id)
            calendars = _put(catalog.calendars, calendar.calendar_id, calendar, name, create)
            return replace(catalog, calendars=calendars)
        case PutType(create=create, type=type_):
            _check_type(catalog, type_)
            name = type_name(business_id, type_.type_id)
            return replace(catalog, types=_put(catalog.types, type_.type_id, type_, name, create))
        case PutSchedule(create=create, schedule=schedule):
            name = schedule_name(business_id, schedule.schedule_id)
            schedules = _put(catalog.schedules, schedule.schedule_id, schedule, name, create)
            return replace(catalog, schedules=schedules)
        case PutClosure(create=create, closure=closure):
            _check_closure(catalog, closure)
            name = closure_name(business_id, closure.closure_id)
            closures = _put(catalog.closures, closure.closure_id, closure, name, create)
            return replace(catalog, closures=closures)
        case DeleteBusiness() | ImportBusy() | DeleteFeed():
            return catalog
        case _:
            return _delete(catalog, command)


def _delete(
    catalog: Catalog, command: DeleteCalendar | DeleteType | DeleteSchedule | DeleteClosure
) -> Catalog:
    business_id = catalog.business.business_id
    match command:
        case DeleteCalendar(calendar_id=calendar_id):
            _check_calendar_unused(catalog, calendar_id)
            name = calendar_name(business_id, calendar_id)
            return replace(catalog, calendars=_without(catalog.calendars, calendar_id, name))
        case DeleteType(type_id=type_id):
            name = type_name(business_id, type_id)
            return replace(catalog, types=_without(catalog.types, type_id, name))
        case DeleteSchedule(schedule_id=schedule_id):
            _check_schedule_unused(catalog, schedule_id)
            name = schedule_name(business_id, schedule_id)
            return replace(catalog, schedules=_without(catalog.schedules, schedule_id, name))
        case DeleteClosure(closure_id=closure_id):
            name = closure_name(business_id, closure_id)
            return replace(catalog, closures=_without(catalog.closures, closure_id, name))


def _put(
    kept: Mapping[str, Value], key: str, value: Value, name: str, create: bool
) -> dict[str, Value]:
    if create and key in kept:
        raise ResourceExists(name)
    if not create and key not in kept:
        raise ResourceNotFound(name)
    return {**kept, key: value}


def _without(kept: Mapping[str, Value], key: str, name: str) -> dict[str, Value]:
    if key not in kept:
        raise ResourceNotFound(name)
    return {other: value for other, value in kept.items() if other != key}


def _check_calendar(catalog: Catalog, calendar: Calendar) -> None:
    if calendar.schedule_id not in catalog.schedules:
        raise ResourceNotFound(schedule_name(catalog.business.business_id, calendar.schedule_id))


def _check_type(catalog: Catalog, type_: AppointmentType) -> None:
    for calendar_id in (*type_.any_of, *type_.all_of):
        if calendar_id not in catalog.calendars:
            raise ResourceNotFound(calendar_name(catalog.business.business_id, calendar_id))


def _check_closure(catalog: Catalog, closure: Closure) -> None:
    for calendar_id in sorted(closure.calendar_ids):
        if calendar_id not in catalog.calendars:
            raise ResourceNotFound(calendar_name(catalog.business.business_id, calendar_id))


def _check_calendar_unused(catalog: Catalog, calendar_id: str) -> None:
    business_id = catalog.business.business_id
    for type_ in catalog.types.values():
        if calendar_id in type_.any_of or calendar_id in type_.all_of:
            raise ResourceInUse(used_by=type_name(business_id, type_.type_id))
    for closure in catalog.closures.values():
        if calendar_id in closure.calendar_ids:
            raise ResourceInUse(used_by=closure_name(business_id, closure.closure_id))


def _check_schedule_unused(catalog: Catalog, schedule_id: str) -> None:
    for calendar in catalog.calendars.values():
        if calendar.schedule_id == schedule_id:
            used_by = calendar_name(catalog.business.business_id, calendar.calendar_id)
            raise ResourceInUse(used_by=used_by)
