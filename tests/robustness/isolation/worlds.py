"""Businesses in which two requests fight for the same thing, and what is asked in each of them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from service.actions.lanes import Lanes
from service.actions.submission import Submission
from service.domain.booking import BookingEvent
from service.domain.catalog import AppointmentType
from service.domain.commands import (
    CreateHandoff,
    DeleteType,
    ImportBusy,
    PutClosure,
    RedeemHandoff,
)
from service.domain.interval import Interval
from service.domain.waitlist import Freed
from service.store import trimming
from service.store.database import Transaction
from tests.actions.submissions import (
    PRINCIPAL,
    a_shop,
    a_submission,
    a_wish,
    book,
    change,
    held,
    hold,
    join,
    leave,
    move,
    opening,
    pass_on,
    release,
    renew,
    slot,
)
from tests.builders import a_closure, a_type, minutes

WORLD = "world"
"""The business that each order gets a copy of."""
OLD = timedelta(hours=24)
ROWS_MAX = 1000
CALENDARS = ("anna", "ben", "room")
CONTESTED = Interval(slot(1), slot(1) + minutes(30))
ELSEWHERE = slot(9)


@dataclass(frozen=True, kw_only=True)
class Trim:
    """What the janitor does in one transaction."""

    trim: Callable[[Transaction], Awaitable[int]]


Work = Submission | Trim


@dataclass(kw_only=True)
class Filling:
    """Puts holds and bookings into a world, and remembers them by name."""

    lanes: Lanes
    answers: dict[str, dict] = field(default_factory=dict)
    expired: list[str] = field(default_factory=list)

    async def put(self, **submissions: Submission) -> None:
        """Let what is asked be done."""
        for name, submission in submissions.items():
            answer = await self.lanes.submit(replace(submission, business_id=WORLD))
            self.answers[name] = json.loads(answer)

    def hold(self, name: str) -> str:
        """Return the id of a hold."""
        return self.answers[name]["hold"]

    def entry(self, name: str) -> str:
        """Return the id of an entry of the waitlist."""
        return self.answers[name]["entry"]

    def booking(self, name: str) -> dict:
        """Return a booking."""
        return self.answers[name]["bookings"][0]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What two sessions do in a world; of its copies, these holds have expired."""

    works: list[Work]
    expired_hold_ids: list[str]


@dataclass(frozen=True, kw_only=True)
class World:
    """A business, and requests that want the same of it."""

    types: tuple[AppointmentType, ...]
    fill: Callable[[Filling], Awaitable[None]]
    works: Mapping[str, Callable[[Filling], Work]]

    async def make(self, lanes: Lanes) -> Filling:
        """Make it, and return what is in it."""
        for submission in opening(a_shop(*self.types, calendar_ids=CALENDARS), WORLD):
            await lanes.submit(submission)
        filling = Filling(lanes=lanes)
        await self.fill(filling)
        return filling

    def ask(self, filling: Filling, names: Sequence[str]) -> Asked:
        """Return what is asked in it, each under a request_id of its own."""
        return Asked(
            works=[self.works[name](filling) for name in names],
            expired_hold_ids=[filling.hold(name) for name in filling.expired],
        )


def _visit(**changes) -> AppointmentType:
    return a_type(hold_duration=timedelta(hours=1), **changes)


def _close(_: Filling) -> Submission:
    closure = a_closure(calendar_ids=frozenset(CALENDARS), interval=CONTESTED)
    return a_submission(PutClosure(create=True, closure=closure))


def _retire(_: Filling) -> Submission:
    return a_submission(DeleteType(type_id="visit"))


def _import(calendar_id: str) -> Callable[[Filling], Submission]:
    def make(_: Filling) -> Submission:
        command = ImportBusy(calendar_id=calendar_id, feed_id="feed", busy=(CONTESTED,))
        return a_submission(command)

    return make


def _trim_log(_: Filling) -> Trim:
    async def trim(tx: Transaction) -> int:
        log = await trimming.trim_changes(
            tx, older_than=OLD, at_latest=OLD, after="", businesses_max=ROWS_MAX, rows_max=ROWS_MAX
        )
        return log.rows

    return Trim(trim=trim)


def _trim_claims(_: Filling) -> Trim:
    return Trim(trim=lambda tx: trimming.trim_expired_claims(tx, older_than=OLD, rows_max=ROWS_MAX))


def _trim_holds(_: Filling) -> Trim:
    return Trim(trim=lambda tx: trimming.trim_holds(tx, older_than=OLD, rows_max=ROWS_MAX))


async def _fill_group(filling: Filling) -> None:
    """A group of three: one seat is booked, one is held, and of the last one a hold has expired."""
    wish = a_wish(slot(1), calendar_id=None)
    await filling.put(
        booked=book(wish),
        held=hold(slot(1), wish=wish, holder="eve"),
        expired=hold(slot(1), wish=wish, holder="bob"),
        elsewhere=book(a_wish(ELSEWHERE, calendar_id=None)),
    )
    filling.expired.append("expired")


async def _fill_free(filling: Filling) -> None:
    await filling.put(elsewhere=book(ELSEWHERE))


async def _fill_held(filling: Filling) -> None:
    await filling.put(held=hold(slot(1), holder="eve"), elsewhere=book(ELSEWHERE))


def _hand_off(filling: Filling, name: str = "held", number: int = 1) -> Submission:
    command = CreateHandoff(
        handoff_id=UUID(int=number),
        hold_id=UUID(filling.hold(name)),
        principal_id=PRINCIPAL,
        fields=(),
        conversation="",
    )
    return a_submission(command)


def _redeem(holder: str, principal_id: str = PRINCIPAL) -> Callable[[Filling], Submission]:
    def make(_: Filling) -> Submission:
        command = RedeemHandoff(
            handoff_id=UUID(int=1), principal_id=principal_id, holder=holder, request_id=holder
        )
        return a_submission(command)

    return make


async def _fill_handed_off(filling: Filling) -> None:
    """Of what eve holds a ticket was made; nobody has redeemed it."""
    await _fill_held(filling)
    await filling.put(ticket=_hand_off(filling))


async def _fill_handed_off_and_expired(filling: Filling) -> None:
    await _fill_handed_off(filling)
    filling.expired.append("held")


async def _fill_expired(filling: Filling) -> None:
    await _fill_held(filling)
    filling.expired.append("held")


async def _fill_booked(filling: Filling) -> None:
    await filling.put(booked=book(slot(1)), elsewhere=book(ELSEWHERE))


async def _fill_waited_for(filling: Filling) -> None:
    """Two wait for what is booked; what is booked elsewhere may be moved there."""
    await _fill_booked(filling)
    await filling.put(first=join(slot(1)), second=join(slot(1), holder="walt"))


async def _fill_offered(filling: Filling) -> None:
    """It was open when the first joined, so it was offered at once; another waits for it."""
    await _fill_free(filling)
    await filling.put(first=join(slot(1), found=OPEN), second=join(slot(1), holder="walt"))


async def _fill_offered_and_over(filling: Filling) -> None:
    await _fill_offered(filling)
    filling.expired.append("first")


OPEN = (Freed(calendar_id="anna", span=CONTESTED),)
GROUP_WISH = a_wish(slot(1), calendar_id=None)
WORLDS = {
    "a seat of a group": World(
        types=(_visit(any_of=(), all_of=("room",), capacity=3, requires_approval=True),),
        fill=_fill_group,
        works={
            "hold": lambda filling: hold(slot(1), wish=GROUP_WISH, holder="joe"),
            "renew": lambda filling: renew(filling.hold("held")),
            "release": lambda filling: release(filling.hold("held")),
            "book": lambda filling: book(GROUP_WISH),
            "book the hold": lambda filling: book(held(filling.hold("held"))),
            "move there": lambda filling: move(filling.booking("elsewhere"), GROUP_WISH),
            "cancel": lambda filling: change(filling.booking("booked"), BookingEvent.CANCEL),
            "approve": lambda filling: change(filling.booking("booked"), BookingEvent.APPROVE),
            "close": _close,
            "import": _import("room"),
            "trim claims": _trim_claims,
            "trim the log": _trim_log,
        },
    ),
    "a free slot": World(
        types=(_visit(),),
        fill=_fill_free,
        works={
            "hold": lambda filling: hold(slot(1), holder="joe"),
            "book": lambda filling: book(slot(1)),
            "move there": lambda filling: move(filling.booking("elsewhere"), a_wish(slot(1))),
            "close": _close,
            "import": _import("anna"),
        },
    ),
    "a choice of calendars": World(
        types=(_visit(any_of=("anna", "ben")),),
        fill=_fill_free,
        works={
            "hold any": lambda filling: hold(
                slot(1), wish=a_wish(slot(1), calendar_id=None), holder="joe"
            ),
            "book any": lambda filling: book(a_wish(slot(1), calendar_id=None)),
            "move to any": lambda filling: move(
                filling.booking("elsewhere"), a_wish(slot(1), calendar_id=None)
            ),
            "cancel elsewhere": lambda filling: change(
                filling.booking("elsewhere"), BookingEvent.CANCEL
            ),
        },
    ),
    "a hold": World(
        types=(_visit(),),
        fill=_fill_held,
        works={
            "renew": lambda filling: renew(filling.hold("held")),
            "release": lambda filling: release(filling.hold("held")),
            "book the hold": lambda filling: book(held(filling.hold("held"))),
            "hold again": lambda filling: hold(slot(1), holder="eve"),
            "book one's own": lambda filling: book(slot(1), holder="eve"),
            "move to the hold": lambda filling: move(
                filling.booking("elsewhere"), held(filling.hold("held"))
            ),
        },
    ),
    "a ticket": World(
        types=(_visit(),),
        fill=_fill_handed_off,
        works={
            "redeem": _redeem("joe"),
            "redeem at another desk": _redeem("walt", "another desk"),
            "hand off again": lambda filling: _hand_off(filling, number=2),
            "renew": lambda filling: renew(filling.hold("held")),
            "release": lambda filling: release(filling.hold("held")),
            "book the hold": lambda filling: book(held(filling.hold("held"))),
            "hold again": lambda filling: hold(slot(1), holder="eve"),
            "hold as who redeems": lambda filling: hold(slot(1), holder="joe"),
        },
    ),
    "a ticket whose hold has expired": World(
        types=(_visit(),),
        fill=_fill_handed_off_and_expired,
        works={
            "redeem": _redeem("joe"),
            "redeem at another desk": _redeem("walt", "another desk"),
            "renew": lambda filling: renew(filling.hold("held")),
            "book": lambda filling: book(slot(1)),
            "trim claims": _trim_claims,
        },
    ),
    "a hold that has expired": World(
        types=(_visit(),),
        fill=_fill_expired,
        works={
            "renew": lambda filling: renew(filling.hold("held")),
            "book the hold": lambda filling: book(held(filling.hold("held"))),
            "hold": lambda filling: hold(slot(1), holder="joe"),
            "book": lambda filling: book(slot(1)),
            "trim claims": _trim_claims,
        },
    ),
    "the row of a hold that has expired": World(
        types=(_visit(),),
        fill=_fill_expired,
        works={
            "renew": lambda filling: renew(filling.hold("held")),
            "book the hold": lambda filling: book(held(filling.hold("held"))),
            "release": lambda filling: release(filling.hold("held")),
            "trim holds": _trim_holds,
        },
    ),
    "what two wait for": World(
        types=(_visit(),),
        fill=_fill_waited_for,
        works={
            "cancel": lambda filling: change(filling.booking("booked"), BookingEvent.CANCEL),
            "move away": lambda filling: move(filling.booking("booked"), a_wish(slot(20))),
            "join": lambda _: join(slot(1), holder="joe", found=OPEN),
            "leave": lambda filling: leave(filling.entry("first")),
            "book": lambda _: book(slot(1)),
            "close": _close,
        },
    ),
    "an offer": World(
        types=(_visit(),),
        fill=_fill_offered,
        works={
            "take": lambda filling: book(held(filling.hold("first"))),
            "move there": lambda filling: move(
                filling.booking("elsewhere"), held(filling.hold("first"))
            ),
            "decline": lambda filling: release(filling.hold("first")),
            "leave": lambda filling: leave(filling.entry("first")),
            "leave behind it": lambda filling: leave(filling.entry("second")),
            "hold it again": lambda _: hold(slot(1), holder="wendy"),
            "book": lambda _: book(slot(1)),
            "import": _import("anna"),
        },
    ),
    "an offer that is over": World(
        types=(_visit(),),
        fill=_fill_offered_and_over,
        works={
            "pass on": lambda filling: pass_on(filling.entry("first")),
            "take": lambda filling: book(held(filling.hold("first"))),
            "decline": lambda filling: release(filling.hold("first")),
            "leave behind it": lambda filling: leave(filling.entry("second")),
            "book": lambda _: book(slot(1)),
            "trim claims": _trim_claims,
        },
    ),
    "a booking": World(
        types=(_visit(),),
        fill=_fill_booked,
        works={
            "cancel": lambda filling: change(filling.booking("booked"), BookingEvent.CANCEL),
            "move away": lambda filling: move(filling.booking("booked"), a_wish(slot(20))),
            "move there": lambda filling: move(filling.booking("elsewhere"), a_wish(slot(1))),
            "book": lambda filling: book(slot(1)),
            "retire the type": _retire,
        },
    ),
}
