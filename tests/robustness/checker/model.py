"""The model: a business as one after another would have it. It is told changes, and asked slots.

It knows the rules of protos/README.md, as far as the catalogue of these tests uses them, and
nothing of how the service keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from service.domain.ids import holder_key
from slotcast.v1.core_pb2 import SlotChoice
from tests.robustness.catalogue import TICKET_PRINCIPAL, key_of_ticket
from tests.robustness.checker.claims import HOLD, Calendars, Taken
from tests.robustness.checker.instants import micros_of
from tests.robustness.checker.offer import Offer, Span, TypeRules
from tests.robustness.checker.records import LIVE, STANDING, WAITING, Booked, Held, Ticket, Waiting


class Spot(NamedTuple):
    """A start of a type on one of its calendars."""

    type_id: str
    calendar: str
    first: int


def seats_left(
    rules: TypeRules, first: int, around: Iterable[Taken], at: int, key: str | None
) -> int:
    """Return how many places of a slot are left to a holder, among all that stands around it.

    What has expired does not count, nor do the holder's own holds. Places of the same group count
    one by one; anything else is in the way.
    """
    seats: set[int] = set()
    last = first + rules.duration
    for each in around:
        if each.expires is not None and (
            each.expires <= at or (key is not None and each.holder == key)
        ):
            continue
        if (
            rules.capacity == 1
            or each.seat is None
            or each.first != first
            or each.last != last
            or each.type_id != rules.type_id
        ):
            return 0
        seats.add(each.seat)
    return max(rules.capacity - len(seats), 0)


class Model:
    """The state at one revision."""

    def __init__(self, business_id: str, principal_id: str) -> None:
        """Begin before the business was made."""
        self.business_id = business_id
        self.principal_id = principal_id
        self.revision = 0
        self.at = 0
        # The latest that the clock has ever shown, wherever it was set since.
        self.latest = 0
        self.offer = Offer()
        self.calendars = Calendars()
        self.closed = Calendars()
        # The pieces of imported busy time, as changes carry them.
        self.pieces: dict[object, Taken] = {}
        self.bookings: dict[str, Booked] = {}
        self.holds: dict[str, Held] = {}
        self.tickets: dict[str, Ticket] = {}
        # The tickets, as whom they act, by which a booking was made.
        self.spent: set[str] = set()
        # Every state that a booking has had, with its revision.
        self.booking_log: dict[str, list[tuple[int, Booked]]] = {}
        self.entries: dict[str, Waiting] = {}
        self.entry_log: dict[str, list[tuple[int, Waiting]]] = {}
        # Those that have not ended, in the order in which they joined.
        self.queue: dict[str, Waiting] = {}
        self._held_by: dict[str, set[str]] = {}
        self._keys_of: dict[str, set[str]] = {}

    def key(self, holder: str, principal: str = "") -> str | None:
        """Return what stands for a holder on claims; without a principal, for one of ours."""
        return holder_key(principal or self.principal_id, holder) if holder else None

    def spots(self, choice: SlotChoice) -> list[Spot]:
        """Return the spots that a choice leaves open."""
        type_id = choice.appointment_type.rsplit("/", 1)[-1]
        rules = self.offer.types.get(type_id)
        if choice.calendar:
            calendars: tuple[str, ...] = (choice.calendar.rsplit("/", 1)[-1],)
        else:
            calendars = rules.primaries if rules else ()
        first = micros_of(choice.start_time)
        return [Spot(type_id, calendar, first) for calendar in calendars]

    def around(self, rules: TypeRules, spot: Spot) -> Iterator[Taken]:
        """Yield what shares time with a spot, buffers included, on any of its calendars."""
        start = spot.first - rules.before
        end = spot.first + rules.duration + rules.after
        for calendar in rules.calendars(spot.calendar):
            yield from self.calendars.overlapping(calendar, start, end)

    def closures(self, rules: TypeRules, spot: Spot) -> Iterator[Taken]:
        """Yield the closures that share time with the appointment, without its buffers."""
        for calendar in rules.calendars(spot.calendar):
            yield from self.closed.overlapping(calendar, spot.first, spot.first + rules.duration)

    def reasons(self, spot: Spot, at: int, key: str | None) -> set[str]:
        """Return every reason for which a spot cannot be taken at an instant; none: it can."""
        rules = self.offer.types.get(spot.type_id)
        if rules is None or spot.calendar not in self.offer.zones:
            return {"RESOURCE_NOT_FOUND"}
        if spot.calendar not in rules.primaries:
            return {"INVALID_REQUEST"}
        found = set()
        if spot.first % rules.step:
            found.add("SLOT_OFF_GRID")
        if any(self.closures(rules, spot)):
            found.add("SLOT_CLOSED")
        if spot.first < at + rules.notice:
            found.add("NOTICE_TOO_SHORT")
        if spot.first > at + rules.horizon:
            found.add("BEYOND_HORIZON")
        if not seats_left(rules, spot.first, self.around(rules, spot), at, key):
            found.add("SLOT_TAKEN")
        return found

    def put_booking(self, booked: Booked) -> None:
        """Remember a booking as it is from this revision on."""
        self.bookings[booked.id] = booked
        self.booking_log.setdefault(booked.id, []).append((self.revision, booked))

    def put_hold(self, held: Held) -> None:
        """Remember a hold as it is from this revision on."""
        before = self.holds.get(held.id)
        if before is not None:
            self._held_by[before.key].discard(held.id)
            self._age_tickets(before, held)
        self.holds[held.id] = held
        self._keys_of.setdefault(held.id, set()).add(held.key)
        of_holder = self._held_by.setdefault(held.key, set())
        if held.status == LIVE:
            of_holder.add(held.id)
        else:
            of_holder.discard(held.id)

    def keys_of(self, hold_id: str) -> set[str]:
        """Return all holders that a hold has had."""
        return self._keys_of.get(hold_id, set())

    def _age_tickets(self, before: Held, now: Held) -> None:
        """Note of a hold's tickets when it was going to expire, and whether it had."""
        for name, ticket in self.tickets.items():
            if ticket.hold_id == now.id:
                self.tickets[name] = replace(
                    ticket,
                    expires=min(ticket.expires, now.expires),
                    may_be_erased=ticket.may_be_erased or before.expires <= self.at,
                )

    def put_entry(self, entry: Waiting) -> None:
        """Remember an entry of the waitlist as it is from this revision on."""
        self.entries[entry.id] = entry
        self.entry_log.setdefault(entry.id, []).append((self.revision, entry))
        if entry.status in STANDING:
            self.queue[entry.id] = entry
        else:
            self.queue.pop(entry.id, None)

    def entry_of_hold(self, hold_id: str) -> Waiting | None:
        """Return whom a hold is offered to."""
        return next((e for e in self.queue.values() if e.hold and e.hold.id == hold_id), None)

    def waiting(self) -> list[Waiting]:
        """Return those to whom something may be offered, first come first."""
        return [entry for entry in self.queue.values() if entry.status == WAITING]

    def waiting_of(self, key: str) -> int:
        """Return how often a holder waits, or is offered a slot."""
        return sum(entry.key == key for entry in self.queue.values())

    def waiting_of_key(self, principal: str) -> int:
        """Return how often all holders of an API key wait, or are offered a slot."""
        return sum(entry.principal == principal for entry in self.queue.values())

    def wanted(self, entry: Waiting) -> Iterator[Spot]:
        """Yield the spots that would do for an entry."""
        rules = self.offer.types.get(entry.type_id)
        for start, end in entry.windows if rules else ():
            for first in range(start + -start % rules.step, end, rules.step):
                for calendar in rules.primaries:
                    if entry.wants(entry.type_id, calendar, first):
                        yield Spot(entry.type_id, calendar, first)

    def takes(self, spot: Spot) -> list[Span]:
        """Return what a spot takes of its calendars, buffers included."""
        rules = self.offer.types[spot.type_id]
        start, end = spot.first - rules.before, spot.first + rules.duration + rules.after
        return [Span(calendar, start, end) for calendar in rules.calendars(spot.calendar)]

    def live_holds(self, key: str, at: int) -> list[Held]:
        """Return the holds of a holder that count at an instant, but for what it is offered."""
        holds = [self.holds[hold_id] for hold_id in self._held_by.get(key, set())]
        return [hold for hold in holds if hold.expires > at and not hold.is_offer]

    def counted_with(self, key: str, principal: str, at: int) -> set[str]:
        """Return the holds that count against a holder; by a ticket acts one, under any name."""
        if not principal.startswith(TICKET_PRINCIPAL):
            return {hold.id for hold in self.live_holds(key, at)}
        return {
            hold.id
            for hold in self.holds.values()
            if hold.principal == principal and hold.status == LIVE and hold.expires > at
        }

    def spend(self, principal: str) -> None:
        """Note that a booking was made by a ticket: what others of its hold know may be erased."""
        self.spent.add(principal)
        holds = {
            ticket.hold_id
            for name, ticket in self.tickets.items()
            if key_of_ticket(name).principal == principal
        }
        for name, ticket in self.tickets.items():
            if ticket.hold_id in holds:
                self.tickets[name] = replace(ticket, may_be_erased=True)

    def is_held(self, hold: Held) -> bool:
        """Say whether a hold has not ended; it may have expired."""
        return self.holds[hold.id].status == LIVE

    def live_holds_of_key(self, principal: str, at: int) -> int:
        """Return how many holds of an API key count at an instant, whoever its holders are."""
        return sum(
            hold.principal == principal
            and hold.status == LIVE
            and hold.expires > at
            and not hold.is_offer
            for hold in self.holds.values()
        )

    def own_in_the_way(self, rules: TypeRules, spot: Spot, at: int, key: str | None) -> set[str]:
        """Return the live holds of a holder that give way when they take a spot."""
        return {
            each.owner
            for each in self.around(rules, spot)
            if each.kind == HOLD and each.is_live(at) and key is not None and each.holder == key
        }
