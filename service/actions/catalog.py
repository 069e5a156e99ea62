"""A change of the catalogue, or an import of busy time: one transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

from service.actions.bookings import Done, Result, repeat
from service.actions.submission import Submission
from service.domain.catalog import Catalog
from service.domain.catalog_rules import change_catalog
from service.domain.change import Change, ChangeKind
from service.domain.claim import Claim, ClaimKind
from service.domain.commands import (
    CatalogCommand,
    DeleteBusiness,
    DeleteCalendar,
    DeleteClosure,
    DeleteSchedule,
    DeleteType,
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
from service.domain.ids import business_name, calendar_name
from service.domain.interval import Interval
from service.store import batch, claims
from service.store import catalog as catalog_store
from service.store.database import Transaction

BUSY_PIECE_MAX = timedelta(days=1)
"""Imported busy time is cut into pieces of a day, for a claim's length is bounded."""


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
    assert isinstance(command, CatalogCommand)
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
    revision = head.revision + 1
    kind, busy_intervals = ChangeKind.CATALOG_CHANGED, 0
    reread: tuple[str, ...] = ()
    if isinstance(command, ImportBusy):
        kind, reread = ChangeKind.BUSY_IMPORTED, (command.calendar_id,)
        busy_intervals = await _import_busy(tx, business_id, catalog, command)
    else:
        if isinstance(command, DeleteCalendar):
            # Its claims go with it, and it may be made anew.
            reread = (command.calendar_id,)
        await _check_unused(tx, business_id, command, head.now)
        catalog = change_catalog(catalog, command, revision)
        await _write(tx, business_id, command)
    response = submission.encode(
        Outcome(revision=revision, catalog=catalog, busy_intervals=busy_intervals)
    )
    answered = batch.Answered(body_hash=submission.body_hash, response=response)
    change = Change(revision=revision, at=head.now, kind=kind, reread_calendar_ids=reread)
    rows = batch.Rows(answers=[(submission.key, answered)], changes=[change])
    await batch.write(tx, business_id, rows)
    if isinstance(command, DeleteBusiness):
        await catalog_store.delete_business(tx, business_id)
    result: Result = response
    return Done(results=[result], epoch=head.epoch, revision_before=head.revision, changes=[change])


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


async def _import_busy(
    tx: Transaction, business_id: str, catalog: Catalog, command: ImportBusy
) -> int:
    if command.calendar_id not in catalog.calendars:
        raise ResourceNotFound(calendar_name(business_id, command.calendar_id))
    await claims.delete_busy(tx, business_id, command.calendar_id, command.feed_id)
    await batch.insert_busy(
        tx,
        business_id,
        [
            Claim(
                claim_id=uuid4(),
                calendar_id=command.calendar_id,
                kind=ClaimKind.BUSY,
                owner_id=command.feed_id,
                start=piece.start,
                end=piece.end,
            )
            for interval in command.busy
            for piece in _pieces(interval)
        ],
    )
    return len(command.busy)


def _pieces(interval: Interval) -> Iterator[Interval]:
    start = interval.start
    while interval.end - start > BUSY_PIECE_MAX:
        yield Interval(start, start + BUSY_PIECE_MAX)
        start += BUSY_PIECE_MAX
    yield Interval(start, interval.end)
