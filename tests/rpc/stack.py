"""The whole server on a free port, and callers of it."""

import asyncio
import contextlib
import hashlib
import secrets
import threading
from datetime import UTC, datetime, timedelta
from itertools import count

import asyncpg
import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2

from service.domain.scopes import SCOPES
from service.rpc.server import RpcServer, ServerOptions
from service.settings import Settings
from service.store import api_keys
from service.store.scope import ALL_BUSINESSES
from service.wiring import built_parts
from slotcast.v1 import (
    availability_service_pb2_grpc,
    booking_service_pb2,
    booking_service_pb2_grpc,
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    core_pb2,
    error_reason_pb2,
    notification_service_pb2_grpc,
)

_numbers = count(1)


class LoopThread:
    """One event loop in a thread of its own, for tests that are not async."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


class Stack:
    """A running server."""

    def __init__(self, parts, options):
        self.parts = parts
        self.database = parts.database
        self.server = RpcServer(parts, options)
        self.address = ""

    async def start(self):
        self.address = f"127.0.0.1:{await self.server.start()}"

    async def make_key(self, business_id, scopes=SCOPES):
        """Store a key and return what its holder has to send."""
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(16)
        key = api_keys.ApiKey(
            key_id=key_id,
            business_id=business_id,
            display_name="Test",
            secret_hash=hashlib.sha256(secret.encode()).digest(),
            scopes=frozenset(scopes),
        )
        async with self.database.transaction(ALL_BUSINESSES) as tx:
            await api_keys.add(tx, key)
        return f"sc_{key_id}_{secret}"

    async def revoke(self, key):
        async with self.database.transaction(ALL_BUSINESSES) as tx:
            await api_keys.revoke(tx, key.split("_")[1])


@contextlib.asynccontextmanager
async def running(database_url, data_folder, *, redis_url=None, outbound_private=False, **options):
    """Serve until the block ends."""
    settings = Settings(
        data_folder=data_folder,
        database_url=database_url,
        redis_url=redis_url,
        outbound_private=outbound_private,
        heartbeat_seconds=0.2,
        verify_seconds=0.1,
    )
    async with built_parts(settings) as parts:
        stack = Stack(parts, ServerOptions(**options))
        await stack.start()
        try:
            yield stack
        finally:
            await stack.server.stop_at_once()


@contextlib.contextmanager
def loop_in_a_thread():
    thread = LoopThread()
    try:
        yield thread
    finally:
        thread.close()


@contextlib.contextmanager
def lasting(loop_thread, server_url, template_name, name, folder, **options):
    """Serve until the block ends, on a database of its own that lasts as long."""
    database = template_name.replace("template", name)

    async def execute(statement):
        connection = await asyncpg.connect(server_url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(execute(f"CREATE DATABASE {database} TEMPLATE {template_name}"))
    url = server_url.rpartition("/")[0] + f"/{database}"
    context = running(url, folder, key_cache_seconds=0.0, **options)
    yield loop_thread.run(context.__aenter__())
    loop_thread.run(context.__aexit__(None, None, None))
    asyncio.run(execute(f"DROP DATABASE {database} WITH (FORCE)"))


class Caller:
    """Stubs that send a key; `business` is what the requests name by default."""

    def __init__(self, channel, key, business_id):
        self.business_id = business_id
        self.business = f"businesses/{business_id}"
        self.metadata = (("authorization", f"Bearer {key}"),) if key else ()
        self.availability = availability_service_pb2_grpc.AvailabilityServiceStub(channel)
        self.bookings = booking_service_pb2_grpc.BookingServiceStub(channel)
        self.catalog = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        self.notifications = notification_service_pb2_grpc.NotificationServiceStub(channel)

    def call(self, method, request, **options):
        options.setdefault("metadata", self.metadata)
        return method(request, timeout=20, **options)

    def name(self, collection, last):
        return f"{self.business}/{collection}/{last}"

    def choice(self, start, **changes):
        values = {
            "appointment_type": self.name("appointmentTypes", "visit"),
            "calendar": self.name("calendars", "anna"),
            "start_time": stamp(start),
        }
        return core_pb2.SlotChoice(**{**values, **changes})

    def book_request(self, start, **changes):
        values = {
            "parent": self.business,
            "request_id": a_request_id(),
            "appointments": [booking_service_pb2.Appointment(slot=self.choice(start))],
            "customer": booking_service_pb2.Customer(display_name="Kim"),
        }
        return booking_service_pb2.BookRequest(**{**values, **changes})


def requests_of_a_shop(business_id):
    """Return what makes a business that is open day and night, in the order of making."""
    business = f"businesses/{business_id}"
    catalog_pb = catalog_service_pb2
    always = [catalog_pb.WallInterval(start="00:00", end="24:00")]
    return [
        catalog_pb.CreateBusinessRequest(
            business_id=business_id,
            business=catalog_pb.Business(display_name="Shop"),
            request_id=a_request_id(),
        ),
        catalog_pb.CreateScheduleRequest(
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
        ),
        catalog_pb.CreateCalendarRequest(
            parent=business,
            calendar_id="anna",
            calendar=catalog_pb.Calendar(
                display_name="Anna", time_zone="UTC", schedule=f"{business}/schedules/always"
            ),
            request_id=a_request_id(),
        ),
        catalog_pb.CreateAppointmentTypeRequest(
            parent=business,
            appointment_type_id="visit",
            appointment_type=catalog_pb.AppointmentType(
                display_name="Visit",
                durations=[Duration(seconds=1800)],
                any_of=[f"{business}/calendars/anna"],
            ),
            request_id=a_request_id(),
        ),
    ]


def make_shop(operator, business_id):
    """Make such a business through the API."""
    for request in requests_of_a_shop(business_id):
        method = getattr(operator.catalog, type(request).__name__.removesuffix("Request"))
        operator.call(method, request)


def a_request_id():
    return f"r-{next(_numbers)}-{secrets.token_hex(4)}"


def tomorrow(hour=9, minute=0):
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return day + timedelta(hours=hour, minutes=minute)


def stamp(instant):
    message = Timestamp()
    message.FromDatetime(instant)
    return message


def status_of(error):
    """Return the rich status of a failed call."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return status_pb2.Status.FromString(value)
    raise AssertionError(f"{error.code()} {error.details()} carries no details")


def details_of(status):
    """Return the details of a status by the names of their messages."""
    classes = (
        error_details_pb2.ErrorInfo,
        error_details_pb2.RetryInfo,
        error_details_pb2.BadRequest,
        error_reason_pb2.Alternatives,
    )
    found = {}
    for packed in status.details:
        for message_class in classes:
            message = message_class()
            if packed.Unpack(message):
                found[message_class.__name__] = message
    return found


def refusal(method, request, **options):
    """Make a call that must fail, and return its code, its reason and its details."""
    try:
        method(request, timeout=20, **options)
    except grpc.RpcError as error:
        details = details_of(status_of(error))
        assert details["ErrorInfo"].domain == "slotcast.dev"
        return error.code(), details["ErrorInfo"].reason, details
    raise AssertionError("The call succeeded.")


async def read_to_end(call):
    """Read an async stream until it ends."""
    while await call.read() is not grpc.aio.EOF:
        pass
