"""The table of gRPC's handlers: every method of the API, decoded and encoded in one way.

An answer may be a message, or bytes that are one already: those of the lanes, the same for
every repetition, and the frames of watches, which many streams share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message

from service.rpc.call import Behaviour, Unreadable
from service.rpc.interceptors.layer import KINDS
from service.rpc.methods import METHODS, SERVICES, Method

Handlers: TypeAlias = "dict[str, grpc.RpcMethodHandler[Any, Any]]"


def method_handlers(service_name: str, behaviours: Mapping[str, Behaviour]) -> Handlers:
    """Return the handlers of one service, all of whose methods must be there."""
    service = SERVICES[service_name]
    methods = [METHODS[f"/{service.full_name}/{each.name}"] for each in service.methods]
    return {method.name: _handler(method, behaviours[method.name]) for method in methods}


def add_service(
    server: grpc.aio.Server, service_name: str, behaviours: Mapping[str, Behaviour]
) -> None:
    """Let a server serve one service."""
    handlers = method_handlers(service_name, behaviours)
    server.add_registered_method_handlers(SERVICES[service_name].full_name, handlers)


def _handler(method: Method, behaviour: Behaviour) -> grpc.RpcMethodHandler[Any, Any]:
    make, _ = KINDS[method.streams_requests, method.streams_answers]
    handler: grpc.RpcMethodHandler[Any, Any] = make(
        behaviour,
        request_deserializer=_decoder(method.request_class),
        response_serializer=_encode,
    )
    return handler


def _decoder(request_class: type[Message]) -> Callable[[bytes], Message | Unreadable]:
    """Return what reads a request. None of its exceptions gets out: gRPC would tell the caller."""
    read = request_class.FromString

    def decode(data: bytes) -> Message | Unreadable:
        try:
            return read(data)
        except DecodeError:
            return Unreadable()

    return decode


def _encode(answer: Message | bytes) -> bytes:
    return answer if isinstance(answer, bytes) else answer.SerializeToString()
