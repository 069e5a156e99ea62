"""What could not be planned: a dead delivery stands for it, until it is planned after all.

It keeps its change, which names no person: so it can be planned when the log has been trimmed.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from service.domain.change import Change
from service.domain.change_codec import change_from_json, change_to_json
from service.domain.delivery import Delivery, DeliveryState, NewDelivery
from service.domain.errors import LogTrimmed
from service.notify.delivery import Consumer
from service.store import changes, deliveries
from service.store.database import Transaction, is_retryable

logger = logging.getLogger(__name__)

UNPLANNED = "unplanned"
"""The kind of a delivery that stands for all that one change owes."""
LOST = "lost_changes"
"""That of one which stands for changes that were trimmed before they were planned."""


def is_unplanned(delivery: Delivery) -> bool:
    """Say whether a delivery is nothing to send, but something to plan."""
    return delivery.kind in (UNPLANNED, LOST)


async def keep(
    tx: Transaction, business_id: str, consumer: Consumer, change: Change, error: Exception
) -> None:
    """Keep a change that a consumer cannot plan for, and tell who can mend it."""
    _tell(consumer, business_id, change.revision, error)
    booking_ids = change.booking_ids
    standing = NewDelivery(
        delivery_id=uuid4(),
        channel=consumer.channel,
        lane=_lane(consumer),
        revision=change.revision,
        ordinal=0,
        kind=UNPLANNED,
        target="",
        booking_id=booking_ids[0] if len(booking_ids) == 1 else None,
        # Planning looks at no claims, and there may be many.
        body={"change": json.loads(change_to_json(replace(change, added=(), removed=())))},
    )
    await deliveries.add_dead(tx, business_id, standing, _why(change.revision, error))


async def keep_lost(
    tx: Transaction, business_id: str, consumer: Consumer, first: int, last: int
) -> None:
    """Say which changes a consumer has never seen, and what is owed for them."""
    standing = NewDelivery(
        delivery_id=uuid4(),
        channel=consumer.channel,
        lane=_lane(consumer),
        revision=first,
        ordinal=0,
        kind=LOST,
        target="",
        body={"first": first, "last": last},
    )
    why = "the log was trimmed before; what these owe is not known, and cannot be planned again"
    detail = f"revisions {first} to {last} could not be planned: {why}"
    await deliveries.add_dead(tx, business_id, standing, detail)


async def plan_again(tx: Transaction, dead: Delivery, consumers: Sequence[Consumer]) -> Delivery:
    """Plan for a change again, now; what it owes waits then, in its order, or it is dead again.

    LogTrimmed: there is nothing left to plan from.
    """
    if dead.kind == LOST:
        floor = await changes.floor(tx, dead.business_id)
        raise LogTrimmed(f"The {dead.detail}.", first_revision=str(floor + 1))
    (consumer,) = (each for each in consumers if each.channel is dead.channel)
    try:
        async with tx.begin_nested():
            change = change_from_json(json.dumps(dead.body["change"]).encode())
            planned = await consumer.plan(tx, dead.business_id, [change])
            await deliveries.add(tx, dead.business_id, planned)
    except Exception as error:
        if is_retryable(error):
            raise
        _tell(consumer, dead.business_id, dead.revision, error)
        return await deliveries.end_again(tx, dead, DeliveryState.DEAD, _why(dead.revision, error))
    detail = f"planned again: {len(planned)} to be sent"
    return await deliveries.end_again(tx, dead, DeliveryState.SKIPPED, detail)


def _tell(consumer: Consumer, business_id: str, revision: int, error: Exception) -> None:
    logger.error(
        "%s cannot plan for revision %d: a dead delivery stands for it: %s at %s",
        consumer.name,
        revision,
        type(error).__name__,
        _where(error),
        extra={"business": business_id},
    )


def _where(error: Exception) -> str:
    """Return the file and the line that raised it: its words may name somebody."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "no line"


def _lane(consumer: Consumer) -> str:
    return f"{UNPLANNED}:{consumer.name}"


def _why(revision: int, error: Exception) -> str:
    """Return what may be stored of an error: its words may name somebody."""
    return f"revision {revision} could not be planned: {type(error).__name__}"
