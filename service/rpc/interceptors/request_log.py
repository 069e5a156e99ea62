"""One line in the log for each call: who, what, how long, how it ended; never what it said."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import grpc

from service.domain.errors import DomainError
from service.rpc.call import Behaviour, Call
from service.rpc.interceptors.layer import Layer
from service.rpc.methods import Method
from service.rpc.status import SlotRefusedWithAlternatives, code_of
from service.store.database import is_retryable

logger = logging.getLogger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
WORRYING = frozenset({grpc.StatusCode.UNAVAILABLE.name, grpc.StatusCode.RESOURCE_EXHAUSTED.name})


class RequestLog(Layer):
    """Logs at INFO; what an operator should look at as WARNING, our own faults as ERROR."""

    def around(self, method: Method, inner: Behaviour) -> Callable[[Any, Any], Awaitable[Any]]:
        """Time the method and log how it ended."""

        async def answer(request: Any, call: Call) -> Any:
            started = time.perf_counter()
            if not method.streams_requests:
                call.request_id = loggable_id(request)
            code = "OK"
            try:
                return await inner(request, call)
            except BaseException as error:
                code = code_name(error)
                raise
            finally:
                write_line(
                    CallLine(
                        method.name,
                        call.business_id,
                        call.principal_id,
                        call.request_id or call.trace_id,
                    ),
                    code,
                    time.perf_counter() - started,
                )

        return answer


class CallLine(NamedTuple):
    """What the line of a call names."""

    method: str
    business_id: str
    principal_id: str
    request_id: str


def write_line(line: CallLine, code: str, seconds: float) -> None:
    """Write the line of one call."""
    level = logging.INFO
    if code in WORRYING:
        level = logging.WARNING
    elif code == grpc.StatusCode.INTERNAL.name:
        level = logging.ERROR
    if not logger.isEnabledFor(level):
        return
    logger.handle(_CallRecord(level, line, code, seconds))


class _CallRecord(logging.LogRecord):
    """The record of a call, without what its line does not use.

    There is one for every request of a stream: looking up the file, the thread and the task of each
    takes as long as deciding it.
    """

    _SAME_FOR_ALL: ClassVar[Mapping[str, Any]] = vars(
        logging.LogRecord(logger.name, logging.INFO, __file__, 0, "", (), None)
    )

    def __init__(self, level: int, line: CallLine, code: str, seconds: float) -> None:
        now = time.time()  # noqa: TID251 (what logging itself writes down)
        self.__dict__.update(
            self._SAME_FOR_ALL,
            levelno=level,
            levelname=logging.getLevelName(level),
            msg=f"{line.method} {code}",
            created=now,
            msecs=int(now % 1 * 1000),
            process=os.getpid(),
            method=line.method,
            code=code,
            ms=round(seconds * 1000, 2),
            business=line.business_id,
            principal=line.principal_id,
            request_id=line.request_id,
        )


def code_name(error: BaseException) -> str:
    """Return the name of the code that a caller will see."""
    if isinstance(error, SlotRefusedWithAlternatives):
        error = error.error
    if isinstance(error, DomainError):
        return code_of(error).name
    if isinstance(error, asyncio.CancelledError | grpc.aio.InternalError):
        return grpc.StatusCode.CANCELLED.name
    if is_retryable(error):
        return grpc.StatusCode.UNAVAILABLE.name
    return grpc.StatusCode.INTERNAL.name


def loggable_id(request: Any) -> str:
    """Return the request's own id where it has one fit to be written down."""
    request_id = getattr(request, "request_id", "")
    return request_id if REQUEST_ID.fullmatch(request_id) else ""
