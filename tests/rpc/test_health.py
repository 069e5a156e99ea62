"""The health service tells whether calls are welcome: they are while PostgreSQL answers."""

import asyncio
import contextlib
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from service.embedded.valkey import Valkey
from slotcast import Customer, SlotChoice, SlotQuery
from tests.rpc.stack import running, tomorrow
from tests.salon import make_salon

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
NAMES = (
    "",
    "slotcast.v1.AvailabilityService",
    "slotcast.v1.BookingService",
    "slotcast.v1.CatalogService",
)


class Line:
    """A TCP line to PostgreSQL that can be cut, or fall silent."""

    def __init__(self, url):
        self._far = urlsplit(url)
        self._writers = set()
        self._is_cut = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.url = ""

    async def lay(self):
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        user, _, _ = self._far.netloc.rpartition("@")
        port = server.sockets[0].getsockname()[1]
        self.url = self._far._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()
        return server

    def cut(self):
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def silence(self):
        self._flowing.clear()

    def mend(self):
        self._is_cut = False
        self._flowing.set()

    async def _carry(self, reader, writer):
        if self._is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(
            self._far.hostname, self._far.port or 5432
        )
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _pump(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._flowing.wait()
                writer.write(data)
        writer.close()


@pytest.fixture
async def line(database_url):
    line = Line(database_url)
    server = await line.lay()
    yield line
    server.close()
    line.cut()


@pytest.fixture
async def open_watches():
    """Watch the health of the server and of each of its services."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_(target):
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(target))
            stub: Any = health_pb2_grpc.HealthStub(channel)
            return [stub.Watch(health_pb2.HealthCheckRequest(service=name)) for name in NAMES]

        yield open_


async def next_of(watches):
    """Return what all of the watches say next."""
    (status,) = {(await watch.read()).status for watch in watches}
    return status


async def rest_of(watch):
    """Return what a watch still says until it ends."""
    said = []
    with contextlib.suppress(grpc.aio.AioRpcError):
        while (answer := await watch.read()) is not grpc.aio.EOF:
            said.append(answer.status)
    return said


@pytest.mark.parametrize("fail", [Line.cut, Line.silence])
async def test_calls_are_not_welcome_while_postgresql_does_not_answer(
    line, start_server, open_watches, fail
):
    target = await start_server(database_url=line.url, verify_seconds=0.1)
    watches = await open_watches(target)
    assert await next_of(watches) == SERVING

    fail(line)
    assert await next_of(watches) == NOT_SERVING

    line.mend()
    assert await next_of(watches) == SERVING


async def test_a_server_that_stops_stays_unwelcoming_though_postgresql_answers_again(
    line, open_watches, tmp_path
):
    async with running(line.url, tmp_path, drain_seconds=1.0) as stack:
        watches = await open_watches(stack.address)
        assert await next_of(watches) == SERVING
        line.cut()
        assert await next_of(watches) == NOT_SERVING

        draining = asyncio.create_task(stack.server.drain())
        line.mend()
        while stack.parts.follower.is_blind:
            await stack.parts.follower.sight_changed.wait()
        await draining

        assert [await rest_of(watch) for watch in watches] == [[]] * len(NAMES)


async def test_without_redis_calls_are_as_welcome_as_before(
    start_server, connect, open_watches, tmp_path
):
    with Valkey(tmp_path / "valkey") as valkey:
        target = await start_server(redis_url=valkey.url, verify_seconds=0.05)
        client = await connect(target)
        await make_salon(client)
        watches = await open_watches(target)
        assert await next_of(watches) == SERVING
        changed = asyncio.create_task(next_of(watches))
        valkey.kill()

        day = SlotQuery(start=tomorrow(), end=tomorrow(12), appointment_types=("cut",))
        async with client.watch(day) as view:
            wish = SlotChoice(appointment_type="cut", start=tomorrow())
            booking = await client.book(wish, customer=Customer(display_name="Kim"))
            await view.reached(booking.revision)

        assert not changed.done()
        changed.cancel()
