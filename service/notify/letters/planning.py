"""Which letters a change means, to whom, and when. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from service.domain.booking import BookingStatus
from service.domain.catalog import Catalog
from service.domain.change import BookingState, Change, ChangeKind, OfferRef, Placement
from service.domain.delivery import Channel, NewDelivery, offer_letter_id
from service.notify.letters.facts import LetterKind
from service.notify.letters.order import Order, body_of

_KINDS: Mapping[ChangeKind, LetterKind] = {
    ChangeKind.APPROVED: LetterKind.APPROVED,
    ChangeKind.DECLINED: LetterKind.DECLINED,
    ChangeKind.RESCHEDULED: LetterKind.RESCHEDULED,
    ChangeKind.CANCELLED: LetterKind.CANCELLED,
}
"""Of a booking that was there before. What is not listed is no matter for a letter."""
_REMINDED = frozenset({ChangeKind.BOOKED, ChangeKind.APPROVED, ChangeKind.RESCHEDULED})

_DELIVERIES = UUID("7c1d7d6e-5f0e-4bb5-9d0b-0e6c1b7f6a55")
"""Under which the ids of letters are made: the same change always makes the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What planning looks at: the catalogue, and which customers and waiters have an address."""

    catalog: Catalog
    reachable: frozenset[UUID]


class Addressee(NamedTuple):
    """The customer, or the staff of a calendar."""

    calendar_id: str = ""

    @property
    def target(self) -> str:
        """As it stands in the list of deliveries."""
        return f"calendars/{self.calendar_id}" if self.calendar_id else "customer"

    def lane(self, booking_id: UUID) -> str:
        """In which lane its letters about a booking follow each other."""
        who = f"staff:{self.calendar_id}" if self.calendar_id else "customer"
        return f"letter:{booking_id}:{who}"


CUSTOMER = Addressee()


def is_told(change: Change) -> bool:
    """Say whether a change can mean a letter."""
    if change.kind is ChangeKind.WAITLIST_JOINED or change.offers:
        return True
    return change.kind in _KINDS or change.kind in _REMINDED


def letters_of(change: Change, known: Known) -> list[NewDelivery]:
    """Return what a change means: one letter to each whom it concerns, and reminders."""
    plan = _Plan(change=change, known=known)
    if change.kind is ChangeKind.BOOKED:
        plan.tell_of_new(change.bookings)
    elif change.kind in _KINDS:
        for state in change.bookings:
            plan.tell_of_changed(state, _KINDS[change.kind])
    if change.kind in _REMINDED:
        for state in change.bookings:
            plan.remind_of(state)
    if change.kind is ChangeKind.WAITLIST_JOINED:
        plan.tell_of_waiting()
    for offer in change.offers:
        plan.offer(offer)
    return plan.deliveries


@dataclass(kw_only=True, slots=True)
class _Plan:
    change: Change
    known: Known
    deliveries: list[NewDelivery] = field(default_factory=list)

    def tell_of_new(self, states: Sequence[BookingState]) -> None:
        """Plan one letter to each, about all that one commit booked.

        In the lane of each further booking stands a note: what is told of it later has to wait
        until the letter is out.
        """
        concerned: dict[Addressee, list[BookingState]] = {}
        for state in states:
            for addressee in self._addressees(state.booking_id, state.calendar_ids):
                concerned.setdefault(addressee, []).append(state)
        for addressee, told in concerned.items():
            kind = kind_of_new(told)
            first, *others = told
            letter = self._add(kind, addressee, first.booking_id, Order(states=tuple(told)))
            for state in others:
                self._add(kind, addressee, state.booking_id, Order(within=letter))

    def tell_of_changed(self, state: BookingState, kind: LetterKind) -> None:
        """Plan a letter to each who has a part in it, or had one."""
        before = state.before or Placement(
            calendar_ids=state.calendar_ids, appointment=state.appointment
        )
        had, has = self._addresses(before.calendar_ids), self._addresses(state.calendar_ids)
        order = Order(states=(state,))
        for addressee in self._addressees(state.booking_id, state.calendar_ids):
            is_new = addressee is not CUSTOMER and self._address(addressee.calendar_id) not in had
            told = kind_of_new([state]) if is_new else kind
            self._add(told, addressee, state.booking_id, order)
        old = replace(
            state,
            calendar_ids=before.calendar_ids,
            appointment=before.appointment,
            before=None,
        )
        for addressee in self._staff(before.calendar_ids):
            if self._address(addressee.calendar_id) not in has:
                gone = Order(states=(old,), moved_away=True)
                self._add(LetterKind.CANCELLED, addressee, state.booking_id, gone)

    def remind_of(self, state: BookingState) -> None:
        """Plan the customer's reminders, those whose time has not passed yet."""
        type_ = self.known.catalog.types.get(state.type_id)
        if (
            type_ is None
            or state.status is not BookingStatus.CONFIRMED
            or state.booking_id not in self.known.reachable
        ):
            return
        for number, before in enumerate(sorted(set(type_.reminders), reverse=True), start=1):
            due_at = state.appointment.start - before
            if due_at > self.change.at:
                # One lane each: a booking that was moved has reminders of another version.
                self._put(
                    LetterKind.REMINDER,
                    lane=f"reminder:{state.booking_id}:{state.version}:{number}",
                    target=CUSTOMER.target,
                    order=Order(states=(replace(state, before=None),)),
                    booking_id=state.booking_id,
                    due_at=due_at,
                )

    def tell_of_waiting(self) -> None:
        """Plan the letter to who has joined; who is offered a slot at once is told of that only."""
        offered = {offer.entry_id for offer in self.change.offers}
        for entry_id in self.change.entry_ids:
            if entry_id in self.known.reachable and entry_id not in offered:
                self._put(
                    LetterKind.WAITLIST_JOINED,
                    lane=f"waiting:{entry_id}",
                    target=CUSTOMER.target,
                    order=Order(waiting=entry_id),
                )

    def offer(self, offer: OfferRef) -> None:
        """Plan the letter to one of the waitlist."""
        if offer.entry_id in self.known.reachable:
            business_id = self.known.catalog.business.business_id
            self._put(
                LetterKind.WAITLIST_OFFER,
                # Who passes the offer on asks under this id whether it has gone out.
                delivery_id=offer_letter_id(business_id, offer.hold_id),
                lane=f"offer:{offer.entry_id}:{offer.hold_id}",
                target=CUSTOMER.target,
                order=Order(offer=offer),
            )

    def _addressees(self, booking_id: UUID, calendar_ids: Sequence[str]) -> Iterator[Addressee]:
        if booking_id in self.known.reachable:
            yield CUSTOMER
        yield from self._staff(calendar_ids)

    def _staff(self, calendar_ids: Sequence[str]) -> Iterator[Addressee]:
        """Yield the calendars with an address; of those that share one, the first."""
        told = {""}
        for calendar_id in calendar_ids:
            address = self._address(calendar_id)
            if address not in told:
                told.add(address)
                yield Addressee(calendar_id)

    def _addresses(self, calendar_ids: Sequence[str]) -> set[str]:
        return {self._address(calendar_id) for calendar_id in calendar_ids}

    def _address(self, calendar_id: str) -> str:
        calendar = self.known.catalog.calendars.get(calendar_id)
        return "" if calendar is None else calendar.email.lower()

    def _add(self, kind: LetterKind, addressee: Addressee, booking_id: UUID, order: Order) -> UUID:
        return self._put(
            kind,
            lane=addressee.lane(booking_id),
            target=addressee.target,
            order=replace(order, calendar_id=addressee.calendar_id),
            booking_id=booking_id,
        )

    def _put(
        self,
        kind: LetterKind,
        *,
        lane: str,
        target: str,
        order: Order,
        booking_id: UUID | None = None,
        due_at: datetime | None = None,
        delivery_id: UUID | None = None,
    ) -> UUID:
        change = self.change
        if delivery_id is None:
            business_id = self.known.catalog.business.business_id
            # The instant tells a business from one of the same name that was deleted.
            name = f"{business_id}/{change.at.isoformat()}/{change.revision}/{lane}"
            delivery_id = uuid5(_DELIVERIES, name)
        self.deliveries.append(
            NewDelivery(
                delivery_id=delivery_id,
                channel=Channel.LETTER,
                lane=lane,
                revision=change.revision,
                ordinal=len(self.deliveries),
                kind=kind.value,
                target=target,
                booking_id=booking_id,
                body=body_of(order),
                due_at=due_at,
            )
        )
        return delivery_id


def kind_of_new(states: Sequence[BookingState]) -> LetterKind:
    """Return what a new booking's letter is; where only some wait for approval, it says which."""
    if all(state.status is BookingStatus.PENDING for state in states):
        return LetterKind.PENDING
    return LetterKind.CONFIRMATION
