"""Waiting for a slot, through the API."""

from datetime import timedelta

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from service.domain.scopes import BOOKINGS_READ, BOOKINGS_STAFF, BOOKINGS_WRITE
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import booking_service_pb2_grpc
from tests.rpc.stack import a_request_id, refusal, stamp, tomorrow

ENTRY = booking_pb.WaitlistEntry
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def grpc_stub_cls():
    return booking_service_pb2_grpc.BookingServiceStub


def join_request(shop, *starts, **changes):
    """Wait for a slot that starts then."""
    values = {
        "parent": shop.business,
        "request_id": a_request_id(),
        "appointment_type": shop.name("appointmentTypes", "visit"),
        "windows": [
            booking_pb.TimeWindow(start_time=stamp(start), end_time=stamp(start + MINUTE))
            for start in starts or (tomorrow(),)
        ],
        "holder": "wendy",
        "customer": booking_pb.Customer(display_name="Wendy", email="wendy@example.org"),
    }
    return booking_pb.JoinWaitlistRequest(**{**values, **changes})


def join(shop, *starts, **changes):
    return shop.call(shop.bookings.JoinWaitlist, join_request(shop, *starts, **changes))


def read(shop, name, **more):
    request = booking_pb.GetWaitlistEntryRequest(name=name, **more)
    return shop.call(shop.bookings.GetWaitlistEntry, request).entry


def leave_request(name):
    return booking_pb.LeaveWaitlistRequest(name=name, request_id=a_request_id())


def book(shop, start):
    return shop.call(shop.bookings.Book, shop.book_request(start)).bookings[0]


def cancel(shop, booking):
    request = booking_pb.CancelBookingRequest(
        name=booking.name, version=booking.version, request_id=a_request_id()
    )
    return shop.call(shop.bookings.CancelBooking, request)


def starts(shop, revision):
    query = availability_pb.ListSlotsRequest(
        parent=shop.business,
        start_time=stamp(tomorrow()),
        end_time=stamp(tomorrow() + timedelta(hours=2)),
        min_revision=revision,
    )
    slots = shop.call(shop.availability.ListSlots, query).slots
    return [slot.start_time.ToDatetime() for slot in slots]


def wait_for(shop, *holders):
    """Let some wait for a slot that is taken; return its booking and their names."""
    booking = book(shop, tomorrow())
    return booking, [join(shop, holder=holder).name for holder in holders]


def test_who_waits_is_read_as_they_joined(shop):
    book(shop, tomorrow())
    request = join_request(
        shop,
        calendars=[shop.name("calendars", "anna")],
        duration=Duration(seconds=1800),
        fields={"note": "any"},
    )

    joined = shop.call(shop.bookings.JoinWaitlist, request)

    entry = joined.entry
    assert (entry.name, entry.status) == (joined.name, ENTRY.STATUS_WAITING)
    assert read(shop, joined.name, min_revision=joined.revision) == entry
    for field in ("appointment_type", "calendars", "windows", "duration", "holder", "customer"):
        assert getattr(entry, field) == getattr(request, field)
    assert not entry.HasField("offer")
    assert not entry.HasField("offer_expire_time")


def test_a_cancellation_offers_the_slot_to_the_first_and_shows_it_open_to_nobody(shop):
    booking, (first, second) = wait_for(shop, "wendy", "will")

    cancelled = cancel(shop, booking)

    offered = read(shop, first, min_revision=cancelled.revision)
    assert offered.status == ENTRY.STATUS_OFFERED
    assert offered.offer.start_time == booking.start_time
    assert offered.offer.holder == "wendy"
    assert offered.offer.expire_time.ToDatetime() - offered.offer_expire_time.ToDatetime() == MINUTE
    assert read(shop, second).status == ENTRY.STATUS_WAITING
    assert tomorrow().replace(tzinfo=None) not in starts(shop, cancelled.revision)


def test_what_is_offered_is_taken_by_booking_its_hold(shop):
    booking, (first,) = wait_for(shop, "wendy")
    cancel(shop, booking)
    offer = read(shop, first).offer
    request = shop.book_request(tomorrow(), appointments=[booking_pb.Appointment(hold=offer.name)])

    booked = shop.call(shop.bookings.Book, request)

    assert booked.bookings[0].start_time == booking.start_time
    entry = read(shop, first, min_revision=booked.revision)
    assert entry.status == ENTRY.STATUS_TAKEN
    assert not entry.HasField("offer")
    assert not entry.HasField("customer")


def test_another_key_cannot_book_what_is_offered(shop, make_caller):
    booking, (first,) = wait_for(shop, "wendy")
    cancel(shop, booking)
    other = make_caller(shop.business_id)
    offer = read(shop, first).offer
    request = shop.book_request(tomorrow(), appointments=[booking_pb.Appointment(hold=offer.name)])

    _, reason, _ = refusal(other.bookings.Book, request, metadata=other.metadata)

    assert reason == "RESOURCE_NOT_FOUND"


def test_who_leaves_passes_the_offer_to_the_next(shop):
    booking, (first, second) = wait_for(shop, "wendy", "will")
    cancel(shop, booking)

    left = shop.call(shop.bookings.LeaveWaitlist, leave_request(first))

    assert read(shop, first, min_revision=left.revision).status == ENTRY.STATUS_LEFT
    assert read(shop, second).status == ENTRY.STATUS_OFFERED
    assert tomorrow().replace(tzinfo=None) not in starts(shop, left.revision)


def test_who_joins_while_a_slot_is_open_is_offered_the_first_at_once(shop):
    later = tomorrow() + timedelta(hours=1)

    joined = join(shop, later, tomorrow())

    assert joined.entry.status == ENTRY.STATUS_OFFERED
    assert joined.entry.offer.start_time == stamp(tomorrow())
    assert read(shop, joined.name) == joined.entry
    assert tomorrow().replace(tzinfo=None) not in starts(shop, joined.revision)


def test_a_repeated_request_joins_once_and_is_answered_the_same(shop):
    request = join_request(shop)

    first = shop.call(shop.bookings.JoinWaitlist, request)
    again = shop.call(shop.bookings.JoinWaitlist, request)

    assert first == again


def test_who_waits_is_listed_in_the_order_of_joining_page_by_page(shop):
    _, names = wait_for(shop, *map(str, range(5)))
    shop.call(shop.bookings.LeaveWaitlist, leave_request(names[2]))
    request = booking_pb.ListWaitlistRequest(parent=shop.business, page_size=3)
    listed = []
    while True:
        page = shop.call(shop.bookings.ListWaitlist, request)
        listed += [entry.name for entry in page.entries]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break

    assert listed == names[:2] + names[3:]
    request = booking_pb.ListWaitlistRequest(
        parent=shop.business, appointment_type=shop.name("appointmentTypes", "other")
    )
    assert not shop.call(shop.bookings.ListWaitlist, request).entries


def test_who_may_not_read_bookings_is_not_told_who_waits(shop, make_caller):
    _, (name,) = wait_for(shop, "wendy")
    writer = make_caller(shop.business_id, BOOKINGS_WRITE)
    staff = make_caller(shop.business_id, BOOKINGS_STAFF)
    reader = make_caller(shop.business_id, BOOKINGS_READ)

    joined = join(writer, tomorrow(), holder="will")
    listed = staff.call(
        staff.bookings.ListWaitlist, booking_pb.ListWaitlistRequest(parent=shop.business)
    )

    assert not joined.entry.HasField("customer")
    assert [entry.HasField("customer") for entry in listed.entries] == [False, False]
    assert read(reader, name).customer.display_name == "Wendy"
    for caller, method, request in (
        (reader, "ListWaitlist", booking_pb.ListWaitlistRequest(parent=shop.business)),
        (writer, "GetWaitlistEntry", booking_pb.GetWaitlistEntryRequest(name=name)),
        (reader, "LeaveWaitlist", leave_request(name)),
        (reader, "JoinWaitlist", join_request(shop)),
    ):
        call = getattr(caller.bookings, method)
        assert refusal(call, request, metadata=caller.metadata)[1] == "SCOPE_MISSING"


def refused_wishes():
    return [
        ({"appointment_type": "businesses/{}/appointmentTypes/none"}, "RESOURCE_NOT_FOUND"),
        ({"calendars": ["businesses/{}/calendars/none"]}, "RESOURCE_NOT_FOUND"),
        ({"duration": Duration(seconds=3600)}, "INVALID_REQUEST"),
        ({"duration": Duration(seconds=90)}, "INVALID_REQUEST"),
        ({"windows": []}, "INVALID_REQUEST"),
        ({"holder": ""}, "INVALID_REQUEST"),
        ({"customer": None}, "INVALID_REQUEST"),
        (
            {"windows": [booking_pb.TimeWindow(start_time=stamp(tomorrow()))]},
            "INVALID_REQUEST",
        ),
        (
            {
                "windows": [
                    booking_pb.TimeWindow(
                        start_time=stamp(tomorrow()), end_time=stamp(tomorrow() - MINUTE)
                    )
                ]
            },
            "INVALID_REQUEST",
        ),
        (
            {
                "windows": [
                    booking_pb.TimeWindow(
                        start_time=stamp(tomorrow() - timedelta(days=3)),
                        end_time=stamp(tomorrow() - timedelta(days=2)),
                    )
                ]
            },
            "INVALID_REQUEST",
        ),
    ]


@pytest.mark.parametrize(("changes", "reason"), refused_wishes(), ids=lambda each: str(each)[:40])
def test_a_wish_that_nothing_can_grant_is_refused(shop, changes, reason):
    def named(value):
        if isinstance(value, str):
            return value.format(shop.business_id)
        return [named(each) for each in value] if isinstance(value, list) else value

    request = join_request(shop, **{key: named(value) for key, value in changes.items()})

    assert refusal(shop.bookings.JoinWaitlist, request, metadata=shop.metadata)[1] == reason


def test_a_holder_waits_for_so_many_things_at_a_time(shop):
    book(shop, tomorrow())
    for _ in range(5):
        join(shop)

    code, reason, details = refusal(
        shop.bookings.JoinWaitlist, join_request(shop), metadata=shop.metadata
    )

    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_WAITING")
    assert details["ErrorInfo"].metadata == {"waiting_per_holder_max": "5"}


def test_who_has_left_cannot_leave_again(shop):
    _, (name,) = wait_for(shop, "wendy")
    shop.call(shop.bookings.LeaveWaitlist, leave_request(name))

    code, reason, details = refusal(
        shop.bookings.LeaveWaitlist, leave_request(name), metadata=shop.metadata
    )

    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WAITING_ENDED")
    assert details["ErrorInfo"].metadata == {"status": "LEFT"}


def test_an_entry_of_another_business_is_as_absent(shop, stranger):
    _, (name,) = wait_for(shop, "wendy")
    there_is_none = shop.name("waitlist", "00000000-0000-4000-8000-000000000000")

    for caller, named in ((shop, there_is_none), (stranger, name)):
        for method, request in (
            (
                caller.bookings.GetWaitlistEntry,
                booking_pb.GetWaitlistEntryRequest(name=named),
            ),
            (caller.bookings.LeaveWaitlist, leave_request(named)),
        ):
            assert refusal(method, request, metadata=caller.metadata)[1] == "RESOURCE_NOT_FOUND"


def test_an_offer_is_not_renewed(shop):
    joined = join(shop)
    request = booking_pb.RenewHoldRequest(name=joined.entry.offer.name, request_id=a_request_id())

    _, reason, _ = refusal(shop.bookings.RenewHold, request, metadata=shop.metadata)

    assert reason == "HOLD_LIFETIME_REACHED"
