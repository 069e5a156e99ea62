"""Finding: what there is, which times are open, and why a time is not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from slotcast import Client, Page, Slot, SlotQuery, TimePick, TimeReading, TimeWindow
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
from slotcast_mcp.words import minutes_in_words, moment_in_words, span_in_words, zone_of

SERVICES_MAX = 50
PEOPLE_MAX = 20
"""Of so many services, and of so many people of each, is told."""
READINGS_MAX = 3
WINDOWS_MAX = 10
SLOTS_PER_PAGE_MAX = 1000
PAGES_MAX = 3
"""Of so many slots of one span of days is looked at; the answer says where it ended."""
PARTS_MAX = 62
"""Of so many windows each by itself, where too much is open between them."""
QUERIES_AT_ONCE = 8
GAP_MAX = timedelta(days=1)
"""Windows that are no further apart are asked for together."""
WINDOW_MAX = timedelta(days=62)
A_MINUTE = timedelta(minutes=1)
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
    found = await asyncio.gather(
        *(
            looking.open_times(reading, number, asked.limit)
            for number, reading in enumerate(readings[:READINGS_MAX], 1)
        )
    )
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
    """The open times of one reading.

    is_near: none of them is what was meant, but near it.
    until: there was more to look at than is looked at, from this instant on.
    """

    times: list[OpenTime]
    more: bool = False
    is_near: bool = False
    until: datetime | None = None

    @property
    def is_exact(self) -> bool | None:
        """True: what was meant is open. None: none was found, and not all was looked at."""
        if self.times and not self.is_near:
            return True
        return False if self.until is None else None


@dataclass(frozen=True, slots=True)
class Span:
    """Windows near each other, and the one that is asked for."""

    window: TimeWindow
    parts: tuple[TimeWindow, ...]

    def has(self, start: datetime) -> bool:
        """Tell whether one of the windows has an instant."""
        return any(each.start <= start < each.end for each in self.parts)

    def is_near(self, window: TimeWindow) -> bool:
        """Tell whether a later window can be asked for together with these."""
        is_short = window.end - self.window.start <= WINDOW_MAX
        return is_short and window.start - self.window.end <= GAP_MAX

    def since(self, instant: datetime) -> list[Span]:
        """Return what of its windows is left from an instant on, each by itself."""
        left = [TimeWindow(max(each.start, instant), each.end) for each in self.parts]
        return [Span(each, (each,)) for each in left if each.start < each.end]

    def slices(self, *, is_last: bool) -> Iterator[Span]:
        """Yield it in parts of a day, two, four and so on, from one end to the other."""
        first, last = self.window
        length = timedelta(days=1)
        while first < last:
            if is_last:
                start, end = max(first, last - length), last
                last = start
            else:
                start, end = first, min(last, first + length)
                first = end
            yield Span(TimeWindow(start, end), self.parts)
            length *= 2


@dataclass(frozen=True, slots=True)
class Looking:
    """A look for open times of one service."""

    client: Client
    catalogue: Catalogue
    zone: ZoneInfo
    query: SlotQuery

    async def open_times(self, reading: TimeReading, number: int, limit: int) -> Found:
        """Find the times that a reading means."""
        spans = self._spans(reading.windows)
        if reading.pick in (TimePick.FIRST, TimePick.LAST):
            is_last = reading.pick is TimePick.LAST
            times = self.told(await self._at_an_end(spans, is_last=is_last), number)
            return Found(times[-1:] if is_last else times[:1], more=len(times) > 1)
        slots, until = await self._all(spans, asyncio.Semaphore(QUERIES_AT_ONCE))
        times = self.told(slots, number)
        if reading.pick is TimePick.AT:
            return await self._at(reading, Found(times, until=until), number, limit)
        return Found(spread(times, limit), len(times) > limit or until is not None, until=until)

    async def slots(self, window: TimeWindow) -> Sequence[Slot]:
        """List the open slots of one window, as many as a page has."""
        return (await self._page(window)).items

    def _spans(self, windows: Sequence[TimeWindow]) -> list[Span]:
        """Put windows together that lie near each other: what is between them is passed over."""
        spans: list[Span] = []
        for window in windows:
            last = spans[-1] if spans else None
            if last is not None and last.is_near(window):
                spans[-1] = Span(TimeWindow(last.window.start, window.end), (*last.parts, window))
            else:
                spans.append(Span(window, (window,)))
        return spans

    async def _all(
        self, spans: Sequence[Span], gate: asyncio.Semaphore
    ) -> tuple[list[Slot], datetime | None]:
        """List what is open in spans, and from where on it was too much to look at."""
        slots: list[Slot] = []
        for some, until in await asyncio.gather(*(self._in(span, gate) for span in spans)):
            slots.extend(some)
            if until is not None:
                return slots, until
        return slots, None

    async def _in(self, span: Span, gate: asyncio.Semaphore) -> tuple[list[Slot], datetime | None]:
        """List what is open in a span: of many windows each by itself, once a page is full."""
        is_one = len(span.parts) == 1
        async with gate:
            slots, until = await self._pages(span, PAGES_MAX if is_one else 1)
        if until is None or is_one:
            return slots, until
        left = span.since(until)
        later, ended = await self._all(left[:PARTS_MAX], gate)
        if ended is None and len(left) > PARTS_MAX:
            ended = left[PARTS_MAX].window.start
        return slots + later, ended

    async def _at_an_end(self, spans: Sequence[Span], *, is_last: bool) -> list[Slot]:
        """List slots from the first that is open on, or up to the last."""
        left = list(reversed(spans)) if is_last else list(spans)
        at_once = 1
        while left:
            some, left = left[:at_once], left[at_once:]
            ends = (self._end_of(span, is_last=is_last) for span in some)
            for slots in await asyncio.gather(*ends):
                if slots:
                    return slots
            at_once = QUERIES_AT_ONCE
        return []

    async def _end_of(self, span: Span, *, is_last: bool) -> list[Slot]:
        for part in span.slices(is_last=is_last):
            slots, until = await self._pages(part, PAGES_MAX)
            if until is not None and until > part.window.start and (is_last or not slots):
                rest = Span(TimeWindow(until, part.window.end), part.parts)
                slots = await self._end_of(rest, is_last=is_last) or slots
            if slots:
                return slots
        return []

    async def _pages(self, span: Span, pages_max: int) -> tuple[list[Slot], datetime | None]:
        """List what is open in a span, and the start before which that is all of it."""
        slots: list[Slot] = []
        token = ""
        for _ in range(pages_max):
            page = await self._page(span.window, token)
            slots.extend(slot for slot in page.items if span.has(slot.start))
            token = page.next_page_token
            if not token:
                return slots, None
        until = page.items[-1].start
        return [slot for slot in slots if slot.start < until], until

    async def _page(self, window: TimeWindow, token: str = "") -> Page[Slot]:
        end = min(window.end, window.start + WINDOW_MAX)
        query = replace(self.query, start=window.start, end=end)
        return await self.client.list_slots(query, page_size=SLOTS_PER_PAGE_MAX, page_token=token)

    async def near(self, moment: datetime, limit: int, number: int = 1) -> list[OpenTime]:
        """Find the open times around a moment, the nearest first."""
        slots = await self.slots(TimeWindow(moment - NEAR, moment + NEAR))
        nearest = sorted(slots, key=lambda slot: abs(slot.start - moment))
        return self.told(nearest, number)[:limit]

    def told(self, slots: Iterable[Slot], number: int = 1) -> list[OpenTime]:
        """Tell slots, those of one start together, in their order."""
        return told_slots(slots, self.catalogue, self.zone, number)

    async def _at(self, reading: TimeReading, found: Found, number: int, limit: int) -> Found:
        starts = {instant_text(each.start.astimezone(self.zone)) for each in reading.windows}
        exact = [each for each in found.times if each.time.split("|")[2] in starts]
        until = found.until
        if exact:
            more = len(exact) > limit or until is not None
            return Found(spread(exact, limit), more, until=until)
        near = await self.near(reading.windows[0].start, limit, number)
        return Found(near, until is not None, is_near=True, until=until)


def told_reading(
    reading: TimeReading, number: int, zone: ZoneInfo, *, is_exact: bool | None = None
) -> Reading:
    """Tell one thing that words for a time may mean; a start is a window of a minute."""
    windows = reading.windows[:WINDOWS_MAX]
    if reading.pick is TimePick.AT:
        windows = tuple(TimeWindow(each.start, each.start + A_MINUTE) for each in windows)
    return Reading(
        reading=number,
        words=reading.words,
        windows=[window_text(_local(each, zone)) for each in windows],
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
    if found[0].until is not None and not found[0].is_exact:
        return (
            "Not all of that time was looked at, and none was found in what was: do not say that"
            " nothing is open. Ask the person for a day or a week, and call find_times again."
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
            is_known = some.until is None
            told = "is not open" if is_known else "was not found"
            lines.append(f"That time itself {told}. Near it:")
        if not some.times:
            lines.append("Nothing is open." if some.until is None else "Nothing was found.")
        lines.extend(map(time_line, some.times))
        if some.until is not None:
            ended = moment_in_words(some.until, zone_of(asked.time_zone))
            lines.append(f"Only times before {ended} were looked at: ask for later ones by a day.")
    if content.more:
        lines.append("There are more times than these.")
    return "\n".join(lines)
