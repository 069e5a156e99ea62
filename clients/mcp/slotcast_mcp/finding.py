"""Finding: what there is, which times are open, and why a time is not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from slotcast import Client, Slot, SlotQuery, TimePick, TimeReading, TimeWindow
from slotcast_mcp.answers import (
    Answer,
    OpenTime,
    Reading,
    Service,
    ServicePerson,
    Services,
    Times,
    WithPerson,
)
from slotcast_mcp.catalogue import Catalogue, chosen_minutes, load, minutes_of, people_of
from slotcast_mcp.ids import Time, instant_text, last_part, window_text
from slotcast_mcp.inputs import FindTimes, ListServices
from slotcast_mcp.quoting import listed, quoted
from slotcast_mcp.words import minutes_in_words, span_in_words, zone_of

SERVICES_MAX = 50
PEOPLE_MAX = 20
"""Of so many services, and of so many people of each, is told."""
READINGS_MAX = 3
WINDOWS_MAX = 10
SLOTS_PER_WINDOW_MAX = 1000
WINDOW_MAX = timedelta(days=62)
NEAR = timedelta(hours=3)
"""How far around a moment the nearest times are looked for."""


async def list_services(client: Client, _: ListServices) -> Answer:
    """Tell what can be booked, with whom, for how long and at what price."""
    catalogue, business = await asyncio.gather(load(client), client.get_business(""))
    told = [_service(catalogue, service_id) for service_id in list(catalogue.services)]
    zones = sorted({person.time_zone for person in catalogue.people.values()})
    content = Services(
        business=business.display_name,
        location=business.location,
        phone=business.phone,
        business_time_zones=zones[:WINDOWS_MAX],
        services=told[:SERVICES_MAX],
        next_step=(
            "Ask the person which service they want, when, and in which time zone they are; then"
            " call find_times."
        ),
    )
    lines = [f"{content.business} offers:", *map(_service_line, content.services)]
    if len(told) > SERVICES_MAX:
        lines.append(f"... and {len(told) - SERVICES_MAX} more.")
    return Answer("\n".join(lines), content)


async def find_times(client: Client, asked: FindTimes) -> Answer:
    """Tell which times are open: for each thing that `when` may mean."""
    zone = zone_of(asked.time_zone)
    catalogue, readings = await asyncio.gather(
        load(client),
        client.resolve_time(asked.when, time_zone=zone.key, language=asked.language),
    )
    service = catalogue.service(asked.service)
    query = SlotQuery(
        start=readings[0].windows[0].start,
        end=readings[0].windows[0].end,
        appointment_types=(last_part(service.name),),
        calendars=tuple(filter(None, (catalogue.person(asked.person, service),))),
        duration=timedelta(minutes=chosen_minutes(service, asked.minutes)),
        holder=asked.conversation,
    )
    looking = Looking(client, catalogue, zone, query)
    found = [
        await looking.open_times(reading, number, asked.limit)
        for number, reading in enumerate(readings[:READINGS_MAX], 1)
    ]
    times = [each for some in found for each in some.times]
    content = Times(
        service=service.display_name,
        price=catalogue.price(last_part(service.name)),
        time_zone=zone.key,
        readings=[
            told_reading(reading, number, zone, is_exact=some.is_exact)
            for number, (reading, some) in enumerate(zip(readings, found, strict=False), 1)
        ],
        times=times,
        exact=all(some.is_exact for some in found),
        more=any(some.more for some in found),
        next_step=_step_after_finding(len(readings), found),
    )
    return Answer(_times_text(asked, content, found, query), content)


@dataclass(frozen=True, slots=True)
class Found:
    """The open times of one reading; `is_near`: none of them is what was meant, but near it."""

    times: list[OpenTime]
    more: bool = False
    is_near: bool = False

    @property
    def is_exact(self) -> bool:
        """True: what was meant is open."""
        return bool(self.times) and not self.is_near


@dataclass(frozen=True, slots=True)
class Looking:
    """A look for open times of one service."""

    client: Client
    catalogue: Catalogue
    zone: ZoneInfo
    query: SlotQuery

    async def open_times(self, reading: TimeReading, number: int, limit: int) -> Found:
        """Find the times that a reading means."""
        slots: list[Slot] = []
        for window in reading.windows[:WINDOWS_MAX]:
            slots.extend(await self.slots(window))
            if reading.pick is TimePick.FIRST and slots:
                break
        times = self.told(slots, number)
        match reading.pick:
            case TimePick.AT:
                return await self._at(reading, times, number, limit)
            case TimePick.FIRST:
                return Found(times[:1], more=len(times) > 1)
            case TimePick.LAST:
                return Found(times[-1:], more=len(times) > 1)
        return Found(spread(times, limit), more=len(times) > limit)

    async def slots(self, window: TimeWindow) -> Sequence[Slot]:
        """List the open slots of one window."""
        end = min(window.end, window.start + WINDOW_MAX)
        query = SlotQuery(
            start=window.start,
            end=end,
            appointment_types=self.query.appointment_types,
            calendars=self.query.calendars,
            duration=self.query.duration,
            holder=self.query.holder,
        )
        page = await self.client.list_slots(query, page_size=SLOTS_PER_WINDOW_MAX)
        return page.items

    async def near(self, moment: datetime, limit: int, number: int = 1) -> list[OpenTime]:
        """Find the open times around a moment, the nearest first."""
        slots = await self.slots(TimeWindow(moment - NEAR, moment + NEAR))
        nearest = sorted(slots, key=lambda slot: abs(slot.start - moment))
        return self.told(nearest, number)[:limit]

    def told(self, slots: Iterable[Slot], number: int = 1) -> list[OpenTime]:
        """Tell slots, those of one start together, in their order."""
        return told_slots(slots, self.catalogue, self.zone, number)

    async def _at(
        self, reading: TimeReading, times: list[OpenTime], number: int, limit: int
    ) -> Found:
        starts = {instant_text(each.start.astimezone(self.zone)) for each in reading.windows}
        exact = [each for each in times if each.time.split("|")[2] in starts]
        if exact:
            return Found(exact[:limit])
        near = await self.near(reading.windows[0].start, limit, number)
        return Found(near, is_near=True)


def told_reading(
    reading: TimeReading, number: int, zone: ZoneInfo, *, is_exact: bool | None = None
) -> Reading:
    """Tell one thing that words for a time may mean."""
    return Reading(
        reading=number,
        words=reading.words,
        windows=[window_text(_local(each, zone)) for each in reading.windows[:WINDOWS_MAX]],
        exact=is_exact,
    )


def told_slots(
    slots: Iterable[Slot], catalogue: Catalogue, zone: ZoneInfo, number: int = 1
) -> list[OpenTime]:
    """Tell slots: those that follow each other and start and end together are one time."""
    told = []
    for (start, end), together in groupby(slots, key=lambda slot: (slot.start, slot.end)):
        each_with = [_with_person(slot, catalogue, zone) for slot in together]
        name = each_with[0].time
        if len(each_with) > 1:
            service, _, rest = name.split("|", 2)
            name = f"{service}||{rest}"
        words = span_in_words(start, end, zone)
        told.append(OpenTime(time=name, time_in_words=words, with_whom=each_with, reading=number))
    return told


def spread(times: list[OpenTime], limit: int) -> list[OpenTime]:
    """Choose so many times, evenly: the first and the last are among them."""
    if len(times) <= limit:
        return times
    if limit == 1:
        return times[:1]
    return [times[place * (len(times) - 1) // (limit - 1)] for place in range(limit)]


def time_line(time: OpenTime) -> str:
    """Tell a time in a line, with its name."""
    who = listed([each.person for each in time.with_whom])
    return f"- {time.time_in_words} with {who} [time: {time.time}]"


def _with_person(slot: Slot, catalogue: Catalogue, zone: ZoneInfo) -> WithPerson:
    time = Time(
        last_part(slot.appointment_type),
        last_part(slot.calendar),
        slot.start.astimezone(zone),
        (slot.end - slot.start) // timedelta(minutes=1),
    )
    return WithPerson(person=catalogue.person_name(time.person), time=str(time))


def _service(catalogue: Catalogue, service_id: str) -> Service:
    service = catalogue.services[service_id]
    return Service(
        service=service_id,
        name=service.display_name,
        minutes=minutes_of(service),
        price=catalogue.price(service_id),
        people=[
            ServicePerson(person=person_id, name=catalogue.person_name(person_id))
            for person_id in people_of(service)[:PEOPLE_MAX]
        ],
        needs_approval=service.requires_approval,
        places=max(service.capacity, 1),
    )


def _service_line(service: Service) -> str:
    lengths = listed([str(each) for each in service.minutes])
    price = f", {service.price}" if service.price else ""
    people = listed([f"{each.name} [person: {each.person}]" for each in service.people])
    approval = "; the business has to agree" if service.needs_approval else ""
    return (
        f"- {service.name} [service: {service.service}], {lengths} minutes{price}, with"
        f" {people}{approval}"
    )


def _local(window: TimeWindow, zone: ZoneInfo) -> TimeWindow:
    return TimeWindow(window.start.astimezone(zone), window.end.astimezone(zone))


def _step_after_finding(readings: int, found: Sequence[Found]) -> str:
    if readings > 1:
        return (
            "The words can mean more than one time. Ask the person which reading they mean, before"
            " you offer a time."
        )
    if not found[0].times:
        return (
            "Nothing is open then. Offer another day and call find_times again, or offer to wait:"
            " join_waitlist, with the `windows` of the reading."
        )
    if found[0].is_near:
        return (
            "The time that was asked for is not open: tell the person so, and offer these, which"
            " are the nearest to it. Do not hold one before they have chosen it; then call"
            " hold_time with its `time`. Or offer to wait: join_waitlist."
        )
    return (
        "Offer these times, and tell the person how their words were read. Once they choose, call"
        " hold_time with its `time`, so that nobody takes it meanwhile; then have them confirm, and"
        " call book."
    )


def _times_text(asked: FindTimes, content: Times, found: Sequence[Found], query: SlotQuery) -> str:
    assert query.duration is not None
    length = minutes_in_words(query.duration // timedelta(minutes=1))
    price = f", {content.price}" if content.price else ""
    lines = [f"{content.service}, {length}{price}."]
    for reading, some in zip(content.readings, found, strict=True):
        lines.append(f"{quoted(asked.when)} was read as: {reading.words}.")
        if some.is_near:
            lines.append("That time itself is not open. Near it:")
        if not some.times:
            lines.append("Nothing is open.")
        lines.extend(map(time_line, some.times))
    if content.more:
        lines.append("There are more times between these.")
    return "\n".join(lines)
