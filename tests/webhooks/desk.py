"""What happens at a business, and what the webhooks are told of it, step by step."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID, uuid4

from service.actions.lanes import Lanes
from service.domain.delivery import Channel, Delivery, DeliveryState
from service.domain.webhook import Webhook
from service.notify.consumers import ConsumerLimits, Consumers
from service.notify.delivering import Deliverer
from service.notify.webhooks.planning import WebhooksConsumer
from service.notify.webhooks.replaying import Replayed, ReplayLimits, replay
from service.notify.webhooks.sending import WebhookSender
from service.notify.webhooks.signing import secret_text
from service.ops.outbound import Outbound
from service.store import changes, deliveries, webhooks
from service.store.database import Database
from tests.actions.conftest import Books
from tests.actions.submissions import book, change, move

SECRET = b"a secret of thirty-two bytes ..."
SECRET_TEXT = secret_text(SECRET)


@dataclass
class Desk:
    """Books at the business `demo`, and carries out what is owed for it when it is told to."""

    database: Database
    lanes: Lanes
    books: Books
    outbound: Outbound
    sender: WebhookSender = field(init=False)
    _numbers: count = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.sender = WebhookSender(self.database, self.outbound)

    async def subscribe(self, url: str, *, secret: bytes = SECRET, **wanted) -> Webhook:
        """Add a webhook, which is told of what comes from now on."""
        values = {
            "event_types": frozenset(),
            "calendar_ids": frozenset(),
            "include_customer": False,
            "after_revision": await self.books.revision(),
        }
        webhook = Webhook(webhook_id=uuid4(), url=url, **{**values, **wanted})
        async with self.database.transaction("demo") as tx:
            return await webhooks.add(tx, "demo", webhook, secret)

    async def book(self, *wishes, **options) -> dict:
        """Book, and return the booking; the first of them, where there are several."""
        return json.loads(await self.lanes.submit(book(*wishes, **options)))["bookings"][0]

    async def change(self, booking: dict, event) -> dict:
        answer = await self.lanes.submit(change(booking, event))
        return json.loads(answer)["bookings"][0]

    async def move(self, booking: dict, wish) -> dict:
        answer = await self.lanes.submit(move(booking, wish))
        return json.loads(answer)["bookings"][0]

    async def plan(self) -> list[Delivery]:
        """Let the consumer come up to date, and return all that is owed, by revision."""
        consumers = Consumers(self.database, [WebhooksConsumer()], ConsumerLimits())
        await consumers.catch_up()
        return await self.owed()

    async def owed(self) -> list[Delivery]:
        async with self.database.snapshot("demo") as tx:
            found = await deliveries.list_page(
                tx, "demo", deliveries.Wanted(), before=None, limit=10_000
            )
        return sorted(found, key=lambda each: (each.revision, each.ordinal))

    async def carry_out(self) -> list[Delivery]:
        """Plan, then send what is due, lane by lane, each as a job would."""
        planned = await self.plan()
        deliverer = Deliverer(self.database, {Channel.WEBHOOK: self.sender})
        lanes = {each.lane: None for each in planned if each.state is DeliveryState.WAITING}
        for lane in lanes:
            await deliverer.deliver(Channel.WEBHOOK, next(self._numbers), "demo", lane)
        return await self.owed()

    async def wait_no_longer(self) -> None:
        """Make all that is put off due."""
        await self.books.run("UPDATE deliveries SET due_at = now() WHERE state = 'waiting'")

    async def be_a_day_later(self) -> None:
        """Let the time be over in which what failed is tried again."""
        await self.books.run("UPDATE deliveries SET give_up_at = now() WHERE attempts > 0")
        await self.wait_no_longer()

    async def look(self, webhook: Webhook) -> Webhook:
        """Return how a webhook fares."""
        async with self.database.snapshot("demo") as tx:
            found = await webhooks.get(tx, "demo", webhook.webhook_id)
        assert found is not None
        return found

    async def replay(self, webhook: Webhook, after_revision: int, **limits: int) -> Replayed:
        async with self.database.transaction("demo") as tx:
            return await replay(tx, "demo", webhook, after_revision, ReplayLimits(**limits))

    async def floor(self) -> int:
        async with self.database.snapshot("demo") as tx:
            return await changes.floor(tx, "demo")


def states(owed: list[Delivery]) -> list[str]:
    """Return what became of deliveries."""
    return [each.state.value for each in owed]


def booking_id(booking: dict) -> UUID:
    return UUID(booking["id"])
