"""The consumer of the change log that plans letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from service.domain.booking import Booking
from service.domain.change import Change, ChangeKind, state_of
from service.domain.delivery import Channel, NewDelivery
from service.notify.letters.facts import LetterKind
from service.notify.letters.order import order_of
from service.notify.letters.planning import Known, is_told, letters_of
from service.store import bookings as booking_store
from service.store import catalog as catalog_store
from service.store import deliveries as delivery_store
from service.store import waitlist as waitlist_store
from service.store.database import Transaction
from service.store.deliveries import Overtaken

_OVERTAKES: Mapping[ChangeKind, str] = {
    ChangeKind.RESCHEDULED: "the booking was moved",
    ChangeKind.CANCELLED: "the booking was cancelled",
    ChangeKind.DECLINED: "the booking was declined",
    ChangeKind.COMPLETED: "the booking has ended",
    ChangeKind.NO_SHOW: "the booking has ended",
}
"""What leaves no use for reminders that wait; they need not wait until they are due to say so."""


class LettersConsumer:
    """Plans letters, where there is a way out for them; else it passes over all changes."""

    name = "letters"
    channel = Channel.LETTER

    def __init__(self, *, is_on: bool) -> None:
        """Say whether there is a way out."""
        self._is_on = is_on

    async def plan(
        self, tx: Transaction, business_id: str, changes: Sequence[Change]
    ) -> list[NewDelivery]:
        """Return the letters that these changes mean; reminders that they overtake are skipped."""
        if self._is_on and (overtaken := _overtaken(changes)):
            await delivery_store.skip(tx, business_id, LetterKind.REMINDER.value, overtaken)
        told = [change for change in changes if self._is_on and is_told(change)]
        if not told:
            return []
        catalog = await catalog_store.load(tx, business_id)
        if catalog is None:
            return []
        booking_ids = {booking_id for change in told for booking_id in change.booking_ids}
        bookings = {
            booking.booking_id: booking
            for booking in await booking_store.by_ids(tx, business_id, booking_ids)
        }
        entry_ids = {offer.entry_id for change in told for offer in change.offers}
        for change in told:
            if change.kind is ChangeKind.WAITLIST_JOINED:
                entry_ids.update(change.entry_ids)
        waiting = await waitlist_store.by_ids(tx, business_id, entry_ids) if entry_ids else []
        reachable: set[UUID] = {
            each.booking_id for each in bookings.values() if each.customer.email
        }
        reachable |= {entry.entry_id for entry in waiting if entry.customer.email}
        known = Known(catalog=catalog, reachable=frozenset(reachable))
        planned = []
        for change in told:
            planned += letters_of(_with_states(change, bookings), known)
        return [new for new in planned if not _is_overtaken(new, bookings)]


def _with_states(change: Change, bookings: Mapping[UUID, Booking]) -> Change:
    """Return a change that tells its bookings; of an old one they are as they are now."""
    if change.bookings:
        return change
    known = (bookings[each] for each in change.booking_ids if each in bookings)
    return replace(change, bookings=tuple(state_of(booking) for booking in known))


def _overtaken(changes: Sequence[Change]) -> list[Overtaken]:
    """Return whose reminders are overtaken: of several changes of a booking, by the last."""
    last = {
        booking_id: Overtaken(booking_id, change.revision, _OVERTAKES[change.kind])
        for change in changes
        if change.kind in _OVERTAKES
        for booking_id in change.booking_ids
    }
    return list(last.values())


def _is_overtaken(new: NewDelivery, bookings: Mapping[UUID, Booking]) -> bool:
    """Say whether a letter is a reminder of what its booking is no more."""
    if new.kind != LetterKind.REMINDER.value or new.booking_id is None:
        return False
    (state,) = order_of(new.body).states
    return bookings[new.booking_id].version != state.version
