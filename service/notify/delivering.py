"""Delivering: a lane's deliveries go out one after the other, and each says what became of it.

A lease is committed, then it is sent, then the outcome is recorded. A crash before the sending
costs an attempt; one between the sending and the record sends once more, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from itertools import count

from service.domain.delivery import (
    ATTEMPTS_MAX,
    PATIENCE,
    Channel,
    Delivery,
    DeliveryState,
    retry_delay,
)
from service.notify.delivery import (
    SEND_SECONDS_MAX,
    Busy,
    GiveUp,
    Sender,
    Sent,
    Skipped,
    TryLater,
)
from service.ops.failpoints import Failpoint, reach
from service.ops.jitter import JITTER
from service.store import deliveries
from service.store.database import Database, Transaction, is_retryable

logger = logging.getLogger(__name__)

Outcome = Sent | Skipped | TryLater | GiveUp | Busy

LEASE = timedelta(seconds=SEND_SECONDS_MAX + 15)
"""Longer than an attempt with its record takes. The job itself need not wait for its end."""
TURNS_MAX = 20
"""So many of a lane go out in one job; then other lanes have their turn."""
RECORD_ATTEMPTS_MAX = 6
RECORD_PAUSE_SECONDS = 0.5
BUSY_SECONDS = (2.0, 10.0)


class Deliverer:
    """Sends what is due in a lane, by the senders of its channels."""

    def __init__(
        self,
        database: Database,
        senders: Mapping[Channel, Sender],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        send_seconds_max: float = SEND_SECONDS_MAX,
    ) -> None:
        """Take who sends what; `pause` is what waits before a record is tried again."""
        self._database = database
        self._senders = senders
        self._pause = pause
        self._send_seconds_max = send_seconds_max

    @property
    def channels(self) -> list[Channel]:
        """What can be sent here."""
        return list(self._senders)

    async def deliver(self, channel: Channel, job_id: int, business_id: str, lane: str) -> bool:
        """Send what is due in a lane; say whether that was all."""
        for _ in range(TURNS_MAX):
            async with self._database.transaction(business_id) as tx:
                delivery = await deliveries.take(
                    tx,
                    business_id,
                    lane,
                    job_id=job_id,
                    lease=LEASE,
                    patience=PATIENCE[channel],
                )
            if delivery is None:
                return True
            reach(Failpoint.AFTER_LEASE)
            outcome = await self._send(delivery)
            reach(Failpoint.BEFORE_RECORD)
            if not await self._record(delivery, outcome):
                # It holds the lane up; there is a job by now for when it is tried again.
                return True
        return False

    async def _send(self, delivery: Delivery) -> Outcome:
        """Send one, in bounded time. What the sender did not foresee is tried again too."""
        if delivery.attempts > ATTEMPTS_MAX:
            return GiveUp(f"begun {ATTEMPTS_MAX} times, and never ended")
        try:
            async with asyncio.timeout(self._send_seconds_max):
                return await self._senders[delivery.channel].send(delivery)
        except (TryLater, GiveUp, Busy) as outcome:
            return outcome
        except TimeoutError:
            return TryLater(f"not sent within {self._send_seconds_max:g} s")
        except Exception as error:
            logger.exception("%s %s was not sent", delivery.channel.value, delivery.delivery_id)
            return TryLater(f"a fault of this service: {type(error).__name__}")

    async def _record(self, delivery: Delivery, outcome: Outcome) -> bool:
        """Record an outcome; where PostgreSQL is away for a moment, a little later.

        If it stays away, what was sent may be sent once more. Say whether the delivery has ended.
        """
        for attempt in count(1):
            try:
                async with self._database.transaction(delivery.business_id) as tx:
                    return await _record(tx, delivery, outcome)
            except Exception as error:
                if attempt == RECORD_ATTEMPTS_MAX or not is_retryable(error):
                    raise
            await self._pause(RECORD_PAUSE_SECONDS * attempt * JITTER.uniform(0.75, 1.25))
        raise AssertionError("The attempts are counted.")


async def _record(tx: Transaction, delivery: Delivery, outcome: Outcome) -> bool:
    """Write what became of an attempt, and enqueue the next where there is to be one."""
    has_ended = True
    match outcome:
        case Sent(detail):
            await deliveries.end(tx, delivery, DeliveryState.SENT, detail)
        case Skipped(reason):
            await deliveries.end(tx, delivery, DeliveryState.SKIPPED, reason)
        case GiveUp(reason=reason):
            await deliveries.end(tx, delivery, DeliveryState.DEAD, reason)
            _tell_dead(delivery, reason)
        case Busy(after_seconds=seconds):
            # Those who found no room at one time do not come back at one time.
            asked = seconds * JITTER.uniform(0.5, 1.5)
            delay = timedelta(seconds=max(asked, JITTER.uniform(*BUSY_SECONDS)))
            await deliveries.give_back(tx, delivery, delay)
            has_ended = False
        case TryLater(reason=reason, after_seconds=seconds):
            least = timedelta(seconds=seconds or 0.0)
            delay = retry_delay(delivery.attempts, JITTER.random(), least)
            state = await deliveries.put_off(tx, delivery, reason, delay)
            has_ended = state is DeliveryState.DEAD
            if has_ended:
                _tell_dead(delivery, reason)
    return has_ended


def _tell_dead(delivery: Delivery, reason: str) -> None:
    logger.warning(
        "%s %s (%s) is given up after %d attempts: %s",
        delivery.channel.value,
        delivery.delivery_id,
        delivery.kind,
        delivery.attempts,
        reason,
        extra={"business": delivery.business_id},
    )
