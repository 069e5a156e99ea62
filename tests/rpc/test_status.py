"""Every reason is an error, every error has a code, and a status tells all that a caller needs."""

from datetime import timedelta
from operator import attrgetter

import grpc
import pytest

from service.domain import errors
from service.domain.errors import DomainError
from service.rpc.convert.times import write_duration
from service.rpc.status import (
    CODES,
    FieldViolation,
    InvalidFields,
    SlotRefusedWithAlternatives,
    code_of,
    internal_status,
    to_status,
)
from slotcast.v1 import core_pb2, error_reason_pb2
from tests.rpc.stack import details_of, tomorrow

PREFIX = "ERROR_REASON_"


def descendants(of):
    for each in of.__subclasses__():
        yield each
        yield from descendants(each)


def reasons():
    return {name.removeprefix(PREFIX) for name in error_reason_pb2.ErrorReason.keys()}  # noqa: SIM118


RAISED = {
    each
    for each in descendants(DomainError)
    if each.__module__ == errors.__name__ and "reason" in vars(each)
}


def test_every_domain_error_has_a_code_and_no_other_has():
    assert set(CODES) == RAISED


def test_every_reason_in_the_protos_is_raised_by_one_error():
    raised = [each.reason for each in RAISED]

    assert len(raised) == len(set(raised))
    assert set(raised) == reasons() - {"UNSPECIFIED", "INTERNAL"}


def test_an_error_without_a_reason_of_its_own_is_only_a_family():
    families = {each for each in descendants(DomainError) if not hasattr(each, "reason")}

    assert families == {errors.SlotRefused}


@pytest.mark.parametrize(
    "error", [errors.RateLimited, errors.RevisionAhead, errors.TryAgain, errors.Overloaded]
)
def test_what_may_be_retried_says_when(error):
    details = details_of(to_status(error()))

    assert details["RetryInfo"].retry_delay == write_duration(
        timedelta(seconds=error.retry_after_seconds)
    )


@pytest.mark.parametrize("error", sorted(RAISED, key=attrgetter("reason")))
def test_what_must_not_be_retried_as_it_is_does_not_say_when(error):
    assert (error.retry_after_seconds is None) == (
        CODES[error] is not grpc.StatusCode.UNAVAILABLE and error is not errors.RateLimited
    )


def test_a_malformed_field_is_named_in_the_details():
    status = to_status(errors.InvalidRequest("start_time", "It must be a time."))

    details = details_of(status)
    assert status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert details["ErrorInfo"].reason == "INVALID_REQUEST"
    assert details["ErrorInfo"].metadata == {"field": "start_time"}
    (violation,) = details["BadRequest"].field_violations
    assert (violation.field, violation.description) == ("start_time", "It must be a time.")


def test_all_malformed_fields_are_named():
    error = InvalidFields((FieldViolation("a", "is wrong"), FieldViolation("b.c", "is long")))

    status = to_status(error)

    assert code_of(error) is grpc.StatusCode.INVALID_ARGUMENT
    assert status.message == "a: is wrong; b.c: is long"
    violations = details_of(status)["BadRequest"].field_violations
    assert [each.field for each in violations] == ["a", "b.c"]


def test_a_refused_slot_comes_with_what_is_open_instead():
    alternatives = error_reason_pb2.Alternatives(slots=[core_pb2.Slot(seats_left=1)], revision=7)
    refusal = SlotRefusedWithAlternatives(errors.SlotTaken(tomorrow()), alternatives)

    details = details_of(to_status(refusal))

    assert details["ErrorInfo"].reason == "SLOT_TAKEN"
    assert details["Alternatives"] == alternatives


def test_a_fault_of_ours_tells_only_where_to_find_it():
    status = internal_status("7f0c")

    details = details_of(status)
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert details["ErrorInfo"].reason == "INTERNAL"
    assert details["ErrorInfo"].metadata == {"incident": "7f0c"}
