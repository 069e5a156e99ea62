"""A change of the catalogue, or an import of busy time: one transaction of its own."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from service.actions.bookings import Done, Result, repeat
from service.actions.busy_feeds import close_for_feed, delete_feed, import_busy
from service.actions.submission import Submission
from service.domain.catalog import Catalog
from service.domain.catalog_rules import change_catalog
from service.domain.change import Change, ChangeKind, ref_of
from service.domain.commands import (
    CatalogCommand,
    CloseForFeed,
    DeleteBusiness,
    DeleteCalendar,
    DeleteClosure,
    DeleteFeed,
    DeleteSchedule,
    DeleteType,
    FeedCommand,
    ImportBusy,
    Outcome,
    PutBusiness,
    PutCalendar,
    PutClosure,
    PutSchedule,
    PutType,
)
from service.domain.errors import (
    BusinessBeingRemoved,
    DomainError,
    ResourceExists,
    ResourceInUse,
    ResourceNotFound,
)
from service.domain.ids import business_name
from service.store import batch, claims
from service.store import catalog as catalog_store
from service.store.database import Transaction


async def run_catalog_change(tx: Transaction, business_id: str, submission: Submission) -> Done:
    """Do one change of the catalogue."""
    answered = await batch.read_answered(tx, business_id, [submission.key])
    if submission.key in answered:
        return Done(results=[repeat(answered[submission.key], submission)])
    catalog = await catalog_store.load(tx, business_id)
    try:
        return await _change(tx, business_id, catalog, submission)
    except DomainError as refusal:
        return Done(results=[refusal.with_traceback(None)])


async def _change(
    tx: Transaction, business_id: str, catalog: Catalog | None, submission: Submission
) -> Done:
    command = submission.command
    assert isinstance(command, CatalogCommand | CloseForFeed)
    if isinstance(command, PutBusiness) and command.create:
        if catalog is not None:
            raise ResourceExists(business_name(business_id))
        if await catalog_store.is_being_removed(tx, business_id):
            raise BusinessBeingRemoved(name=business_name(business_id))
        await catalog_store.write_business(tx, command.business, epoch=uuid4().hex)
        catalog = await catalog_store.load(tx, business_id)
    head = await batch.read_head(tx, business_id)
    if catalog is None or head is None:
        raise ResourceNotFound(business_name(business_id))
    if isinstance(command, FeedCommand):
        return await _change_feed(tx, business_id, catalog, head, submission)
    # The claims of a calendar go with it, and it may be made anew.
    reread = (command.calendar_id,) if isinstance(command, DeleteCalendar) else ()
    await _check_unused(tx, business_id, command, head.now)
    catalog = change_catalog(catalog, command, head.revision + 1)
    await _write(tx, business_id, command)
    change = Change(
        revision=head.revision + 1,
        at=head.now,
        kind=ChangeKind.CATALOG_CHANGED,
        reread_calendar_ids=reread,
    )
    outcome = Outcome(revision=change.revision, catalog=catalog)
    done = await _record(tx, head, submission, outcome, batch.Rows(changes=[change]))
    if isinstance(command, DeleteBusiness):
        await catalog_store.delete_business(tx, business_id)
    return done


async def _change_feed(
    tx: Transaction,
    business_id: str,
    catalog: Catalog,
    head: batch.BatchHead,
    submission: Submission,
) -> Done:
    """Move what a feed puts on its calendar. If nothing is to be moved there is no new revision."""
    command = submission.command
    assert isinstance(command, FeedCommand)
    match command:
        case ImportBusy():
            moved = await import_busy(tx, business_id, catalog, head, command)
        case DeleteFeed():
            moved = await delete_feed(tx, business_id, catalog, head, command)
        case CloseForFeed():
            moved = await close_for_feed(tx, business_id, catalog, head, command)
    change = moved.change(head, command.calendar_id)
    rows = batch.Rows(
        claims_removed={claim.claim_id: ref_of(claim) for claim in moved.removed},
        claims_added={claim.claim_id: claim for claim in moved.added},
        changes=[] if change is None else [change],
    )
    revision = head.revision if change is None else change.revision
    outcome = Outcome(revision=revision, catalog=moved.catalog, feed=moved.feed)
    return await _record(tx, head, submission, outcome, rows)


async def _record(
    tx: Transaction,
    head: batch.BatchHead,
    submission: Submission,
    outcome: Outcome,
    rows: batch.Rows,
) -> Done:
    """Write what was done, and its answer."""
    response = submission.encode(outcome)
    answered = batch.Answered(body_hash=submission.body_hash, response=response)
    rows.answers.append((submission.key, answered))
    await batch.write(tx, submission.business_id, rows)
    result: Result = response
    return Done(
        results=[result],
        epoch=head.epoch,
        revision_before=head.revision,
        changes=rows.changes,
    )


async def _check_unused(
    tx: Transaction, business_id: str, command: CatalogCommand, now: datetime
) -> None:
    match command:
        case DeleteCalendar(calendar_id=calendar_id):
            used = await claims.has_any_from(
                tx, business_id, now, calendar_id=calendar_id, type_id=None
            )
        case DeleteType(type_id=type_id):
            used = await claims.has_any_from(
                tx, business_id, now, calendar_id=None, type_id=type_id
            )
        case _:
            return
    if used:
        raise ResourceInUse("It has bookings or holds to come.")


async def _write(tx: Transaction, business_id: str, command: CatalogCommand) -> None:
    match command:
        case PutBusiness(create=False, business=business):
            await catalog_store.write_business(tx, business)
        case PutCalendar(calendar=calendar):
            await catalog_store.write_calendar(tx, business_id, calendar)
        case PutType(type=type_):
            await catalog_store.write_type(tx, business_id, type_)
        case PutSchedule(schedule=schedule):
            await catalog_store.write_schedule(tx, business_id, schedule)
        case PutClosure(closure=closure):
            await catalog_store.write_closure(tx, business_id, closure)
        case DeleteCalendar(calendar_id=calendar_id):
            await catalog_store.delete_calendar(tx, business_id, calendar_id)
        case DeleteType(type_id=type_id):
            await catalog_store.delete_type(tx, business_id, type_id)
        case DeleteSchedule(schedule_id=schedule_id):
            await catalog_store.delete_schedule(tx, business_id, schedule_id)
        case DeleteClosure(closure_id=closure_id):
            await catalog_store.delete_closure(tx, business_id, closure_id)
        case _:
            pass
