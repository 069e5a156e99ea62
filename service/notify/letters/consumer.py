"""The consumer of the change log that plans letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from service.domain.booking import Booking
from service.domain.change import Change, state_of
from service.domain.delivery import Channel, NewDelivery
from service.notify.letters.planning import Known, is_told, letters_of
from service.store import bookings as booking_store
from service.store import catalog as catalog_store
from service.store import waitlist as waitlist_store
from service.store.database import Transaction


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
        """Return the letters that these changes mean."""
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
        waiting = await waitlist_store.by_ids(tx, business_id, entry_ids) if entry_ids else []
        reachable: set[UUID] = {
            each.booking_id for each in bookings.values() if each.customer.email
        }
        reachable |= {entry.entry_id for entry in waiting if entry.customer.email}
        known = Known(catalog=catalog, reachable=frozenset(reachable))
        planned = []
        for change in told:
            planned += letters_of(_with_states(change, bookings), known)
        return planned


def _with_states(change: Change, bookings: Mapping[UUID, Booking]) -> Change:
    """Return a change that tells its bookings; of an old one they are as they are now."""
    if change.bookings:
        return change
    known = (bookings[each] for each in change.booking_ids if each in bookings)
    return replace(change, bookings=tuple(state_of(booking) for booking in known))
