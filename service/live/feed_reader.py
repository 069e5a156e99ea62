"""One stream of the booking feed: what it asked for, how far it is, and its frames."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from service.domain.booking import Booking
from service.domain.change import Change
from service.live.frames import (
    BookingChange,
    Goodbye,
    GoodbyeReason,
    Heartbeat,
    Reset,
    ResetReason,
)
from service.live.tokens import ResumeToken, Tokens


class FeedReader:
    """Has all changes up to `revision`; its client was told so for `told_revision`."""

    def __init__(
        self,
        business_id: str,
        calendar_ids: frozenset[str],
        *,
        epoch: str,
        revision: int,
        as_of: datetime,
        tokens: Tokens,
    ) -> None:
        """Begin at a revision, with nothing told."""
        self.business_id = business_id
        self.filter_hash = _feed_hash(business_id, calendar_ids)
        self.epoch = epoch
        self.revision = revision
        self.as_of = as_of
        self.told_revision = 0
        # Of the readings of PostgreSQL that the follower counts, the last that was looked at.
        self.checks = 0
        self._calendar_ids = calendar_ids
        self._tokens = tokens
        self._resume_token = ""

    def resume(self, token: ResumeToken) -> None:
        """Go on from where a token says."""
        self.revision = self.told_revision = token.revision
        self._resume_token = self._tokens.resume(token)

    def take(self, change: Change, known: Mapping[UUID, Booking]) -> BookingChange | None:
        """Take the next change; return what to tell of it, None if it is none of the client's."""
        self.revision = change.revision
        bookings = self._concerned(change, known)
        if not bookings:
            return None
        return BookingChange(
            business_id=self.business_id,
            revision=change.revision,
            as_of=change.at,
            resume_token=self._tell(change.revision, max(self.as_of, change.at)),
            kind=change.kind,
            bookings=bookings,
        )

    def may_tell(self, revision: int, as_of: datetime) -> bool:
        """Say whether a heartbeat may be sent for a reading of PostgreSQL."""
        return self.told_revision <= revision <= self.revision and as_of >= self.as_of

    def heartbeat(self, revision: int, as_of: datetime) -> Heartbeat:
        """Say that PostgreSQL was at a revision, and that all of it was told."""
        return Heartbeat(
            business_id=self.business_id,
            revision=revision,
            as_of=as_of,
            resume_token=self._tell(revision, as_of),
        )

    def reset(self, reason: ResetReason) -> Reset:
        """Say that changes were lost, and go on from here."""
        return Reset(
            business_id=self.business_id,
            revision=self.revision,
            as_of=self.as_of,
            resume_token=self._tell(self.revision, self.as_of),
            reason=reason,
        )

    def goodbye(self, reason: GoodbyeReason, delay_seconds: float) -> Goodbye:
        """End as planned, to be resumed after what was told last."""
        return Goodbye(
            business_id=self.business_id,
            revision=self.told_revision,
            as_of=self.as_of,
            resume_token=self._resume_token,
            reason=reason,
            retry_delay_seconds=delay_seconds,
        )

    def _concerned(self, change: Change, known: Mapping[UUID, Booking]) -> tuple[Booking, ...]:
        """Return the bookings that the client asked for, also those moved off its calendars."""
        bookings = tuple(known[each] for each in change.booking_ids if each in known)
        asked = self._calendar_ids
        if not asked or any(ref.calendar_id in asked for ref in change.removed):
            return bookings
        return tuple(each for each in bookings if not asked.isdisjoint(each.calendar_ids))

    def _tell(self, revision: int, as_of: datetime) -> str:
        self.told_revision, self.as_of = revision, as_of
        self._resume_token = self._tokens.resume(
            ResumeToken(
                business_id=self.business_id,
                epoch=self.epoch,
                revision=revision,
                as_of=as_of,
                filter_hash=self.filter_hash,
            )
        )
        return self._resume_token


def _feed_hash(business_id: str, calendar_ids: frozenset[str]) -> str:
    text = "\n".join(("feed", business_id, *sorted(calendar_ids)))
    return sha256(text.encode()).hexdigest()[:32]
