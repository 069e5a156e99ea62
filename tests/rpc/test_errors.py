"""Whatever goes wrong inside, a caller learns what to do and nothing else."""

import asyncio
import logging

import grpc
import pytest
from sqlalchemy import text

from service.domain.errors import SlotTaken
from service.rpc import call as call_module
from service.rpc.handlers import add_service
from service.rpc.interceptors.errors import Errors
from service.rpc.interceptors.request_log import RequestLog
from service.rpc.methods import METHODS, SERVICES
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import booking_service_pb2_grpc
from tests.rpc.stack import details_of, read_to_end, status_of, tomorrow

BOOK = booking_pb.BookRequest(
    request_id="r-1", customer=booking_pb.Customer(display_name="Kim Secret")
)


def raising(error):
    async def fail(call):
        raise error

    return fail


class Faulty:
    """A service whose every method fails as it is told."""

    def __init__(self):
        self.failure = raising(RuntimeError("not told what to do"))

    async def behave(self, request, call):
        await self.failure(call)

    def behaviours(self):
        return {method.name: self.behave for method in SERVICES["BookingService"].methods}


@pytest.fixture
def faulty():
    return Faulty()


@pytest.fixture
async def stub(faulty):
    server = grpc.aio.server(
        interceptors=[Errors(), RequestLog()], options=[("grpc.so_reuseport", 0)]
    )
    add_service(server, "BookingService", faulty.behaviours())
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield booking_service_pb2_grpc.BookingServiceStub(channel)
    await server.stop(0)


async def failing(stub, faulty, failure):
    faulty.failure = failure
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await stub.Book(BOOK, timeout=20)
    return failed.value, details_of(status_of(failed.value))


async def test_a_fault_of_ours_tells_nothing_but_an_incident(stub, faulty, caplog):
    error, details = await failing(
        stub, faulty, raising(RuntimeError("SELECT secret FROM bookings"))
    )

    assert error.code() is grpc.StatusCode.INTERNAL
    assert details["ErrorInfo"].reason == "INTERNAL"
    assert "SELECT" not in repr(error)
    assert "Traceback" not in repr(error)
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.incident == details["ErrorInfo"].metadata["incident"]
    assert record.request_id == "r-1"
    assert "SELECT secret" in caplog.text


async def test_a_refusal_keeps_its_reason(stub, faulty):
    error, details = await failing(stub, faulty, raising(SlotTaken(tomorrow())))

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert details["ErrorInfo"].reason == "SLOT_TAKEN"


async def test_something_cancelled_within_a_call_does_not_leave_its_caller_waiting(stub, faulty):
    async def wait_for_what_is_cancelled(call):
        task = asyncio.create_task(asyncio.Event().wait())
        task.cancel()
        await task

    error, details = await failing(stub, faulty, wait_for_what_is_cancelled)

    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert details["ErrorInfo"].reason == "TRY_AGAIN"


@pytest.mark.parametrize("error", [OSError("connection refused"), TimeoutError()])
async def test_a_database_that_is_gone_is_unavailable(stub, faulty, error):
    failed, details = await failing(stub, faulty, raising(error))

    assert failed.code() is grpc.StatusCode.UNAVAILABLE
    assert details["ErrorInfo"].reason == "TRY_AGAIN"
    assert "refused" not in repr(failed)


@pytest.mark.parametrize("error", [OSError("connection refused"), TimeoutError()])
async def test_a_read_without_the_database_leaves_no_outcome_in_doubt(stub, faulty, error):
    faulty.failure = raising(error)
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await stub.GetBooking(booking_pb.GetBookingRequest(), timeout=20)

    details = details_of(status_of(failed.value))
    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
    assert details["ErrorInfo"].reason == "OVERLOADED"
    assert failed.value.details() == "The database cannot be read. Retry."
    assert details["RetryInfo"].retry_delay.ToTimedelta().total_seconds() > 0


@pytest.mark.parametrize(
    "statement", ["SELECT secret FROM nowhere", "SELECT 1/0", "SELECT 'secret'::int", "SELEKT"]
)
async def test_no_text_of_the_database_reaches_a_caller(stub, faulty, database, statement):
    async def ask(call):
        async with database.snapshot("demo") as tx:
            await tx.execute(text(statement))

    error, details = await failing(stub, faulty, ask)

    assert error.code() is grpc.StatusCode.INTERNAL
    for word in ("SELECT", "secret", "nowhere", "sqlalchemy", "asyncpg", "zero"):
        assert word not in repr(error)
        assert word not in str(details)


async def test_a_cancelled_call_is_cancelled_within(stub, faulty):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(call):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    faulty.failure = wait
    call = stub.Book(BOOK)
    await begun.wait()
    call.cancel()
    await ended.wait()

    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_stream_that_fails_midway_ends_with_its_status(stub, faulty):
    async def write_and_fail(call):
        await call.write(booking_pb.WatchBookingsResponse(revision=1))
        raise RuntimeError("secret")

    faulty.failure = write_and_fail
    call = stub.WatchBookings(booking_pb.WatchBookingsRequest())
    frame = await call.read()
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call.read()

    assert frame.revision == 1
    assert failed.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in repr(failed.value)


async def test_a_stream_that_nobody_reads_is_ended(stub, faulty, monkeypatch):
    monkeypatch.setattr(call_module, "WRITE_SECONDS_MAX", 0.2)
    frame = booking_pb.WatchBookingsResponse(resume_token="x" * 65_536)
    ended = asyncio.Event()

    async def write_for_ever(call):
        try:
            while True:
                await call.write(frame)
        finally:
            ended.set()

    faulty.failure = write_for_ever
    call = stub.WatchBookings(booking_pb.WatchBookingsRequest())
    await call.read()
    await ended.wait()
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await read_to_end(call)

    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
    assert details_of(status_of(failed.value))["ErrorInfo"].reason == "OVERLOADED"


async def test_a_client_that_vanishes_while_it_is_written_to_is_no_incident(stub, faulty, caplog):
    frame = booking_pb.WatchBookingsResponse(resume_token="x" * 65_536)
    ended = asyncio.Event()

    async def write_for_ever(call):
        try:
            while True:
                await call.write(frame)
        finally:
            ended.set()

    faulty.failure = write_for_ever
    call = stub.WatchBookings(booking_pb.WatchBookingsRequest())
    await call.read()
    call.cancel()
    await ended.wait()

    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_every_call_leaves_one_line_that_names_no_person(stub, faulty, caplog):
    caplog.set_level(logging.INFO)

    async def answer(call):
        return

    faulty.failure = answer
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.Book(BOOK)
    lines = [each for each in caplog.records if hasattr(each, "method")]

    (line,) = lines
    assert (line.method, line.request_id) == ("Book", "r-1")
    assert line.ms >= 0
    assert "Secret" not in str(vars(line))


async def test_a_request_id_that_is_none_is_not_logged(stub, faulty, caplog):
    faulty.failure = raising(SlotTaken(tomorrow()))
    caplog.set_level(logging.INFO)

    with pytest.raises(grpc.aio.AioRpcError):
        await stub.Book(booking_pb.BookRequest(request_id="kim@example.com\nINJECTED"))

    assert "INJECTED" not in caplog.text
    assert all("INJECTED" not in str(vars(each)) for each in caplog.records)


WITHOUT_A_REVISION = {
    "CreateFeedLink",
    "DeleteFeedLink",
    "CreateWebhook",
    "UpdateWebhook",
    "DeleteWebhook",
    "ReplayWebhook",
    "RetryDelivery",
    "ReceiveReply",
}
"""They change no revision themselves, and to repeat them is harmless: see protos/README.md."""


def test_what_changes_a_revision_and_nothing_else_has_a_request_id():
    reading = ("Get", "List", "Watch", "Explain", "Resolve")

    for method in METHODS.values():
        without = method.name.startswith(reading) or method.name in WITHOUT_A_REVISION
        assert method.has_request_id is not without, method.name


def test_a_handler_of_every_method_is_known_by_its_path():
    assert METHODS["/slotcast.v1.BookingService/Book"].request_class is booking_pb.BookRequest
