"""What all interceptors share: a layer around every method of the API, for calls of any kind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc

from service.rpc.call import Behaviour
from service.rpc.methods import METHODS, Method

KINDS: Mapping[tuple[bool, bool], tuple[Callable[..., Any], str]] = {
    (False, False): (grpc.unary_unary_rpc_method_handler, "unary_unary"),
    (False, True): (grpc.unary_stream_rpc_method_handler, "unary_stream"),
    (True, False): (grpc.stream_unary_rpc_method_handler, "stream_unary"),
    (True, True): (grpc.stream_stream_rpc_method_handler, "stream_stream"),
}
"""By whether requests and answers are streams: what makes a handler, and where its behaviour is."""


class Layer(grpc.aio.ServerInterceptor):
    """Wraps the behaviour of each method once; every call then runs through the same wrapping.

    Health and reflection are no methods of the API: they pass untouched, and so need no key.
    """

    def __init__(self) -> None:
        """Start with nothing wrapped."""
        self._wrapped: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    @abstractmethod
    def around(self, method: Method, inner: Behaviour) -> Callable[[Any, Any], Awaitable[Any]]:
        """Return the behaviour with this layer around it."""

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return the handler with this layer around it."""
        handler = await continuation(handler_call_details)
        wrapped = self._wrapped.get(handler_call_details.method)
        if wrapped is not None:
            return wrapped
        method = METHODS.get(handler_call_details.method)
        if handler is None or method is None:
            return handler
        wrapped = self._wrapped[method.path] = self._wrap(handler, method)
        return wrapped

    def _wrap(
        self, handler: grpc.RpcMethodHandler[Any, Any], method: Method
    ) -> grpc.RpcMethodHandler[Any, Any]:
        kind = (handler.request_streaming, handler.response_streaming)
        make, attribute = KINDS[kind]
        wrapped: grpc.RpcMethodHandler[Any, Any] = make(
            self.around(method, getattr(handler, attribute)),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
        return wrapped
