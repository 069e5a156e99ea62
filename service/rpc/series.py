"""BookSeries: what it wants, and how it is answered."""

from __future__ import annotations

from uuid import uuid4

from service.domain.commands import BookSeries, Occurrence, Outcome, SeriesMode
from service.domain.recurrence import OCCURRENCES_MAX, read_recurrence
from service.rpc.convert.bookings import read_customer, write_booking
from service.rpc.convert.slots import read_holder_key, read_slot_choice
from service.rpc.convert.times import write_instant
from service.rpc.status import to_status
from service.rpc.submitting import Asking, Wanted
from slotcast.v1 import booking_service_pb2 as booking_pb

MODES = {
    booking_pb.BookSeriesRequest.MODE_ALL_OR_NONE: SeriesMode.ALL_OR_NONE,
    booking_pb.BookSeriesRequest.MODE_AS_MANY_AS_FIT: SeriesMode.AS_MANY_AS_FIT,
}


def book_series(request: booking_pb.BookSeriesRequest, asking: Asking) -> Wanted:
    """Read BookSeries."""
    command = BookSeries(
        principal_id=asking.acting_id,
        holder_key=read_holder_key(request.holder, asking.acting_id),
        series_id=uuid4(),
        booking_ids=tuple(uuid4() for _ in range(OCCURRENCES_MAX)),
        first=read_slot_choice(request.first, asking.business_id, "first"),
        recurrence=read_recurrence(request.recurrence),
        mode=MODES[request.mode],
        customer=read_customer(request.customer),
        fields=dict(request.fields),
    )

    def encode(outcome: Outcome) -> bytes:
        response = booking_pb.BookSeriesResponse(
            series=str(command.series_id),
            report=booking_pb.SeriesReport(
                occurrences=[_write(each, asking.business_id) for each in outcome.occurrences]
            ),
            revision=outcome.revision,
        )
        return response.SerializeToString()

    return Wanted(command, encode)


def _write(occurrence: Occurrence, business_id: str) -> booking_pb.SeriesOccurrence:
    booking, refusal = occurrence.booking, occurrence.refusal
    return booking_pb.SeriesOccurrence(
        start_time=write_instant(occurrence.start),
        booking=write_booking(booking, business_id) if booking is not None else None,
        refusal=to_status(refusal) if refusal is not None else None,
    )
