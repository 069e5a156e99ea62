"""The business that the robustness tests fight over: few calendars, few starts, each kind of rule.

Everything is open day and night in UTC, so the grid of each type counts from midnight.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

BUSINESS = "salon"
CALENDARS = ("chair-1", "chair-2", "room")
QUARTER = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
CONTESTED_STARTS = 20
"""So many starts of a quarter of an hour on one day are fought over."""
CONTESTED_FROM = timedelta(hours=9)


class Key(NamedTuple):
    """An API key: its id, the business that it is for, and what is sent."""

    principal: str
    business_id: str
    text: str


SECOND_KEY = Key("second-desk", BUSINESS, "sc_second-desk_no-secret-at-all")
"""Of the same business as the operator's: its bookings are for all, its holds its own."""
STRANGERS_KEY = Key("stranger", "rival", "sc_stranger_no-secret-either")
"""Of another business: it never sees or touches this one."""


TICKET_PRINCIPAL = "manage.handoff."
"""So begins as whom a ticket acts, if it is the key."""


def key_of_ticket(ticket: str) -> Key:
    """Return the key that a ticket is: the id of its handoff follows the signature and the time."""
    text = ticket.removeprefix("slotcast_handoff_")
    parts = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return Key(f"{TICKET_PRINCIPAL}{UUID(bytes=parts[22:38])}", BUSINESS, ticket)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What an appointment type demands, as far as these tests use it.

    It is on one of `any_of`, together with all of `all_of`; without `any_of` on the first of
    `all_of`, with the rest. A start lies on the grid of `step`, counted from midnight UTC.
    """

    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    duration: timedelta = QUARTER
    step: timedelta = QUARTER
    buffer_after: timedelta = timedelta()
    notice: timedelta = timedelta()
    horizon: timedelta = timedelta(days=60)
    capacity: int = 1
    hold: timedelta = timedelta(seconds=10)
    offer: timedelta = timedelta(seconds=10)
    requires_approval: bool = False


TYPES: dict[str, Rules] = {
    "cut": Rules(any_of=("chair-1", "chair-2")),
    "colour": Rules(
        any_of=("chair-1", "chair-2"),
        all_of=("room",),
        duration=2 * QUARTER,
        buffer_after=QUARTER,
    ),
    "class": Rules(all_of=("room",), duration=2 * QUARTER, capacity=3),
    "consult": Rules(any_of=("chair-1",), requires_approval=True),
    # A start passes, or comes within the horizon, every few seconds: time writes all by itself.
    "walk-in": Rules(
        any_of=("chair-1", "chair-2"),
        duration=MINUTE,
        step=MINUTE,
        notice=timedelta(seconds=20),
        horizon=timedelta(hours=1, seconds=5),
    ),
    "drop-in": Rules(
        any_of=("chair-2",),
        duration=MINUTE,
        step=MINUTE,
        notice=timedelta(seconds=50),
        horizon=timedelta(hours=1, seconds=35),
    ),
}


PRICES: dict[str, tuple[str, ...]] = {
    "cut": ("25 EUR",),
    "colour": ("60 EUR", "70 EUR"),
    "class": ("12 EUR", "15 EUR"),
}
"""What is shown as the price of a type: the first one to begin with. Others have none."""


def contested_day(now: datetime) -> datetime:
    """Return the first of the starts that are fought over: tomorrow morning."""
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
    return midnight + timedelta(days=1) + CONTESTED_FROM


def contested_starts(now: datetime) -> list[datetime]:
    """Return all of them."""
    return [contested_day(now) + number * QUARTER for number in range(CONTESTED_STARTS)]
