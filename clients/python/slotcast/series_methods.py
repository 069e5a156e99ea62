"""What a client can ask BookingService about appointments that recur."""

from __future__ import annotations

from slotcast import convert
from slotcast.calls import new_request_id
from slotcast.channel import Connected
from slotcast.models import Slot, SlotChoice
from slotcast.requests import Wish
from slotcast.series import Series, SeriesMode, series
from slotcast.v1 import booking_service_pb2 as pb


class SeriesMethods(Connected):
    """Appointments that recur."""

    async def book_series(
        self,
        first: Slot | SlotChoice,
        recurrence: str,
        wish: Wish,
        *,
        mode: SeriesMode = SeriesMode.ALL_OR_NONE,
    ) -> Series:
        """Book an appointment that recurs, in one commit; `first` is its first occurrence.

        `recurrence` is a rule such as `FREQ=WEEKLY;COUNT=6` (RFC 5545: DAILY, WEEKLY, MONTHLY;
        INTERVAL; COUNT or UNTIL; BYDAY, BYMONTHDAY), of at most 52 occurrences. The wall-clock time
        stays the same when clocks change. Where the server chooses the calendar, it is the same for
        all if one takes all. SeriesRefused: some do not fit, or none does; nothing was booked.
        """
        link = self._connection
        request = pb.BookSeriesRequest(
            parent=link.names.business(),
            request_id=new_request_id(wish.request_id),
            first=convert.slot_choice_message(first, link.names),
            recurrence=recurrence,
            mode=pb.BookSeriesRequest.Mode.Value(f"MODE_{mode}"),
            customer=convert.customer_message(wish.customer),
            fields=dict(wish.fields),
            holder=wish.holder,
        )
        return series(await link.calls.unary(link.bookings.BookSeries, request))
