"""What could not be planned is planned again: it is sent then, before what came after it."""

from __future__ import annotations

from service.domain.booking import BookingEvent
from service.domain.change import ChangeKind
from service.notify.consumers import ConsumerLimits, Consumers
from service.notify.unplanned import plan_again
from service.notify.webhooks.planning import WebhooksConsumer
from service.store import deliveries
from tests.actions.submissions import slot
from tests.webhooks.desk import states


class Faulty(WebhooksConsumer):
    """A consumer of a version that stumbles over bookings."""

    async def plan(self, tx, business_id, changes):
        if any(change.kind is ChangeKind.BOOKED for change in changes):
            raise ZeroDivisionError
        return await super().plan(tx, business_id, changes)


async def retry(desk, dead, consumer):
    async with desk.database.transaction("demo") as tx:
        there = await deliveries.lock(tx, "demo", dead.delivery_id)
        assert there is not None
        return await plan_again(tx, there, [consumer])


async def test_it_is_sent_before_what_of_the_same_booking_waits(desk, receiver):
    await desk.subscribe(receiver.url())
    booking = await desk.book(slot(1))
    await desk.change(booking, BookingEvent.CANCEL)
    await Consumers(desk.database, [Faulty()], ConsumerLimits()).catch_up()
    dead, cancelled = await desk.owed()
    assert (dead.state.value, dead.kind, cancelled.kind) == (
        *("dead", "unplanned"),
        "booking.cancelled",
    )

    assert (await retry(desk, dead, Faulty())).state.value == "dead"
    assert len(await desk.owed()) == 2
    await retry(desk, dead, WebhooksConsumer())

    assert sorted(states(await desk.carry_out())) == ["sent", "sent", "skipped"]
    assert [call.type for call in receiver.calls] == ["booking.booked", "booking.cancelled"]


async def test_what_a_replay_has_told_meanwhile_is_not_told_twice(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    await desk.book(slot(1))
    await Consumers(desk.database, [Faulty()], ConsumerLimits()).catch_up()
    (dead,) = await desk.owed()
    await desk.replay(webhook, webhook.after_revision)
    await desk.carry_out()

    await retry(desk, dead, WebhooksConsumer())
    await desk.carry_out()

    assert [call.type for call in receiver.calls] == ["booking.booked"]
