"""What each fault of the proxy does to the two programs that it stands between."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from tests.robustness.cluster.proxy import BUFFER_BYTES_MAX, Address, FaultProxy, Way

TIMER_SECONDS = 0.005
"""So much too early a timer of the loop may be."""


class Upstream:
    """A server that says back what it is told, and remembers it."""

    def __init__(self):
        self.heard = bytearray()
        self.writers = []
        self._progress = asyncio.Condition()
        self.ends = 0

    async def serve(self, reader, writer):
        self.writers.append(writer)
        try:
            while data := await reader.read(65536):
                await self._note(data)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            await self._note(b"", ended=1)
            writer.close()

    async def _note(self, data, ended=0):
        async with self._progress:
            self.heard += data
            self.ends += ended
            self._progress.notify_all()

    async def until(self, condition):
        async with asyncio.timeout(30), self._progress:
            await self._progress.wait_for(condition)


@asynccontextmanager
async def listening(upstream):
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    try:
        yield Address(*server.sockets[0].getsockname())
    finally:
        server.close()
        for writer in upstream.writers:
            writer.close()
        await asyncio.gather(
            *(writer.wait_closed() for writer in upstream.writers), return_exceptions=True
        )


@pytest.fixture
def upstream():
    return Upstream()


@pytest.fixture
async def address(upstream):
    async with listening(upstream) as address:
        yield address


@pytest.fixture
async def proxy(address):
    async with FaultProxy(address, seed=1) as proxy:
        yield proxy


@pytest.fixture
async def connect():
    """Open connections that are closed after the test."""
    writers = []

    async def open_connection(address):
        reader, writer = await asyncio.open_connection(*address)
        writers.append(writer)
        return reader, writer

    yield open_connection
    for writer in writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def ask(connection, data):
    reader, writer = connection
    writer.write(data)
    await writer.drain()
    async with asyncio.timeout(30):
        return await reader.readexactly(len(data))


async def rest(reader):
    async with asyncio.timeout(30):
        return await reader.read()


async def seconds(awaitable):
    began = asyncio.get_running_loop().time()
    await awaitable
    return asyncio.get_running_loop().time() - began


async def assert_served_all_the_while(connect, address, upstream):
    """What would have come through has had the time to: another, who came later, was served."""
    for _ in range(3):
        assert await ask(await connect(address), b"another") == b"another"


async def test_without_a_fault_all_is_passed_on_in_order(proxy, connect):
    connection = await connect(proxy.address)
    data = bytes(range(256)) * 8192

    reader, writer = connection
    writer.write(data)
    async with asyncio.timeout(30):
        assert await reader.readexactly(len(data)) == data


async def test_an_end_is_passed_on_and_then_nothing_is_kept(proxy, connect):
    reader, writer = await connect(proxy.address)
    writer.write(b"a last word")
    writer.write_eof()

    assert await rest(reader) == b"a last word"
    writer.close()
    await until_left(proxy)


async def test_the_end_of_one_way_leaves_the_other_open(upstream, proxy, connect):
    reader, writer = await connect(proxy.address)
    await ask((reader, writer), b"hello")
    writer.write_eof()
    await upstream.until(lambda: upstream.ends == 1)

    assert await rest(reader) == b""


async def test_a_reset_by_the_server_is_a_reset_for_the_client(upstream, proxy, connect):
    connection = await connect(proxy.address)
    await ask(connection, b"hello")

    upstream.writers[0].get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
    )
    upstream.writers[0].transport.abort()

    with pytest.raises(ConnectionResetError):
        await rest(connection[0])
    await until_left(proxy)


async def test_who_comes_while_the_server_is_not_there_is_reset(address, proxy, connect):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        proxy.upstream = Address(*unused.getsockname())
        reader, _ = await connect(proxy.address)
        with pytest.raises(ConnectionResetError):
            await rest(reader)

    proxy.upstream = address
    assert await ask(await connect(proxy.address), b"back") == b"back"


async def test_a_new_upstream_is_for_those_to_come(proxy, connect):
    before = await connect(proxy.address)
    await ask(before, b"old")
    other = Upstream()
    async with listening(other) as other_address:
        proxy.upstream = other_address
        await ask(await connect(proxy.address), b"new")
        await ask(before, b"old")

    assert other.heard == b"new"


@pytest.mark.parametrize("way", list(Way))
async def test_a_delay_makes_each_byte_late_in_its_direction(proxy, connect, way):
    there = await connect(proxy.address)
    await ask(there, b"hello")
    proxy.delay(0.2, jitter=0.05, ways=[way])
    to_come = await connect(proxy.address)

    for connection in (there, to_come):
        assert await seconds(ask(connection, b"late")) >= 0.2 - TIMER_SECONDS


async def test_a_delay_makes_nothing_slower_that_is_said_meanwhile(proxy, connect):
    reader, writer = await connect(proxy.address)
    proxy.delay(0.1, ways=[Way.TO_SERVER])

    async def say_ten_words():
        for number in range(10):
            writer.write(b"%d" % number)
            await writer.drain()
            # So that each is a packet of its own.
            await others()
        assert await reader.readexactly(10) == b"0123456789"

    assert 0.1 - TIMER_SECONDS <= await seconds(say_ten_words()) < 1.0


async def test_jitter_keeps_the_order(proxy, connect):
    reader, writer = await connect(proxy.address)
    proxy.delay(0.0, jitter=0.02)
    for number in range(50):
        writer.write(b"%02d" % number)
        await others()

    async with asyncio.timeout(30):
        assert await reader.readexactly(100) == b"".join(b"%02d" % n for n in range(50))


async def test_a_healed_delay_holds_nothing_back(proxy, connect):
    connection = await connect(proxy.address)
    await ask(connection, b"hello")
    proxy.delay(3600)
    asked = asyncio.create_task(ask(connection, b"soon"))
    await until_held(proxy, 4)
    proxy.heal()

    assert await asked == b"soon"


async def test_a_blackhole_swallows_what_is_said_until_it_is_healed(
    upstream, address, proxy, connect
):
    connection = await connect(proxy.address)
    await ask(connection, b"before")
    proxy.blackhole()
    asked = asyncio.create_task(ask(connection, b"lost?"))
    await until_held(proxy, 5)
    await assert_served_all_the_while(connect, address, upstream)

    assert b"lost?" not in upstream.heard
    assert not asked.done()
    proxy.heal()
    assert await asked == b"lost?"


async def test_a_blackhole_of_one_way_lets_the_other_through(upstream, address, proxy, connect):
    connection = await connect(proxy.address)
    await ask(connection, b"before")
    proxy.blackhole(ways=[Way.TO_CLIENT])
    asked = asyncio.create_task(ask(connection, b"done, but not answered"))
    await upstream.until(lambda: upstream.heard.endswith(b"answered"))
    await until_held(proxy, 22)
    await assert_served_all_the_while(connect, address, upstream)

    assert not asked.done()
    proxy.heal()
    await asked


async def test_a_blackhole_accepts_who_comes_and_the_server_does_not_hear_of_it(
    upstream, address, proxy, connect
):
    proxy.blackhole()
    connection = await connect(proxy.address)
    asked = asyncio.create_task(ask(connection, b"hello?"))
    await until_held(proxy, 6)

    assert upstream.writers == []
    proxy.heal()
    assert await asked == b"hello?"


async def test_a_blackhole_does_not_even_pass_an_end_on(upstream, address, proxy, connect):
    reader, writer = await connect(proxy.address)
    await ask((reader, writer), b"before")
    proxy.blackhole()
    writer.close()
    await writer.wait_closed()
    await assert_served_all_the_while(connect, address, upstream)

    assert upstream.ends == 0
    proxy.heal()
    await upstream.until(lambda: upstream.ends == 1)
    await until_left(proxy)


async def test_a_blackhole_holds_no_more_than_its_bound(proxy, connect):
    connection = await connect(proxy.address)
    await ask(connection, b"before")
    proxy.blackhole()
    _, writer = connection
    # More than the kernels take of it, so that it is the proxy that must not listen.
    writer.write(bytes(32 * 1024 * 1024))
    await until_held(proxy, BUFFER_BYTES_MAX)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await writer.drain()

    assert proxy.held_bytes_max <= 2 * BUFFER_BYTES_MAX
    writer.transport.abort()


async def test_a_slow_reader_makes_the_proxy_hold_no_more_than_its_bound(address, proxy, connect):
    reader, writer = await connect(proxy.address)
    reader._transport.pause_reading()
    writer.write(bytes(32 * 1024 * 1024))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await writer.drain()

    assert proxy.held_bytes_max <= 2 * BUFFER_BYTES_MAX
    reader._transport.resume_reading()
    async with asyncio.timeout(30):
        assert await reader.readexactly(32 * 1024 * 1024)


async def test_a_half_close_ends_one_way_and_the_other_goes_on(upstream, proxy, connect):
    reader, writer = await connect(proxy.address)
    await ask((reader, writer), b"hello")
    proxy.half_close(ways=[Way.TO_CLIENT])

    assert await rest(reader) == b""
    writer.write(b"still heard")
    await upstream.until(lambda: upstream.heard.endswith(b"still heard"))
    # It was for those that there were.
    assert await ask(await connect(proxy.address), b"well") == b"well"


async def test_a_lasting_half_close_is_for_those_to_come_too(proxy, connect):
    proxy.half_close(ways=[Way.TO_CLIENT], lasting=True)
    reader, _ = await connect(proxy.address)

    assert await rest(reader) == b""
    proxy.heal()
    assert await ask(await connect(proxy.address), b"well") == b"well"


async def test_a_reset_ends_both_sides_once(upstream, proxy, connect):
    connection = await connect(proxy.address)
    await ask(connection, b"hello")
    proxy.reset()

    with pytest.raises(ConnectionResetError):
        await rest(connection[0])
    await upstream.until(lambda: upstream.ends == 1)
    assert await ask(await connect(proxy.address), b"again") == b"again"


async def test_a_lasting_reset_ends_each_that_comes(proxy, connect):
    proxy.reset(lasting=True)
    reader, _ = await connect(proxy.address)

    with pytest.raises(ConnectionResetError):
        await rest(reader)
    proxy.heal()
    assert await ask(await connect(proxy.address), b"again") == b"again"


async def test_a_throttled_way_passes_so_much_in_a_second_and_no_more(proxy, connect):
    there = await connect(proxy.address)
    await ask(there, b"hello")
    proxy.throttle(20_000, ways=[Way.TO_SERVER])

    # The first part goes at once, and the last one needs no time after it.
    assert await seconds(ask(there, bytes(10_000))) >= 0.45 - TIMER_SECONDS


async def test_all_connections_of_a_throttled_way_share_it(proxy, connect):
    connections = [await connect(proxy.address) for _ in range(4)]
    for connection in connections:
        await ask(connection, b"hello")
    proxy.throttle(20_000, ways=[Way.TO_CLIENT])
    asked = [ask(connection, bytes(2_500)) for connection in connections]

    assert await seconds(asyncio.gather(*asked)) >= 0.45 - TIMER_SECONDS


async def test_a_cut_ends_the_connection_after_so_many_bytes(upstream, proxy, connect):
    there = await connect(proxy.address)
    await ask(there, b"passed before")
    proxy.cut_after(7, ways=[Way.TO_CLIENT])
    to_come = await connect(proxy.address)

    for reader, writer in (there, to_come):
        writer.write(b"a frame of many bytes")
        assert await rest(reader) == b"a frame"
    await upstream.until(lambda: upstream.ends == 2)
    proxy.heal()
    assert await ask(await connect(proxy.address), b"a whole frame") == b"a whole frame"


async def test_a_proxy_that_refuses_is_not_there_and_comes_back_at_its_address(
    upstream, proxy, connect
):
    connection = await connect(proxy.address)
    await ask(connection, b"hello")
    address = proxy.address
    proxy.refuse()

    with pytest.raises(ConnectionResetError):
        await rest(connection[0])
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
    proxy.heal()
    assert proxy.address == address
    assert await ask(await connect(address), b"back") == b"back"


async def test_nobody_else_gets_the_port_of_a_proxy_that_refuses(proxy):
    proxy.refuse()

    with socket.socket() as rival, pytest.raises(OSError, match="in use"):
        rival.bind(tuple(proxy.address))


@pytest.mark.parametrize(
    "break_it",
    [
        lambda proxy: proxy.blackhole(),
        lambda proxy: proxy.delay(3600),
        lambda proxy: None,
    ],
    ids=["blackhole", "delay", "whole"],
)
async def test_a_stopped_proxy_leaves_no_connection(upstream, address, connect, break_it):
    async with FaultProxy(address) as proxy:
        connection = await connect(proxy.address)
        await ask(connection, b"hello")
        break_it(proxy)
        await connect(proxy.address)

    with pytest.raises(ConnectionResetError):
        await rest(connection[0])
    assert proxy.connection_count == 0


async def until_left(proxy):
    async with asyncio.timeout(30):
        while proxy.connection_count:
            await others()


async def until_held(proxy, count):
    async with asyncio.timeout(30):
        while proxy.held_bytes_max < count:
            await others()


async def others():
    """Let all that is ready have its turn."""
    await asyncio.sleep(0)
