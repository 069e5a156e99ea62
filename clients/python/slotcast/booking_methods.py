"""What a client can ask BookingService."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from slotcast import convert, requests
from slotcast.bookings_stream import BookingStream
from slotcast.calls import new_request_id
from slotcast.channel import Connected
from slotcast.models import (
    Appointment,
    Booking,
    BookingQuery,
    Consent,
    Customer,
    Hold,
    Page,
    Slot,
    SlotChoice,
)
from slotcast.requests import Wish, seen
from slotcast.v1 import booking_service_pb2 as pb
from slotcast.watch_bookings import BookingFeed


class BookingMethods(Connected):
    """Holds and bookings.

    Every change takes a `request_id`: the same id with the same request is done once, and answered
    the same, for 24 hours. Without one, each call gets its own and keeps it over its attempts. A
    change of a booking takes the Booking, or its name and the `version` that was seen of it; where
    it has changed since, VersionMismatch.
    """

    async def hold_slot(
        self,
        slot: Slot | SlotChoice,
        *,
        holder: str,
        conversation: str = "",
        request_id: str | None = None,
    ) -> Hold:
        """Hold a slot for a holder: the caller's own name for its end user or conversation.

        `conversation` is the chat's own name for it; its booking tells it again, in watch_bookings
        too. SlotTaken and the other SlotRefused come with alternatives. TooManyHolds: release one.
        """
        link = self._connection
        request = requests.hold_request(link.names, slot, holder, request_id, conversation)
        response = await link.calls.unary(link.bookings.HoldSlot, request)
        return convert.hold(response.hold, response.revision)

    async def renew_hold(self, hold: Hold | str, *, request_id: str | None = None) -> Hold:
        """Let a hold last its full time from now, also an expired one if its slot is still free.

        HoldEnded: it was released or booked. SlotTaken: it expired and another has the slot.
        HoldLifetimeReached: it has been renewed for as long as a hold may last, ten times its time.
        """
        link = self._connection
        request = pb.RenewHoldRequest(
            name=_hold_name(hold, link.names.hold), request_id=new_request_id(request_id)
        )
        response = await link.calls.unary(link.bookings.RenewHold, request)
        return convert.hold(response.hold, response.revision)

    async def release_hold(self, hold: Hold | str, *, request_id: str | None = None) -> int:
        """Free a held slot at once; returns the revision. HoldEnded: it was released or booked."""
        link = self._connection
        request = pb.ReleaseHoldRequest(
            name=_hold_name(hold, link.names.hold), request_id=new_request_id(request_id)
        )
        return (await link.calls.unary(link.bookings.ReleaseHold, request)).revision

    async def book(
        self,
        appointment: Appointment,
        *,
        customer: Customer,
        fields: Mapping[str, str] | None = None,
        holder: str = "",
        consent: Consent | None = None,
        conversation: str = "",
        request_id: str | None = None,
    ) -> Booking:
        """Book a slot, directly or by a hold, also one that has expired if its slot is free.

        The holder's own holds do not stand in the way. A type that needs approval gives a PENDING
        booking. SlotTaken and the other SlotRefused come with alternatives. HoldEnded: hold anew.
        ConsentMismatch: it is not what the person has agreed to. Without a `conversation` it
        belongs to that of the hold.
        """
        wish = Wish(
            customer=customer,
            fields=fields or {},
            holder=holder,
            request_id=request_id,
            consents=(consent,),
            conversation=conversation,
        )
        return (await self.book_all((appointment,), wish))[0]

    async def book_all(
        self, appointments: Iterable[Appointment], wish: Wish
    ) -> tuple[Booking, ...]:
        """Book up to 10 appointments for one customer, all or none, in one commit; as `book`."""
        link = self._connection
        request = requests.book_request(link.names, appointments, wish)
        response = await link.calls.unary(link.bookings.Book, request)
        return tuple(convert.booking(item, response.revision) for item in response.bookings)

    def stream_bookings(self, *, in_flight_max: int = 256) -> BookingStream:
        """Open one stream for many requests: `async with client.stream_bookings() as stream`.

        At most `in_flight_max` wait for an answer, 1 to 1,024; whoever comes then waits in line.
        """
        link = self._connection
        return BookingStream(link.bookings, link.names, link.calls, in_flight_max=in_flight_max)

    async def get_booking(self, name: str, *, min_revision: int = 0) -> Booking:
        """Read a booking. ResourceNotFound: there is none, or it is another business's."""
        link = self._connection
        request = pb.GetBookingRequest(name=link.names.booking(name), min_revision=min_revision)
        response = await link.calls.unary(link.bookings.GetBooking, request)
        return convert.booking(response.booking, response.revision)

    async def list_bookings(
        self,
        query: BookingQuery,
        *,
        min_revision: int = 0,
        page_size: int = 0,
        page_token: str = "",
    ) -> Page[Booking]:
        """List bookings by start, then by name; 100 a page, or up to 500."""
        link = self._connection
        request = pb.ListBookingsRequest(
            parent=link.names.business(),
            calendar=link.names.calendar(query.calendar) if query.calendar else "",
            start_time=convert.timestamp(query.start),
            end_time=convert.timestamp(query.end),
            statuses=[convert.status_number(status) for status in query.statuses],
            conversation=query.conversation,
            min_revision=min_revision,
            page_size=page_size,
            page_token=page_token,
        )
        response = await link.calls.unary(link.bookings.ListBookings, request)
        return Page(
            items=tuple(convert.booking(item, response.revision) for item in response.bookings),
            next_page_token=response.next_page_token,
            revision=response.revision,
        )

    async def reschedule_booking(
        self,
        booking: Booking | str,
        to: Appointment,
        *,
        version: int | None = None,
        override_notice: bool = False,
        consent: Consent | None = None,
        request_id: str | None = None,
    ) -> Booking:
        """Move a booking: the old slot is freed and the new one taken in one commit, or nothing is.

        CancellationNoticePassed: staff may `override_notice`. Else refused as `book` is, also by
        ConsentMismatch.
        """
        link = self._connection
        name, seen_version = seen(booking, version, link.names)
        request = pb.RescheduleBookingRequest(
            name=name,
            version=seen_version,
            request_id=new_request_id(request_id),
            to=convert.appointment_message(to, link.names, consent),
            override_notice=override_notice,
        )
        response = await link.calls.unary(link.bookings.RescheduleBooking, request)
        return convert.booking(response.booking, response.revision)

    async def cancel_booking(
        self,
        booking: Booking | str,
        *,
        version: int | None = None,
        reason: str = "",
        override_notice: bool = False,
        request_id: str | None = None,
    ) -> Booking:
        """Cancel a pending or confirmed booking and free its slot.

        CancellationNoticePassed: staff may `override_notice`.
        """
        link = self._connection
        name, seen_version = seen(booking, version, link.names)
        request = pb.CancelBookingRequest(
            name=name,
            version=seen_version,
            request_id=new_request_id(request_id),
            reason=reason,
            override_notice=override_notice,
        )
        response = await link.calls.unary(link.bookings.CancelBooking, request)
        return convert.booking(response.booking, response.revision)

    async def approve_booking(
        self, booking: Booking | str, *, version: int | None = None, request_id: str | None = None
    ) -> Booking:
        """Confirm a pending booking. InvalidTransition: it is not pending. For staff."""
        link = self._connection
        name, seen_version = seen(booking, version, link.names)
        request = pb.ApproveBookingRequest(
            name=name, version=seen_version, request_id=new_request_id(request_id)
        )
        response = await link.calls.unary(link.bookings.ApproveBooking, request)
        return convert.booking(response.booking, response.revision)

    async def decline_booking(
        self,
        booking: Booking | str,
        *,
        version: int | None = None,
        reason: str = "",
        request_id: str | None = None,
    ) -> Booking:
        """Refuse a pending booking and free its slot. InvalidTransition as above. For staff."""
        link = self._connection
        name, seen_version = seen(booking, version, link.names)
        request = pb.DeclineBookingRequest(
            name=name, version=seen_version, request_id=new_request_id(request_id), reason=reason
        )
        response = await link.calls.unary(link.bookings.DeclineBooking, request)
        return convert.booking(response.booking, response.revision)

    async def complete_booking(
        self, booking: Booking | str, *, version: int | None = None, request_id: str | None = None
    ) -> Booking:
        """Say that an appointment took place. InvalidTransition: not confirmed, or not begun."""
        link = self._connection
        name, seen_version = seen(booking, version, link.names)
        request = pb.CompleteBookingRequest(
            name=name, version=seen_version, request_id=new_request_id(request_id)
        )
        response = await link.calls.unary(link.bookings.CompleteBooking, request)
        return convert.booking(response.booking, response.revision)

    async def mark_no_show(
        self, booking: Booking | str, *, version: int | None = None, request_id: str | None = None
    ) -> Booking:
        """Say that the customer did not come. InvalidTransition: not confirmed, or not begun."""
        link = self._connection
        name, seen_version = seen(booking, version, link.names)
        request = pb.MarkNoShowRequest(
            name=name, version=seen_version, request_id=new_request_id(request_id)
        )
        response = await link.calls.unary(link.bookings.MarkNoShow, request)
        return convert.booking(response.booking, response.revision)

    def watch_bookings(
        self, *, calendars: Iterable[str] = (), min_revision: int = 0, resume_token: str = ""
    ) -> BookingFeed:
        """Follow every change of bookings, each once: `async with client.watch_bookings() as feed`.

        With the `resume_token` of an item that was handled, nothing since it is lost within 24
        hours; without one the feed begins now. InvalidResumeToken: the token is damaged.
        """
        link = self._connection
        request = pb.WatchBookingsRequest(
            parent=link.names.business(),
            calendars=[link.names.calendar(name) for name in calendars],
            min_revision=min_revision,
            resume_token=resume_token,
        )
        return BookingFeed(link.bookings, request, link.calls)


def _hold_name(hold: Hold | str, full_name: Callable[[str], str]) -> str:
    return hold.name if isinstance(hold, Hold) else full_name(hold)
