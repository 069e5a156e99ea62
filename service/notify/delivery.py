"""What a channel must be able to do: send one delivery, and say what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from service.domain.change import Change
from service.domain.delivery import Channel, Delivery, NewDelivery
from service.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Sent:
    """It is out. `detail` is what one would look for: a Message-ID, an HTTP status."""

    detail: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """It need not go out any more, and why: a reminder of a booking that was cancelled."""

    reason: str


class TryLater(Exception):
    """It did not go out, and may yet: it is tried again, after so long at least."""

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        """Say why; no name and no address belongs in it."""
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds


class Busy(Exception):
    """Too much is on its way to the same receiver: this was no attempt. Its lane comes by again."""

    def __init__(self, after_seconds: float = 0.0) -> None:
        """Say after how long there may be room again, about: the lanes come by spread over it."""
        super().__init__("busy")
        self.after_seconds = after_seconds


class GiveUp(Exception):
    """It will never go out as it is: it is dead at once."""

    def __init__(self, reason: str) -> None:
        """Say why; no name and no address belongs in it."""
        super().__init__(reason)
        self.reason = reason


class Sender(Protocol):
    """A channel. Any other exception counts as TryLater, so a fault of ours loses nothing."""

    async def send(self, delivery: Delivery) -> Sent | Skipped:
        """Send it, within SEND_SECONDS_MAX: then it is cancelled, and counts as TryLater."""
        ...


class Consumer(Protocol):
    """Someone who follows the change log with a durable cursor of their own."""

    @property
    def name(self) -> str:
        """As in the table `consumers`."""
        ...

    @property
    def channel(self) -> Channel:
        """By which way all goes out that it plans. No other consumer plans for it."""
        ...

    async def plan(
        self, tx: Transaction, business_id: str, changes: Sequence[Change]
    ) -> list[NewDelivery]:
        """Say what these changes owe to whom; the cursor moves in the same transaction.

        It may read what it needs by `tx`, which sees that business only. It sends nothing. Where it
        raises, the changes are planned one by one, and for one that raises again a dead delivery
        stands: what is poison to one consumer must not hold up all that follows. Planned again,
        the same change makes deliveries of the same ids.
        """
        ...


SEND_SECONDS_MAX = 60.0
