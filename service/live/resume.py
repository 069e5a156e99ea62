"""Resuming: which spans of a view a client that was away must forget and be told anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby

from service.domain.interval import Interval
from service.domain.slot import Slot
from service.live.cells import Cell, CellDay, Touch
from service.live.frames import ClearedSpan, ResetReason
from service.live.replica import Replica
from service.live.tokens import ResumeToken
from service.live.views import View

SPANS_MAX = 400
AWAY_MAX = timedelta(minutes=15)
"""Who was away for longer, or would need more spans, is told all slots of the watch anew.

Holds that expired are remembered for longer than this, here and in PostgreSQL.
"""


def reset_reason(token: ResumeToken, replica: Replica, filter_hash: str) -> ResetReason | None:
    """Return why a token cannot be honoured, as far as it shows without the log."""
    if token.epoch != replica.epoch:
        return ResetReason.EPOCH
    if token.filter_hash != filter_hash:
        return ResetReason.FILTER
    if token.revision < replica.offer.catalog.version:
        return ResetReason.CATALOG
    return None


def replacement(
    view: View, replica: Replica, touches: Iterable[Touch] | None, away_since: datetime
) -> tuple[list[ClearedSpan], list[Slot]]:
    """Return spans to be forgotten, and the slots now open in them. The view is settled.

    `touches` are those of the changes since the token, None where they are too many; the spans of
    what time alone has done since then are added.
    """
    now = view.as_of
    assert now is not None
    # A token may be from after now: the database's clock was set back since.
    if touches is not None and timedelta() <= now - away_since <= AWAY_MAX:
        away = [*touches, *replica.expired_between(away_since, now)]
        days = _days_touched(view, away, away_since, now)
        spans = [span for cell, each in days for span in _spans(replica, cell, each)]
        if len(spans) <= SPANS_MAX:
            opened = [
                slot
                for cell, each in days
                for day in each
                for slot in view.slots_of(CellDay(cell.type.type_id, cell.calendar_id, day))
            ]
            return spans, sorted(opened)
    window = view.query.window
    return [ClearedSpan("", "", window.start, window.end)], view.slots()


def _days_touched(
    view: View, touches: list[Touch], away_since: datetime, now: datetime
) -> list[tuple[Cell, list[date]]]:
    found: list[tuple[Cell, list[date]]] = []
    for cell in view.cells():
        occupied = cell.type.calendar_ids_for(cell.calendar_id)
        days = {
            day
            for touch in touches
            if touch.calendar_id in occupied
            for day in cell.days_touched(touch)
        }
        # What notice has closed since, and what has come within the horizon.
        for ahead in (cell.type.minimum_notice, cell.type.horizon):
            passed = Interval(away_since + ahead, now + ahead + timedelta.resolution)
            days.update(cell.days_of(passed))
        days.intersection_update(cell.days_of(view.query.window))
        if days:
            found.append((cell, sorted(days)))
    return found


def _spans(replica: Replica, cell: Cell, days: list[date]) -> Iterable[ClearedSpan]:
    """Yield one span for each run of days that follow one another."""
    hours = replica.offer.hours
    runs = groupby(enumerate(days), key=lambda each: each[1].toordinal() - each[0])
    for _, run in runs:
        together = [day for _, day in run]
        yield ClearedSpan(
            cell.type.type_id,
            cell.calendar_id,
            hours.day_span(cell.calendar_id, together[0]).start,
            hours.day_span(cell.calendar_id, together[-1]).end,
        )
