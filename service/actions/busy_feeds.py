"""Busy time of a feed: what its import moves, and what its end frees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

from service.domain.busy_feed import (
    FEEDS_PER_CALENDAR_MAX,
    BusyFeed,
    stale_closure,
    stale_closure_id,
)
from service.domain.busy_time import difference, import_window
from service.domain.catalog import Catalog
from service.domain.catalog_rules import change_catalog
from service.domain.change import Change, ChangeKind, ref_of
from service.domain.claim import Claim, ClaimKind
from service.domain.commands import (
    CloseForFeed,
    DeleteClosure,
    DeleteFeed,
    ImportBusy,
    PutClosure,
)
from service.domain.errors import InvalidRequest, ResourceNotFound
from service.domain.ids import calendar_name, feed_name
from service.store import batch, claims, feeds
from service.store import catalog as catalog_store
from service.store.database import Transaction

CARRIED_CLAIMS_MAX = 500
"""With so many a change carries what it moves; with more, replicas read the calendar anew."""
KEPT = timedelta(days=9)
"""Busy time that ended so long ago is in no replica any more, and may go without a word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """What an import, a closure or the end of a feed did, but for writing it; maybe nothing."""

    catalog: Catalog
    feed: BusyFeed | None = None
    added: Sequence[Claim] = ()
    removed: Sequence[Claim] = ()
    changes_catalog: bool = False

    def change(self, head: batch.BatchHead, calendar_id: str) -> Change | None:
        """Return the entry of the log; None: nothing was moved."""
        size = len(self.added) + len(self.removed)
        if not size and not self.changes_catalog:
            return None
        kind = ChangeKind.CATALOG_CHANGED if self.changes_catalog else ChangeKind.BUSY_IMPORTED
        change = Change(
            revision=head.revision + 1, at=head.now, kind=kind, reread_calendar_ids=(calendar_id,)
        )
        if size > CARRIED_CLAIMS_MAX:
            return change
        return replace(
            change,
            added=tuple(self.added),
            removed=tuple(ref_of(claim) for claim in self.removed),
            reread_calendar_ids=(),
        )


async def import_busy(
    tx: Transaction,
    business_id: str,
    catalog: Catalog,
    head: batch.BatchHead,
    command: ImportBusy,
) -> Moved:
    """Note what a feed says, and find what is to be moved for it."""
    calendar_id, feed_id = command.calendar_id, command.feed_id
    if calendar_id not in catalog.calendars:
        raise ResourceNotFound(calendar_name(business_id, calendar_id))
    known = {feed.feed_id: feed for feed in await feeds.of_calendar(tx, business_id, calendar_id)}
    source, before = command.source, known.get(feed_id)
    if source.is_refresh:
        if before is None or before.url != source.url:
            raise ResourceNotFound(feed_name(business_id, calendar_id, feed_id))
        source = replace(
            source,
            refresh_interval=before.refresh_interval,
            fail_closed_after=before.fail_closed_after,
        )
    elif before is None and len(known) >= FEEDS_PER_CALENDAR_MAX:
        raise InvalidRequest("feed_id", f"A calendar has at most {FEEDS_PER_CALENDAR_MAX} feeds.")
    since = import_window(head.now).start
    there = await claims.of_feed(tx, business_id, calendar_id, feed_id, ending_after=since)
    missing, gone = difference(there, command.busy, since)
    if missing or gone:
        await claims.delete_busy(tx, business_id, calendar_id, feed_id, ended_by=head.now - KEPT)
    feed = await feeds.write(tx, business_id, calendar_id, feed_id, source, len(command.busy))
    added = [
        Claim(
            claim_id=uuid4(),
            calendar_id=calendar_id,
            kind=ClaimKind.BUSY,
            owner_id=feed_id,
            start=piece.start,
            end=piece.end,
        )
        for piece in missing
    ]
    moved = Moved(catalog=catalog, feed=feed, added=added, removed=gone)
    return await _open(tx, business_id, head, moved, stale_closure_id(calendar_id, feed_id))


async def delete_feed(
    tx: Transaction,
    business_id: str,
    catalog: Catalog,
    head: batch.BatchHead,
    command: DeleteFeed,
) -> Moved:
    """Forget a feed, and find what it has put on its calendar."""
    calendar_id, feed_id = command.calendar_id, command.feed_id
    there = await claims.of_feed(
        tx, business_id, calendar_id, feed_id, ending_after=head.now - KEPT
    )
    if not there and await feeds.find(tx, business_id, calendar_id, feed_id) is None:
        raise ResourceNotFound(feed_name(business_id, calendar_id, feed_id))
    await claims.delete_busy(tx, business_id, calendar_id, feed_id, ended_by=head.now - KEPT)
    await feeds.remove(tx, business_id, calendar_id, feed_id)
    moved = Moved(catalog=catalog, removed=there)
    return await _open(tx, business_id, head, moved, stale_closure_id(calendar_id, feed_id))


async def close_for_feed(
    tx: Transaction,
    business_id: str,
    catalog: Catalog,
    head: batch.BatchHead,
    command: CloseForFeed,
) -> Moved:
    """Close the calendar of a feed that could not be read for too long, and note why."""
    key = feeds.FeedKey(business_id, command.calendar_id, command.feed_id)
    feed = None
    if key.calendar_id in catalog.calendars:
        feed = await feeds.note_failure(
            tx,
            key,
            command.url,
            read_at=command.read_at,
            failure=command.failure,
            is_closed=True,
            next_in=command.next_in,
        )
    if feed is None:
        raise ResourceNotFound(feed_name(*key))
    closure = stale_closure(feed, head.now)
    if closure.closure_id in catalog.closures:
        return Moved(catalog=catalog, feed=feed)
    put = PutClosure(create=True, closure=closure)
    catalog = change_catalog(catalog, put, head.revision + 1)
    await catalog_store.write_closure(tx, business_id, closure)
    return Moved(catalog=catalog, feed=feed, changes_catalog=True)


async def _open(
    tx: Transaction, business_id: str, head: batch.BatchHead, moved: Moved, closure_id: str
) -> Moved:
    """Open what was closed because the feed could not be read."""
    if closure_id not in moved.catalog.closures:
        return moved
    await catalog_store.delete_closure(tx, business_id, closure_id)
    catalog = change_catalog(moved.catalog, DeleteClosure(closure_id=closure_id), head.revision + 1)
    return replace(moved, catalog=catalog, changes_catalog=True)
