"""Errors: every reason that a server can give is a class that says what to do next."""

from datetime import timedelta

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

import slotcast
from slotcast import InvalidRequest, SlotcastError, SlotRefused, SlotTaken, TryAgain
from slotcast.error_details import error_of_status
from slotcast.errors import ERRORS_BY_REASON
from slotcast.v1.error_reason_pb2 import Alternatives, ErrorReason
from tests.clients.scripted import status
from tests.clients.wire import a_slot, slot_message

REASONS = sorted(
    name.removeprefix("ERROR_REASON_") for name, number in ErrorReason.items() if number
)


def test_every_reason_has_a_class_and_every_class_with_a_reason_is_one():
    assert sorted(ERRORS_BY_REASON) == REASONS


def test_every_error_is_public_and_drawn_in_the_tree():
    tree = slotcast.errors.__doc__
    for name, value in vars(slotcast.errors).items():
        if isinstance(value, type) and issubclass(value, SlotcastError):
            assert name in slotcast.__all__
            assert name in tree


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_becomes_its_class_with_its_metadata(reason):
    error = error_of_status(status(grpc.StatusCode.ABORTED, reason, field="start_time"))
    assert type(error) is ERRORS_BY_REASON[reason]
    assert error.reason == reason
    assert error.metadata == {"field": "start_time"}
    assert error.code is grpc.StatusCode.ABORTED


def test_a_reason_of_a_newer_server_is_the_base_class_and_keeps_its_name():
    error = error_of_status(status(grpc.StatusCode.ABORTED, "MOON_TOO_FULL"))
    assert type(error) is SlotcastError
    assert error.reason == "MOON_TOO_FULL"
    assert not error.retryable


def test_a_refused_slot_brings_alternatives_best_first():
    wanted = [a_slot(4), a_slot(3), a_slot(9, calendar="bert")]
    offered = Alternatives(slots=map(slot_message, wanted), revision=12)
    error = error_of_status(
        status(grpc.StatusCode.FAILED_PRECONDITION, "SLOT_TAKEN", details=[offered])
    )
    assert isinstance(error, SlotTaken)
    assert isinstance(error, SlotRefused)
    assert list(error.alternatives) == wanted
    assert error.revision == 12


def test_malformed_fields_are_named_each():
    fields = BadRequest(
        field_violations=[
            BadRequest.FieldViolation(field="holder", description="is too long"),
            BadRequest.FieldViolation(field="slot", description="is missing"),
        ]
    )
    error = error_of_status(
        status(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", details=[fields])
    )
    assert isinstance(error, InvalidRequest)
    assert error.violations == {"holder": "is too long", "slot": "is missing"}


def test_a_reason_that_says_retry_says_when():
    error = error_of_status(
        status(grpc.StatusCode.UNAVAILABLE, "TRY_AGAIN", retry_after_seconds=0.2)
    )
    assert isinstance(error, TryAgain)
    assert error.retryable
    assert error.retry_after == timedelta(seconds=0.2)


def test_a_reason_of_another_domain_is_not_ours():
    info = Any()
    info.Pack(ErrorInfo(reason="SLOT_TAKEN", domain="elsewhere.example"))
    error = error_of_status(Status(code=9, message="no", details=[info]))
    assert type(error) is SlotcastError
    assert error.reason == ""


def test_damaged_details_leave_the_status():
    damaged = Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")
    error = error_of_status(Status(code=14, message="gone", details=[damaged]))
    assert error.code is grpc.StatusCode.UNAVAILABLE
    assert error.message == "gone"


def test_an_error_without_a_message_says_what_its_class_says():
    assert SlotTaken().message == "The slot has no seat left."
