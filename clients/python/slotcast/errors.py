"""Every way in which a call can fail.

SlotcastError                  also a reason that this client is too old to know
├── InvalidRequest             violations: each field and what is wrong with it
│   ├── InvalidPageToken
│   ├── InvalidResumeToken
│   ├── RequestIdReused
│   ├── TimeNotUnderstood, DateDoesNotExist, TimeHasPassed
│   ├── HandoffInvalid
│   └── BadFeed
├── ResourceNotFound           also where it belongs to another business
├── ResourceExists
├── ResourceInUse
├── SlotRefused                alternatives: open slots, best first
│   ├── SlotOffGrid
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
├── SeriesRefused              occurrences: each start, and why it does not fit
├── TargetRefused
├── LogTrimmed
├── HandoffUsed
├── HandoffEnded
├── ConsentMismatch
├── VersionMismatch
├── InvalidTransition
├── CancellationNoticePassed
├── KeyRefused
│   ├── KeyMissing
│   ├── KeyInvalid
│   ├── CapabilityEnded
│   └── ScopeMissing
├── RateLimited                retryable
├── RevisionAhead              retryable
├── TryAgain                   retryable; the outcome is unknown
├── Overloaded                 retryable; nothing was changed
├── ServerUnreachable          retryable; the outcome is unknown
├── DeadlineExceeded           retryable; the outcome is unknown
├── StreamBroken               retryable; the outcome of what was in flight is unknown
├── ViewMismatch               a watch differed from the server's view, and is fetched anew
├── ViewStale                  retryable; it is not known which slots are open: show none
├── BeyondWindow
├── ConversationForgotten
├── ClientClosed
├── NotImplementedYet
└── InternalFault              the outcome is unknown

What is retryable has been retried, within the client's Timeouts, before it is raised. To go on,
call again with the same `request_id`: it is done once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import grpc

from slotcast.models import Slot

_RETRYABLE_CODES = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorDetails:
    """What the server tells about a failure, besides its message."""

    code: grpc.StatusCode = grpc.StatusCode.UNKNOWN
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Mapping[str, str] = field(default_factory=dict)
    alternatives: tuple[Slot, ...] = ()
    revision: int = 0
    retry_after: timedelta | None = None
    occurrences: tuple[tuple[datetime, SlotcastError | None], ...] = ()


class SlotcastError(Exception):
    """A call failed. Unless its class says otherwise, nothing was changed.

    reason: an ErrorReason without its prefix, such as `SLOT_TAKEN`; empty where no server gave one.
    code: the gRPC status.
    metadata: what the reason is about, such as the `field` or the `start`.
    violations: each malformed field, and what is wrong with it.
    alternatives: open slots to offer instead, best first, as they were at `revision`.
    retry_after: how long to wait at least before another attempt.
    """

    reason = ""
    _always_retryable = False

    def __init__(self, message: str = "", details: ErrorDetails | None = None) -> None:
        """Take the message; without one, the class's own."""
        super().__init__(message or (self.__doc__ or "").split("\n", 1)[0])
        details = details or ErrorDetails()
        self.reason = details.reason or type(self).reason
        self.code = details.code
        self.metadata = details.metadata
        self.violations = details.violations
        self.alternatives = details.alternatives
        self.revision = details.revision
        self.retry_after = details.retry_after

    @property
    def message(self) -> str:
        """The sentence for people."""
        return str(self.args[0])

    @property
    def retryable(self) -> bool:
        """True: the same request, with the same `request_id`, may well succeed later."""
        asked_to = self.retry_after is not None or self.code in _RETRYABLE_CODES
        return asked_to or self._always_retryable


class InvalidRequest(SlotcastError):
    """A field is malformed, too long or out of range: mend the request."""

    reason = "INVALID_REQUEST"


class InvalidPageToken(InvalidRequest):
    """The page token is damaged or belongs to another query: start at the first page."""

    reason = "INVALID_PAGE_TOKEN"


class InvalidResumeToken(InvalidRequest):
    """The resume token is damaged or belongs to another business: watch without it."""

    reason = "INVALID_RESUME_TOKEN"


class RequestIdReused(InvalidRequest):
    """This request_id was answered for another request: use a new one."""

    reason = "REQUEST_ID_REUSED"


class BadFeed(InvalidRequest):
    """The iCalendar file is damaged; nothing of it was imported."""

    reason = "BAD_FEED"


class TimeNotUnderstood(InvalidRequest):
    """Words for a time were not understood (`metadata["unread"]`): ask for a day and an hour."""

    reason = "TIME_NOT_UNDERSTOOD"


class DateDoesNotExist(InvalidRequest):
    """There is no such date (`metadata["date"]`), as 31 June: ask which is meant."""

    reason = "DATE_DOES_NOT_EXIST"


class TimeHasPassed(InvalidRequest):
    """That time has passed, as it was read (`metadata["read"]`): ask for a later one."""

    reason = "TIME_HAS_PASSED"


class HandoffInvalid(InvalidRequest):
    """The ticket was altered, cut off, or is of another business: ask the chat for a new one."""

    reason = "HANDOFF_INVALID"


class ResourceNotFound(SlotcastError):
    """There is no such resource, or it belongs to another business."""

    reason = "RESOURCE_NOT_FOUND"


class ResourceExists(SlotcastError):
    """A resource of that name exists."""

    reason = "RESOURCE_EXISTS"


class ResourceInUse(SlotcastError):
    """The resource is still referred to, or one that had its id is still being removed."""

    reason = "RESOURCE_IN_USE"


class SlotRefused(SlotcastError):
    """The slot cannot be booked: offer one of the alternatives."""


class SlotOffGrid(SlotRefused):
    """The appointment type offers no such start on that calendar."""

    reason = "SLOT_OFF_GRID"


class SlotTaken(SlotRefused):
    """The slot has no seat left."""

    reason = "SLOT_TAKEN"


class SlotClosed(SlotRefused):
    """The start lies outside the opening hours, or in a closure."""

    reason = "SLOT_CLOSED"


class NoticeTooShort(SlotRefused):
    """The start is nearer than the minimum notice, or past."""

    reason = "NOTICE_TOO_SHORT"


class BeyondHorizon(SlotRefused):
    """The start is too far away to be booked yet."""

    reason = "BEYOND_HORIZON"


class CapReached(SlotRefused):
    """No more appointments of this type are taken on that day or in that week."""

    reason = "CAP_REACHED"


class HoldEnded(SlotcastError):
    """The hold was released or already booked: hold the slot anew."""

    reason = "HOLD_ENDED"


class HoldLifetimeReached(SlotcastError):
    """The hold lasts as long as one may: book it, or hold the slot anew once it has expired."""

    reason = "HOLD_LIFETIME_REACHED"


class TooManyHolds(SlotcastError):
    """This holder, or this API key, has as many holds as the business allows: release one.

    `metadata` names the limit: holds_per_holder_max or holds_per_key_max.
    """

    reason = "TOO_MANY_HOLDS"


class TooManyWaiting(SlotcastError):
    """This holder, or the business, has as many entries in the waitlist as it may: leave one.

    `metadata` names the limit.
    """

    reason = "TOO_MANY_WAITING"


class WaitingEnded(SlotcastError):
    """That entry of the waitlist waits no more: join anew."""

    reason = "WAITING_ENDED"


class SeriesRefused(SlotcastError):
    """Some occurrences of the series do not fit; nothing was booked.

    occurrences: each start, and the error that booking it alone would raise; None: it fits.
    """

    reason = "SERIES_REFUSED"

    def __init__(self, message: str = "", details: ErrorDetails | None = None) -> None:
        """Take the message, and what is told of each occurrence."""
        super().__init__(message, details)
        self.occurrences = details.occurrences if details else ()


class TargetRefused(SlotcastError):
    """The address cannot be fetched or called: it is private, refuses, or is too slow."""

    reason = "TARGET_REFUSED"


class LogTrimmed(SlotcastError):
    """The log does not reach back so far any more; `metadata` has its first revision."""

    reason = "LOG_TRIMMED"


class HandoffUsed(SlotcastError):
    """The ticket is good for once, and another holder has redeemed it."""

    reason = "HANDOFF_USED"


class HandoffEnded(SlotcastError):
    """The ticket's hold was booked, released, or has lapsed, as `metadata` says: choose a time."""

    reason = "HANDOFF_ENDED"


class ConsentMismatch(SlotcastError):
    """What would be booked is not what the person was shown: show them what it is, and ask again.

    `metadata` has the `field` that differs, what was `shown`, and what it is (`actual`).
    """

    reason = "CONSENT_MISMATCH"


class VersionMismatch(SlotcastError):
    """The booking has changed since that version: read it again, then decide."""

    reason = "VERSION_MISMATCH"


class InvalidTransition(SlotcastError):
    """The booking's status does not allow this change."""

    reason = "INVALID_TRANSITION"


class CancellationNoticePassed(SlotcastError):
    """The appointment is too near to be cancelled or moved; staff may override."""

    reason = "CANCELLATION_NOTICE_PASSED"


class KeyRefused(SlotcastError):
    """The API key does not open this door."""


class KeyMissing(KeyRefused):
    """The call carried no API key: say Client(..., api_key=...)."""

    reason = "KEY_MISSING"


class KeyInvalid(KeyRefused):
    """The API key is unknown or revoked."""

    reason = "KEY_INVALID"


class CapabilityEnded(KeyRefused):
    """The link's booking or offer has ended, and the link with it; `metadata` has its status."""

    reason = "CAPABILITY_ENDED"


class ScopeMissing(KeyRefused):
    """The API key lacks the scope that the call needs."""

    reason = "SCOPE_MISSING"


class RateLimited(SlotcastError):
    """The key or the client has made too many calls."""

    reason = "RATE_LIMITED"
    _always_retryable = True


class RevisionAhead(SlotcastError):
    """The server has not reached that revision yet."""

    reason = "REVISION_AHEAD"
    _always_retryable = True


class TryAgain(SlotcastError):
    """The outcome is unknown: retry with the same request_id."""

    reason = "TRY_AGAIN"
    _always_retryable = True


class Overloaded(SlotcastError):
    """Too many calls wait, or the server is about to stop. Nothing was changed."""

    reason = "OVERLOADED"
    _always_retryable = True


class ServerUnreachable(SlotcastError):
    """No server answered. The outcome is unknown: retry with the same request_id."""

    _always_retryable = True


class DeadlineExceeded(SlotcastError):
    """The answer did not come in time. The outcome is unknown: retry with the same request_id."""

    _always_retryable = True


class StreamBroken(SlotcastError):
    """The stream broke. The outcome is unknown: retry with the same request_id."""

    _always_retryable = True


class ViewMismatch(SlotcastError):
    """The watch differed from the server's view, and is fetched anew."""


class ViewStale(SlotcastError):
    """It is not known which slots are open: show none. It heals by itself."""

    _always_retryable = True


class BeyondWindow(SlotcastError):
    """So far ahead nothing is watched: list those slots, or watch further ahead."""


class ConversationForgotten(SlotcastError):
    """The conversation was closed, or idle for too long, or one too many: open it anew."""


class ClientClosed(SlotcastError):
    """The client, or this stream of it, was closed."""


class NotImplementedYet(SlotcastError):
    """This part of the API does not exist yet."""

    reason = "NOT_IMPLEMENTED"


class InternalFault(SlotcastError):
    """A fault of the server. The outcome is unknown; `metadata` has the incident's number."""

    reason = "INTERNAL"


ERRORS_BY_REASON: Mapping[str, type[SlotcastError]] = {
    error.reason: error
    for error in (
        InvalidRequest,
        SlotOffGrid,
        InvalidPageToken,
        InvalidResumeToken,
        RequestIdReused,
        BadFeed,
        TimeNotUnderstood,
        DateDoesNotExist,
        TimeHasPassed,
        ResourceNotFound,
        ResourceExists,
        ResourceInUse,
        SlotTaken,
        SlotClosed,
        NoticeTooShort,
        BeyondHorizon,
        CapReached,
        HoldEnded,
        HoldLifetimeReached,
        TooManyHolds,
        TooManyWaiting,
        WaitingEnded,
        SeriesRefused,
        TargetRefused,
        LogTrimmed,
        HandoffInvalid,
        HandoffUsed,
        HandoffEnded,
        ConsentMismatch,
        VersionMismatch,
        InvalidTransition,
        CancellationNoticePassed,
        KeyMissing,
        KeyInvalid,
        CapabilityEnded,
        ScopeMissing,
        RateLimited,
        RevisionAhead,
        TryAgain,
        Overloaded,
        NotImplementedYet,
        InternalFault,
    )
}
"""The class of each reason that a server can give."""
