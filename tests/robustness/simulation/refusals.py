"""What was refused, and whether anything in the world was a reason to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import inf
from typing import NamedTuple

from service.domain.catalog import Catalog
from service.domain.slot import SlotQuery
from service.live.tokens import ResumeToken
from tests.robustness.simulation.shop import second
from tests.robustness.simulation.truth import Life
from tests.robustness.simulation.world import RECOVERY_SECONDS, Record

REFUSALS = {"OVERLOADED", "REVISION_AHEAD", "RESOURCE_NOT_FOUND"}
HINDRANCES = {"cut", "fail", "slow", "pause"}
"""Faults for which PostgreSQL cannot be read in time. That the bus is dead is none of them."""
WAIT_SECONDS_MIN = 0.99
"""So long a revision that is ahead is waited for, on a machine whose clock is a little fast."""
WAY_SECONDS_MAX = 0.1
"""While all is calm, PostgreSQL was read no longer before what was said of it."""


class Refused(NamedTuple):
    """A watch or a list that ended with an error; `since` when its cause may have come about."""

    process: str
    since: float
    ended_at: float
    query: SlotQuery
    min_revision: int
    reason: str
    token: ResumeToken | None = None
    # What had frames already, and what is a watch: its number.
    has_begun: bool = False
    stream: int = -1


def refused(record: Record) -> Iterator[Refused]:
    """Yield all refusals."""
    for listing in record.refused_listings:
        yield Refused(*listing)
    for stream in record.streams:
        if stream.ending not in REFUSALS or stream.ended_at is None:
            continue
        last = stream.arrivals[-1] if stream.arrivals else None
        yield Refused(
            process=stream.process,
            # It was well when its last frame was made; how long its reader then slept, no matter.
            since=stream.opened_at if last is None else last.made_at,
            ended_at=stream.ended_at,
            query=stream.query,
            min_revision=stream.min_revision,
            reason=stream.ending,
            token=None if stream.given is None else stream.given.token,
            has_begun=last is not None,
            stream=stream.number,
        )


def objection(record: Record, call: Refused) -> str | None:
    """Return what is wrong with a refusal; None: it had a cause."""
    match call.reason:
        case "OVERLOADED":
            return None if _may_be_overloaded(record, call) else "nothing was in its way"
        case "REVISION_AHEAD":
            return _not_ahead(record, call)
        case "RESOURCE_NOT_FOUND":
            return None if _was_missing(record, call) else "it was there all the time"
    return "no such refusal is known"


def _may_be_overloaded(record: Record, call: Refused) -> bool:
    """Say whether the database could not be read, its clock was set back, or the server stopped."""
    is_set_back = any(
        step.by < second(0)
        and step.at <= call.ended_at
        and call.since <= record.over_at(call.process, step.at)
        for step in record.truth.steps
    )
    if call.has_begun:
        return is_set_back
    kinds = HINDRANCES if call.stream < 0 else {*HINDRANCES, "drain"}
    return is_set_back or _is_hindered(record, call, call.since, kinds)


def _is_hindered(record: Record, call: Refused, since: float, kinds: set[str]) -> bool:
    return any(
        fault.kind in kinds
        and fault.process in ("", call.process)
        and fault.began <= call.ended_at
        and since <= fault.ended + RECOVERY_SECONDS
        for fault in record.faults
    )


def _not_ahead(record: Record, call: Refused) -> str | None:
    if call.has_begun:
        return "it had begun"
    if call.ended_at - call.since < WAIT_SECONDS_MIN:
        return f"after {call.ended_at - call.since:.2f} s"
    asked = _asked(record, call)
    is_calm = record.is_calm(call.process, call.since, call.ended_at)
    read_at = max(call.since, call.ended_at - WAY_SECONDS_MAX) if is_calm else call.since
    if any(
        life.revision_at(read_at) < asked
        for life in record.truth.lives.values()
        if _lived(life, read_at, call.ended_at)
    ):
        return None
    return f"revision {asked} was there"


def _asked(record: Record, call: Refused) -> int:
    """Return the revision that was asked for; the token of another life asks for none."""
    token = call.token
    if token is None or not _lived(record.truth.lives[token.epoch], call.since, call.ended_at):
        return call.min_revision
    return max(call.min_revision, token.revision)


def _lived(life: Life, since: float, until: float) -> bool:
    return life.states[0].committed_at <= until and (life.ended is None or life.ended[0] >= since)


def _was_missing(record: Record, call: Refused) -> bool:
    """Say whether the business, or what was asked for of it, did not exist at some instant.

    Who watches is told when that is found out; who asks, what was found for the question.
    """
    for began, ended in _times_without(record, call.query):
        known_at = record.over_at(call.process, ended) if call.has_begun else ended
        if began <= call.ended_at and call.since <= known_at:
            return True
    return False


def _times_without(record: Record, query: SlotQuery) -> Iterator[tuple[float, float]]:
    lives = list(record.truth.lives.values())
    for life, after in pairwise([*lives, None]):
        assert life is not None
        ended_at = inf if life.ended is None else life.ended[0]
        yield ended_at, inf if after is None else after.states[0].committed_at
        for state, next_one in pairwise([*life.states, None]):
            assert state is not None
            if not _has(state.catalog, query):
                yield state.committed_at, ended_at if next_one is None else next_one.committed_at


def _has(catalog: Catalog, query: SlotQuery) -> bool:
    return catalog.types.keys() >= {*query.type_ids} and (
        catalog.calendars.keys() >= {*query.calendar_ids}
    )
