"""A real grpc.aio server that says what a test tells it to."""

import asyncio
import contextlib
from dataclasses import dataclass

import grpc
from google.protobuf import message_factory
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from slotcast.v1 import (
    availability_service_pb2,
    booking_service_pb2,
    catalog_service_pb2,
    notification_service_pb2,
)

SERVICES = [
    service
    for file in (
        availability_service_pb2,
        booking_service_pb2,
        catalog_service_pb2,
        notification_service_pb2,
    )
    for service in file.DESCRIPTOR.services_by_name.values()
]
METHODS = {method.name: method for service in SERVICES for method in service.methods}


class Refused(Exception):
    """Ends a call with a status."""

    def __init__(self, status):
        super().__init__(status.message)
        self.status = status


def status(code, reason=None, *, details=(), retry_after_seconds=None, **metadata):
    """A status as the server sends it."""
    made = Status(code=code.value[0], message=f"{code.name} {reason or ''}".strip())
    parts = list(details)
    if reason:
        parts.append(ErrorInfo(reason=reason, domain="slotcast.dev", metadata=metadata))
    if retry_after_seconds is not None:
        retry_info = RetryInfo()
        retry_info.retry_delay.FromMilliseconds(int(retry_after_seconds * 1000))
        parts.append(retry_info)
    for part in parts:
        packed = Any()
        packed.Pack(part)
        made.details.append(packed)
    return made


def refused(code, reason=None, **how):
    return Refused(status(code, reason, **how))


@dataclass
class Call:
    """One call that reached the server."""

    method: str
    request: object
    metadata: dict[str, str | bytes]
    seconds_left: float | None


class Stream:
    """One stream that reached the server, driven by the test."""

    def __init__(self, request, metadata):
        self.request = request
        self.metadata = metadata
        self.received: asyncio.Queue[Message] = asyncio.Queue()
        self.closed = asyncio.Event()
        self._commands: asyncio.Queue[Message | Refused | None] = asyncio.Queue()

    def send(self, *messages):
        for message in messages:
            self._commands.put_nowait(message)

    def end(self, refusal=None):
        self._commands.put_nowait(refusal)

    async def run(self, context):
        try:
            while (command := await self._commands.get()) is not None:
                if isinstance(command, Refused):
                    raise command
                await context.write(command)
        finally:
            self.closed.set()


class ScriptedServer(grpc.GenericRpcHandler):
    """Answers unary calls by `on(method, answer)`, and hands streams to the test by `stream()`."""

    def __init__(self):
        self.calls = []
        self.target = ""
        self._answers = {}
        self._streams: asyncio.Queue[Stream] = asyncio.Queue()

    def on(self, method, answer):
        """Answer calls of a method by what `answer(request)` returns, raises or awaits."""
        self._answers[method] = answer

    def in_turn(self, method, *answers):
        """Answer calls of a method by these in turn."""
        left = list(answers)

        def answer(request):
            item = left.pop(0)
            if isinstance(item, Refused):
                raise item
            return item

        self.on(method, answer)

    async def stream(self):
        """The next stream that a client opens."""
        return await self._streams.get()

    def service(self, details):
        method = METHODS[details.method.rsplit("/", 1)[1]]
        codec = {
            "request_deserializer": message_factory.GetMessageClass(method.input_type).FromString,
            "response_serializer": lambda message: message.SerializeToString(),
        }
        if method.client_streaming:
            return grpc.stream_stream_rpc_method_handler(self._stream_stream, **codec)
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(self._unary_stream, **codec)

        async def unary(request, context):
            return await self._unary(method.name, request, context)

        return grpc.unary_unary_rpc_method_handler(unary, **codec)

    async def _unary(self, name, request, context):
        metadata = dict(context.invocation_metadata())
        self.calls.append(Call(name, request, metadata, context.time_remaining()))
        async with _refusing(context):
            answer = self._answers[name](request)
            return await answer if asyncio.iscoroutine(answer) else answer

    async def _unary_stream(self, request, context):
        stream = Stream(request, dict(context.invocation_metadata()))
        self._streams.put_nowait(stream)
        async with _refusing(context):
            await stream.run(context)

    async def _stream_stream(self, requests, context):
        stream = Stream(None, dict(context.invocation_metadata()))
        self._streams.put_nowait(stream)

        async def receive():
            async for request in requests:
                stream.received.put_nowait(request)

        receiving = asyncio.create_task(receive())
        try:
            async with _refusing(context):
                await stream.run(context)
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)


@contextlib.asynccontextmanager
async def _refusing(context):
    try:
        yield
    except Refused as refusal:
        code = next(code for code in grpc.StatusCode if code.value[0] == refusal.status.code)
        details = (("grpc-status-details-bin", refusal.status.SerializeToString()),)
        plain = not refusal.status.details
        await context.abort(
            code, refusal.status.message, trailing_metadata=() if plain else details
        )


@contextlib.asynccontextmanager
async def scripted_server():
    """A server on a free port of this machine, while the block lasts."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    script = ScriptedServer()
    server.add_generic_rpc_handlers((script,))
    script.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield script
    finally:
        await server.stop(None)
