"""A business for assistants: two stylists in Berlin, always open, and who books there."""

import asyncio
import contextlib
import json
import os
import re
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from google.protobuf.duration_pb2 import Duration
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast_mcp.clients import Clients
from slotcast_mcp.web import Door, WebServer
from tests.rpc.stack import Caller, a_request_id, stamp

ZONE = "Europe/Berlin"
ADA = {"name": "Ada Lovelace", "email": "ada@example.com"}
PRICE = "45.00 EUR"
PATIENCE_SECONDS = 60
"""These tests look at what is answered, not at how fast this machine is today."""
_conversations = count(1)

DAY = r"[A-Z][a-z]+day \d{1,2} [A-Z][a-z]+ \d{4}"
OFFSET = r"UTC[+-]\d{2}:\d{2}"
WHOLE_TIME = re.compile(rf'{DAY}[^()"\n]* \([\w/+-]+, {OFFSET}( to {OFFSET})?\)')
ID = re.compile(
    r"[\w-]*\|[^\s\]\"]+|\d{4}-\d{2}-\d{2}T[\d:.]+[+-][\d:]+/\d{4}-\d{2}-\d{2}T[\d:.]+[+-][\d:]+"
)
QUOTED_BY_PEOPLE = re.compile(r'(?<=for )"[^"]*"|^"[^"]*"(?= was read)', re.MULTILINE)
LOOSE_TIME = re.compile(r"(?<!UTC[+-])\b\d{1,2}:\d{2}\b|\b\d{4}-\d{2}-\d{2}\b")


class Salon:
    """The business, its keys, and its tools."""

    def __init__(self, stack, loop_thread, channel, business_id):
        self.stack = stack
        self.database_url = ""
        self.business_id = business_id
        self.business = f"businesses/{business_id}"
        self.url = ""
        self._assistants = []
        self._loop_thread = loop_thread
        self._channel = channel
        self.key = self.make_key()
        self.caller = Caller(channel, self.key, business_id)

    def make_key(self, *scopes):
        given = {"scopes": scopes} if scopes else {}
        return self._loop_thread.run(self.stack.make_key(self.business_id, **given))

    def make(self, operator):
        for request in self._requests():
            method = getattr(operator.catalog, type(request).__name__.removesuffix("Request"))
            operator.call(method, request)

    def _requests(self):
        always = [catalog_pb.WallInterval(start="00:00", end="24:00")]
        business, own = self.business, self.business
        yield catalog_pb.CreateBusinessRequest(
            business_id=self.business_id,
            business=catalog_pb.Business(display_name="Salon Ada", location="Hauptstr. 1, Berlin"),
            request_id=a_request_id(),
        )
        yield catalog_pb.CreateScheduleRequest(
            parent=business,
            schedule_id="always",
            schedule=catalog_pb.Schedule(
                display_name="Always",
                weekly=[
                    catalog_pb.WeekdayHours(weekday=day, intervals=always)
                    for day in catalog_pb.Weekday.values()
                    if day
                ],
            ),
            request_id=a_request_id(),
        )
        for person in ("anna", "ben"):
            yield catalog_pb.CreateCalendarRequest(
                parent=business,
                calendar_id=person,
                calendar=catalog_pb.Calendar(
                    display_name=person.title(),
                    time_zone=ZONE,
                    schedule=f"{own}/schedules/always",
                ),
                request_id=a_request_id(),
            )
        for service, people in (("haircut", ("anna", "ben")), ("shave", ("ben",))):
            yield catalog_pb.CreateAppointmentTypeRequest(
                parent=business,
                appointment_type_id=service,
                appointment_type=catalog_pb.AppointmentType(
                    display_name=service.title(),
                    durations=[Duration(seconds=1800), Duration(seconds=3600)],
                    slot_step=Duration(seconds=1800),
                    minimum_notice=Duration(seconds=3600),
                    cancellation_notice=Duration(seconds=7200),
                    any_of=[f"{own}/calendars/{person}" for person in people],
                    price=PRICE if service == "haircut" else "",
                ),
                request_id=a_request_id(),
            )

    @contextlib.contextmanager
    def serving(self, business_id=None, **door):
        """Serve the tools of this business, or another, at another door until the block ends."""
        doors = Doors()
        business_id = business_id or self.business_id
        yield self._loop_thread.run(doors.open(self.stack.address, business_id, **door))
        self._loop_thread.run(doors.close())

    @contextlib.asynccontextmanager
    async def over_http(self, key=None, mode="auto", url=None):
        """The official client over streamable HTTP, with a key."""
        headers = {"authorization": f"Bearer {key or self.key}"}
        async with (
            create_mcp_http_client(headers=headers) as http,
            Client(
                streamable_http_client(url or self.url, http_client=http),
                mode=mode,
                cache=None,
            ) as client,
        ):
            yield client

    @contextlib.asynccontextmanager
    async def over_stdio(self, mode="auto"):
        """The official client, which starts the server as a process of its own."""
        target = self.stack.address
        parameters = StdioServerParameters(
            command=sys.executable,
            args=[
                *f"-m slotcast_mcp --target {target} --business {self.business_id}".split(),
                *("--deadline-seconds", str(PATIENCE_SECONDS)),
            ],
            env={"SLOTCAST_API_KEY": self.key, "PATH": os.environ["PATH"]},
        )
        async with Client(parameters, mode=mode, cache=None) as client:
            yield client

    def assistant(self, *scopes, conversation=None, url=None):
        """An assistant over HTTP, in a conversation of its own, with some scopes or all."""
        key = self.make_key(*scopes) if scopes else self.key
        assistant = Assistant(self.over_http(key, url=url), conversation)
        self._assistants.append(assistant)
        return assistant

    async def let_assistants_go(self):
        """End their connections."""
        for assistant in self._assistants:
            await assistant.leave()

    def bookings(self):
        """All bookings that stand."""
        start = datetime.now(ZoneInfo(ZONE)) - timedelta(days=1)
        request = booking_pb.ListBookingsRequest(
            parent=self.business,
            start_time=stamp(start),
            end_time=stamp(start + timedelta(days=60)),
            statuses=[booking_pb.BOOKING_STATUS_CONFIRMED],
        )
        return self.caller.call(self.caller.bookings.ListBookings, request).bookings

    def waits_for(self, entry):
        """The starts of the windows in which an entry of the waitlist waits, by the service."""
        request = booking_pb.GetWaitlistEntryRequest(name=f"{self.business}/waitlist/{entry}")
        windows = self.caller.call(self.caller.bookings.GetWaitlistEntry, request).entry.windows
        return [each.start_time.ToDatetime(UTC) for each in windows]

    def redeem(self, ticket):
        """Take over a ticket as its form does."""
        request = booking_pb.RedeemHandoffRequest(
            parent=self.business, request_id=a_request_id(), ticket=ticket, holder="form"
        )
        form = Caller(self._channel, ticket, self.business_id)
        return form.call(form.bookings.RedeemHandoff, request)

    def complete(self, ticket):
        """Take over a ticket and book its hold, as its form does."""
        hold = self.redeem(ticket).hold
        form = Caller(self._channel, ticket, self.business_id)
        request = booking_pb.BookRequest(
            parent=self.business,
            request_id=a_request_id(),
            appointments=[booking_pb.Appointment(hold=hold.name)],
            customer=booking_pb.Customer(display_name="Ada Lovelace"),
            holder="form",
        )
        form.call(form.bookings.Book, request)

    def change_service(self, service, **changes):
        """Change a service, such as what it costs."""
        catalog = self.caller.catalog
        name = f"{self.business}/appointmentTypes/{service}"
        request = catalog_pb.GetAppointmentTypeRequest(name=name)
        type_ = self.caller.call(catalog.GetAppointmentType, request).appointment_type
        for field, value in changes.items():
            setattr(type_, field, value)
        change = catalog_pb.UpdateAppointmentTypeRequest(
            appointment_type=type_, request_id=a_request_id()
        )
        self.caller.call(catalog.UpdateAppointmentType, change)

    def close(self, first_day, last_day):
        """Close the whole salon, both days included."""
        closure = catalog_pb.Closure(display_name="Holidays")
        closure.dates.first_date, closure.dates.last_date = first_day, last_day
        request = catalog_pb.CreateClosureRequest(
            parent=self.business, closure_id="holidays", closure=closure, request_id=a_request_id()
        )
        self.caller.call(self.caller.catalog.CreateClosure, request)

    def open_on_weekdays(self, person, *hours):
        """Let someone be there on Monday to Friday only, in some hours of the wall clock."""
        weekly = [
            catalog_pb.WeekdayHours(
                weekday=day,
                intervals=[catalog_pb.WallInterval(start=start, end=end) for start, end in hours],
            )
            for day in catalog_pb.Weekday.values()
            if 0 < day < 6
        ]
        catalog, schedule = self.caller.catalog, catalog_pb.Schedule(display_name="Weekdays")
        schedule.weekly.extend(weekly)
        created = catalog_pb.CreateScheduleRequest(
            parent=self.business,
            schedule_id=f"of-{person}",
            schedule=schedule,
            request_id=a_request_id(),
        )
        self.caller.call(catalog.CreateSchedule, created)
        name = f"{self.business}/calendars/{person}"
        request = catalog_pb.GetCalendarRequest(name=name)
        calendar = self.caller.call(catalog.GetCalendar, request).calendar
        calendar.schedule = f"{self.business}/schedules/of-{person}"
        change = catalog_pb.UpdateCalendarRequest(calendar=calendar, request_id=a_request_id())
        self.caller.call(catalog.UpdateCalendar, change)

    def rename(self, person, name):
        """Let someone be called otherwise."""
        catalog, path = self.caller.catalog, f"{self.business}/calendars/{person}"
        request = catalog_pb.GetCalendarRequest(name=path)
        calendar = self.caller.call(catalog.GetCalendar, request).calendar
        calendar.display_name = name
        change = catalog_pb.UpdateCalendarRequest(calendar=calendar, request_id=a_request_id())
        self.caller.call(catalog.UpdateCalendar, change)

    async def run(self, statement):
        """Change the tables behind the server's back: only time passes so."""
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def holds_expire(self):
        """Let all holds of the business have expired an instant ago."""
        for table in ("claims", "holds"):
            await self.run(
                f"UPDATE {table} SET expires_at = now() WHERE expires_at IS NOT NULL"
                f" AND business_id = '{self.business_id}'"
            )


class Doors:
    """Web servers on free ports, in one loop."""

    def __init__(self):
        self._open: list[Any] = []

    async def open(self, target, business_id, **door):
        """Serve the tools of a business; returns where."""
        clients = Clients(target, business_id, deadline_seconds=PATIENCE_SECONDS)
        server = WebServer(clients, Door(port=0, **door))
        task = asyncio.create_task(server.serve())
        self._open.append((clients, server, task))
        await server.is_up.wait()
        return server.url

    async def close(self):
        """Stop all of them."""
        for _, server, _ in self._open:
            server.should_exit = True
        await asyncio.gather(*(task for _, _, task in self._open))
        await asyncio.gather(*(clients.close() for clients, _, _ in self._open))


class Assistant:
    """An assistant in one conversation. It connects with its first call, and counts them."""

    def __init__(self, connection, conversation):
        self._connection = connection
        self._connected = None
        self._is_over = asyncio.Event()
        self._stay = None
        self.conversation = conversation or f"chat-{next(_conversations)}"
        self.turn = 1
        self.calls = 0
        self.told: list[Any] = []

    async def call(self, tool, **arguments):
        """Call a tool; returns its result."""
        self.calls += 1
        if self._connected is None:
            self._connected = asyncio.get_running_loop().create_future()
            self._stay = asyncio.create_task(self._stay_connected())
        client = await self._connected
        result = await client.call_tool(tool, arguments)
        assert not loose_times(result), result
        self.told.append(result)
        return result

    async def _stay_connected(self):
        """A connection has to be left by the task that opened it."""
        async with self._connection as client:
            self._connected.set_result(client)
            await self._is_over.wait()

    async def leave(self):
        """End the connection."""
        self._is_over.set()
        if self._stay is not None:
            await self._stay

    async def ask(self, tool, **arguments):
        """Call a tool that goes well; returns what it tells."""
        result = await self.call(tool, **arguments)
        assert not result.is_error, result.content[0].text
        return result.structured_content

    async def refused(self, tool, **arguments):
        """Call a tool that refuses; returns what it tells."""
        result = await self.call(tool, **arguments)
        assert result.is_error, result.content[0].text
        return result.structured_content

    @property
    def in_turn(self):
        return {"conversation": self.conversation, "turn": self.turn}

    async def find(self, when=None, **changes):
        when = when or in_days(7)
        asked = {"service": "haircut", "when": when, "time_zone": ZONE, **changes}
        return await self.ask("find_times", **asked)

    async def hold(self, time, **changes):
        return await self.ask(
            "hold_time", **{"time": time, "time_zone": ZONE, **self.in_turn, **changes}
        )

    async def find_and_hold(self, when=None):
        """Hold the first time of a day."""
        times = (await self.find(when))["times"]
        return await self.hold(times[0]["time"])

    def booking_of(self, held, **changes):
        """The arguments of a call that books what is held."""
        return {
            "hold_or_time": held["hold"],
            "confirmed": held["to_confirm"],
            "customer": ADA,
            **self.in_turn,
            **changes,
        }

    async def book(self, held, **changes):
        return await self.ask("book", **self.booking_of(held, **changes))


def loose_times(result):
    """Return every time in an answer that lacks its weekday, zone or offset."""
    texts = [item.text for item in result.content]
    texts.append(json.dumps(result.structured_content, ensure_ascii=False))
    found = []
    for text in texts:
        rest = WHOLE_TIME.sub("", ID.sub("", QUOTED_BY_PEOPLE.sub("", text)))
        found += LOOSE_TIME.findall(rest)
    return found


def in_days(days):
    """The date in so many days, at the salon."""
    return str(today() + timedelta(days=days))


def today() -> date:
    return datetime.now(ZoneInfo(ZONE)).date()
