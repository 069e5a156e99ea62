"""Holding, booking and changing bookings through the API."""

from datetime import datetime, timedelta

import grpc
import pytest

from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import booking_service_pb2_grpc
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.rpc.stack import a_request_id, refusal, stamp, tomorrow

CONFIRMED = booking_pb.BOOKING_STATUS_CONFIRMED
CANCELLED = booking_pb.BOOKING_STATUS_CANCELLED


@pytest.fixture(scope="module")
def grpc_stub_cls():
    return booking_service_pb2_grpc.BookingServiceStub


def cancel_request(booking, **changes):
    values = {"name": booking.name, "version": booking.version, "request_id": a_request_id()}
    return booking_pb.CancelBookingRequest(**{**values, **changes})


def test_a_booked_slot_is_listed_no_more(shop):
    start = tomorrow()
    query = availability_pb.ListSlotsRequest(
        parent=shop.business,
        start_time=stamp(start),
        end_time=stamp(start + timedelta(hours=1)),
    )
    before = shop.call(shop.availability.ListSlots, query)
    booked = shop.call(shop.bookings.Book, shop.book_request(start))
    query.min_revision = booked.revision
    after = shop.call(shop.availability.ListSlots, query)

    assert [slot.start_time.ToDatetime() for slot in before.slots] == [
        start.replace(tzinfo=None),
        start.replace(tzinfo=None) + timedelta(minutes=30),
    ]
    assert list(after.slots) == list(before.slots)[1:]
    assert after.revision == booked.revision


def test_a_booking_is_read_as_it_was_answered(shop):
    booked = shop.call(shop.bookings.Book, shop.book_request(tomorrow()))
    (booking,) = booked.bookings

    read = shop.call(
        shop.bookings.GetBooking,
        booking_pb.GetBookingRequest(name=booking.name, min_revision=booked.revision),
    )

    assert read.booking == booking
    assert read.revision == booked.revision
    assert (booking.status, booking.version) == (CONFIRMED, 1)
    assert booking.calendars == [shop.name("calendars", "anna")]


def test_the_same_request_gets_the_same_bytes(grpc_channel, shop):
    request = shop.book_request(tomorrow()).SerializeToString()
    book = grpc_channel.unary_unary("/slotcast.v1.BookingService/Book")

    answers = {book(request, metadata=shop.metadata, timeout=20) for _ in range(3)}

    assert len(answers) == 1


def test_a_request_id_is_not_for_two_requests(shop):
    request = shop.book_request(tomorrow())
    shop.call(shop.bookings.Book, request)
    request.customer.display_name = "Another"

    code, reason, _ = refusal(shop.bookings.Book, request, metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")


def test_a_taken_slot_is_refused_with_what_is_open_instead(shop):
    start = tomorrow(12)
    first = shop.call(shop.bookings.Book, shop.book_request(start))

    code, reason, details = refusal(
        shop.bookings.Book, shop.book_request(start), metadata=shop.metadata
    )

    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SLOT_TAKEN")
    assert details["ErrorInfo"].metadata == {"start": start.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert "RetryInfo" not in details
    alternatives = details["Alternatives"]
    assert alternatives.revision == first.revision
    assert len(alternatives.slots) == 10
    nearest = {slot.start_time.ToDatetime() for slot in alternatives.slots[:2]}
    half_an_hour = timedelta(minutes=30)
    assert nearest == {
        (start - half_an_hour).replace(tzinfo=None),
        (start + half_an_hour).replace(tzinfo=None),
    }
    # What is shown can be booked.
    choice = shop.choice(start, start_time=alternatives.slots[0].start_time)
    shop.call(
        shop.bookings.Book,
        shop.book_request(start, appointments=[booking_pb.Appointment(slot=choice)]),
    )


def test_a_start_off_the_grid_is_refused_with_what_is_open_instead(shop):
    start = tomorrow(12, 7)

    code, reason, details = refusal(
        shop.bookings.Book, shop.book_request(start), metadata=shop.metadata
    )

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "SLOT_OFF_GRID")
    assert details["Alternatives"].slots[0].start_time == stamp(tomorrow(12, 0))


def test_a_hold_is_renewed_booked_and_over(shop):
    request = booking_pb.HoldSlotRequest(
        parent=shop.business, request_id=a_request_id(), slot=shop.choice(tomorrow()), holder="kim"
    )
    held = shop.call(shop.bookings.HoldSlot, request)
    renewed = shop.call(
        shop.bookings.RenewHold,
        booking_pb.RenewHoldRequest(name=held.hold.name, request_id=a_request_id()),
    )
    booked = shop.call(
        shop.bookings.Book,
        shop.book_request(tomorrow(), appointments=[booking_pb.Appointment(hold=held.hold.name)]),
    )
    code, reason, _ = refusal(
        shop.bookings.ReleaseHold,
        booking_pb.ReleaseHoldRequest(name=held.hold.name, request_id=a_request_id()),
        metadata=shop.metadata,
    )

    assert held.hold.holder == "kim"
    assert renewed.hold.expire_time.ToDatetime() >= held.hold.expire_time.ToDatetime()
    assert booked.bookings[0].start_time == held.hold.start_time
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "HOLD_ENDED")


def test_a_released_hold_frees_its_slot(shop):
    request = booking_pb.HoldSlotRequest(
        parent=shop.business, request_id=a_request_id(), slot=shop.choice(tomorrow()), holder="kim"
    )
    held = shop.call(shop.bookings.HoldSlot, request)

    released = shop.call(
        shop.bookings.ReleaseHold,
        booking_pb.ReleaseHoldRequest(name=held.hold.name, request_id=a_request_id()),
    )

    assert released.revision == held.revision + 1
    shop.call(shop.bookings.Book, shop.book_request(tomorrow()))


def test_a_hold_of_another_key_is_not_found(shop, make_caller):
    other = make_caller(shop.business_id)
    held = shop.call(
        shop.bookings.HoldSlot,
        booking_pb.HoldSlotRequest(
            parent=shop.business,
            request_id=a_request_id(),
            slot=shop.choice(tomorrow()),
            holder="kim",
        ),
    )

    code, _, details = refusal(
        other.bookings.RenewHold,
        booking_pb.RenewHoldRequest(name=held.hold.name, request_id=a_request_id()),
        metadata=other.metadata,
    )

    assert code is grpc.StatusCode.NOT_FOUND
    assert details["ErrorInfo"].metadata == {"name": held.hold.name}


def test_a_booking_is_moved_and_cancelled(shop):
    (booking,) = shop.call(shop.bookings.Book, shop.book_request(tomorrow())).bookings
    moved = shop.call(
        shop.bookings.RescheduleBooking,
        booking_pb.RescheduleBookingRequest(
            name=booking.name,
            version=1,
            request_id=a_request_id(),
            to=booking_pb.Appointment(slot=shop.choice(tomorrow(15))),
        ),
    ).booking
    code, reason, details = refusal(
        shop.bookings.CancelBooking, cancel_request(booking), metadata=shop.metadata
    )
    cancelled = shop.call(shop.bookings.CancelBooking, cancel_request(moved, reason="Ill")).booking

    assert moved.name == booking.name
    assert moved.start_time == stamp(tomorrow(15))
    assert (code, reason) == (grpc.StatusCode.ABORTED, "VERSION_MISMATCH")
    assert details["ErrorInfo"].metadata == {"version": "2"}
    assert (cancelled.status, cancelled.version) == (CANCELLED, 3)
    assert cancelled.cancel_reason == "Ill"


def test_only_staff_may_override_a_notice(shop, make_caller):
    chatbot = make_caller(shop.business_id, "bookings.write")
    (booking,) = chatbot.call(chatbot.bookings.Book, chatbot.book_request(tomorrow())).bookings
    request = cancel_request(booking, override_notice=True)

    code, reason, details = refusal(
        chatbot.bookings.CancelBooking, request, metadata=chatbot.metadata
    )

    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
    assert details["ErrorInfo"].metadata == {"scope": "bookings.staff"}
    assert shop.call(shop.bookings.CancelBooking, request).booking.status == CANCELLED


def test_an_approval_says_whether_it_came_in_time(shop):
    kind = shop.call(
        shop.catalog.GetAppointmentType,
        catalog_pb.GetAppointmentTypeRequest(name=shop.name("appointmentTypes", "visit")),
    ).appointment_type
    kind.requires_approval = True
    shop.call(
        shop.catalog.UpdateAppointmentType,
        catalog_pb.UpdateAppointmentTypeRequest(appointment_type=kind, request_id=a_request_id()),
    )
    (booking,) = shop.call(shop.bookings.Book, shop.book_request(tomorrow())).bookings
    approve = booking_pb.ApproveBookingRequest(
        name=booking.name, version=1, request_id=a_request_id()
    )

    approved = shop.call(shop.bookings.ApproveBooking, approve).booking
    decline = booking_pb.DeclineBookingRequest(
        name=booking.name, version=2, request_id=a_request_id()
    )
    _, declined, details = refusal(shop.bookings.DeclineBooking, decline, metadata=shop.metadata)
    complete = booking_pb.CompleteBookingRequest(
        name=booking.name, version=2, request_id=a_request_id()
    )
    _, completed, _ = refusal(shop.bookings.CompleteBooking, complete, metadata=shop.metadata)

    assert booking.status == booking_pb.BOOKING_STATUS_PENDING
    assert approved.status == CONFIRMED
    assert (declined, completed) == ("INVALID_TRANSITION", "INVALID_TRANSITION")
    assert details["ErrorInfo"].metadata == {"status": "CONFIRMED"}


def test_bookings_are_listed_page_by_page_each_once(shop):
    names = []
    for hour in (13, 9, 11, 10, 12):
        (booking,) = shop.call(shop.bookings.Book, shop.book_request(tomorrow(hour))).bookings
        names.append((hour, booking.name))
    shop.call(shop.bookings.CancelBooking, cancel_request(booking))
    request = booking_pb.ListBookingsRequest(
        parent=shop.business,
        calendar=shop.name("calendars", "anna"),
        start_time=stamp(tomorrow(0)),
        end_time=stamp(tomorrow(24)),
        page_size=2,
    )

    pages: list[list[str]] = []
    while not pages or request.page_token:
        page = shop.call(shop.bookings.ListBookings, request)
        pages.append([booking.name for booking in page.bookings])
        request.page_token = page.next_page_token

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [name for page in pages for name in page] == [name for _, name in sorted(names)]
    request.statuses.append(CANCELLED)
    listed = shop.call(shop.bookings.ListBookings, request).bookings
    assert [each.name for each in listed] == [booking.name]


def test_a_chat_finds_what_it_has_booked_however_far_ahead(shop):
    for hour, conversation in ((9, "chat-1"), (11, "chat-2"), (10, "chat-2"), (12, "")):
        request = shop.book_request(tomorrow(hour))
        request.conversation = conversation
        shop.call(shop.bookings.Book, request)
    request = booking_pb.ListBookingsRequest(
        parent=shop.business,
        start_time=stamp(tomorrow(0)),
        end_time=stamp(tomorrow(24 * 1000)),
        conversation="chat-2",
        page_size=1,
    )

    first = shop.call(shop.bookings.ListBookings, request)
    request.page_token = first.next_page_token
    second = shop.call(shop.bookings.ListBookings, request)

    found = [*first.bookings, *second.bookings]
    assert [each.start_time for each in found] == [stamp(tomorrow(10)), stamp(tomorrow(11))]
    assert {each.conversation for each in found} == {"chat-2"}
    assert not second.next_page_token
    request.conversation = "chat-1"
    _, of_another, _ = refusal(shop.bookings.ListBookings, request, metadata=shop.metadata)
    request.conversation, request.page_token = "", ""
    _, of_any, _ = refusal(shop.bookings.ListBookings, request, metadata=shop.metadata)
    assert (of_another, of_any) == ("INVALID_PAGE_TOKEN", "INVALID_REQUEST")


def test_slots_are_listed_page_by_page_each_once(shop):
    request = availability_pb.ListSlotsRequest(
        parent=shop.business,
        start_time=stamp(tomorrow(0)),
        end_time=stamp(tomorrow(24)),
        page_size=20,
    )

    starts: list[datetime] = []
    while not starts or request.page_token:
        page = shop.call(shop.availability.ListSlots, request)
        starts += [slot.start_time.ToDatetime() for slot in page.slots]
        request.page_token = page.next_page_token

    assert len(starts) == 48
    assert starts == sorted(set(starts))


def test_a_refusal_is_explained_rule_by_rule(shop):
    shop.call(shop.bookings.Book, shop.book_request(tomorrow()))

    def explain(start):
        request = availability_pb.ExplainSlotRequest(parent=shop.business, slot=shop.choice(start))
        return shop.call(shop.availability.ExplainSlot, request)

    taken, free = explain(tomorrow()), explain(tomorrow(12))

    assert (taken.bookable, free.bookable) == (False, True)
    failed = [verdict.rule for verdict in taken.verdicts if not verdict.passed]
    assert failed == [availability_pb.RuleVerdict.RULE_FREE]
    assert {verdict.calendar for verdict in taken.verdicts} == {shop.name("calendars", "anna")}


def test_an_explanation_for_a_calendar_that_is_not_there_is_not_found(shop):
    request = availability_pb.ExplainSlotRequest(
        parent=shop.business,
        slot=shop.choice(tomorrow(), calendar=shop.name("calendars", "absent")),
    )

    code, reason, _ = refusal(shop.availability.ExplainSlot, request, metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")


def test_the_generated_stub_needs_nothing_but_a_key(grpc_stub, shop):
    response = grpc_stub.Book(shop.book_request(tomorrow()), metadata=shop.metadata, timeout=20)

    assert response.bookings[0].status == CONFIRMED
