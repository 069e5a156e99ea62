"""Every way in which a decision can be refused.

DomainError
├── InvalidRequest         a field is malformed: field
│   ├── SlotOffGrid
│   ├── InvalidPageToken
│   ├── InvalidResumeToken
│   ├── RequestIdReused
│   ├── BadFeed            line
│   ├── TimeNotUnderstood, DateDoesNotExist, TimeHasPassed
│   └── HandoffInvalid
├── ResourceNotFound       also where it belongs to another business
├── ResourceExists
├── ResourceInUse
│   └── BusinessBeingRemoved   retry, in a minute
├── SlotRefused            with alternatives
│   ├── SlotTaken
│   ├── SlotClosed
│   ├── NoticeTooShort
│   ├── BeyondHorizon
│   └── CapReached
├── HoldEnded
├── HoldLifetimeReached
├── TooManyHolds
├── TooManyWaiting
├── WaitingEnded
├── SeriesRefused
├── TargetRefused
├── LogTrimmed
├── HandoffUsed, HandoffEnded
├── ConsentMismatch
├── VersionMismatch
├── InvalidTransition
├── CancellationNoticePassed
├── KeyMissing, KeyInvalid, CapabilityEnded, ScopeMissing, RateLimited
├── RevisionAhead          retry
├── TryAgain               retry; the outcome is unknown
├── Overloaded             retry; nothing was changed
└── NotImplementedYet
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar


class DomainError(Exception):
    """A refusal. Its docstring is its message where none is given."""

    reason: ClassVar[str]
    retry_after_seconds: float | None = None
    # At which revision it was decided, where a batch decided it.
    revision: int = 0

    def __init__(self, message: str | None = None, **metadata: str) -> None:
        """Keep the metadata that the caller is told."""
        super().__init__(message or (self.__doc__ or "").strip())
        self.metadata: Mapping[str, str] = metadata

    @property
    def message(self) -> str:
        """The sentence that the caller reads."""
        return str(self.args[0])


class InvalidRequest(DomainError):
    """The request is malformed."""

    reason = "INVALID_REQUEST"

    def __init__(self, field: str, message: str | None = None, **metadata: str) -> None:
        """Name the field."""
        super().__init__(message, field=field, **metadata)
        self.field = field


class SlotOffGrid(InvalidRequest):
    """The start is not one that the grid of this appointment type offers."""

    reason = "SLOT_OFF_GRID"

    def __init__(self, start: datetime) -> None:
        """Say which start was refused."""
        super().__init__("slot.start_time", start=_text(start))


class InvalidPageToken(InvalidRequest):
    """The page token is damaged or belongs to another query."""

    reason = "INVALID_PAGE_TOKEN"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__("page_token")


class InvalidResumeToken(InvalidRequest):
    """The resume token is damaged or belongs to another business."""

    reason = "INVALID_RESUME_TOKEN"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__("resume_token")


class RequestIdReused(InvalidRequest):
    """This request_id was answered for another request."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__("request_id")


class BadFeed(InvalidRequest):
    """The iCalendar file is damaged; nothing of it was imported."""

    reason = "BAD_FEED"


class TimeNotUnderstood(InvalidRequest):
    """The words for a time were not understood. Ask for a day and an hour."""

    reason = "TIME_NOT_UNDERSTOOD"

    def __init__(self, unread: str) -> None:
        """Say which words."""
        super().__init__("text", unread=unread)


class DateDoesNotExist(InvalidRequest):
    """There is no such date. Ask which is meant."""

    reason = "DATE_DOES_NOT_EXIST"

    def __init__(self, date: str) -> None:
        """Say which date."""
        super().__init__("text", date=date)


class TimeHasPassed(InvalidRequest):
    """That time has passed. Ask for a later one."""

    reason = "TIME_HAS_PASSED"

    def __init__(self, read: str) -> None:
        """Say how the words were read."""
        super().__init__("text", read=read)


class HandoffInvalid(InvalidRequest):
    """The ticket was altered, cut off, or is of another business. Ask for a new one."""

    reason = "HANDOFF_INVALID"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__("ticket")


class ResourceNotFound(DomainError):
    """No such resource."""

    reason = "RESOURCE_NOT_FOUND"

    def __init__(self, name: str) -> None:
        """Name the resource that was asked for."""
        super().__init__(f"There is no {name}.", name=name)


class ResourceExists(DomainError):
    """A resource of that name exists."""

    reason = "RESOURCE_EXISTS"

    def __init__(self, name: str) -> None:
        """Name the resource."""
        super().__init__(f"There is a {name} already.", name=name)


class ResourceInUse(DomainError):
    """The resource is still in use."""

    reason = "RESOURCE_IN_USE"


class BusinessBeingRemoved(ResourceInUse):
    """The business that had this id is still being removed. Retry later, or choose another id."""

    retry_after_seconds = 60.0


class SlotRefused(DomainError):
    """The slot cannot be booked."""

    def __init__(self, start: datetime, message: str | None = None, **metadata: str) -> None:
        """Say which start was refused."""
        super().__init__(message, start=_text(start), **metadata)


class SlotTaken(SlotRefused):
    """The slot is taken. Choose another."""

    reason = "SLOT_TAKEN"


class SlotClosed(SlotRefused):
    """The slot lies outside the opening hours."""

    reason = "SLOT_CLOSED"


class NoticeTooShort(SlotRefused):
    """The slot starts too soon to be booked."""

    reason = "NOTICE_TOO_SHORT"


class BeyondHorizon(SlotRefused):
    """The slot is too far away to be booked yet."""

    reason = "BEYOND_HORIZON"


class CapReached(SlotRefused):
    """No more appointments of this type are taken on that day or in that week."""

    reason = "CAP_REACHED"


class HoldEnded(DomainError):
    """The hold was released or already booked."""

    reason = "HOLD_ENDED"


class HoldLifetimeReached(DomainError):
    """The hold lasts as long as one may. Book it, or hold the slot anew once it has expired."""

    reason = "HOLD_LIFETIME_REACHED"


class TooManyHolds(DomainError):
    """This holder has as many holds as the business allows."""

    reason = "TOO_MANY_HOLDS"


class TooManyWaiting(DomainError):
    """This holder has as many entries in the waitlist as the business allows."""

    reason = "TOO_MANY_WAITING"


class WaitingEnded(DomainError):
    """That entry of the waitlist waits no more. Join anew."""

    reason = "WAITING_ENDED"


class SeriesRefused(DomainError):
    """Some occurrences of the series do not fit; nothing was booked."""

    reason = "SERIES_REFUSED"

    def __init__(self, occurrences: Sequence[tuple[datetime, DomainError | None]]) -> None:
        """Keep why each is refused; None: it would fit."""
        refused = sum(refusal is not None for _, refusal in occurrences)
        super().__init__(occurrences=str(len(occurrences)), refused=str(refused))
        self.occurrences = tuple(occurrences)


class TargetRefused(DomainError):
    """That address cannot be reached from here."""

    reason = "TARGET_REFUSED"


class LogTrimmed(DomainError):
    """The log does not reach back so far any more."""

    reason = "LOG_TRIMMED"


class HandoffUsed(DomainError):
    """The ticket is good for once, and another has redeemed it."""

    reason = "HANDOFF_USED"


class HandoffEnded(DomainError):
    """The ticket's hold was booked, released, or has lapsed. Choose a time anew."""

    reason = "HANDOFF_ENDED"


class ConsentMismatch(DomainError):
    """What would be booked is not what the person was shown. Show what it is, and ask again."""

    reason = "CONSENT_MISMATCH"


class VersionMismatch(DomainError):
    """The booking has changed since that version. Read it again."""

    reason = "VERSION_MISMATCH"


class InvalidTransition(DomainError):
    """The booking's status does not allow this change."""

    reason = "INVALID_TRANSITION"


class CancellationNoticePassed(DomainError):
    """The appointment is too near to be cancelled or moved."""

    reason = "CANCELLATION_NOTICE_PASSED"


class KeyMissing(DomainError):
    """Send an API key: authorization: Bearer <key>."""

    reason = "KEY_MISSING"


class KeyInvalid(DomainError):
    """The API key is unknown or revoked."""

    reason = "KEY_INVALID"


class CapabilityEnded(DomainError):
    """What this link was for has ended, and the link with it."""

    reason = "CAPABILITY_ENDED"


class ScopeMissing(DomainError):
    """The API key does not have the scope that this call needs."""

    reason = "SCOPE_MISSING"


class RateLimited(DomainError):
    """Too many calls. Retry after the delay."""

    reason = "RATE_LIMITED"
    retry_after_seconds = 1.0


class RevisionAhead(DomainError):
    """The server has not reached that revision yet. Retry."""

    reason = "REVISION_AHEAD"
    retry_after_seconds = 0.2


class TryAgain(DomainError):
    """The outcome is not known. Retry with the same request_id."""

    reason = "TRY_AGAIN"
    retry_after_seconds = 0.2


class Overloaded(DomainError):
    """Too many calls wait. Nothing was changed. Retry."""

    reason = "OVERLOADED"
    retry_after_seconds = 0.5


class NotImplementedYet(DomainError):
    """This part of the API does not exist yet."""

    reason = "NOT_IMPLEMENTED"


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
