"""The owner: changes the catalogue while others book, and puts busy time on calendars."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.robustness.catalogue import CALENDARS, PRICES, QUARTER, TYPES
from tests.robustness.history import Call, Outcome
from tests.robustness.traffic.ground import Doors, Drawn, Ground, calendar_name, type_name
from tests.robustness.traffic.requests import PARENT, timestamp

CLOSURES = ("closure-1", "closure-2")
FEEDS = ("feed-1", "feed-2")
ATTEMPTS_MAX = 3
DEADLINE_SECONDS = 1.5


class Owner:
    """Closes and opens, imports, and alters a type, every second or so."""

    def __init__(self, ground: Ground, random: Random, name: str) -> None:
        """Take what it stands on."""
        self._ground = ground
        self._random = random
        self._name = name
        self._numbers = 0
        self._closed: set[str] = set()

    async def run(self) -> None:
        """Make changes until the traffic is over."""
        async with Doors(self._ground.targets) as doors:
            while await self._ground.pause(self._random.uniform(0.5, 2.0)):
                await self._operate(doors, self._drawn())

    def _drawn(self) -> Drawn:
        choice = self._random.random()
        if choice < 0.5:
            return self._open_or_close()
        if choice < 0.8:
            return self._import()
        return self._alter()

    def _open_or_close(self) -> Drawn:
        closure = self._random.choice(CLOSURES)
        if closure in self._closed:
            self._closed.discard(closure)
            name = f"{PARENT}/closures/{closure}"
            delete = catalog_pb.DeleteClosureRequest(name=name, request_id=self._request_id())
            return Drawn("DeleteClosure", delete)
        self._closed.add(closure)
        start, end = self._span()
        calendars = self._random.choice(((), CALENDARS[:1], CALENDARS[1:]))
        create = catalog_pb.CreateClosureRequest(
            parent=PARENT,
            closure_id=closure,
            request_id=self._request_id(),
            closure=catalog_pb.Closure(
                display_name="Closed for a while",
                calendars=[calendar_name(each) for each in calendars],
                times=catalog_pb.TimeSpan(start_time=timestamp(start), end_time=timestamp(end)),
            ),
        )
        return Drawn("CreateClosure", create)

    def _import(self) -> Drawn:
        spans = [self._span() for _ in range(self._random.randint(0, 2))]
        request = catalog_pb.ImportBusyFeedRequest(
            calendar=calendar_name(self._random.choice(CALENDARS)),
            feed_id=self._random.choice(FEEDS),
            ics=_calendar_file(spans),
            request_id=self._request_id(),
        )
        return Drawn("ImportBusyFeed", request)

    def _alter(self) -> Drawn:
        request = catalog_pb.UpdateAppointmentTypeRequest(
            appointment_type=altered_type(self._random), request_id=self._request_id()
        )
        return Drawn("UpdateAppointmentType", request)

    def _span(self) -> tuple[datetime, datetime]:
        start = self._random.choice(self._ground.starts)
        return start, start + QUARTER * self._random.randint(1, 4)

    def _request_id(self) -> str:
        self._numbers += 1
        return f"{self._name}-{self._numbers}"

    async def _operate(self, doors: Doors, drawn: Drawn) -> None:
        recorder = self._ground.recorder
        operation = recorder.operation()
        for _ in range(ATTEMPTS_MAX):
            server = self._random.choice(self._ground.servers)
            call = recorder.begin(operation, self._name, server, drawn.method, drawn.request)
            await self._make(doors, call)
            if call.outcome is not Outcome.UNKNOWN:
                return

    async def _make(self, doors: Doors, call: Call) -> None:
        method = getattr(doors.by_server[call.server].catalog, call.method)
        await self._ground.recorder.make(
            call,
            lambda: method(
                call.request,
                timeout=DEADLINE_SECONDS,
                metadata=self._ground.metadata(self._name),
            ),
        )


def altered_type(random: Random) -> catalog_pb.AppointmentType:
    """Let a class take another number, or a colour another time afterwards, at another price."""
    type_id = random.choice(("class", "colour"))
    type_ = catalogue_type(type_id)
    type_.name = type_name(type_id)
    if type_id == "class":
        type_.capacity = random.choice((2, 3, 4))
        type_.price = PRICES[type_id][type_.capacity % 2]
    else:
        buffer = random.choice((timedelta(), QUARTER))
        type_.buffer_after.FromTimedelta(buffer)
        type_.price = PRICES[type_id][not buffer]
    return type_


def catalogue_type(type_id: str) -> catalog_pb.AppointmentType:
    """Return a type of the catalogue as the API has it, without its name."""
    rules = TYPES[type_id]
    type_ = catalog_pb.AppointmentType(
        display_name=type_id,
        capacity=rules.capacity,
        requires_approval=rules.requires_approval,
        price=PRICES.get(type_id, ("",))[0],
        any_of=[calendar_name(each) for each in rules.any_of],
        all_of=[calendar_name(each) for each in rules.all_of],
    )
    type_.durations.add().FromTimedelta(rules.duration)
    type_.slot_step.FromTimedelta(rules.step)
    type_.buffer_after.FromTimedelta(rules.buffer_after)
    type_.minimum_notice.FromTimedelta(rules.notice)
    type_.horizon.FromTimedelta(rules.horizon)
    type_.hold_duration.FromTimedelta(rules.hold)
    type_.offer_duration.FromTimedelta(rules.offer)
    return type_


def _calendar_file(spans: list[tuple[datetime, datetime]]) -> bytes:
    events = [
        f"BEGIN:VEVENT\r\nUID:{number}\r\nDTSTAMP:20300101T000000Z\r\n"
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDTEND:{end:%Y%m%dT%H%M%SZ}\r\nEND:VEVENT\r\n"
        for number, (start, end) in enumerate(spans)
    ]
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Slotcast//Tests//EN\r\n"
    return f"{head}{''.join(events)}END:VCALENDAR\r\n".encode()
