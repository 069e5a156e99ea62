"""A batch of holds, bookings and changes of bookings: load, decide each, write all.

All of it happens in one SERIALIZABLE transaction, which the lane opens and commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from service.actions.catalog_cache import CatalogCache
from service.actions.submission import Submission
from service.domain import needs, waitlist_needs
from service.domain.change import Change, ref_of, state_of
from service.domain.claim_book import ClaimBook
from service.domain.commands import BookingCommand, Outcome
from service.domain.decisions import decide
from service.domain.errors import DomainError, RequestIdReused, ResourceNotFound
from service.domain.ids import business_name
from service.domain.ledger import Decision, Ledger
from service.domain.rules import Offer
from service.domain.waitlist import WaitlistEntry
from service.store import batch, bookings, claims, handoffs, letters, waitlist
from service.store.database import Transaction

CANDIDATES_FIRST = 100
CANDIDATES_PER_PAGE = 1000
"""So many of those who wait are loaded at a time: as most are served, first but a few."""
DECISIONS_PER_TURN = 32
"""After so many, whatever else waits in this process has its turn: a batch may be long."""

Result = bytes | DomainError
"""An answer as it goes to the caller, or a refusal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What a batch did: a result for each submission, and the changes that were committed."""

    results: list[Result]
    epoch: str = ""
    revision_before: int = 0
    changes: list[Change] = field(default_factory=list)


async def run_batch(
    tx: Transaction,
    catalogs: CatalogCache,
    business_id: str,
    submissions: Sequence[Submission],
) -> Done:
    """Decide all submissions, in their order, and write what they do."""
    head = await batch.read_head(tx, business_id)
    if head is None:
        return await _without_business(tx, business_id, submissions)
    answered = await batch.read_answered(
        tx, business_id, list({submission.key for submission in submissions})
    )
    fresh = [each for each in submissions if each.key not in answered]
    folded = _Fold(
        ledger=await _load(tx, catalogs, business_id, head, fresh),
        revision_before=head.revision,
        answered=answered,
    )
    results = await _decide_all(folded, submissions)
    if folded.rows.changes:
        await batch.write(tx, business_id, folded.rows)
    return Done(
        results=results,
        epoch=head.epoch,
        revision_before=head.revision,
        changes=folded.rows.changes,
    )


async def _decide_all(folded: _Fold, submissions: Sequence[Submission]) -> list[Result]:
    results: list[Result] = []
    weight = 0
    for submission in submissions:
        results.append(folded.add(submission))
        weight += submission.weight
        if weight >= DECISIONS_PER_TURN:
            weight = 0
            await asyncio.sleep(0)
    return results


async def _without_business(
    tx: Transaction, business_id: str, submissions: Sequence[Submission]
) -> Done:
    answered = await batch.read_answered(tx, business_id, [each.key for each in submissions])
    return Done(
        results=[
            repeat(answered[each.key], each)
            if each.key in answered
            else ResourceNotFound(business_name(business_id))
            for each in submissions
        ]
    )


def repeat(answered: batch.Answered, submission: Submission) -> Result:
    """Answer a request that was answered before."""
    if answered.body_hash != submission.body_hash:
        return RequestIdReused()
    return answered.response


async def _load(
    tx: Transaction,
    catalogs: CatalogCache,
    business_id: str,
    head: batch.BatchHead,
    submissions: Sequence[Submission],
) -> Ledger:
    commands = [_booking_command(submission) for submission in submissions]
    catalog, hours = await catalogs.get(tx, business_id, head)
    ledger = Ledger(
        now=head.now,
        offer=Offer(catalog=catalog, hours=hours, claims=ClaimBook()),
        bookings={},
        holds={},
        live_holds={},
        new_id=uuid4,
        revision=head.revision,
    )
    await _load_entries(
        tx, ledger, {each for command in commands for each in waitlist_needs.entry_ids(command)}
    )
    if owed := waitlist_needs.offer_letters(ledger, commands):
        sent = await letters.sent(tx, business_id, owed)
        ledger.untold = {hold_id for letter, hold_id in owed.items() if letter not in sent}
    if booking_ids := {each for command in commands for each in needs.booking_ids(command)}:
        found = await bookings.by_ids(tx, business_id, booking_ids)
        ledger.bookings = {booking.booking_id: booking for booking in found}
    if handoff_ids := {each for command in commands for each in needs.handoff_ids(command)}:
        known = await handoffs.by_ids(tx, business_id, handoff_ids)
        ledger.handoffs = {handoff.handoff_id: handoff for handoff in known}
    await _load_holds(
        tx, ledger, {each for command in commands for each in needs.hold_ids(ledger, command)}
    )
    keys = {each for command in commands for each in needs.counted_holders(ledger, command)}
    if keys:
        ledger.live_holds = await bookings.count_live_holds(tx, business_id, sorted(keys))
    windows = [each for command in commands for each in needs.windows(ledger, command)]
    windows += [
        each for command in commands for each in waitlist_needs.offer_hold_windows(ledger, command)
    ]
    await _load_claims(tx, ledger, windows)
    await _load_own_holds(tx, ledger, commands)
    await _load_entries(tx, ledger, waitlist_needs.offered_entry_ids(ledger))
    await _load_waiting(tx, ledger, commands)
    return ledger


async def _load_waiting(
    tx: Transaction, ledger: Ledger, commands: Sequence[BookingCommand]
) -> None:
    """Load who waits for what the batch may free, and what is open there."""
    keys = {each for command in commands for each in waitlist_needs.counted_waiting(command)}
    if keys:
        ledger.waiting = await waitlist.count_live(tx, ledger.business_id, sorted(keys))
    found = waitlist_needs.survey(ledger, commands)
    ledger.surveyed, ledger.surveyed_times = found.claim_ids, found.times
    if found.vacancies:
        waiting = await _candidates(tx, ledger, found)
        ledger.entries.update((entry.entry_id, entry) for entry in waiting)
        windows = waitlist_needs.offer_windows(ledger, found.vacancies, commands)
        await _load_claims(tx, ledger, windows)


async def _candidates(
    tx: Transaction, ledger: Ledger, found: waitlist_needs.Survey
) -> list[WaitlistEntry]:
    """Return who waits for what the batch may free; of many, those who could be served.

    Those who wait for what is taken anyway keep nobody from being asked who comes after them.
    """
    page = await _candidates_after(tx, ledger, found, 0, limit=CANDIDATES_FIRST)
    if len(page) < CANDIDATES_FIRST:
        return page
    await _load_claims(tx, ledger, waitlist_needs.all_windows(ledger, found.vacancies))
    shortlist, limit = waitlist_needs.Shortlist(ledger, found), CANDIDATES_FIRST
    while True:
        for entry in page:
            shortlist.add(entry)
        if shortlist.is_full or len(page) < limit:
            return shortlist.entries
        await asyncio.sleep(0)
        after, limit = page[-1].revision, CANDIDATES_PER_PAGE
        page = await _candidates_after(tx, ledger, found, after, limit=limit)


async def _candidates_after(
    tx: Transaction, ledger: Ledger, found: waitlist_needs.Survey, revision: int, *, limit: int
) -> list[WaitlistEntry]:
    return await waitlist.candidates(
        tx, ledger.business_id, found.vacancies, after_revision=revision, limit=limit
    )


async def _load_entries(tx: Transaction, ledger: Ledger, entry_ids: Collection[UUID]) -> None:
    """Load entries of the waitlist, with the holds that are offers to them."""
    if entry_ids:
        entries = await waitlist.by_ids(tx, ledger.business_id, entry_ids)
        ledger.entries.update((entry.entry_id, entry) for entry in entries)
        await _load_holds(tx, ledger, waitlist_needs.offer_hold_ids(ledger))


async def _load_own_holds(
    tx: Transaction, ledger: Ledger, commands: Sequence[BookingCommand]
) -> None:
    """Load what the askers hold around their wishes, in full: a hold gives way on all calendars."""
    hold_ids = {
        each for command in commands for each in needs.holds_that_may_give_way(ledger, command)
    }
    await _load_holds(tx, ledger, hold_ids)
    windows = [each for hold_id in hold_ids for each in needs.hold_windows(ledger, hold_id)]
    await _load_claims(tx, ledger, windows)


async def _load_holds(tx: Transaction, ledger: Ledger, hold_ids: Collection[UUID]) -> None:
    if hold_ids:
        held = await bookings.holds_by_ids(tx, ledger.business_id, hold_ids)
        ledger.holds.update((hold.hold_id, hold) for hold in held)


async def _load_claims(tx: Transaction, ledger: Ledger, windows: Collection[needs.Window]) -> None:
    for claim in await claims.in_windows(tx, ledger.business_id, windows):
        ledger.offer.claims.add(claim)


@dataclass(kw_only=True, slots=True)
class _Fold:
    """Decide one submission after another."""

    ledger: Ledger
    revision_before: int
    answered: dict[batch.RequestKey, batch.Answered]
    rows: batch.Rows = field(default_factory=batch.Rows)

    def add(self, submission: Submission) -> Result:
        """Decide a submission; what was decided before it in the batch has happened."""
        before = self.answered.get(submission.key)
        if before is not None:
            return repeat(before, submission)
        try:
            decision = decide(self.ledger, _booking_command(submission))
        except DomainError as refusal:
            refusal.revision = self.revision
            # Its frames refer to the list of results, and so to itself, and to the whole ledger.
            return refusal.with_traceback(None)
        return self._record(submission, decision)

    @property
    def revision(self) -> int:
        """The revision after all that was decided so far."""
        return self.revision_before + len(self.rows.changes)

    def _record(self, submission: Submission, decision: Decision) -> bytes:
        revision = self.revision + 1
        response = submission.encode(
            Outcome(
                revision=revision,
                bookings=decision.bookings,
                occurrences=decision.occurrences,
                hold=decision.hold,
                handoff=decision.handoff,
                entry=decision.entry,
            )
        )
        answered = batch.Answered(body_hash=submission.body_hash, response=response)
        self.answered[submission.key] = answered
        self.rows.answers.append((submission.key, answered))
        self.rows.add(decision)
        self.rows.changes.append(
            Change(
                revision=revision,
                at=self.ledger.now,
                kind=decision.kind,
                added=decision.added,
                removed=tuple(ref_of(claim) for claim in decision.removed),
                booking_ids=tuple(booking.booking_id for booking in decision.bookings),
                bookings=tuple(
                    state_of(booking, decision.moved_from) for booking in decision.bookings
                ),
                offers=decision.offers,
                entry_ids=decision.changed_entry_ids,
            )
        )
        return response


def _booking_command(submission: Submission) -> BookingCommand:
    command = submission.command
    assert isinstance(command, BookingCommand)
    return command
