"""Owning: what the owner of a rehearsal asks for, and what comes of it at a desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

from service.domain.availability import Hours, Offer
from service.domain.catalog import Catalog, Closure
from service.domain.change import ChangeKind
from service.domain.claim import Claim, ClaimKind
from service.domain.errors import ResourceExists, ResourceNotFound
from service.domain.interval import Interval
from slotcast.v1 import catalog_service_pb2 as catalog_pb
from tests.builders import a_claim
from tests.robustness.catalogue import CALENDARS, QUARTER
from tests.robustness.linearizability.ground import busy_times, instant, short
from tests.robustness.linearizability.story import NINE, busy, close, reopen
from tests.robustness.traffic.owner import CLOSURES, FEEDS, altered_type

RESPONSES: dict[str, Any] = {
    "UpdateAppointmentType": catalog_pb.UpdateAppointmentTypeResponse,
    "CreateClosure": catalog_pb.CreateClosureResponse,
    "DeleteClosure": catalog_pb.DeleteClosureResponse,
    "ImportBusyFeed": catalog_pb.ImportBusyFeedResponse,
}
STARTS = [NINE + number * QUARTER for number in range(20)]


class Owned(NamedTuple):
    """What the owner has changed."""

    kind: ChangeKind
    added: tuple[Claim, ...] = ()
    removed: tuple[Claim, ...] = ()


def alter(random: Random) -> Any:
    """Ask for another type."""
    return catalog_pb.UpdateAppointmentTypeRequest(appointment_type=altered_type(random))


def close_open_or_import(random: Random) -> Any:
    """Ask to close some calendars, to open them again, or to import busy time."""
    closure, some = random.choice(CLOSURES), random.choice(((), CALENDARS[:1], CALENDARS[1:]))
    feed, calendar = random.choice(FEEDS), random.choice(CALENDARS)
    starts = random.sample(STARTS, random.randint(0, 2))
    makers: tuple[Callable[[], Any], ...] = (
        lambda: close(closure, some, random.choice(STARTS)),
        lambda: reopen(closure),
        lambda: busy(*starts, feed=feed, calendar=calendar),
    )
    return random.choice(makers)()


def own(offer: Offer, request: Any, revision: int) -> tuple[Offer, Owned]:
    """Return an offer as the owner wants it; what stands is not moved."""
    if isinstance(request, catalog_pb.ImportBusyFeedRequest):
        return offer, _import(offer, request)
    change = _alter if isinstance(request, catalog_pb.UpdateAppointmentTypeRequest) else _closures
    catalog = replace(change(offer.catalog, request), version=revision)
    return Offer(catalog, Hours(catalog), offer.claims), Owned(ChangeKind.CATALOG_CHANGED)


def _alter(catalog: Catalog, request: Any) -> Catalog:
    altered = request.appointment_type
    types = dict(catalog.types)
    types[short(altered.name)] = replace(
        types[short(altered.name)],
        capacity=altered.capacity,
        buffer_after=altered.buffer_after.ToTimedelta(),
    )
    return replace(catalog, types=types)


def _closures(catalog: Catalog, request: Any) -> Catalog:
    closures = dict(catalog.closures)
    if isinstance(request, catalog_pb.DeleteClosureRequest):
        if closures.pop(short(request.name), None) is None:
            raise ResourceNotFound(request.name)
        return replace(catalog, closures=closures)
    if request.closure_id in closures:
        raise ResourceExists(request.closure_id)
    times = request.closure.times
    closures[request.closure_id] = Closure(
        closure_id=request.closure_id,
        display_name="",
        calendar_ids=frozenset(short(name) for name in request.closure.calendars),
        interval=Interval(instant(times.start_time), instant(times.end_time)),
    )
    return replace(catalog, closures=closures)


def _import(offer: Offer, request: Any) -> Owned:
    calendar_id = short(request.calendar)
    of_feed = (ClaimKind.BUSY, calendar_id, request.feed_id)
    removed = tuple(
        claim
        for claim in offer.claims
        if (claim.kind, claim.calendar_id, claim.owner_id) == of_feed
    )
    added = tuple(
        a_claim(start, end, calendar_id=calendar_id, owner_id=request.feed_id, kind=ClaimKind.BUSY)
        for start, end in busy_times(request.ics)
    )
    for claim in removed:
        offer.claims.remove(claim.claim_id)
    for claim in added:
        offer.claims.add(claim)
    return Owned(ChangeKind.BUSY_IMPORTED, added, removed)
