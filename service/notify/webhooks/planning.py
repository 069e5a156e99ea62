"""Which calls the changes of a business make: the consumer `webhooks`, and a replay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID, uuid5

from service.domain.change import Change
from service.domain.delivery import Channel, NewDelivery
from service.domain.webhook import Webhook, WebhookState
from service.notify.webhooks.events import Event, Known, events_of
from service.store import bookings, waitlist, webhooks
from service.store.database import Transaction


class WebhooksConsumer:
    """Follows the change log for the webhooks of all businesses."""

    name = "webhooks"
    channel = Channel.WEBHOOK

    async def plan(
        self, tx: Transaction, business_id: str, changes: Sequence[Change]
    ) -> list[NewDelivery]:
        """Plan a call for each event that somebody asked for."""
        listening = [
            webhook
            for webhook in await webhooks.all_of(tx, business_id)
            if webhook.state is not WebhookState.ENDED
        ]
        if not listening:
            return []
        return await planned(tx, business_id, listening, changes)


async def planned(
    tx: Transaction, business_id: str, listening: Sequence[Webhook], changes: Sequence[Change]
) -> list[NewDelivery]:
    """Return the calls that changes make, by revision, of each webhook those that came after it."""
    known = await _look_up(tx, business_id, changes)
    return [
        delivery_of(webhook, event)
        for change in changes
        for event in events_of(business_id, change, known)
        for webhook in listening
        if event.revision > webhook.after_revision and webhook.wants(event.type, event.calendar_ids)
    ]


def delivery_of(webhook: Webhook, event: Event) -> NewDelivery:
    """Return the call that tells a webhook of an event: with the same id, whenever it is made."""
    return NewDelivery(
        delivery_id=uuid5(webhook.webhook_id, f"{event.revision}/{event.ordinal}"),
        channel=Channel.WEBHOOK,
        lane=f"webhook:{webhook.webhook_id}:{event.subject_id}",
        revision=event.revision,
        ordinal=event.ordinal,
        kind=event.type.value,
        target=str(webhook.webhook_id),
        booking_id=event.booking_id,
        body=event.body,
    )


async def _look_up(tx: Transaction, business_id: str, changes: Sequence[Change]) -> Known:
    """Read what these changes do not tell, where they do not."""
    untold = {each for change in changes if not change.bookings for each in change.booking_ids}
    entry_ids = set(_entry_ids(changes))
    hold_ids = {offer.hold_id for change in changes for offer in change.offers}
    return Known(
        bookings={
            booking.booking_id: booking
            for booking in (await bookings.by_ids(tx, business_id, untold) if untold else ())
        },
        entries={
            entry.entry_id: entry
            for entry in (await waitlist.by_ids(tx, business_id, entry_ids) if entry_ids else ())
        },
        holds={
            hold.hold_id: hold
            for hold in (await bookings.holds_by_ids(tx, business_id, hold_ids) if hold_ids else ())
        },
    )


def _entry_ids(changes: Sequence[Change]) -> Iterator[UUID]:
    for change in changes:
        yield from change.entry_ids
        yield from (offer.entry_id for offer in change.offers)
