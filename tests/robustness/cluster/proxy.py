"""A way between two programs that can be broken on purpose: a TCP proxy on a port of the loopback.

A fault holds for the connections that there are and for those to come, until it is taken back. A
blackhole holds bytes back and drops none, as a network does whose packets are sent again: what was
said into it arrives when it is healed, however late, unless its sender or its receiver is gone.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any, NamedTuple, Self

BACKLOG = 100
BUFFER_BYTES_MAX = 256 * 1024
"""So much waits in one direction of one connection; then its sender is not read any further."""
THROTTLED_WRITES_PER_SECOND = 20
_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


class Way(Enum):
    """A direction. The server is what listens behind the proxy."""

    TO_SERVER = "to server"
    TO_CLIENT = "to client"


BOTH_WAYS = (Way.TO_SERVER, Way.TO_CLIENT)


class Address(NamedTuple):
    """Where something listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """What is wrong with one direction. All of it at once is possible.

    `cut_after_bytes`: each connection ends when it has passed so many more.
    """

    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    is_blackhole: bool = False
    is_half_closed: bool = False
    bytes_per_second: int | None = None
    cut_after_bytes: int | None = None


NO_FAULTS = Faults()


class FaultProxy:
    """Passes on what is said on its port, as well as it may. Runs in the loop of who starts it."""

    def __init__(self, upstream: Address, *, seed: int = 0) -> None:
        """Do nothing yet. `upstream` may be changed at any time: it is for connections to come."""
        self.upstream = upstream
        self.faults = dict.fromkeys(BOTH_WAYS, NO_FAULTS)
        self.random = random.Random(seed)
        # When a throttled direction may pass the next byte: all connections share what there is.
        self.free_at = dict.fromkeys(BOTH_WAYS, 0.0)
        self._resets = False
        self._reserved: socket.socket | None = None
        self._listener: socket.socket | None = None
        self._connections: set[_Connection] = set()
        self._accepting: set[asyncio.Task[None]] = set()
        self._joining: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._emptied = asyncio.Event()

    @property
    def address(self) -> Address:
        """Where it listens; the same until it is stopped."""
        assert self._reserved is not None, "The proxy was not started."
        return Address(*self._reserved.getsockname())

    @property
    def connection_count(self) -> int:
        """How many connections there are, with those that wait for their server."""
        return len(self._connections)

    @property
    def held_bytes_max(self) -> int:
        """How much waits in the direction of a connection in which most does."""
        return max((each.held_bytes_max for each in self._connections), default=0)

    def comes_from(self, port: int) -> bool:
        """Say whether what listens behind it sees one of its connections come from a port."""
        return any(each.upstream_port == port for each in self._connections)

    def start(self) -> Self:
        """Listen on a free port."""
        # Bound, but never listening: the port stays ours, and refuses, while nobody listens.
        self._reserved = bound(0)
        self._listen()
        return self

    async def stop(self) -> None:
        """End all connections, and give the port back."""
        self._stop_listening()
        self._resets = True
        await asyncio.gather(*self._accepting)
        joining = list(self._joining)
        for task in joining:
            task.cancel()
        await asyncio.gather(*joining, return_exceptions=True)
        self.reset()
        if self._connections:
            self._emptied.clear()
            await self._emptied.wait()
        if self._reserved is not None:
            self._reserved.close()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # What lasts until `heal`.

    def delay(
        self, seconds: float, *, jitter: float = 0.0, ways: Iterable[Way] = BOTH_WAYS
    ) -> None:
        """Pass each byte on so much later, up to `jitter` seconds more; in order all the same."""
        self._set(ways, delay_seconds=seconds, jitter_seconds=jitter)

    def blackhole(self, *, ways: Iterable[Way] = BOTH_WAYS) -> None:
        """Pass nothing on, not even an end; who connects is accepted and hears nothing."""
        self._set(ways, is_blackhole=True)

    def throttle(self, bytes_per_second: int, *, ways: Iterable[Way] = BOTH_WAYS) -> None:
        """Pass on so much, of all connections together."""
        self._set(ways, bytes_per_second=bytes_per_second)

    def cut_after(self, bytes_count: int, *, ways: Iterable[Way] = BOTH_WAYS) -> None:
        """End each connection when it has passed so many more bytes, in the middle of a frame."""
        for each in self._connections:
            each.count_anew()
        self._set(ways, cut_after_bytes=bytes_count)

    def refuse(self) -> None:
        """Reset all connections, and do not even listen."""
        self._stop_listening()
        self.reset()

    def heal(self) -> None:
        """Take all faults back. What was held back is passed on."""
        self._resets = False
        if self._listener is None:
            self._listen()
        self._set(BOTH_WAYS, **asdict(NO_FAULTS))

    # What is done once to the connections that there are or, if `lasting`, to those to come too.

    def reset(self, *, lasting: bool = False) -> None:
        """End connections as the kernel of a program does that has crashed."""
        self._resets = self._resets or lasting
        for each in list(self._connections):
            each.reset()

    def half_close(self, *, ways: Iterable[Way] = BOTH_WAYS, lasting: bool = False) -> None:
        """Tell the receiver that there is no more, and lose what is said; the other way goes on."""
        for each in list(self._connections):
            each.half_close(ways)
        if lasting:
            self._set(ways, is_half_closed=True)

    # For the connections.

    def opened(self, connection: _Connection) -> None:
        """Join a client that has come with its server."""
        self._connections.add(connection)
        if self._resets:
            connection.reset()
            return
        _keep(self._joining, connection.join())

    async def until_reachable(self) -> None:
        """Wait until something can come through to the server."""
        while self.faults[Way.TO_SERVER].is_blackhole:
            self._changed.clear()
            await self._changed.wait()

    def forget(self, connection: _Connection) -> None:
        """Let go of a connection that has ended."""
        self._connections.discard(connection)
        if not self._connections:
            self._emptied.set()

    def _set(self, ways: Iterable[Way], **fields: Any) -> None:
        for way in ways:
            self.faults[way] = replace(self.faults[way], **fields)
        self._changed.set()
        for each in list(self._connections):
            each.move()

    def _listen(self) -> None:
        self._listener = bound(self.address.port)
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        asyncio.get_running_loop().add_reader(self._listener, self._accept, self._listener)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        try:
            accepted, _ = listener.accept()
        except OSError:
            # It has gone away again, or there are no files left: whoever waits stays in the queue.
            return
        accepted.setblocking(False)
        _keep(self._accepting, _Connection(self).accept(accepted))


class _Connection:
    """A client, its server, and the two directions between them."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy
        self.client = _Side(self)
        self.server = _Side(self)
        to_server = _Flow(proxy, Way.TO_SERVER, self.client, self.server, self)
        to_client = _Flow(proxy, Way.TO_CLIENT, self.server, self.client, self)
        self._flows = (to_server, to_client)
        self.client.said, self.client.told = to_server, to_client
        self.server.said, self.server.told = to_client, to_server

    @property
    def held_bytes_max(self) -> int:
        return max(flow.held_bytes for flow in self._flows)

    @property
    def upstream_port(self) -> int | None:
        return self.server.port

    async def accept(self, accepted: socket.socket) -> None:
        """Take a client."""
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: self.client, accepted)

    async def join(self) -> None:
        """Connect to the server; where it refuses, the client is reset."""
        await self._proxy.until_reachable()
        if self.client.is_lost:
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self.server, *self._proxy.upstream)
        except OSError:
            self.client.reset()
        else:
            self.move()

    def side_opened(self, side: _Side) -> None:
        if side is self.client:
            self._proxy.opened(self)
        elif self.client.is_lost:
            side.reset()

    def side_lost(self) -> None:
        if self.client.is_lost and self.server.is_lost:
            for flow in self._flows:
                flow.drop()
            self._proxy.forget(self)

    def flow_ended(self) -> None:
        """When neither side has more to say, there is nothing to keep open."""
        if all(flow.is_over for flow in self._flows):
            self.close()

    def move(self) -> None:
        for flow in self._flows:
            flow.move()

    def half_close(self, ways: Iterable[Way]) -> None:
        for flow in self._flows:
            if flow.way in ways:
                flow.close()

    def count_anew(self) -> None:
        for flow in self._flows:
            flow.passed_bytes = 0

    def reset(self) -> None:
        """End both sides as a crash would, and lose what waits."""
        for side in (self.client, self.server):
            side.reset()

    def close(self) -> None:
        """End both sides, when what was passed on has been sent."""
        for side in (self.client, self.server):
            side.close()


class _Side(asyncio.Protocol):
    """One of the two programs: what it says, and what it is told."""

    said: _Flow
    told: _Flow

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._transport: asyncio.Transport | None = None
        self._can_write = False
        # Also while it is not there yet.
        self.is_lost = True

    @property
    def port(self) -> int | None:
        """From which it is spoken to, while it is there."""
        if self._transport is None or self.is_lost:
            return None
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    @property
    def is_closing(self) -> bool:
        return self._transport is not None and self._transport.is_closing()

    @property
    def is_writable(self) -> bool:
        return self._can_write and not self.is_closing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # Nothing waits where no fault can reach it any more.
        transport.set_write_buffer_limits(high=0)
        self._can_write, self.is_lost = True, False
        self._connection.side_opened(self)

    def data_received(self, data: bytes) -> None:
        self.said.add(data)

    def eof_received(self) -> bool:
        self.said.add(_End.CLOSED)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.is_lost = True
        # Without an error it was us, who ended the other side too.
        if error is not None:
            self.said.add(_End.RESET)
        self._connection.side_lost()

    def pause_writing(self) -> None:
        self._can_write = False

    def resume_writing(self) -> None:
        self._can_write = True
        self.told.move()

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def write_end(self) -> None:
        assert self._transport is not None
        # It may have gone already, which we are about to be told.
        with suppress(OSError):
            self._transport.write_eof()

    def pause(self) -> None:
        if self._transport is not None and not self.is_closing:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self.is_closing:
            self._transport.resume_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        if self._transport is None or self.is_lost:
            return
        opened = self._transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
        self._transport.abort()


class _End(Enum):
    """How a side falls silent."""

    CLOSED = "it has no more to say"
    RESET = "it is gone"


class _Waiting(NamedTuple):
    due: float
    what: bytes | _End


class _Flow:
    """What one side said and the other has not been told yet."""

    def __init__(
        self, proxy: FaultProxy, way: Way, source: _Side, target: _Side, connection: _Connection
    ) -> None:
        self._proxy = proxy
        self.way = way
        self._source = source
        self._target = target
        self._connection = connection
        self._waiting: deque[_Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._last_due = 0.0
        self.is_over = False
        self.held_bytes = 0
        self.passed_bytes = 0

    @property
    def _faults(self) -> Faults:
        return self._proxy.faults[self.way]

    def add(self, what: bytes | _End) -> None:
        """Take what was said; stop listening where that is too much."""
        if self.is_over and isinstance(what, bytes):
            return
        self._last_due = max(self._last_due, _now() + self._lag_seconds())
        self._waiting.append(_Waiting(self._last_due, what))
        if isinstance(what, bytes):
            self.held_bytes += len(what)
        self.move()
        if self.held_bytes >= BUFFER_BYTES_MAX:
            self._source.pause()

    def move(self) -> None:
        """Pass on what may be passed on now."""
        held_bytes_before = self.held_bytes
        if self._faults.is_half_closed:
            self.close()
        while self._waiting and self._may_move():
            due, what = self._waiting.popleft()
            if what is _End.RESET:
                self._target.reset()
            elif isinstance(what, _End):
                self.close()
            elif rest := what[self._pass_on(what) :]:
                self._waiting.appendleft(_Waiting(due, rest))
        if held_bytes_before >= BUFFER_BYTES_MAX > self.held_bytes:
            self._source.resume()

    def close(self) -> None:
        """Say that there is no more; what waits, and what is said from now on, is lost."""
        if not self.is_over and self._target.is_writable:
            self.drop()
            self.is_over = True
            self._target.write_end()
            self._connection.flow_ended()

    def drop(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self.held_bytes = 0
        if self._timer is not None:
            self._timer.cancel()

    def _lag_seconds(self) -> float:
        faults = self._faults
        return faults.delay_seconds + self._proxy.random.uniform(0, faults.jitter_seconds)

    def _may_move(self) -> bool:
        if self._target.is_closing:
            self.drop()
        if not self._target.is_writable or self._faults.is_blackhole:
            return False
        ready_at = self._ready_at()
        if ready_at > _now():
            self._move_at(ready_at)
        return ready_at <= _now()

    def _ready_at(self) -> float:
        faults, ready_at = self._faults, 0.0
        if faults.delay_seconds or faults.jitter_seconds:
            ready_at = self._waiting[0].due
        if faults.bytes_per_second is not None:
            ready_at = max(ready_at, self._proxy.free_at[self.way])
        return ready_at

    def _move_at(self, instant: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(instant, self.move)

    def _pass_on(self, data: bytes) -> int:
        """Write as much as the faults allow; return how much that is."""
        faults = self._faults
        if faults.bytes_per_second is not None:
            data = data[: max(1, faults.bytes_per_second // THROTTLED_WRITES_PER_SECOND)]
            self._proxy.free_at[self.way] = _now() + len(data) / faults.bytes_per_second
        if faults.cut_after_bytes is not None:
            data = data[: max(0, faults.cut_after_bytes - self.passed_bytes)]
        self.held_bytes -= len(data)
        self.passed_bytes += len(data)
        if data:
            self._target.write(data)
        if faults.cut_after_bytes is not None and self.passed_bytes >= faults.cut_after_bytes:
            self._connection.close()
        return len(data)


def _keep(tasks: set[asyncio.Task[None]], running: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(running)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _now() -> float:
    return asyncio.get_running_loop().time()


def bound(port: int) -> socket.socket:
    """Take a port of the loopback, or with 0 a free one; it refuses until somebody listens on it.

    Several sockets of ours can have it, so one that never listens keeps it for the others.
    """
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    taken.bind(("127.0.0.1", port))
    return taken
