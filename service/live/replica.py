"""A replica: one business in memory, changed only in the order of its revisions."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple
from uuid import UUID

from service.domain.availability import ClaimBook, Hours, Offer
from service.domain.catalog import Catalog
from service.domain.change import Change, ClaimRef
from service.domain.claim import Claim
from service.live.cells import Cell, Touch, all_cells, by_calendar

CHANGES_KEPT_MAX = 2048
"""How many changes a replica remembers, for watches that resume; older ones are in the log."""
PAST_KEPT = timedelta(days=8)
"""Claims of the last week still count towards a week's cap."""
EXPIRED_KEPT = timedelta(hours=1)
"""For so long a resuming watch is told what an expired hold freed, see live/resume.py."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_generations = count(1)


class _Done(NamedTuple):
    revision: int
    touches: tuple[Touch, ...]


class Replica:
    """One business at one revision. It does no I/O and asks no clock."""

    def __init__(
        self, *, epoch: str, revision: int, catalog: Catalog, claims: Iterable[Claim] | ClaimBook
    ) -> None:
        """Begin at a snapshot."""
        self.business_id = catalog.business.business_id
        self.revision = revision
        # The last instant at which it is known to have had all that PostgreSQL had.
        self.proved_as_of = NEVER
        self.load(epoch=epoch, revision=revision, catalog=catalog, claims=claims)

    def load(
        self, *, epoch: str, revision: int, catalog: Catalog, claims: Iterable[Claim] | ClaimBook
    ) -> None:
        """Start over from a snapshot."""
        book = claims if isinstance(claims, ClaimBook) else ClaimBook(claims)
        self.epoch = epoch
        self.offer = Offer(catalog, Hours(catalog), book)
        self.cells_by_calendar: dict[str, list[Cell]] = by_calendar(list(all_cells(catalog)))
        self._expiring = _expiring_in(book)
        self._pruned_at = NEVER
        self._start_at(revision)

    def renew(
        self,
        *,
        revision: int,
        changes: Iterable[Change],
        catalog: Catalog | None,
        claims: Mapping[str, ClaimBook],
    ) -> None:
        """Go on to a revision, by the changes that lead there and what was read anew at it.

        `catalog` None: it is as it was; `claims` are all those of the calendars named.
        """
        for change in changes:
            self._move_claims(change)
        for calendar_id, book in claims.items():
            self._expiring |= _expiring_in(book)
            self.offer.claims.replace_calendar(calendar_id, book)
        kept = self.offer.claims
        self._expiring = {each: claim for each, claim in self._expiring.items() if kept.get(each)}
        if catalog is not None:
            self.offer = Offer(catalog, Hours(catalog), kept)
            self.cells_by_calendar = by_calendar(list(all_cells(catalog)))
        self._start_at(revision)

    def apply(self, change: Change) -> tuple[Touch, ...]:
        """Apply the next change, and return what it touched."""
        if change.revision != self.revision + 1:
            raise ValueError(f"Revision {change.revision} does not follow {self.revision}.")
        if change.reloads:
            raise ValueError("After this change a replica must be renewed.")
        self._move_claims(change)
        self.revision = change.revision
        touches = touches_of(change)
        self._done.append(_Done(change.revision, touches))
        if len(self._done) > CHANGES_KEPT_MAX:
            self._done_after = self._done.popleft().revision
        return touches

    def _start_at(self, revision: int) -> None:
        """Be another one from here on: nothing that was derived or remembered counts."""
        self.generation: int = next(_generations)
        self.revision = revision
        self._done: deque[_Done] = deque()
        self._done_after = revision

    def _move_claims(self, change: Change) -> None:
        for ref in change.removed:
            self.offer.claims.remove(ref.claim_id)
            self._expiring.pop(ref.claim_id, None)
        for claim in change.added:
            self.offer.claims.add(claim)
            if claim.expires_at is not None:
                self._expiring[claim.claim_id] = claim

    def touches_after(self, revision: int) -> list[Touch] | None:
        """Return what changes after a revision touched; None: they are not remembered."""
        if revision < self._done_after:
            return None
        return [touch for done in self._done if done.revision > revision for touch in done.touches]

    @property
    def remembers_after(self) -> int:
        """The revision after which all changes are remembered."""
        return self._done_after

    def remember(self, earlier: Sequence[Change]) -> None:
        """Take changes that were applied before those remembered; what does not fit is left out."""
        for change in reversed(earlier):
            fits = change.revision == self._done_after and len(self._done) < CHANGES_KEPT_MAX
            if not fits or change.reloads:
                return
            self._done.appendleft(_Done(change.revision, touches_of(change)))
            self._done_after = change.revision - 1

    def expired_between(self, earlier: datetime, now: datetime) -> list[Touch]:
        """Return the times of holds that expired after one instant, up to and with another."""
        return [
            Touch(claim.calendar_id, claim.start, claim.end)
            for claim in self._expiring.values()
            if claim.expires_at is not None and earlier < claim.expires_at <= now
        ]

    def prove(self, as_of: datetime) -> None:
        """PostgreSQL was read, and it has all that was there."""
        self.proved_as_of = max(self.proved_as_of, as_of)

    def set_back(self, now: datetime) -> bool:
        """The database's clock was set back; say whether it has forgotten what counts again."""
        self.proved_as_of = NEVER
        return self._pruned_at - EXPIRED_KEPT > now

    def prune(self, now: datetime) -> None:
        """Forget claims that no longer matter to anyone."""
        self._pruned_at = now
        claims = self.offer.claims
        over = [claim.claim_id for claim in claims if claim.end < now - PAST_KEPT]
        over += [
            claim_id
            for claim_id, claim in self._expiring.items()
            if claim.expires_at is not None and claim.expires_at < now - EXPIRED_KEPT
        ]
        for claim_id in over:
            claims.remove(claim_id)
            self._expiring.pop(claim_id, None)


def _expiring_in(book: ClaimBook) -> dict[UUID, Claim]:
    return {claim.claim_id: claim for claim in book if claim.expires_at is not None}


def touches_of(change: Change) -> tuple[Touch, ...]:
    """Return the times that a change took or freed."""
    spans: tuple[Claim | ClaimRef, ...] = (*change.removed, *change.added)
    return tuple(Touch(span.calendar_id, span.start, span.end) for span in spans)
