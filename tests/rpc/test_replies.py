"""ReceiveReply: the mail of whoever declines cancels the booking, once, and only theirs."""

from __future__ import annotations

from uuid import UUID

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast.v1 import notification_service_pb2 as notification_pb
from tests.rpc.stack import a_request_id, refusal, tomorrow
from tests.webhooks.mails import PROGRAMS, a_calendar, bare, gmail

CANCELLED = notification_pb.ReceiveReplyResponse.ACTION_CANCELLED
NONE = notification_pb.ReceiveReplyResponse.ACTION_NONE

programs = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())


def add_type(shop, type_id, **rules):
    appointment_type = catalog_pb.AppointmentType(
        display_name=type_id,
        durations=[Duration(seconds=1800)],
        any_of=[shop.name("calendars", "anna")],
        **rules,
    )
    request = catalog_pb.CreateAppointmentTypeRequest(
        parent=shop.business,
        appointment_type_id=type_id,
        appointment_type=appointment_type,
        request_id=a_request_id(),
    )
    shop.call(shop.catalog.CreateAppointmentType, request)


@pytest.fixture
def shop(shop):
    """With a type that lets replies cancel, and one that wants two days' notice for it."""
    add_type(shop, "easy", cancel_by_reply=True)
    add_type(shop, "firm", cancel_by_reply=True, cancellation_notice=Duration(seconds=172_800))
    return shop


def book(shop, type_id="easy", hour=9):
    slot = shop.choice(tomorrow(hour), appointment_type=shop.name("appointmentTypes", type_id))
    request = shop.book_request(
        tomorrow(hour),
        appointments=[booking_pb.Appointment(slot=slot)],
        customer=booking_pb.Customer(display_name="Eve", email="eve@example.org"),
    )
    (booking,) = shop.call(shop.bookings.Book, request).bookings
    return booking


def uid_of(shop, booking):
    return f"{booking.name.rpartition('/')[2]}@{shop.business_id}.slotcast"


def receive(shop, mail):
    request = notification_pb.ReceiveReplyRequest(parent=shop.business, mail=mail)
    return shop.call(shop.notifications.ReceiveReply, request)


def status_of_booking(shop, booking):
    request = booking_pb.GetBookingRequest(name=booking.name)
    return shop.call(shop.bookings.GetBooking, request).booking.status


@programs
def test_the_mail_of_each_program_cancels(shop, program):
    booking = book(shop)

    answer = receive(shop, program(uid=uid_of(shop, booking)))

    assert answer.action == CANCELLED
    assert answer.booking.status == booking_pb.BOOKING_STATUS_CANCELLED
    assert status_of_booking(shop, booking) == booking_pb.BOOKING_STATUS_CANCELLED


def test_the_same_mail_a_second_time_does_nothing_and_says_what_it_did(shop):
    booking = book(shop)
    mail = gmail(uid=uid_of(shop, booking))
    first = receive(shop, mail)
    # The slot is another's by now; and mail that is delivered again has other headers.
    again = book(shop)

    assert receive(shop, b"Received: once more\r\n" + mail) == first
    assert status_of_booking(shop, again) == booking_pb.BOOKING_STATUS_CONFIRMED


@programs
@pytest.mark.parametrize("word", ["ACCEPTED", "TENTATIVE"])
def test_who_accepts_changes_nothing(shop, program, word):
    booking = book(shop)

    answer = receive(shop, program(word, uid=uid_of(shop, booking)))

    assert (answer.action, answer.detail) == (NONE, "The customer has not declined.")
    assert status_of_booking(shop, booking) == booking_pb.BOOKING_STATUS_CONFIRMED


def test_an_answer_to_an_older_invitation_changes_nothing(shop):
    booking = book(shop)
    move = booking_pb.RescheduleBookingRequest(
        name=booking.name,
        version=1,
        request_id=a_request_id(),
        to=booking_pb.Appointment(
            slot=shop.choice(tomorrow(15), appointment_type=booking.appointment_type)
        ),
    )
    shop.call(shop.bookings.RescheduleBooking, move)
    uid = uid_of(shop, booking)

    old = receive(shop, gmail(uid=uid, sequence=0))
    assert old.action == NONE
    assert "changed since" in old.detail

    new = gmail(uid=uid, sequence=1).replace(b"-0001@google", b"-0002@google")
    assert receive(shop, new).action == CANCELLED


def test_a_mail_about_a_type_that_does_not_allow_it_changes_nothing(shop):
    booking = book(shop, "visit")

    answer = receive(shop, gmail(uid=uid_of(shop, booking)))

    assert answer.action == NONE
    assert answer.booking.name == booking.name


def test_a_mail_that_comes_too_late_changes_nothing(shop):
    booking = book(shop, "firm")

    answer = receive(shop, gmail(uid=uid_of(shop, booking)))

    assert (answer.action, answer.detail) == (NONE, "The appointment is too near to be cancelled.")
    assert status_of_booking(shop, booking) == booking_pb.BOOKING_STATUS_CONFIRMED


def test_who_is_not_the_customer_cancels_nothing(shop):
    booking = book(shop)

    answer = receive(shop, gmail(uid=uid_of(shop, booking), attendee="mallory@example.org"))

    assert answer.action == NONE
    assert status_of_booking(shop, booking) == booking_pb.BOOKING_STATUS_CONFIRMED


def test_a_booking_that_is_over_stays_as_it_is(shop):
    booking = book(shop)
    cancel = booking_pb.CancelBookingRequest(
        name=booking.name, version=1, request_id=a_request_id()
    )
    shop.call(shop.bookings.CancelBooking, cancel)

    answer = receive(shop, gmail(uid=uid_of(shop, booking), sequence=1))

    assert (answer.action, answer.detail) == (NONE, "The booking can no longer be cancelled.")


def test_s1_a_mail_cannot_reach_a_booking_of_another_business(shop, stranger):
    booking = book(shop)
    booking_id = UUID(booking.name.rpartition("/")[2])
    for uid in (uid_of(shop, booking), f"{booking_id}@{stranger.business_id}.slotcast"):
        request = notification_pb.ReceiveReplyRequest(parent=shop.business, mail=gmail(uid=uid))
        code, reason, _ = refusal(
            stranger.notifications.ReceiveReply, request, metadata=stranger.metadata
        )
        assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    assert receive(shop, gmail(uid=f"{booking_id}@other.slotcast")).detail.startswith("It is about")
    assert status_of_booking(shop, booking) == booking_pb.BOOKING_STATUS_CONFIRMED


def test_the_answer_names_no_customer(shop, make_caller):
    booking = book(shop)
    hook = make_caller(shop.business_id, "bookings.replies")

    answer = receive(hook, gmail(uid=uid_of(shop, booking)))

    assert answer.action == CANCELLED
    assert not answer.booking.HasField("customer")
    assert not answer.booking.cancel_reason


def test_receiving_replies_needs_its_scope(shop, make_caller):
    widget = make_caller(shop.business_id, "bookings.write", "bookings.read", "notifications")
    request = notification_pb.ReceiveReplyRequest(parent=shop.business, mail=b"x")

    code, reason, _ = refusal(widget.notifications.ReceiveReply, request, metadata=widget.metadata)

    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")


@pytest.mark.parametrize(
    "mail",
    [
        bare("BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\n"),
        b"Subject: x\n\n" + b"\n" * 60_000,
        b"x" * 900_001,
        b"",
    ],
    ids=["damaged", "lines", "bytes", "empty"],
)
def test_a_damaged_mail_is_refused(shop, mail):
    request = notification_pb.ReceiveReplyRequest(parent=shop.business, mail=mail)

    code, reason, details = refusal(
        shop.notifications.ReceiveReply, request, metadata=shop.metadata
    )

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    (violation,) = details["BadRequest"].field_violations
    assert violation.field == "mail"


def test_a_mail_that_is_no_reply_is_answered_too(shop):
    assert receive(shop, b"Subject: Hello\r\n\r\nAt ten?\r\n").action == NONE
    assert receive(shop, bare(a_calendar(method="REQUEST"))).action == NONE
