"""Series, as plain values: what became of an appointment that recurs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from slotcast import convert
from slotcast.error_details import error_of_status
from slotcast.errors import SlotcastError
from slotcast.models import Booking
from slotcast.v1 import booking_service_pb2 as pb


class SeriesMode(StrEnum):
    """What to do where an occurrence does not fit: book nothing, or the others."""

    ALL_OR_NONE = "ALL_OR_NONE"
    AS_MANY_AS_FIT = "AS_MANY_AS_FIT"


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """One occurrence: its booking, or the error that booking it alone would raise."""

    start: datetime
    booking: Booking | None = None
    refusal: SlotcastError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """What was booked of a series. `name` is what its bookings have in common."""

    name: str
    occurrences: tuple[Occurrence, ...]
    revision: int = field(default=0, compare=False)

    @property
    def bookings(self) -> tuple[Booking, ...]:
        """Those that were booked, in the order of time."""
        return tuple(each.booking for each in self.occurrences if each.booking is not None)


def series(message: pb.BookSeriesResponse) -> Series:
    """Read what was booked."""
    return Series(
        name=message.series,
        occurrences=tuple(
            Occurrence(
                start=convert.instant(item.start_time),
                booking=(
                    convert.booking(item.booking, message.revision)
                    if item.HasField("booking")
                    else None
                ),
                refusal=error_of_status(item.refusal) if item.HasField("refusal") else None,
            )
            for item in message.report.occurrences
        ),
        revision=message.revision,
    )
