"""When all is over: what the server says there is, against what it answered (B1, B2, B5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import grpc

from loadtest.answers import places_of
from loadtest.grid import DAY_SECONDS, STEP_SECONDS, Cursor, Grid, Place
from loadtest.recording import Breaches, Recording
from loadtest.target import CALL_SECONDS_MAX, metadata, open_blocking_channel
from slotcast.v1.availability_service_pb2 import ListSlotsRequest
from slotcast.v1.availability_service_pb2_grpc import AvailabilityServiceStub
from slotcast.v1.booking_service_pb2 import ListBookingsRequest
from slotcast.v1.booking_service_pb2_grpc import BookingServiceStub

WINDOW_DAYS_MAX = 62
BOOKINGS_PER_PAGE = 500
SLOTS_PER_PAGE = 2000
# A list that does not end is a fault of the server, not a reason to ask for ever.
PAGES_MAX = 10_000


@dataclass(slots=True)
class Ledger:
    """The slots of one grid that were answered OK, and those of which it is not known."""

    cursor: Cursor
    booked: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    revisions: set[int] = field(default_factory=set)
    bookings: int = 0

    def add(self, recording: Recording) -> None:
        """Add what was seen in a round."""
        self.booked.update(recording.index)
        self.unknown.update(recording.unknown)
        self.revisions.update(recording.revision)
        self.bookings += len(recording)

    def places(self, indexes: Iterable[int]) -> set[Place]:
        """Return where these slots are."""
        return {self.cursor.grid.place(index) for index in indexes}


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """How much was compared."""

    bookings: int
    slots: int
    breaches: Breaches


class Window(NamedTuple):
    """Some days of a grid."""

    first_day: int
    days: int


class Auditor:
    """Asks the server what there is."""

    def __init__(self, target: str, api_key: str) -> None:
        """Connect; `close` when done."""
        self._channel = open_blocking_channel(target)
        self._bookings = BookingServiceStub(self._channel)
        self._availability = AvailabilityServiceStub(self._channel)
        self._metadata = metadata(api_key, "load-audit")

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def compare(self, ledgers: Iterable[Ledger]) -> Audit:
        """Compare all bookings, and all slots of the days that were booked on, with the ledgers."""
        breaches = Breaches()
        bookings = slots = 0
        try:
            for ledger in ledgers:
                days = ledger.cursor.grid.days_used(ledger.cursor.used)
                for window in windows(days):
                    bookings += self._compare_bookings(ledger, window, breaches)
                    slots += self._compare_slots(ledger, window, breaches)
        except grpc.RpcError as failure:
            breaches.add(f"the server could not be asked what there is: {failure}"[:300])
        return Audit(bookings=bookings, slots=slots, breaches=breaches)

    def open_places(self, grid: Grid, window: Window, min_revision: int) -> Iterator[Place]:
        """Yield the open slots of a window, at that revision or later."""
        request = ListSlotsRequest(
            parent=grid.parent,
            appointment_types=[grid.type_name],
            calendars=[grid.calendar_name(calendar) for calendar in grid.calendars],
            min_revision=min_revision,
            page_size=SLOTS_PER_PAGE,
        )
        request.start_time.seconds, request.end_time.seconds = span(grid, window)
        for _ in range(PAGES_MAX):
            answer = self._availability.ListSlots(
                request, metadata=self._metadata, timeout=CALL_SECONDS_MAX
            )
            yield from places_of(answer.slots)
            request.page_token = answer.next_page_token
            if not answer.next_page_token:
                return

    def _booked_places(self, grid: Grid, calendar: str, window: Window) -> Iterator[Place]:
        request = ListBookingsRequest(
            parent=grid.parent,
            calendar=grid.calendar_name(calendar),
            page_size=BOOKINGS_PER_PAGE,
        )
        request.start_time.seconds, request.end_time.seconds = span(grid, window)
        for _ in range(PAGES_MAX):
            answer = self._bookings.ListBookings(
                request, metadata=self._metadata, timeout=CALL_SECONDS_MAX
            )
            yield from (Place(calendar, each.start_time.seconds) for each in answer.bookings)
            request.page_token = answer.next_page_token
            if not answer.next_page_token:
                return

    def _compare_bookings(self, ledger: Ledger, window: Window, breaches: Breaches) -> int:
        grid = ledger.cursor.grid
        found = Counter(
            place
            for calendar in grid.calendars
            for place in self._booked_places(grid, calendar, window)
        )
        unknown = ledger.places(ledger.unknown)
        expected = within(grid, window, ledger.places(ledger.booked))
        for what, count in (
            ("slots have more than one booking", sum(times > 1 for times in found.values())),
            ("bookings that were answered OK are not there", len(expected - found.keys())),
            ("bookings are there that nobody made", len(found.keys() - expected - unknown)),
        ):
            if count:
                breaches.add(f"{count} {what}")
        return found.total()

    def _compare_slots(self, ledger: Ledger, window: Window, breaches: Breaches) -> int:
        grid = ledger.cursor.grid
        shown = Counter(self.open_places(grid, window, max(ledger.revisions, default=0)))
        unknown = ledger.places(ledger.unknown)
        taken = ledger.places(ledger.booked)
        expected = set(all_places(grid, window)) - taken
        for what, count in (
            ("open slots are listed twice", sum(times > 1 for times in shown.values())),
            ("booked slots are shown as open", len(shown.keys() & taken)),
            ("free slots are not shown as open", len(expected - shown.keys() - unknown)),
        ):
            if count:
                breaches.add(f"{count} {what}")
        return shown.total()


def windows(days: int) -> Iterator[Window]:
    """Cut so many days into windows that the server lists."""
    for first_day in range(0, days, WINDOW_DAYS_MAX):
        yield Window(first_day, min(WINDOW_DAYS_MAX, days - first_day))


def span(grid: Grid, window: Window) -> tuple[int, int]:
    """Return the first second of a window, and the first one after it."""
    start = grid.first_start + window.first_day * DAY_SECONDS
    return start, start + window.days * DAY_SECONDS


def within(grid: Grid, window: Window, places: Iterable[Place]) -> set[Place]:
    """Return those places that start in a window."""
    start, end = span(grid, window)
    return {place for place in places if start <= place.start < end}


def all_places(grid: Grid, window: Window) -> Iterator[Place]:
    """Yield every slot that a window of an empty grid has."""
    for start in range(*span(grid, window), STEP_SECONDS):
        for calendar in grid.calendars:
            yield Place(calendar, start)
