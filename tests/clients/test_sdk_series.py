"""Series: what is asked, and what is told of each occurrence."""

import grpc
import pytest

from slotcast import (
    Customer,
    Occurrence,
    SeriesMode,
    SeriesRefused,
    SlotChoice,
    SlotClosed,
    SlotTaken,
    Wish,
)
from slotcast.convert import timestamp
from slotcast.v1 import booking_service_pb2 as pb
from tests.clients.scripted import refused, status
from tests.clients.wire import a_slot, booking_message

ADA = Customer(display_name="Ada")
RULE = "FREQ=WEEKLY;COUNT=2"
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
FIRST, SECOND = a_slot(1), a_slot(3)


def occurrence(slot, **outcome):
    return pb.SeriesOccurrence(start_time=timestamp(slot.start), **outcome)


async def test_what_was_booked_and_what_was_not_is_told_in_the_order_of_time(client, script):
    booking = booking_message()
    booking.series = "s-1"
    report = pb.SeriesReport(
        occurrences=[
            occurrence(FIRST, booking=booking),
            occurrence(SECOND, refusal=status(PRECONDITION, "SLOT_TAKEN")),
        ]
    )
    script.on(
        "BookSeries",
        lambda request: pb.BookSeriesResponse(series="s-1", report=report, revision=7),
    )

    series = await client.book_series(
        FIRST, RULE, Wish(customer=ADA), mode=SeriesMode.AS_MANY_AS_FIT
    )

    assert (series.name, series.revision) == ("s-1", 7)
    assert [each.start for each in series.occurrences] == [FIRST.start, SECOND.start]
    (booked,) = series.bookings
    assert series.occurrences[0] == Occurrence(start=FIRST.start, booking=booked)
    assert (booked.series, booked.revision) == ("s-1", 7)
    assert isinstance(series.occurrences[1].refusal, SlotTaken)


async def test_it_asks_with_the_rule_as_it_is_and_all_or_none_where_nothing_is_said(client, script):
    script.on("BookSeries", lambda request: pb.BookSeriesResponse())
    choice = SlotChoice(appointment_type="cut", start=FIRST.start)

    await client.book_series(choice, RULE, Wish(customer=ADA, fields={"a": "b"}, holder="eve"))

    (call,) = script.calls
    request = call.request
    assert request.recurrence == RULE
    assert request.mode == pb.BookSeriesRequest.MODE_ALL_OR_NONE
    assert request.first.appointment_type == "businesses/salon/appointmentTypes/cut"
    assert request.first.start_time == timestamp(FIRST.start)
    assert (dict(request.fields), request.holder) == ({"a": "b"}, "eve")
    assert request.request_id


async def test_a_refused_series_says_which_do_not_fit_and_why(client, script):
    report = pb.SeriesReport(
        occurrences=[
            occurrence(FIRST),
            occurrence(SECOND, refusal=status(PRECONDITION, "SLOT_CLOSED")),
        ]
    )
    script.in_turn("BookSeries", refused(PRECONDITION, "SERIES_REFUSED", details=[report]))

    with pytest.raises(SeriesRefused) as caught:
        await client.book_series(FIRST, RULE, Wish(customer=ADA))

    (first, why_not_first), (second, why_not_second) = caught.value.occurrences
    assert (first, why_not_first) == (FIRST.start, None)
    assert second == SECOND.start
    assert isinstance(why_not_second, SlotClosed)
