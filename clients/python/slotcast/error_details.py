"""A failed call, or a refusal on a stream, to the exception that says what to do next."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2 as details_pb
from google.rpc.status_pb2 import Status

from slotcast import convert
from slotcast.errors import (
    ERRORS_BY_REASON,
    DeadlineExceeded,
    ErrorDetails,
    ServerUnreachable,
    SlotcastError,
)
from slotcast.v1.booking_service_pb2 import SeriesReport
from slotcast.v1.error_reason_pb2 import Alternatives

_DETAILS_KEY = "grpc-status-details-bin"
_DOMAIN = "slotcast.dev"
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_ERRORS_WITHOUT_REASON: dict[grpc.StatusCode, type[SlotcastError]] = {
    grpc.StatusCode.UNAVAILABLE: ServerUnreachable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}


def error_of_call(failure: grpc.aio.AioRpcError) -> SlotcastError:
    """Build the exception of a call that failed, with or without details."""
    return error_of_status(_status_of(failure))


def error_of_status(status: Status) -> SlotcastError:
    """Build the exception that a status stands for."""
    details = _details(status)
    kind = ERRORS_BY_REASON.get(details.reason, SlotcastError)
    if not details.reason:
        kind = _ERRORS_WITHOUT_REASON.get(details.code, SlotcastError)
    return kind(status.message, details)


def _status_of(failure: grpc.aio.AioRpcError) -> Status:
    plain = Status(code=failure.code().value[0], message=failure.details() or "")
    for key, value in failure.trailing_metadata():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return Status.FromString(value)
            except DecodeError:
                return plain
    return plain


def _details(status: Status) -> ErrorDetails:
    info, bad_request = details_pb.ErrorInfo(), details_pb.BadRequest()
    retry_info, alternatives, report = details_pb.RetryInfo(), Alternatives(), SeriesReport()
    for packed in status.details:
        for message in (info, bad_request, retry_info, alternatives, report):
            with suppress(DecodeError):
                packed.Unpack(message)  # does nothing where it is another message
    ours = info.domain == _DOMAIN
    delay: timedelta | None = None
    if retry_info.HasField("retry_delay"):
        delay = retry_info.retry_delay.ToTimedelta()
    return ErrorDetails(
        code=_CODES.get(status.code, grpc.StatusCode.UNKNOWN),
        reason=info.reason if ours else "",
        metadata=dict(info.metadata) if ours else {},
        violations={item.field: item.description for item in bad_request.field_violations},
        alternatives=tuple(convert.slot(item) for item in alternatives.slots),
        revision=alternatives.revision,
        retry_after=delay,
        occurrences=tuple(
            (
                convert.instant(item.start_time),
                error_of_status(item.refusal) if item.HasField("refusal") else None,
            )
            for item in report.occurrences
        ),
    )
