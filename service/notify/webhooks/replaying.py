"""Telling a webhook again what happened, as far back as the change log is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.domain.change import Change
from service.domain.delivery import NewDelivery
from service.domain.errors import LogTrimmed
from service.domain.webhook import Webhook
from service.notify.webhooks.planning import planned
from service.store import changes, deliveries
from service.store.database import Transaction

PAGE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayLimits:
    """One replay goes no further; who wants the rest goes on from where it stopped."""

    events_max: int = 10_000
    changes_max: int = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """How many events are sent again, and the last revision that was looked at."""

    events: int
    revision: int


async def replay(
    tx: Transaction,
    business_id: str,
    webhook: Webhook,
    after_revision: int,
    limits: ReplayLimits,
) -> Replayed:
    """Have all events after a revision sent again, also those from before the webhook was made.

    They keep their ids. One that waits is not sent twice.
    """
    listening = [replace(webhook, after_revision=0)]
    events, revision = 0, after_revision
    last = after_revision + limits.changes_max
    while page := await _page(tx, business_id, revision, min(PAGE, last - revision)):
        made = await planned(tx, business_id, listening, page)
        revision, fits = _up_to(made, limits.events_max - events, page[-1].revision)
        await deliveries.add(tx, business_id, fits, again=True)
        events += len(fits)
        if len(fits) < len(made):
            break
    return Replayed(events=events, revision=revision)


def _up_to(
    made: Sequence[NewDelivery], room: int, revision: int
) -> tuple[int, Sequence[NewDelivery]]:
    """Return how much there is room for, and up to which revision that is: none is told in part."""
    if len(made) > room:
        revision = made[room].revision - 1
    return revision, [each for each in made if each.revision <= revision]


async def _page(
    tx: Transaction, business_id: str, after_revision: int, limit: int
) -> Sequence[Change]:
    """Return the next changes, or raise LogTrimmed where they are gone."""
    found = await changes.read_after(tx, business_id, after_revision, limit) if limit else []
    whole_after = found[0].revision - 1 if found else await changes.floor(tx, business_id)
    if whole_after > after_revision and limit:
        raise LogTrimmed(first_revision=str(whole_after + 1))
    return found
