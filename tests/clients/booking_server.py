"""A small server for the load tester: honest, unless a test lets it lie."""

import asyncio
import contextlib
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.any_pb2 import Any as Box
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from slotcast.v1 import availability_service_pb2 as availability_pb
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from slotcast.v1.core_pb2 import Slot, SlotKey
from slotcast.v1.error_reason_pb2 import Alternatives

STEP = 900
PAGE = 100
METHODS = {
    method.name: method
    for file in (availability_pb, booking_pb, catalog_pb)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


class BookingServer:
    """Bookings in memory: `taken` maps a calendar and a start to how often it was sold."""

    def __init__(self):
        self.target = ""
        self.revision = 0
        self.taken = {}
        self.businesses = []
        self.watchers = []
        # What it lies about.
        self.sells_twice = False
        self.forgets = False
        self.loses_frame = None
        self.books_the_next_slot = False
        self.refuses_with = None
        self.hides_alternatives = False

    def book(self, request):
        """Answer, or refuse by a status."""
        if self.refuses_with:
            return refusal(self.refuses_with)
        slot = request.appointments[0].slot
        place = (slot.calendar, slot.start_time.seconds)
        if place in self.taken and not self.sells_twice:
            others = () if self.hides_alternatives else (Slot(calendar=slot.calendar),)
            return refusal("SLOT_TAKEN", *others)
        self.revision += 1
        if not self.forgets:
            self.taken[place] = self.taken.get(place, 0) + 1
        for watcher in self.watchers:
            watcher.put_nowait((self.revision, slot))
        start = slot.start_time.seconds + STEP * self.books_the_next_slot
        booking = booking_pb.Booking(
            name=f"{request.parent}/bookings/{self.revision}",
            appointment_type=slot.appointment_type,
            calendars=[slot.calendar],
            status=booking_pb.BOOKING_STATUS_CONFIRMED,
            version=1,
        )
        booking.start_time.seconds, booking.end_time.seconds = start, start + STEP
        return booking_pb.BookResponse(bookings=[booking], revision=self.revision)

    def open_slots(self, request):
        """All slots of a window that are left."""
        for start in range(request.start_time.seconds, request.end_time.seconds, STEP):
            for calendar in request.calendars:
                if (calendar, start) not in self.taken:
                    slot = Slot(
                        appointment_type=request.appointment_types[0],
                        calendar=calendar,
                        seats_left=1,
                    )
                    slot.start_time.seconds, slot.end_time.seconds = start, start + STEP
                    yield slot


def refusal(reason, *alternatives):
    status = Status(code=grpc.StatusCode.FAILED_PRECONDITION.value[0], message=reason)
    status.details.append(packed(ErrorInfo(reason=reason, domain="slotcast.dev")))
    if alternatives:
        status.details.append(packed(Alternatives(slots=alternatives)))
    return status


def packed(message):
    box = Box()
    box.Pack(message)
    return box


class Methods(grpc.GenericRpcHandler):
    """What the server answers; a method of the catalogue that is not here says yes."""

    def __init__(self, server):
        self.server = server

    async def Book(self, request, context):
        answer = self.server.book(request)
        if isinstance(answer, Status):
            details = (("grpc-status-details-bin", answer.SerializeToString()),)
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, answer.message, details)
        return answer

    async def StreamBookings(self, requests, context):
        async for request in requests:
            answer = self.server.book(request.book)
            result = {"error" if isinstance(answer, Status) else "book": answer}
            yield booking_pb.StreamBookingsResponse(request_id=request.book.request_id, **result)

    async def ListBookings(self, request, context):
        first, last = request.start_time.seconds, request.end_time.seconds
        starts = sorted(
            start
            for (calendar, start), times in self.server.taken.items()
            if calendar == request.calendar and first <= start < last
            for _ in range(times)
        )
        page = int(request.page_token or 0)
        answer = booking_pb.ListBookingsResponse(revision=self.server.revision)
        for start in starts[page : page + PAGE]:
            answer.bookings.add(calendars=[request.calendar]).start_time.seconds = start
        if page + PAGE < len(starts):
            answer.next_page_token = str(page + PAGE)
        return answer

    async def ListSlots(self, request, context):
        slots = list(self.server.open_slots(request))
        page = int(request.page_token or 0)
        answer = availability_pb.ListSlotsResponse(
            slots=slots[page : page + request.page_size], revision=self.server.revision
        )
        if page + request.page_size < len(slots):
            answer.next_page_token = str(page + request.page_size)
        return answer

    async def WatchAvailability(self, request, context):
        changes: asyncio.Queue[Any] = asyncio.Queue()
        slots = list(self.server.open_slots(request))
        self.server.watchers.append(changes)
        revision = self.server.revision
        yield frame(1, revision, snapshot_chunk=availability_pb.SnapshotChunk(slots=slots))
        end = availability_pb.SnapshotEnd(open_slots=len(slots))
        yield frame(2, revision, snapshot_end=end)
        number = 2
        while True:
            revision, slot = await changes.get()
            if revision == self.server.loses_frame:
                continue
            number += 1
            key = SlotKey(appointment_type=slot.appointment_type, calendar=slot.calendar)
            key.start_time.seconds = slot.start_time.seconds
            key.end_time.seconds = slot.start_time.seconds + STEP
            yield frame(number, revision, delta=availability_pb.Delta(closed=[key]))

    async def CreateBusiness(self, request, context):
        self.server.businesses.append(f"businesses/{request.business_id}")
        return catalog_pb.CreateBusinessResponse()

    async def DeleteBusiness(self, request, context):
        self.server.businesses.remove(request.name)
        return catalog_pb.DeleteBusinessResponse()

    def service(self, handler_call_details):
        method = METHODS[handler_call_details.method.rsplit("/", 1)[1]]
        codec = {
            "request_deserializer": message_factory.GetMessageClass(method.input_type).FromString,
            "response_serializer": lambda message: message.SerializeToString(),
        }

        async def say_yes(request, context):
            return message_factory.GetMessageClass(method.output_type)()

        answer = getattr(self, method.name, say_yes)
        if method.client_streaming:
            return grpc.stream_stream_rpc_method_handler(answer, **codec)
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(answer, **codec)
        return grpc.unary_unary_rpc_method_handler(answer, **codec)


def frame(number, revision, **content):
    return availability_pb.WatchAvailabilityResponse(
        stream_seq=number, revision=revision, **content
    )


@contextlib.asynccontextmanager
async def booking_server():
    """A server on a free port of this machine, while the block lasts."""
    server = BookingServer()
    grpc_server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    grpc_server.add_generic_rpc_handlers((Methods(server),))
    server.target = f"127.0.0.1:{grpc_server.add_insecure_port('127.0.0.1:0')}"
    await grpc_server.start()
    try:
        yield server
    finally:
        await grpc_server.stop(None)
