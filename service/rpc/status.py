"""From a refusal to gRPC's code and rich status: the one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from service.domain import errors
from service.domain.errors import DomainError, InvalidRequest, SeriesRefused
from service.rpc.convert.times import write_duration, write_instant
from slotcast.v1 import booking_service_pb2, error_reason_pb2

DOMAIN = "slotcast.dev"
DETAILS_KEY = "grpc-status-details-bin"
INTERNAL_REASON = "INTERNAL"
INTERNAL_MESSAGE = "A fault of the server. The outcome is unknown."

CODES: Mapping[type[DomainError], grpc.StatusCode] = {
    errors.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.SlotOffGrid: grpc.StatusCode.INVALID_ARGUMENT,
    errors.InvalidPageToken: grpc.StatusCode.INVALID_ARGUMENT,
    errors.InvalidResumeToken: grpc.StatusCode.INVALID_ARGUMENT,
    errors.RequestIdReused: grpc.StatusCode.INVALID_ARGUMENT,
    errors.BadFeed: grpc.StatusCode.INVALID_ARGUMENT,
    errors.TimeNotUnderstood: grpc.StatusCode.INVALID_ARGUMENT,
    errors.DateDoesNotExist: grpc.StatusCode.INVALID_ARGUMENT,
    errors.TimeHasPassed: grpc.StatusCode.INVALID_ARGUMENT,
    errors.HandoffInvalid: grpc.StatusCode.INVALID_ARGUMENT,
    errors.ResourceNotFound: grpc.StatusCode.NOT_FOUND,
    errors.ResourceExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.ResourceInUse: grpc.StatusCode.FAILED_PRECONDITION,
    errors.SlotTaken: grpc.StatusCode.FAILED_PRECONDITION,
    errors.SlotClosed: grpc.StatusCode.FAILED_PRECONDITION,
    errors.NoticeTooShort: grpc.StatusCode.FAILED_PRECONDITION,
    errors.BeyondHorizon: grpc.StatusCode.FAILED_PRECONDITION,
    errors.CapReached: grpc.StatusCode.FAILED_PRECONDITION,
    errors.HoldEnded: grpc.StatusCode.FAILED_PRECONDITION,
    errors.HoldLifetimeReached: grpc.StatusCode.FAILED_PRECONDITION,
    errors.TooManyHolds: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.TooManyWaiting: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.WaitingEnded: grpc.StatusCode.FAILED_PRECONDITION,
    errors.SeriesRefused: grpc.StatusCode.FAILED_PRECONDITION,
    errors.TargetRefused: grpc.StatusCode.FAILED_PRECONDITION,
    errors.LogTrimmed: grpc.StatusCode.OUT_OF_RANGE,
    errors.VersionMismatch: grpc.StatusCode.ABORTED,
    errors.InvalidTransition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.CancellationNoticePassed: grpc.StatusCode.FAILED_PRECONDITION,
    errors.HandoffUsed: grpc.StatusCode.FAILED_PRECONDITION,
    errors.HandoffEnded: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ConsentMismatch: grpc.StatusCode.FAILED_PRECONDITION,
    errors.KeyMissing: grpc.StatusCode.UNAUTHENTICATED,
    errors.KeyInvalid: grpc.StatusCode.UNAUTHENTICATED,
    errors.CapabilityEnded: grpc.StatusCode.UNAUTHENTICATED,
    errors.ScopeMissing: grpc.StatusCode.PERMISSION_DENIED,
    errors.RateLimited: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.RevisionAhead: grpc.StatusCode.UNAVAILABLE,
    errors.TryAgain: grpc.StatusCode.UNAVAILABLE,
    errors.Overloaded: grpc.StatusCode.UNAVAILABLE,
    errors.NotImplementedYet: grpc.StatusCode.UNIMPLEMENTED,
}


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """What is wrong with one field."""

    field: str
    description: str


class InvalidFields(InvalidRequest):
    """Several fields may be wrong; each is told."""

    def __init__(self, violations: tuple[FieldViolation, ...]) -> None:
        """Name the first in the message, and all in the details."""
        text = "; ".join(f"{each.field}: {each.description}" for each in violations)
        super().__init__(violations[0].field, text)
        self.violations = violations


class SlotRefusedWithAlternatives(Exception):
    """A refusal of a slot, and what is open instead."""

    def __init__(self, error: DomainError, alternatives: error_reason_pb2.Alternatives) -> None:
        """Keep both for the status."""
        super().__init__(error.message)
        self.error = error
        self.alternatives = alternatives


Refusal = DomainError | SlotRefusedWithAlternatives


def code_of(error: DomainError) -> grpc.StatusCode:
    """Return the code of a refusal."""
    return next(CODES[each] for each in type(error).__mro__ if each in CODES)


def to_status(refusal: Refusal) -> status_pb2.Status:
    """Return all that a caller is told of a refusal."""
    if isinstance(refusal, SlotRefusedWithAlternatives):
        status = to_status(refusal.error)
        _add(status, refusal.alternatives)
        return status
    error = refusal
    status = status_pb2.Status(code=code_of(error).value[0], message=error.message)
    _add(
        status,
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata),
    )
    if error.retry_after_seconds is not None:
        _add(status, _retry_info(error.retry_after_seconds))
    if isinstance(error, InvalidRequest):
        _add(status, _bad_request(error))
    if isinstance(error, SeriesRefused):
        _add(status, _series_report(error))
    return status


def internal_status(incident: str) -> status_pb2.Status:
    """Return what a caller is told of a fault of ours: nothing but where to find it in our log."""
    status = status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message=INTERNAL_MESSAGE)
    _add(
        status,
        error_details_pb2.ErrorInfo(
            reason=INTERNAL_REASON, domain=DOMAIN, metadata={"incident": incident}
        ),
    )
    return status


def _retry_info(seconds: float) -> error_details_pb2.RetryInfo:
    return error_details_pb2.RetryInfo(retry_delay=write_duration(timedelta(seconds=seconds)))


def _series_report(error: SeriesRefused) -> booking_service_pb2.SeriesReport:
    """Return why each occurrence is refused, in few words: a status goes into a header."""
    report = booking_service_pb2.SeriesReport()
    for start, refusal in error.occurrences:
        occurrence = report.occurrences.add(start_time=write_instant(start))
        if refusal is not None:
            occurrence.refusal.code = code_of(refusal).value[0]
            _add(
                occurrence.refusal,
                error_details_pb2.ErrorInfo(reason=refusal.reason, domain=DOMAIN),
            )
    return report


def _bad_request(error: InvalidRequest) -> error_details_pb2.BadRequest:
    violations = (
        error.violations
        if isinstance(error, InvalidFields)
        else (FieldViolation(error.field, error.message),)
    )
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=each.field, description=each.description, reason=error.reason
            )
            for each in violations
        ]
    )


def _add(status: status_pb2.Status, detail: Message) -> None:
    packed = Any()
    packed.Pack(detail)
    status.details.append(packed)
