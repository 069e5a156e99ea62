"""The outermost layer: what goes wrong leaves the server as a status that gives nothing away."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.rpc import status_pb2

from service.domain.errors import DomainError, Overloaded, TryAgain
from service.rpc.call import Behaviour, Call
from service.rpc.interceptors.layer import Layer
from service.rpc.methods import Method
from service.rpc.status import (
    DETAILS_KEY,
    SlotRefusedWithAlternatives,
    internal_status,
    to_status,
)
from service.store.database import is_retryable

logger = logging.getLogger(__name__)

CODES_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


class Errors(Layer):
    """Makes the call, and turns what it raises into its status."""

    def around(self, method: Method, inner: Behaviour) -> Callable[[Any, Any], Awaitable[Any]]:
        """Catch what the method raises."""

        async def answer(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            call = Call(context, method)
            try:
                return await inner(request, call)
            except asyncio.CancelledError:
                if _is_cancelled():
                    raise
                # Something that we waited for was cancelled, not the call: it must get an answer.
                status = to_status(_unfinished(method, "It was broken off. Retry."))
            except grpc.aio.InternalError as error:
                # A write failed: the client is gone. Said so, gRPC makes no incident of it.
                raise asyncio.CancelledError from error.with_traceback(None)
            except Exception as error:
                status = status_of(error, call)
            return await _abort(context, status)

        return answer


def status_of(error: BaseException, call: Call) -> status_pb2.Status:
    """Return the status of anything raised; of what is no refusal, only the log is told.

    The error loses its frames: what it is kept by, a task or a view, they often keep in turn.
    """
    status = _status_of(error, call)
    error.with_traceback(None)
    return status


def _status_of(error: BaseException, call: Call) -> status_pb2.Status:
    if isinstance(error, DomainError | SlotRefusedWithAlternatives):
        return to_status(error)
    if is_retryable(error):
        logger.warning(
            "The database failed in %s: %s",
            call.method.name,
            type(error).__name__,
            extra={"request_id": call.request_id or call.trace_id},
        )
        return to_status(_unfinished(call.method, "The database cannot be read. Retry."))
    incident = secrets.token_hex(8)
    logger.error(
        "Incident %s in %s",
        incident,
        call.method.name,
        exc_info=error,
        extra={"incident": incident, "request_id": call.request_id or call.trace_id},
    )
    return internal_status(incident)


def _unfinished(method: Method, text: str) -> DomainError:
    """Return what a caller has to do: only what changes something leaves an outcome in doubt."""
    return TryAgain() if method.has_request_id else Overloaded(text)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _abort(context: grpc.aio.ServicerContext[Any, Any], status: status_pb2.Status) -> None:
    """Give a call its status. gRPC itself raises what it aborted with once the handler returns.

    It keeps it too: with its frames it would keep all that the call had until the collector comes.
    """
    try:
        await context.abort(
            CODES_BY_NUMBER[status.code],
            status.message,
            ((DETAILS_KEY, status.SerializeToString()),),
        )
    except grpc.aio.AbortError as aborted:
        aborted.with_traceback(None)
