"""What the tests of the engine plan and send: a delivery for each booking that a change names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from service.domain.delivery import Channel, Delivery, NewDelivery
from service.notify.delivery import Sent
from service.store import deliveries
from service.store.database import Database


def a_delivery(revision=1, **changes) -> NewDelivery:
    """Return a letter to the customer of a booking."""
    values = {
        "delivery_id": uuid4(),
        "channel": Channel.LETTER,
        "lane": "letter:one:customer",
        "revision": revision,
        "ordinal": 0,
        "kind": "confirmation",
        "target": "customer",
    }
    return NewDelivery(**{**values, **changes})


async def add(database: Database, *planned: NewDelivery, business_id="demo", again=False) -> None:
    """Plan deliveries."""
    async with database.transaction(business_id) as tx:
        await deliveries.add(tx, business_id, planned, again=again)


async def stored(database: Database, business_id="demo") -> list[Delivery]:
    """Return all deliveries, by revision."""
    async with database.snapshot(business_id) as tx:
        found = await deliveries.list_page(
            tx, business_id, deliveries.Wanted(), before=None, limit=10_000
        )
    return sorted(found, key=lambda each: (each.revision, each.ordinal))


@dataclass
class Planner:
    """Plans one letter for each booking that a change names; it can be told to fail."""

    name: str = "letters"
    fails: Callable[[int], Exception | None] = lambda _revision: None
    planned: list[int] = field(default_factory=list)

    @property
    def channel(self) -> Channel:
        return Channel.WEBHOOK if self.name == "webhooks" else Channel.LETTER

    async def plan(self, tx, _business_id, changes):
        await tx.exec_driver_sql("SELECT 1")
        for change in changes:
            error = self.fails(change.revision)
            if error is not None:
                raise error
        self.planned += [change.revision for change in changes]
        return [
            a_delivery(change.revision, lane=f"letter:{booking_id}:customer", booking_id=booking_id)
            for change in changes
            for booking_id in change.booking_ids
        ]


class Post:
    """A sender that keeps what it was given, and does with it what it is told."""

    def __init__(self, answer: Callable[[Delivery], Awaitable[object]] | None = None) -> None:
        self.given: list[Delivery] = []
        self.sent: list[UUID] = []
        self._answer = answer
        self._arrived = asyncio.Event()

    async def send(self, delivery: Delivery):
        self.given.append(delivery)
        self._arrived.set()
        outcome = None if self._answer is None else await self._answer(delivery)
        self.sent.append(delivery.delivery_id)
        self._arrived.set()
        return outcome or Sent(f"<{delivery.delivery_id}>")

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until something is so of what was given or sent."""
        async with asyncio.timeout(30):
            while not is_so():
                self._arrived.clear()
                await self._arrived.wait()
