"""What may be done by the link of a letter: one booking, or one offer, and nothing else."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import grpc
import pytest

from service.domain.capability import (
    TOKEN_PREFIX,
    Capability,
    CapabilityKind,
    Grant,
    booking_capability,
    capability_key,
    handoff_capability,
    offer_capability,
    read_capability,
    write_capability,
)
from service.domain.errors import CapabilityEnded, KeyInvalid, Overloaded
from service.domain.scopes import BOOKINGS_STAFF
from service.rpc.interceptors.authentication import Authentication
from service.rpc.interceptors.capabilities import ALLOWED, CapabilityRing
from service.rpc.methods import METHODS
from service.store.capabilities import Standing
from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.rpc.stack import Caller, a_request_id, make_shop, refusal, running, stamp, tomorrow

BOOKING, OFFER, HANDOFF = CapabilityKind.BOOKING, CapabilityKind.OFFER, CapabilityKind.HANDOFF
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
DENIED = grpc.StatusCode.PERMISSION_DENIED
NOT_FOUND = grpc.StatusCode.NOT_FOUND
ABSENT = "7d444840-9dc0-41d1-a245-5ffdce74fad2"
ALL = sorted(METHODS.values(), key=lambda method: method.path)


@pytest.fixture(scope="module")
def key(shared_stack):
    return shared_stack.parts.tokens.capability_key


def last(name):
    return UUID(name.rpartition("/")[2])


def by_link(key, channel, shop, booking):
    """Return who comes by the link of a booking."""
    end = booking.end_time.ToDatetime(UTC)
    capability = booking_capability(shop.business_id, last(booking.name), end)
    return Caller(channel, write_capability(key, capability), shop.business_id)


def by_link_of_an_offer(key, channel, shop, entry_id):
    capability = offer_capability(shop.business_id, entry_id, datetime.now(UTC))
    return Caller(channel, write_capability(key, capability), shop.business_id)


def runner(stack, loop_thread, shop):
    """Return what runs a statement on a business."""

    def execute(statement, *values):
        async def go():
            async with stack.database.transaction(shop.business_id) as tx:
                await tx.exec_driver_sql(statement, (shop.business_id, *values))

        loop_thread.run(go())

    return execute


def make_offer(run):
    """Let somebody wait, and be offered a slot, by a hold of the API key that he joined by."""
    entry_id = uuid4()
    run(
        """
        INSERT INTO waitlist (business_id, entry_id, principal_id, holder, holder_key, type_id,
            calendar_ids, window_starts, window_ends, waits_until, customer, fields, status,
            revision, joined_at, hold_id, offer_expires_at)
        VALUES ($1, $2, 'chat', 'kim', 'k', 'visit', '{}', ARRAY[now()], ARRAY[now() + '1 day'],
            now() + '1 day', '{"display_name": "Kim"}', '{}', 'offered', 1, now(), $3,
            now() + '1 h')
        """,
        entry_id,
        UUID(ABSENT),
    )
    return entry_id


@pytest.fixture
def booking(shop):
    return shop.call(shop.bookings.Book, shop.book_request(tomorrow())).bookings[0]


@pytest.fixture
def link(key, grpc_channel, shop, booking):
    return by_link(key, grpc_channel, shop, booking)


@pytest.fixture
def run(shared_stack, loop_thread, shop):
    return runner(shared_stack, loop_thread, shop)


@pytest.fixture
def entry_id(run):
    return make_offer(run)


@pytest.fixture
def offer_link(key, grpc_channel, shop, entry_id):
    return by_link_of_an_offer(key, grpc_channel, shop, entry_id)


@pytest.fixture
def handoff(shop):
    """A ticket, and the hold that it carries."""
    holding = booking_pb.HoldSlotRequest(
        parent=shop.business,
        request_id=a_request_id(),
        slot=shop.choice(tomorrow(16)),
        holder="chat",
    )
    hold = shop.call(shop.bookings.HoldSlot, holding).hold
    creating = booking_pb.CreateHandoffRequest(hold=hold.name, request_id=a_request_id())
    return shop.call(shop.bookings.CreateHandoff, creating)


@pytest.fixture
def by_ticket(grpc_channel, shop, handoff):
    """Who comes by the ticket."""
    return Caller(grpc_channel, handoff.ticket, shop.business_id)


@pytest.fixture(scope="module")
def links(shared_stack, loop_thread, grpc_channel, operator, key):
    """Who comes by a link of either kind to one shop, for all of what nothing changes."""
    make_shop(operator, "linked")
    shop = Caller(grpc_channel, loop_thread.run(shared_stack.make_key("linked")), "linked")
    booked = shop.call(shop.bookings.Book, shop.book_request(tomorrow())).bookings[0]
    entry_id = make_offer(runner(shared_stack, loop_thread, shop))
    return {
        BOOKING: by_link(key, grpc_channel, shop, booked),
        OFFER: by_link_of_an_offer(key, grpc_channel, shop, entry_id),
    }


def window(**changes):
    return {"start_time": stamp(tomorrow()), "end_time": stamp(tomorrow(hour=17)), **changes}


def get_booking(booking):
    return booking_pb.GetBookingRequest(name=booking.name)


def cancel(booking, **changes):
    values = {"name": booking.name, "version": booking.version, "request_id": a_request_id()}
    return booking_pb.CancelBookingRequest(**{**values, **changes})


def move(caller, booking, start, **changes):
    values = {
        "name": booking.name,
        "version": booking.version,
        "request_id": a_request_id(),
        "to": booking_pb.Appointment(slot=caller.choice(start)),
    }
    return booking_pb.RescheduleBookingRequest(**{**values, **changes})


def refused(caller, method, request):
    code, reason, details = refusal(method, request, metadata=caller.metadata)
    return code, reason, dict(details["ErrorInfo"].metadata)


class TestABooking:
    def test_the_link_reads_its_booking_with_who_comes(self, link, booking):
        read = link.call(link.bookings.GetBooking, get_booking(booking))

        assert read.booking == booking
        assert read.booking.customer.display_name == "Kim"

    def test_the_link_moves_its_booking_and_goes_on_working(self, link, booking):
        moved = link.call(link.bookings.RescheduleBooking, move(link, booking, tomorrow(14)))

        assert moved.booking.start_time.ToDatetime(UTC) == tomorrow(14)
        again = link.call(link.bookings.GetBooking, get_booking(booking))
        assert again.booking == moved.booking

    def test_where_it_cannot_be_moved_it_says_where_else(self, shop, link, booking):
        shop.call(shop.bookings.Book, shop.book_request(tomorrow(14)))

        code, reason, details = refusal(
            link.bookings.RescheduleBooking,
            move(link, booking, tomorrow(14)),
            metadata=link.metadata,
        )

        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SLOT_TAKEN")
        assert details["Alternatives"].slots

    def test_the_link_cancels_its_booking(self, link, booking):
        answer = link.call(link.bookings.CancelBooking, cancel(booking, reason="ill"))

        assert answer.booking.status == booking_pb.BOOKING_STATUS_CANCELLED

    def test_what_it_cancelled_it_is_told_again_for_the_same_request(self, link, booking):
        request = cancel(booking)
        first = link.call(link.bookings.CancelBooking, request)

        assert link.call(link.bookings.CancelBooking, request) == first

    def test_another_request_after_that_is_refused(self, link, booking):
        request = cancel(booking)
        link.call(link.bookings.CancelBooking, request)

        request.reason = "another"
        assert refused(link, link.bookings.CancelBooking, request)[1] == "REQUEST_ID_REUSED"
        code, reason, metadata = refused(link, link.bookings.CancelBooking, cancel(booking))
        assert (code, reason) == (UNAUTHENTICATED, "CAPABILITY_ENDED")
        assert metadata == {"status": "CANCELLED"}

    @pytest.mark.parametrize("status", ["cancelled", "declined", "completed", "no_show"])
    def test_the_link_ends_with_its_booking(self, run, link, booking, status):
        run(
            "UPDATE bookings SET status = $3 WHERE business_id = $1 AND booking_id = $2",
            last(booking.name),
            status,
        )

        for call, asked in (
            (link.bookings.GetBooking, get_booking(booking)),
            (link.bookings.RescheduleBooking, move(link, booking, tomorrow(15))),
            (link.catalog.GetBusiness, catalog_pb.GetBusinessRequest(name=link.business)),
        ):
            assert refused(link, call, asked) == (
                UNAUTHENTICATED,
                "CAPABILITY_ENDED",
                {"status": status.upper()},
            )

    def test_the_link_ends_when_the_appointment_has(self, run, link, booking):
        run(
            """
            UPDATE bookings SET starts_at = now() - interval '1 h', ends_at = now()
            WHERE business_id = $1 AND booking_id = $2
            """,
            last(booking.name),
        )

        assert refused(link, link.bookings.GetBooking, get_booking(booking)) == (
            UNAUTHENTICATED,
            "CAPABILITY_ENDED",
            {"status": "PASSED"},
        )

    def test_the_link_of_a_booking_that_is_no_more_has_ended(self, run, link, booking):
        run("DELETE FROM bookings WHERE business_id = $1 AND booking_id = $2", last(booking.name))

        assert refused(link, link.bookings.GetBooking, get_booking(booking))[1:] == (
            "CAPABILITY_ENDED",
            {"status": "GONE"},
        )

    def test_a_link_that_is_too_old_has_ended(self, key, grpc_channel, shop, booking):
        capability = Capability(
            business_id=shop.business_id,
            kind=BOOKING,
            id=last(booking.name),
            not_after=datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5),
        )
        old = Caller(grpc_channel, write_capability(key, capability), shop.business_id)

        assert refused(old, old.bookings.GetBooking, get_booking(booking))[1:] == (
            "CAPABILITY_ENDED",
            {"status": "EXPIRED"},
        )

    def test_the_notice_counts_and_cannot_be_overridden(self, shop, link, booking):
        type_ = catalog_pb.GetAppointmentTypeRequest(name=shop.name("appointmentTypes", "visit"))
        visit = shop.call(shop.catalog.GetAppointmentType, type_).appointment_type
        visit.cancellation_notice.FromTimedelta(timedelta(days=7))
        shop.call(
            shop.catalog.UpdateAppointmentType,
            catalog_pb.UpdateAppointmentTypeRequest(
                appointment_type=visit, request_id=a_request_id()
            ),
        )

        for method, request in (
            (link.bookings.CancelBooking, cancel(booking)),
            (link.bookings.RescheduleBooking, move(link, booking, tomorrow(15))),
        ):
            assert refused(link, method, request)[1] == "CANCELLATION_NOTICE_PASSED"
            request.override_notice = True
            assert refused(link, method, request) == (
                DENIED,
                "SCOPE_MISSING",
                {"scope": BOOKINGS_STAFF},
            )

    def test_every_other_booking_is_as_if_it_were_not_there(self, shop, link):
        other = shop.call(shop.bookings.Book, shop.book_request(tomorrow(11))).bookings[0]

        for method, request in (
            (link.bookings.GetBooking, get_booking(other)),
            (link.bookings.CancelBooking, cancel(other)),
            (link.bookings.RescheduleBooking, move(link, other, tomorrow(15))),
        ):
            assert refused(link, method, request) == (
                NOT_FOUND,
                "RESOURCE_NOT_FOUND",
                {"name": other.name},
            )

    def test_a_booking_is_not_moved_to_what_somebody_holds(self, shop, link, booking):
        hold = shop.call(
            shop.bookings.HoldSlot,
            booking_pb.HoldSlotRequest(
                parent=shop.business,
                request_id=a_request_id(),
                slot=shop.choice(tomorrow(15)),
                holder="kim",
            ),
        ).hold
        to = booking_pb.Appointment(hold=hold.name)

        code, reason, _ = refused(
            link, link.bookings.RescheduleBooking, move(link, booking, tomorrow(15), to=to)
        )

        assert (code, reason) == (NOT_FOUND, "RESOURCE_NOT_FOUND")

    def test_it_lists_and_explains_the_slots_of_its_own_type(self, link):
        own = link.name("appointmentTypes", "visit")
        query = {"parent": link.business, "appointment_types": [own], **window()}

        listed = link.call(link.availability.ListSlots, availability_pb.ListSlotsRequest(**query))
        assert listed.slots
        watched = link.availability.WatchAvailability(
            availability_pb.WatchAvailabilityRequest(**query), metadata=link.metadata, timeout=20
        )
        assert next(watched).WhichOneof("frame") == "snapshot_chunk"
        watched.cancel()
        link.call(
            link.availability.ExplainSlot,
            availability_pb.ExplainSlotRequest(parent=link.business, slot=link.choice(tomorrow())),
        )

    @pytest.mark.parametrize(
        ("types", "reason"),
        [
            ([], "INVALID_REQUEST"),
            (["other"], "RESOURCE_NOT_FOUND"),
            (["visit", "other"], "RESOURCE_NOT_FOUND"),
        ],
    )
    def test_it_lists_no_slots_of_another_type(self, link, types, reason):
        request = availability_pb.ListSlotsRequest(
            parent=link.business,
            appointment_types=[link.name("appointmentTypes", each) for each in types],
            **window(),
        )

        assert refused(link, link.availability.ListSlots, request)[1] == reason

    def test_it_does_not_explain_slots_of_another_type(self, link):
        slot = link.choice(tomorrow(), appointment_type=link.name("appointmentTypes", "other"))
        request = availability_pb.ExplainSlotRequest(parent=link.business, slot=slot)

        assert refused(link, link.availability.ExplainSlot, request)[1] == "RESOURCE_NOT_FOUND"

    def test_another_business_is_not_found(self, link, stranger):
        request = catalog_pb.GetBusinessRequest(name=stranger.business)

        assert refused(link, link.catalog.GetBusiness, request)[1] == "RESOURCE_NOT_FOUND"

    def test_it_reads_what_a_page_shows(self, link):
        business = link.business
        for method, request in (
            (link.catalog.GetBusiness, catalog_pb.GetBusinessRequest(name=business)),
            (link.catalog.ListCalendars, catalog_pb.ListCalendarsRequest(parent=business)),
            (
                link.catalog.ListAppointmentTypes,
                catalog_pb.ListAppointmentTypesRequest(parent=business),
            ),
        ):
            link.call(method, request)

    def test_a_watch_ends_soon_after_the_booking_has(self, monkeypatch, shop, link, booking):
        monkeypatch.setattr(Authentication, "RECHECK_SECONDS", 0.0)
        watch = link.availability.WatchAvailability(
            availability_pb.WatchAvailabilityRequest(
                parent=link.business,
                appointment_types=[link.name("appointmentTypes", "visit")],
                **window(),
            ),
            metadata=link.metadata,
            timeout=20,
        )
        next(watch)
        shop.call(shop.bookings.CancelBooking, cancel(booking))

        code, reason, _ = refusal(lambda *_given, **_options: list(watch), None)

        assert (code, reason) == (UNAUTHENTICATED, "CAPABILITY_ENDED")


@pytest.fixture
def limited_stack(loop_thread, database_url, tmp_path):
    """A server that lets each caller through twenty times a minute."""
    context = running(database_url, tmp_path, rate_limit_per_key_per_minute=20)
    yield loop_thread.run(context.__aenter__())
    loop_thread.run(context.__aexit__(None, None, None))


def test_each_link_has_a_rate_of_its_own(limited_stack, loop_thread):
    with grpc.insecure_channel(limited_stack.address) as channel:
        operator = Caller(channel, loop_thread.run(limited_stack.make_key("*")), "few")
        make_shop(operator, "few")
        first, second = (
            by_link(
                limited_stack.parts.tokens.capability_key,
                channel,
                operator,
                operator.call(
                    operator.bookings.Book, operator.book_request(tomorrow(hour))
                ).bookings[0],
            )
            for hour in (9, 10)
        )
        request = catalog_pb.GetBusinessRequest(name=operator.business)
        for _ in range(20):
            first.call(first.catalog.GetBusiness, request)

        assert refused(first, first.catalog.GetBusiness, request)[1] == "RATE_LIMITED"
        second.call(second.catalog.GetBusiness, request)
        operator.call(operator.catalog.GetBusiness, request)


class TestAnOffer:
    def book(self, caller, *holds, **changes):
        values = {
            "parent": caller.business,
            "request_id": a_request_id(),
            "appointments": [booking_pb.Appointment(hold=each) for each in holds],
            "customer": booking_pb.Customer(display_name="Kim"),
        }
        return booking_pb.BookRequest(**{**values, **changes})

    @pytest.fixture
    def offered(self, shop, booking):
        """Somebody waits for a slot, by an API key, and it frees."""
        entry = shop.call(
            shop.bookings.JoinWaitlist,
            booking_pb.JoinWaitlistRequest(
                parent=shop.business,
                request_id=a_request_id(),
                customer=booking_pb.Customer(display_name="Lee", email="lee@example.org"),
                appointment_type=shop.name("appointmentTypes", "visit"),
                windows=[
                    booking_pb.TimeWindow(start_time=booking.start_time, end_time=booking.end_time)
                ],
                holder="lee",
            ),
        ).entry
        assert entry.status == booking_pb.WaitlistEntry.STATUS_WAITING
        shop.call(shop.bookings.CancelBooking, cancel(booking))
        return entry

    @pytest.fixture
    def guest(self, key, grpc_channel, shop, offered):
        return by_link_of_an_offer(key, grpc_channel, shop, last(offered.name))

    def read(self, caller, entry):
        request = booking_pb.GetWaitlistEntryRequest(name=entry.name)
        return caller.call(caller.bookings.GetWaitlistEntry, request).entry

    def test_the_link_reads_what_is_offered_and_to_whom(self, guest, offered, booking):
        entry = self.read(guest, offered)

        assert entry.status == booking_pb.WaitlistEntry.STATUS_OFFERED
        assert entry.offer.start_time == booking.start_time
        assert entry.customer.email == "lee@example.org"

    def test_the_link_books_what_the_key_that_joined_holds(self, guest, offered, booking):
        entry = self.read(guest, offered)
        request = self.book(guest, entry.offer.name, holder=entry.holder)

        answer = guest.call(guest.bookings.Book, request)

        assert answer.bookings[0].start_time == booking.start_time
        assert answer.bookings[0].status == booking_pb.BOOKING_STATUS_CONFIRMED
        # The first answer may not have come back (B3).
        assert guest.call(guest.bookings.Book, request) == answer
        anew = self.book(guest, entry.offer.name)
        assert refused(guest, guest.bookings.Book, anew)[1:] == (
            "CAPABILITY_ENDED",
            {"status": "TAKEN"},
        )

    def test_the_link_leaves_the_waitlist(self, guest, offered):
        request = booking_pb.LeaveWaitlistRequest(name=offered.name, request_id=a_request_id())

        answer = guest.call(guest.bookings.LeaveWaitlist, request)

        assert guest.call(guest.bookings.LeaveWaitlist, request) == answer
        assert refused(
            guest,
            guest.bookings.GetWaitlistEntry,
            booking_pb.GetWaitlistEntryRequest(name=offered.name),
        )[1:] == ("CAPABILITY_ENDED", {"status": "LEFT"})

    def test_the_link_of_another_does_not_take_the_offer(self, offer_link, guest, offered):
        request = self.book(offer_link, self.read(guest, offered).offer.name)

        assert refused(offer_link, offer_link.bookings.Book, request)[1] == "RESOURCE_NOT_FOUND"

    def test_no_other_hold_is_booked_by_it(self, offer_link, shop):
        other = shop.call(
            shop.bookings.HoldSlot,
            booking_pb.HoldSlotRequest(
                parent=shop.business,
                request_id=a_request_id(),
                slot=shop.choice(tomorrow(15)),
                holder="kim",
            ),
        ).hold
        own = offer_link.name("holds", ABSENT)

        for request, reason in (
            (self.book(offer_link, other.name), "RESOURCE_NOT_FOUND"),
            (self.book(offer_link, own, other.name), "INVALID_REQUEST"),
            (self.book(offer_link), "INVALID_REQUEST"),
            (offer_link.book_request(tomorrow()), "INVALID_REQUEST"),
        ):
            assert refused(offer_link, offer_link.bookings.Book, request)[1] == reason

    def test_no_other_entry_is_read_or_left_by_it(self, offer_link):
        name = offer_link.name("waitlist", ABSENT)
        for method, request in (
            (
                offer_link.bookings.GetWaitlistEntry,
                booking_pb.GetWaitlistEntryRequest(name=name),
            ),
            (
                offer_link.bookings.LeaveWaitlist,
                booking_pb.LeaveWaitlistRequest(name=name, request_id=a_request_id()),
            ),
        ):
            assert refused(offer_link, method, request) == (
                NOT_FOUND,
                "RESOURCE_NOT_FOUND",
                {"name": name},
            )

    def test_while_one_waits_the_link_reads_and_leaves_and_books_nothing(
        self, run, offer_link, entry_id
    ):
        run(
            "UPDATE waitlist SET status = 'waiting', hold_id = NULL"
            " WHERE business_id = $1 AND entry_id = $2",
            entry_id,
        )
        name = offer_link.name("waitlist", str(entry_id))

        request = booking_pb.GetWaitlistEntryRequest(name=name)
        entry = offer_link.call(offer_link.bookings.GetWaitlistEntry, request).entry
        assert entry.status == booking_pb.WaitlistEntry.STATUS_WAITING
        taking = self.book(offer_link, offer_link.name("holds", ABSENT))
        assert refused(offer_link, offer_link.bookings.Book, taking)[1] == "RESOURCE_NOT_FOUND"
        leaving = booking_pb.LeaveWaitlistRequest(name=name, request_id=a_request_id())
        assert offer_link.call(offer_link.bookings.LeaveWaitlist, leaving).revision > 0

    @pytest.mark.parametrize("status", ["taken", "left", "lapsed", "expired"])
    def test_the_link_ends_with_the_waiting(self, run, offer_link, entry_id, status):
        run(
            "UPDATE waitlist SET status = $3 WHERE business_id = $1 AND entry_id = $2",
            entry_id,
            status,
        )
        request = booking_pb.GetWaitlistEntryRequest(
            name=offer_link.name("waitlist", str(entry_id))
        )

        assert refused(offer_link, offer_link.bookings.GetWaitlistEntry, request) == (
            UNAUTHENTICATED,
            "CAPABILITY_ENDED",
            {"status": status.upper()},
        )

    def test_no_booking_is_read_by_it(self, offer_link, booking):
        code, reason, _ = refused(offer_link, offer_link.bookings.GetBooking, get_booking(booking))

        assert (code, reason) == (DENIED, "SCOPE_MISSING")


def call_bytes(channel, method, data, metadata):
    kind = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, True): channel.stream_stream,
    }[method.streams_requests, method.streams_answers]
    call = kind(method.path)

    def answer(_, **given):
        result = call(iter([data]) if method.streams_requests else data, **given)
        return next(result) if method.streams_answers else result

    try:
        return refusal(answer, None, metadata=metadata)[:2]
    except AssertionError:
        return grpc.StatusCode.OK, ""


def naming(method, caller):
    """Return a request of a method that names the business and nothing that a link is for."""
    request = method.request_class()
    if method.name_field:
        target, _, field = method.name_field.rpartition(".")
        value = caller.business
        if method.name_field != "parent" and "Business" not in method.name:
            value = f"{caller.business}/calendars/anna"
        setattr(getattr(request, target) if target else request, field, value)
    return request


@pytest.mark.parametrize("method", ALL, ids=lambda method: method.name)
@pytest.mark.parametrize("kind", CapabilityKind)
def test_by_a_link_only_what_is_listed_can_be_called(grpc_channel, request, method, kind):
    fixtures = {BOOKING: "link", OFFER: "offer_link", HANDOFF: "by_ticket"}
    caller = request.getfixturevalue(fixtures[kind])
    data = naming(method, caller).SerializeToString()

    code, reason = call_bytes(grpc_channel, method, data, caller.metadata)

    assert code is not grpc.StatusCode.INTERNAL
    if method.name in ALLOWED[kind]:
        assert reason not in {"SCOPE_MISSING", "KEY_INVALID", "KEY_MISSING", "CAPABILITY_ENDED"}
    elif method.scopes:
        assert (code, reason) == (DENIED, "SCOPE_MISSING")


def test_what_is_listed_is_what_the_specification_names():
    reading = {
        "ListSlots",
        "WatchAvailability",
        "WatchSlotEvents",
        "ExplainSlot",
        "GetBusiness",
        "GetCalendar",
        "ListCalendars",
        "GetAppointmentType",
        "ListAppointmentTypes",
    }

    assert set(ALLOWED[BOOKING]) == reading | {"GetBooking", "RescheduleBooking", "CancelBooking"}
    assert set(ALLOWED[OFFER]) == reading | {"GetWaitlistEntry", "LeaveWaitlist", "Book"}
    assert set(ALLOWED[HANDOFF]) == reading | {
        "RedeemHandoff",
        "HoldSlot",
        "RenewHold",
        "ReleaseHold",
        "Book",
        "GetBooking",
    }


class TestATicket:
    """What it is good for: tests/guarantees/test_handoff_promises.py."""

    def test_one_that_has_expired_is_told_again_what_it_did_and_opens_nothing_else(
        self, key, grpc_channel, shop, by_ticket, handoff
    ):
        redeeming = booking_pb.RedeemHandoffRequest(
            parent=shop.business, request_id=a_request_id(), ticket=handoff.ticket, holder="page"
        )
        hold = by_ticket.call(by_ticket.bookings.RedeemHandoff, redeeming).hold
        renewing = booking_pb.RenewHoldRequest(name=hold.name, request_id=a_request_id())
        first = by_ticket.call(by_ticket.bookings.RenewHold, renewing)
        capability = read_capability(key, handoff.ticket)
        assert capability is not None
        expired = replace(capability, not_after=datetime(2020, 1, 1, tzinfo=UTC))
        old = Caller(grpc_channel, write_capability(key, expired), shop.business_id)

        assert old.call(old.bookings.RenewHold, renewing) == first
        renewing.request_id = a_request_id()
        for call, asked in (
            (old.bookings.RenewHold, renewing),
            (old.catalog.GetBusiness, catalog_pb.GetBusinessRequest(name=shop.business)),
        ):
            assert refused(old, call, asked) == (
                UNAUTHENTICATED,
                "CAPABILITY_ENDED",
                {"status": "EXPIRED"},
            )

    def test_it_books_one_hold_and_nothing_else(self, shop, by_ticket, handoff):
        slot = booking_pb.Appointment(slot=shop.choice(tomorrow(11)))
        hold = booking_pb.Appointment(hold=handoff.hold.name)

        for appointments, field in (([slot], "appointments[0]"), ([hold, hold], "appointments")):
            request = shop.book_request(tomorrow(), appointments=appointments)
            code, _, metadata = refused(by_ticket, by_ticket.bookings.Book, request)
            assert (code, metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, field)

    def test_how_it_stands_is_asked_whenever_it_is_used(self, by_ticket, run, handoff):
        by_ticket.call(
            by_ticket.catalog.GetBusiness,
            catalog_pb.GetBusinessRequest(name=by_ticket.business),
        )
        run("DELETE FROM handoffs WHERE business_id = $1")

        assert refused(
            by_ticket,
            by_ticket.catalog.GetBusiness,
            catalog_pb.GetBusinessRequest(name=by_ticket.business),
        ) == (UNAUTHENTICATED, "CAPABILITY_ENDED", {"status": "GONE"})


def damaged(token):
    body = token.removeprefix(TOKEN_PREFIX)
    yield TOKEN_PREFIX
    yield token[:-1]
    yield token[: len(token) // 2]
    yield token + "A"
    yield TOKEN_PREFIX + ("A" if body[0] != "A" else "B") + body[1:]
    yield token[:-4] + "AAAA"
    yield TOKEN_PREFIX + "A" * len(body)
    yield TOKEN_PREFIX + "A" * 4000
    yield TOKEN_PREFIX + "*" * 40
    yield token.upper()
    yield token + "." + token


@pytest.mark.parametrize(
    "method", [each for each in ALL if each.scopes], ids=lambda method: method.name
)
def test_by_a_damaged_link_nothing_can_be_called(grpc_channel, links, method):
    data = naming(method, links[BOOKING]).SerializeToString()
    whole = links[BOOKING].metadata[0][1].removeprefix("Bearer ")

    for token in damaged(whole):
        metadata = (("authorization", f"Bearer {token}"),)
        assert call_bytes(grpc_channel, method, data, metadata) == (UNAUTHENTICATED, "KEY_INVALID")


def test_a_link_that_others_have_signed_is_invalid(grpc_channel, shop, booking):
    capability = booking_capability(shop.business_id, last(booking.name), datetime.now(UTC))
    foreign = write_capability(capability_key(b"the secret of others"), capability)
    caller = Caller(grpc_channel, foreign, shop.business_id)

    assert refused(caller, caller.bookings.GetBooking, get_booking(booking))[:2] == (
        UNAUTHENTICATED,
        "KEY_INVALID",
    )


def test_a_link_to_what_is_of_another_business_has_ended(key, grpc_channel, stranger, booking):
    capability = booking_capability(
        stranger.business_id, last(booking.name), datetime.now(UTC) + timedelta(days=1)
    )
    caller = Caller(grpc_channel, write_capability(key, capability), stranger.business_id)

    assert refused(caller, caller.bookings.GetBooking, get_booking(booking))[:2] == (
        UNAUTHENTICATED,
        "CAPABILITY_ENDED",
    )


class Bookings:
    """A database that counts how often it is asked how a booking stands."""

    KEY = capability_key(b"a secret")

    def __init__(self):
        self.ended = None
        self.answered = set()
        self.asked = 0
        self.seconds = 0.0
        self.answers = asyncio.Event()
        self.answers.set()

    async def find(self, capability):
        self.asked += 1
        await self.answers.wait()
        grant = Grant(capability=capability, type_id="visit", acting_id=capability.principal_id)
        return Standing(grant=grant, ended=self.ended)

    async def was_answered(self, _capability, request_id):
        return request_id in self.answered

    def ring(self):
        return CapabilityRing(
            self.KEY,
            self.find,
            self.was_answered,
            cache_seconds=10.0,
            monotonic=lambda: self.seconds,
        )

    def token(self, number=1):
        end = datetime(2030, 1, 1, tzinfo=UTC)
        return write_capability(self.KEY, booking_capability("demo", UUID(int=number), end))


async def test_how_a_booking_stands_is_read_once_while_it_is_fresh():
    bookings = Bookings()
    ring = bookings.ring()

    await asyncio.gather(*(ring.principal(bookings.token(), "") for _ in range(50)))
    assert bookings.asked == 1

    bookings.ended = "CANCELLED"
    bookings.seconds = 9.9
    await ring.principal(bookings.token(), "")
    bookings.seconds = 10.0
    with pytest.raises(CapabilityEnded):
        await ring.principal(bookings.token(), "")


async def test_a_damaged_token_asks_nobody():
    bookings = Bookings()
    ring = bookings.ring()

    with pytest.raises(KeyInvalid):
        await ring.principal(bookings.token()[:-1], "")
    assert bookings.asked == 0


async def test_what_is_kept_of_links_is_bounded(monkeypatch):
    monkeypatch.setattr(CapabilityRing, "KEPT_MAX", 10)
    bookings = Bookings()
    ring = bookings.ring()

    for number in range(30):
        await ring.principal(bookings.token(number), "")

    assert len(ring._kept) == 10


async def test_who_has_many_links_waits_and_not_for_ever(monkeypatch):
    monkeypatch.setattr(CapabilityRing, "READ_SECONDS_MAX", 0.2)
    bookings = Bookings()
    ring, find, at_once, most = bookings.ring(), bookings.find, 0, 0
    bookings.answers.clear()

    async def counted(capability):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await find(capability)
        finally:
            at_once -= 1

    ring._find = counted
    calls = [
        asyncio.create_task(ring.principal(bookings.token(number), "")) for number in range(20)
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)

    assert most == CapabilityRing.READS_MAX
    assert {type(result) for result in results} == {Overloaded}


async def test_tickets_of_which_there_are_many_keep_no_letter_waiting():
    bookings = Bookings()
    ring = bookings.ring()
    await_tickets, find_booking = asyncio.Event(), bookings.find
    tickets = []

    async def find(capability):
        if capability.kind is HANDOFF:
            tickets.append(capability)
            await await_tickets.wait()
        return await find_booking(capability)

    ring._find = find
    end = datetime(2030, 1, 1, tzinfo=UTC)
    calls = [
        asyncio.create_task(
            ring.principal(
                write_capability(Bookings.KEY, handoff_capability("demo", UUID(int=number), end)),
                "",
            )
        )
        for number in range(20)
    ]

    assert (await ring.principal(bookings.token(), "")).grant
    assert len(tickets) == CapabilityRing.TICKET_READS_MAX

    await_tickets.set()
    assert all(each.grant for each in await asyncio.gather(*calls))


async def test_only_a_request_that_was_answered_is_let_in_after_the_end():
    bookings = Bookings()
    bookings.ended = "CANCELLED"
    bookings.answered = {"r-1"}
    ring = bookings.ring()

    assert (await ring.principal(bookings.token(), "r-1")).grant
    for request_id in ("", "r-2"):
        with pytest.raises(CapabilityEnded) as refused_:
            await ring.principal(bookings.token(), request_id)
        assert refused_.value.metadata == {"status": "CANCELLED"}
