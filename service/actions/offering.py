"""Offering: passes on what was not taken in time, and offers what opens without a decision.

What a decision frees it offers itself. What opens otherwise, by time, by another catalogue or by
other busy time, is found here, about once a second; until then anyone may take it. A decision asks
all of it again, in its lane, so it does no harm that several servers do this.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

from service.actions.lanes import Lanes
from service.actions.submission import Submission
from service.domain.change import Change, ChangeKind
from service.domain.claim_book import ClaimBook
from service.domain.commands import OfferOpen, Outcome, PassOn
from service.domain.errors import DomainError, Overloaded, TryAgain
from service.domain.hours import Hours
from service.domain.ledger import Ledger
from service.domain.looking import find_open, look_windows
from service.domain.rules import Offer
from service.domain.waitlist import OFFERS_MAX, Freed, WaitlistEntry, left_by
from service.ops.jitter import JITTER
from service.store import changes, claims, waitlist
from service.store.database import Database
from service.store.scope import ALL_BUSINESSES
from service.store.snapshots import load_business
from service.store.waitlist import Waiting

logger = logging.getLogger(__name__)

PRINCIPAL = "waitlist"
"""As whom it asks; no key has this id."""
_Each = TypeVar("_Each")


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferingLimits:
    """How often it looks, and at how much at a time; the next round goes on where one ended.

    `look_seconds`: so often all who wait in a business are asked whether a slot is open for them,
    for nothing else tells of a day that comes within the horizon. A look that took long is followed
    by a rest, so that the looks at one business take no more than `look_share` of the time.
    """

    round_seconds: float = 1.0
    look_seconds: float = 60.0
    look_share: float = 0.02
    overdue_max: int = 500
    expired_max: int = 1000
    businesses_max: int = 1000
    looks_max: int = 20
    entries_max: int = 100
    changes_max: int = 500
    freed_per_command_max: int = 50


@dataclass(kw_only=True, slots=True)
class _Followed:
    """How far a business was followed, and when those who wait there are asked next.

    `pending`: at once, those that joined after that revision.
    """

    epoch: str
    revision: int
    look_at: float
    pending: int | None = 0
    rests_until: float = 0.0

    def ask_after(self, revision: int) -> None:
        """Let those be asked that joined after a revision."""
        self.pending = revision if self.pending is None else min(self.pending, revision)

    def is_due(self, now: float) -> bool:
        """Say whether some are to be asked now."""
        return self.rests_until <= now and (self.pending is not None or self.look_at <= now)


class Offering:
    """Runs beside the servers of a database; there may be several."""

    def __init__(
        self,
        database: Database,
        lanes: Lanes,
        limits: OfferingLimits | None = None,
        *,
        letters_are_on: bool = False,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Do nothing yet; `pause` is what waits between two rounds.

        `letters_are_on`: an offer of which no letter told is passed on, and who was not told waits.
        """
        self._database = database
        self._lanes = lanes
        self._limits = limits or OfferingLimits()
        self._letters_are_on = letters_are_on
        self._pause = pause
        self._followed: dict[str, _Followed] = {}
        # Where the next page of businesses begins.
        self._after = ""
        self._expired_until: datetime | None = None

    async def run(self) -> None:
        """Go on until cancelled. A look that takes long keeps no offer from being passed on."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(self.pass_on))
            group.create_task(self._repeat(self.offer_opened))

    async def _repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:
                logger.warning("a round of the waitlist failed; the next goes on", exc_info=True)
            # Not all servers at once.
            await self._pause(self._limits.round_seconds * JITTER.uniform(0.9, 1.1))

    async def pass_on(self) -> None:
        """End what was not taken in time, and the waiting for what is past."""
        async with self._database.transaction(ALL_BUSINESSES) as tx:
            overdue = await waitlist.overdue(tx, self._limits.overdue_max)
        await asyncio.gather(
            *(
                self._submit(
                    business_id,
                    PassOn(entry_ids=tuple(some), letters_are_on=self._letters_are_on),
                )
                for business_id, entry_ids in overdue.items()
                # A decision makes no more offers than so many.
                for some in _parts(entry_ids, OFFERS_MAX)
            )
        )

    async def offer_opened(self) -> None:
        """Offer what has opened since the last round, and what is open for those asked now."""
        limits = self._limits
        async with self._database.transaction(ALL_BUSINESSES) as tx:
            expired = await waitlist.expired_holds(
                tx, since=self._expired_until, limit=limits.expired_max
            )
            page = await waitlist.businesses_waiting(
                tx, after=self._after, limit=limits.businesses_max
            )
        self._expired_until = expired.until
        self._after = page[-1].business_id if len(page) == limits.businesses_max else ""
        for business_id, freed in expired.freed.items():
            await self._offer(business_id, freed)
        for each in page:
            await self._guarded(self._follow, each)
        now = asyncio.get_running_loop().time()
        for each in self._due(page, now)[: limits.looks_max]:
            await self._guarded(self._look, each)
        self._forget(now)

    def _due(self, page: Sequence[Waiting], now: float) -> list[Waiting]:
        """Return where some are to be asked, those first who were asked longest ago."""
        due = [
            (followed.rests_until, each.business_id, each)
            for each in page
            if (followed := self._followed.get(each.business_id)) is not None
            and followed.is_due(now)
        ]
        return [each for *_, each in sorted(due)]

    async def _guarded(self, work: Callable[[Waiting], Awaitable[None]], each: Waiting) -> None:
        """Do something for a business; what is wrong with one must not keep the others waiting."""
        try:
            await work(each)
        except Exception:
            logger.warning("the waitlist of a business was not served", exc_info=True)
            followed = self._followed.get(each.business_id)
            if followed is not None:
                now = asyncio.get_running_loop().time()
                followed.rests_until = now + self._limits.look_seconds

    async def _follow(self, each: Waiting) -> None:
        """Read what has happened to a business since it was looked at."""
        followed = self._followed.get(each.business_id)
        if followed is None or followed.epoch != each.epoch:
            now = asyncio.get_running_loop().time()
            self._followed[each.business_id] = _Followed(
                epoch=each.epoch, revision=each.revision, look_at=now
            )
            return
        if followed.revision >= each.revision:
            return
        async with self._database.snapshot(each.business_id) as tx:
            log = await changes.read_after(
                tx, each.business_id, followed.revision, self._limits.changes_max
            )
        if not log or log[0].revision != followed.revision + 1:
            # It was trimmed.
            followed.revision = each.revision
            followed.ask_after(0)
            return
        followed.revision = log[-1].revision
        freed = [left for change in log for left in _opened(change, followed)]
        await self._offer(each.business_id, freed)

    async def _look(self, each: Waiting) -> None:
        """Ask those who wait in a business, some at a time, whether a slot is open for them."""
        limits, clock = self._limits, asyncio.get_running_loop().time
        followed, began = self._followed[each.business_id], clock()
        after = followed.pending or 0
        ledger, entries = await self._load(each.business_id, after)
        found: list[Freed] = []
        for slot in find_open(ledger, entries) if ledger is not None else ():
            if slot is not None:
                found.append(slot)
            await asyncio.sleep(0)
        is_more = len(entries) == limits.entries_max
        followed.pending = entries[-1].revision if is_more else None
        await self._offer(each.business_id, found)
        if after == 0:
            followed.look_at = began + limits.look_seconds * JITTER.uniform(0.9, 1.1)
        followed.rests_until = clock() + min((clock() - began) / limits.look_share, 60.0)

    async def _load(
        self, business_id: str, after_revision: int
    ) -> tuple[Ledger | None, Sequence[WaitlistEntry]]:
        """Load who waits, and what stands in the time that they wait for."""
        async with self._database.snapshot(business_id) as tx:
            business = await load_business(tx, business_id)
            if business is None:
                return None, ()
            catalog = business.catalog
            entries = await waitlist.waiting_page(
                tx,
                business_id,
                catalog.types,
                after_revision=after_revision,
                limit=self._limits.entries_max,
            )
            ledger = Ledger(
                now=business.head.as_of,
                offer=Offer(catalog=catalog, hours=Hours(catalog), claims=ClaimBook()),
                bookings={},
                holds={},
                live_holds={},
                new_id=uuid4,
            )
            windows = [each for entry in entries for each in look_windows(ledger, entry)]
            for claim in await claims.in_windows(tx, business_id, windows):
                ledger.offer.claims.add(claim)
        return ledger, entries

    async def _offer(self, business_id: str, freed: Sequence[Freed]) -> None:
        for some in _parts(list(dict.fromkeys(freed)), self._limits.freed_per_command_max):
            is_decided = await self._submit(business_id, OfferOpen(found=tuple(some)))
            followed = self._followed.get(business_id)
            if not is_decided and followed is not None:
                followed.ask_after(0)

    async def _submit(self, business_id: str, command: PassOn | OfferOpen) -> bool:
        """Have something decided, and say whether it was; a refusal is a decision, too."""
        request_id = uuid4().hex
        submission = Submission(
            business_id=business_id,
            principal_id=PRINCIPAL,
            request_id=request_id,
            body_hash=request_id.encode(),
            command=command,
            encode=_encode,
        )
        try:
            await self._lanes.submit(submission)
        except DomainError as refusal:
            logger.debug("the waitlist of %s: %s", business_id, refusal.reason)
            return not isinstance(refusal, TryAgain | Overloaded)
        return True

    def _forget(self, now: float) -> None:
        """Forget businesses in which nobody has waited for long."""
        longest = 2 * self._limits.look_seconds
        for business_id, followed in list(self._followed.items()):
            if max(followed.look_at, followed.rests_until) + longest < now:
                del self._followed[business_id]


def _opened(change: Change, followed: _Followed) -> Iterator[Freed]:
    """Yield what a change has left free and offered to nobody; or let all be asked.

    It may have had a batch's reason: its facts are loaded before what it does is known.
    """
    if change.changes_catalog or change.reloads_all or change.reread_calendar_ids:
        followed.ask_after(0)
    if len(change.offers) >= OFFERS_MAX:
        followed.ask_after(0)
    offered = {offer.entry_id for offer in change.offers}
    if change.kind is ChangeKind.WAITLIST_JOINED and not offered.issuperset(change.entry_ids):
        followed.ask_after(change.revision - 1)
    if not offered:
        yield from left_by(change)


def _parts(items: Sequence[_Each], size: int) -> Iterable[Sequence[_Each]]:
    return (items[first : first + size] for first in range(0, len(items), size))


def _encode(_outcome: Outcome) -> bytes:
    return b""
