"""Decisions about the waitlist: to join it, to leave it, to pass on what was not taken."""

from __future__ import annotations

from dataclasses import replace

from service.domain.booking import Holder, HoldStatus
from service.domain.change import ChangeKind
from service.domain.commands import JoinWaitlist, LeaveWaitlist, OfferOpen, PassOn, WaitlistCommand
from service.domain.errors import (
    InvalidRequest,
    ResourceNotFound,
    SlotTaken,
    TooManyWaiting,
    WaitingEnded,
)
from service.domain.ids import calendar_name, holder_key, waitlist_name
from service.domain.ledger import Decision, Draft, Ledger
from service.domain.offers import conclude
from service.domain.places import claims_of_hold, type_of
from service.domain.waitlist import (
    ALL_WAITING,
    UNTOLD_OFFERS_MAX,
    WAITING_PER_BUSINESS_MAX,
    EntryStatus,
    Freed,
    WaitlistEntry,
    freed_of,
)


def decide_waiting(ledger: Ledger, draft: Draft, command: WaitlistCommand) -> Decision:
    """Decide a command that concerns the waitlist alone."""
    match command:
        case JoinWaitlist():
            return _join(ledger, draft, command)
        case LeaveWaitlist():
            return _leave(ledger, draft, command)
        case PassOn():
            return _pass_on(ledger, draft, command)
        case OfferOpen():
            return _offer_open(ledger, draft, command)


def _join(ledger: Ledger, draft: Draft, command: JoinWaitlist) -> Decision:
    _check_wish(ledger, command)
    key = holder_key(command.principal_id, command.holder)
    _check_count(ledger, Holder(command.principal_id, key))
    entry = WaitlistEntry(
        entry_id=command.entry_id,
        principal_id=command.principal_id,
        holder=command.holder,
        holder_key=key,
        type_id=command.type_id,
        calendar_ids=command.calendar_ids,
        windows=command.windows,
        duration=command.duration,
        customer=command.customer,
        fields=command.fields,
        status=EntryStatus.WAITING,
        revision=ledger.revision + 1,
        joined_at=ledger.now,
    )
    draft.put_entry(entry)
    return conclude(
        ledger,
        draft,
        ChangeKind.WAITLIST_JOINED,
        entry_id=entry.entry_id,
        found=command.found,
    )


def _check_wish(ledger: Ledger, command: JoinWaitlist) -> None:
    type_ = type_of(ledger, command.type_id)
    for calendar_id in command.calendar_ids:
        if calendar_id not in ledger.offer.catalog.calendars:
            raise ResourceNotFound(calendar_name(ledger.business_id, calendar_id))
        if calendar_id not in type_.primary_calendar_ids:
            raise InvalidRequest("calendars", "The appointment type is not offered on it.")
    if command.duration is not None and command.duration not in type_.durations:
        raise InvalidRequest("duration", "The appointment type has no such duration.")
    if all(window.end <= ledger.now for window in command.windows):
        raise InvalidRequest("windows", "All of them have passed.")


def _check_count(ledger: Ledger, holder: Holder) -> None:
    """Refuse one more to a holder, a key, or all, who have as many live entries as they may."""
    business = ledger.offer.catalog.business
    if ledger.waiting.get(holder, 0) >= business.holds_per_holder_max:
        raise TooManyWaiting(waiting_per_holder_max=str(business.holds_per_holder_max))
    if ledger.waiting.get(Holder(holder.principal_id), 0) >= business.holds_per_key_max:
        raise TooManyWaiting(
            "This API key has as many entries in the waitlist as the business allows.",
            waiting_per_key_max=str(business.holds_per_key_max),
        )
    if ledger.waiting.get(ALL_WAITING, 0) >= WAITING_PER_BUSINESS_MAX:
        raise TooManyWaiting(
            "The business has as many entries in its waitlist as one may.",
            waiting_per_business_max=str(WAITING_PER_BUSINESS_MAX),
        )


def _leave(ledger: Ledger, draft: Draft, command: LeaveWaitlist) -> Decision:
    entry = ledger.entries.get(command.entry_id)
    if entry is None:
        raise ResourceNotFound(waitlist_name(ledger.business_id, command.entry_id))
    if not entry.is_live:
        raise WaitingEnded(status=entry.status.value.upper())
    draft.put_entry(_ended(ledger, entry, EntryStatus.LEFT))
    _free_offer(ledger, draft, entry)
    return conclude(ledger, draft, ChangeKind.WAITLIST_LEFT, entry_id=entry.entry_id)


def _pass_on(ledger: Ledger, draft: Draft, command: PassOn) -> Decision:
    freed: list[Freed] = []
    for entry_id in command.entry_ids:
        entry = ledger.entries.get(entry_id)
        after = None if entry is None else _overdue(ledger, entry)
        if entry is not None and after is not None:
            draft.put_entry(after)
            freed += _free_offer(ledger, draft, entry)
    if not draft.entries:
        raise WaitingEnded
    return conclude(ledger, draft, ChangeKind.WAITLIST_OFFERED, found=freed)


def _overdue(ledger: Ledger, entry: WaitlistEntry) -> WaitlistEntry | None:
    """Return an entry as it is once nobody has come for it in time; None: it is not late."""
    now = ledger.now
    if entry.status is EntryStatus.WAITING and entry.last_end <= now:
        return _ended(ledger, entry, EntryStatus.EXPIRED)
    if entry.status is not EntryStatus.OFFERED or (entry.offer_expires_at or now) > now:
        return None
    if entry.hold_id not in ledger.untold or entry.untold_offers >= UNTOLD_OFFERS_MAX:
        return _ended(ledger, entry, EntryStatus.LAPSED)
    if entry.last_end <= now:
        return _ended(ledger, entry, EntryStatus.EXPIRED)
    return replace(
        entry,
        status=EntryStatus.WAITING,
        hold_id=None,
        offer_expires_at=now,
        untold_offers=entry.untold_offers + 1,
    )


def _ended(ledger: Ledger, entry: WaitlistEntry, status: EntryStatus) -> WaitlistEntry:
    return replace(entry, status=status, ended_at=ledger.now)


def _free_offer(ledger: Ledger, draft: Draft, entry: WaitlistEntry) -> list[Freed]:
    """End the hold that is what an entry was offered, and return what that leaves."""
    hold = None if entry.hold_id is None else ledger.holds.get(entry.hold_id)
    if hold is None or hold.status is not HoldStatus.LIVE:
        return []
    claims = claims_of_hold(ledger, hold)
    for claim in claims:
        draft.free(claim)
    draft.end_hold(replace(hold, status=HoldStatus.RELEASED))
    return [freed_of(claim) for claim in claims]


def _offer_open(ledger: Ledger, draft: Draft, command: OfferOpen) -> Decision:
    decision = conclude(ledger, draft, ChangeKind.WAITLIST_OFFERED, found=command.found)
    if not decision.offers:
        raise SlotTaken(command.found[0].span.start)
    return decision
