"""Busy time in pieces: what an import adds to that of its feed, and what it takes away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from service.domain.claim import Claim
from service.domain.interval import Interval

PIECE_MAX = timedelta(days=1)
PAST = timedelta(days=1)
AHEAD = timedelta(days=731)


def import_window(now: datetime) -> Interval:
    """Return what is read of a feed. It moves once a day, so that what is read stays the same."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Interval(today - PAST, today + AHEAD)


def pieces(busy: Interval) -> Iterator[Interval]:
    """Cut an interval where it is longer than a day, for a claim's length is bounded.

    The cuts are at midnight in UTC. So they stay where they are when the interval gets longer at
    one of its ends, or its beginning is out of the window.
    """
    start = busy.start
    while busy.end - start > PIECE_MAX:
        cut = (start + PIECE_MAX).replace(hour=0, minute=0, second=0, microsecond=0)
        yield Interval(start, cut)
        start = cut
    yield Interval(start, busy.end)


def difference(
    there: Iterable[Claim], busy: Iterable[Interval], since: datetime
) -> tuple[list[Interval], list[Claim]]:
    """Return the pieces that are missing, and the claims that are too many, as of an instant.

    What was before it is as it was: claims that ended are left, and where one begins is not asked.
    """
    missing = {
        (max(piece.start, since), piece.end): piece
        for interval in busy
        for piece in pieces(interval)
        if piece.end > since
    }
    gone = [
        claim
        for claim in there
        if claim.end > since and missing.pop((max(claim.start, since), claim.end), None) is None
    ]
    return list(missing.values()), gone
