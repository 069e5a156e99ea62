"""Fetching feeds of busy time again, each when it is due."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from datetime import datetime, timedelta

from service.actions.lanes import Lanes
from service.actions.submission import Submission
from service.domain.busy_feed import BusyFeed, FeedSource, FeedState
from service.domain.commands import CloseForFeed, ImportBusy, Outcome
from service.domain.errors import BadFeed, DomainError, ResourceNotFound
from service.feeds.fetching import NOTHING_KNOWN, FeedUnreachable, Fetched, Tags, fetch
from service.feeds.reading import FeedReader
from service.ops.jitter import JITTER
from service.ops.outbound import Outbound, asking_for
from service.ops.tasks import cancelled
from service.store import feeds
from service.store.database import Database, is_retryable
from service.store.feeds import FeedKey, LeasedFeed
from service.store.scope import ALL_BUSINESSES

PRINCIPAL = "slotcast:feeds"
"""Under this name its commands are remembered. No key can have it, for the colon."""
POLL_SECONDS = 1.0
REFRESHES_MAX = 8
REFRESHES_PER_BUSINESS_MAX = 2
"""So that one business's slow servers do not keep those of others waiting."""
LEASE = timedelta(minutes=3)
"""By then a refresh has ended, or its process has died and another takes it."""
RETRY_FIRST = timedelta(minutes=1)
RETRY_LAST = timedelta(hours=1)
SPREAD = 0.1
"""By this part of it a wait is shorter or longer, so that what failed together comes apart."""
FAILURE_LENGTH_MAX = 500

logger = logging.getLogger(__name__)


class FeedRefresher:
    """Keeps feeds fresh. Of several servers' refreshers one takes each feed, by a lease."""

    def __init__(self, *, database: Database, lanes: Lanes, outbound: Outbound) -> None:
        """Take what knows the feeds, what moves busy time, and what fetches."""
        self._database = database
        self._lanes = lanes
        self._outbound = outbound
        self._reader = FeedReader()
        self._running: dict[asyncio.Task[None], FeedKey] = {}

    async def run(self) -> None:
        """Refresh what is due, until cancelled."""
        try:
            while True:
                try:
                    await self._begin_due()
                except Exception as error:
                    if not is_retryable(error):
                        raise
                    logger.warning(
                        "The feeds that are due cannot be read: %s", type(error).__name__
                    )
                await self._pause()
        finally:
            for task in tuple(self._running):
                await cancelled(task)

    async def refresh_due(self) -> int:
        """Refresh what is due now, and return how many that were."""
        begun = await self._begin_due()
        while self._running:
            await asyncio.wait(self._running)
        return begun

    async def _pause(self) -> None:
        if self._running:
            await asyncio.wait(
                self._running, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        else:
            await asyncio.sleep(POLL_SECONDS)

    async def _begin_due(self) -> int:
        free = REFRESHES_MAX - len(self._running)
        if free <= 0:
            return 0
        busy = Counter(key.business_id for key in self._running.values())
        full = [each for each, count in busy.items() if count >= REFRESHES_PER_BUSINESS_MAX]
        async with self._database.snapshot(ALL_BUSINESSES) as tx:
            due = await feeds.due(tx, limit=free, without_businesses=full)
        begun = 0
        for key in due:
            if busy[key.business_id] < REFRESHES_PER_BUSINESS_MAX:
                async with self._database.transaction(key.business_id) as tx:
                    leased = await feeds.lease(tx, key, LEASE)
                if leased is not None:
                    busy[key.business_id] += 1
                    begun += 1
                    self._begin(leased)
        return begun

    def _begin(self, leased: LeasedFeed) -> None:
        task = asyncio.create_task(self._refresh(leased), name=f"feed {leased.key.feed_id}")
        self._running[task] = leased.key
        task.add_done_callback(lambda ended: self._running.pop(ended, None))

    async def _refresh(self, leased: LeasedFeed) -> None:
        """Refresh one feed. Where the fault is not its own, it is tried again after its lease."""
        try:
            try:
                await self._read(leased)
            except (FeedUnreachable, BadFeed) as error:
                await self._fail(leased, str(error)[:FAILURE_LENGTH_MAX])
        except ResourceNotFound:
            logger.info("A feed was removed, changed or read while it was fetched.")
        except Exception as error:
            logger.warning(
                "A feed could not be refreshed: %s",
                type(error).__name__,
                exc_info=None if isinstance(error, DomainError) or is_retryable(error) else error,
                extra={"business": leased.key.business_id},
            )

    async def _read(self, leased: LeasedFeed) -> None:
        feed = leased.feed
        is_known = _is_known(leased)
        known = (
            Tags(etag=feed.etag, last_modified=feed.last_modified) if is_known else NOTHING_KNOWN
        )
        with asking_for(leased.key.business_id):
            fetched = await fetch(self._outbound, feed.url, known)
        if fetched is None or (is_known and fetched.content_hash == feed.content_hash):
            async with self._database.transaction(leased.key.business_id) as tx:
                await feeds.note_unchanged(tx, leased.key, feed.url, _spread(feed.refresh_interval))
            return
        await self._import(leased, fetched)

    async def _import(self, leased: LeasedFeed, fetched: Fetched) -> None:
        feed = leased.feed
        command = ImportBusy(
            calendar_id=feed.calendar_id,
            feed_id=feed.feed_id,
            busy=await self._reader.read(fetched.data, leased.zone, leased.now),
            source=FeedSource(
                url=feed.url,
                etag=fetched.tags.etag,
                last_modified=fetched.tags.last_modified,
                content_hash=fetched.content_hash,
                next_in=_spread(feed.refresh_interval),
                is_refresh=True,
            ),
        )
        await self._submit(leased, command)

    async def _fail(self, leased: LeasedFeed, failure: str) -> None:
        """Note why a feed was not read, and close its calendar where that is wanted."""
        feed = leased.feed
        is_closed = feed.state is FeedState.CLOSED
        if not is_closed and _closes_in(feed, leased.now) == timedelta():
            command = CloseForFeed(
                calendar_id=feed.calendar_id,
                feed_id=feed.feed_id,
                url=feed.url,
                read_at=feed.success_at,
                failure=failure,
                next_in=_retry_in(feed, leased.now, is_closed=True),
            )
            await self._submit(leased, command)
            return
        async with self._database.transaction(leased.key.business_id) as tx:
            await feeds.note_failure(
                tx,
                leased.key,
                feed.url,
                read_at=feed.success_at,
                failure=failure,
                is_closed=is_closed,
                next_in=_retry_in(feed, leased.now, is_closed=is_closed),
            )

    async def _submit(self, leased: LeasedFeed, command: ImportBusy | CloseForFeed) -> None:
        """Have a command done. Its id is that of the attempt: it is never asked for again."""
        key = leased.key
        attempt = (
            f"{key.calendar_id}/{key.feed_id}/{leased.now.isoformat()}/{type(command).__name__}"
        )
        digest = hashlib.sha256(attempt.encode()).digest()
        await self._lanes.submit(
            Submission(
                business_id=key.business_id,
                principal_id=PRINCIPAL,
                request_id=digest.hex()[:40],
                body_hash=digest,
                command=command,
                encode=_nothing,
            )
        )


def _nothing(_: Outcome) -> bytes:
    """Answer nobody."""
    return b""


def _is_known(leased: LeasedFeed) -> bool:
    """Say whether a file that is the same says the same.

    The window that is read moves once a day: the first time in a day it is read whole. A file that
    was closed for is read whole too, which opens again.
    """
    feed = leased.feed
    return (
        feed.state is not FeedState.CLOSED
        and not leased.is_closed_for
        and feed.success_at is not None
        and feed.success_at.date() == leased.now.date()
    )


def _closes_in(feed: BusyFeed, now: datetime) -> timedelta | None:
    """Return after which time of failing the calendar is to be closed; None: never."""
    if feed.fail_closed_after is None:
        return None
    since = now if feed.success_at is None else feed.success_at
    return max(timedelta(), since + feed.fail_closed_after - now)


def _retry_in(feed: BusyFeed, now: datetime, *, is_closed: bool) -> timedelta:
    """Return when to try again: ever later, but not after the calendar is to be closed."""
    longest: timedelta = min(RETRY_FIRST * 2 ** min(feed.failures, 10), RETRY_LAST)
    closes_in = None if is_closed else _closes_in(feed, now)
    return _spread(longest) if closes_in is None else min(_spread(longest), closes_in)


def _spread(interval: timedelta) -> timedelta:
    return interval * JITTER.uniform(1 - SPREAD, 1 + SPREAD)
