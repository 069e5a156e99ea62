"""Two requests at once in a copy of a world, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import asyncpg

from service.actions.bookings import Result, run_batch
from service.actions.catalog import run_catalog_change
from service.actions.catalog_cache import CatalogCache
from service.actions.janitor import Janitor, JanitorLimits, Retention
from service.domain.commands import BookingCommand
from service.domain.errors import DomainError
from service.store.business_lock import serialized
from service.store.database import is_retryable
from service.store.tables import metadata
from tests.robustness.isolation.orders import Orders
from tests.robustness.isolation.turns import Side, play
from tests.robustness.isolation.worlds import OLD, WORLD, Asked, Trim

COPY = "copy"
"""The business that is fought in: before each fight it is as the world is."""
_COPIED = [
    table
    for table in metadata.sorted_tables
    if "business_id" in table.c and table.name not in {"api_keys", "removed_businesses"}
]
_COPY_WORLD = ";".join(
    [
        *(f"DELETE FROM {table.name} WHERE business_id = '{COPY}'" for table in _COPIED[::-1]),
        *(
            f"INSERT INTO {table.name} (business_id, {columns})"
            f" SELECT '{COPY}', {columns} FROM {table.name} WHERE business_id = '{WORLD}'"
            for table in _COPIED
            for columns in [", ".join(c.name for c in table.c if c.name != "business_id")]
        ),
    ]
)
# Not in the world itself: there the janitor would find them but once.
_LET_EXPIRE = """
    WITH older_log AS (
        UPDATE changes SET at = at - interval '30 hours' WHERE business_id = $1
    ), older_offers AS (
        UPDATE waitlist SET offer_expires_at = offer_expires_at - interval '30 hours'
        WHERE business_id = $1 AND hold_id::text = ANY($2::text[])
    ), older_claims AS (
        UPDATE claims SET expires_at = expires_at - interval '30 hours'
        WHERE business_id = $1 AND owner_id = ANY($2::text[])
    )
    UPDATE holds SET expires_at = expires_at - interval '30 hours'
    WHERE business_id = $1 AND hold_id::text = ANY($2::text[])
"""
# It asks the rows themselves, in another way than the constraint does.
_OVERLAPS = """
    SELECT count(*) FROM claims AS one JOIN claims AS other
      ON one.business_id = other.business_id AND one.calendar_id = other.calendar_id
      AND one.claim_id < other.claim_id
      AND one.starts_at < other.ends_at AND other.starts_at < one.ends_at
      AND (one.seat IS NULL OR other.seat IS NULL OR one.seat = other.seat)
    WHERE one.business_id = $1 AND one.kind <> 'busy' AND other.kind <> 'busy'
      AND coalesce(one.expires_at, 'infinity') > now()
      AND coalesce(other.expires_at, 'infinity') > now()
"""
# What is random or a time of day is left out: a claim's id, an epoch, when something was done. What
# is offered to one who waits is told by the entry: the hold's id is random.
_STATE = """
    SELECT jsonb_build_object(
        'business', (SELECT jsonb_build_array(revision, catalog_version)
            FROM businesses WHERE business_id = $1),
        'claims', (SELECT jsonb_agg(row ORDER BY row) FROM (SELECT jsonb_build_array(
            claims.calendar_id, claims.starts_at, claims.ends_at, kind,
            coalesce(entry_id::text, owner_id), seat, claims.type_id) AS row
            FROM claims LEFT JOIN holds
                ON holds.business_id = claims.business_id AND hold_id::text = owner_id
            WHERE claims.business_id = $1) AS rows),
        'bookings', (SELECT jsonb_agg(row ORDER BY row) FROM (SELECT jsonb_build_array(
            booking_id, starts_at, calendar_ids, status, version) AS row
            FROM bookings WHERE business_id = $1) AS rows),
        'holds', (SELECT jsonb_agg(row ORDER BY row) FROM (SELECT jsonb_build_array(
            coalesce(entry_id, hold_id), starts_at, calendar_ids, status, expires_at > now(),
            principal_id, holder, handoffs) AS row
            FROM holds WHERE business_id = $1) AS rows),
        'handoffs', (SELECT jsonb_agg(row ORDER BY row) FROM (SELECT jsonb_build_array(
            handoff_id, holder_key, redeemed_by, erased_at IS NULL) AS row
            FROM handoffs WHERE business_id = $1) AS rows),
        'waitlist', (SELECT jsonb_agg(row ORDER BY row) FROM (SELECT jsonb_build_array(
            entry_id, status, revision, hold_id IS NULL, offer_expires_at > now()) AS row
            FROM waitlist WHERE business_id = $1) AS rows),
        'closures', (SELECT jsonb_agg(closure_id) FROM closures WHERE business_id = $1),
        'types', (SELECT jsonb_agg(type_id) FROM appointment_types WHERE business_id = $1))
"""
_RETENTION = Retention(requests=OLD, changes=OLD)
_LOG = "SELECT revision FROM changes WHERE business_id = $1 ORDER BY revision"
_HEAD = "SELECT revision FROM businesses WHERE business_id = $1"
_ANSWERS = "SELECT request_id, response FROM requests WHERE business_id = $1"


class Outcome(NamedTuple):
    """What two requests were answered, and what the database says afterwards."""

    answers: tuple[str, str]
    state: str


@dataclass(kw_only=True)
class Fought:
    """What came of all orders together.

    In how many of them one began when the other had ended, how often one waited for the other, and
    how often one was tried again.
    """

    outcomes: set[Outcome] = field(default_factory=set)
    orders: int = 0
    serial_orders: int = 0
    waits: int = 0
    retries: int = 0


class Ring:
    """Where two sessions fight for what they are asked."""

    def __init__(self, sides: Sequence[Side], referee: asyncpg.Connection, asked: Asked) -> None:
        """Take the two, a connection that looks on, and what is asked of them."""
        self._sides = sides
        self._catalogs = [CatalogCache() for _ in sides]
        self._referee = referee
        self._works = asked.works
        self._expired_hold_ids = asked.expired_hold_ids

    async def one_after_the_other(self) -> set[Outcome]:
        """Return what comes of the two serial orders."""
        return {await self._serially(order) for order in ((0, 1), (1, 0))}

    async def _serially(self, order: Sequence[int]) -> Outcome:
        await self._copy_world()
        results = {number: await self._do(number) for number in order}
        return await self._outcome([results[0], results[1]])

    async def fight(self) -> Fought:
        """Try all orders of their steps."""
        fought, orders = Fought(), Orders()
        while orders.next():
            await self._copy_world()
            for side in self._sides:
                side.start(self._do(side.number))
            fought.waits += await play(self._sides, orders.choose, self._referee)
            results = [side.result() for side in self._sides]
            fought.retries += await self._try_again(results)
            fought.outcomes.add(await self._outcome(results))
            fought.orders += 1
            fought.serial_orders += orders.is_serial
        return fought

    async def _copy_world(self) -> None:
        await self._referee.execute(_COPY_WORLD)
        await self._referee.execute(_LET_EXPIRE, COPY, self._expired_hold_ids)

    async def _do(self, number: int) -> Any:
        work, database = self._works[number], self._sides[number].database
        if isinstance(work, Trim):
            await Janitor(database, _RETENTION, JanitorLimits())._once(work.trim)
            return b"{}"
        submission = replace(work, business_id=COPY)
        async with serialized(database, COPY) as tx:
            if isinstance(submission.command, BookingCommand):
                done = await run_batch(tx, self._catalogs[number], COPY, [submission])
            else:
                done = await run_catalog_change(tx, COPY, submission)
        return done.results[0]

    async def _try_again(self, results: list[Any]) -> int:
        """Do again what failed; of two at least one never does."""
        failed = [number for number, result in enumerate(results) if _has_failed(result)]
        assert len(failed) < len(results), results
        for number in failed:
            assert is_retryable(results[number]), results[number]
            results[number] = await self._do(number)
        return len(failed)

    async def _outcome(self, results: Sequence[Result]) -> Outcome:
        assert await self._referee.fetchval(_OVERLAPS, COPY) == 0
        await self._check_log(results)
        for number, work in enumerate(self._works):
            # What was being written in the first round, the janitor takes in the next.
            if isinstance(work, Trim):
                await self._do(number)
        one, other = (_readable(result) for result in results)
        return Outcome((one, other), await self._referee.fetchval(_STATE, COPY))

    async def _check_log(self, results: Sequence[Result]) -> None:
        """The log has no gap, and each request that was answered OK, and no other, is in it."""
        log = [revision for (revision,) in await self._referee.fetch(_LOG, COPY)]
        head = await self._referee.fetchval(_HEAD, COPY)
        # The janitor may have taken the oldest part.
        assert log == list(range(head - len(log) + 1, head + 1))
        answers = await self._referee.fetch(_ANSWERS, COPY)
        stored = {row["request_id"]: row["response"] for row in answers}
        for work, result in zip(self._works, results, strict=True):
            if isinstance(work, Trim):
                continue
            if isinstance(result, DomainError):
                assert work.request_id not in stored
            else:
                assert stored[work.request_id] == result
                assert json.loads(result)["revision"] in log


def _has_failed(result: Any) -> bool:
    return isinstance(result, BaseException) and not isinstance(result, DomainError)


def _readable(result: Result) -> str:
    """Return what an answer says, without what is never the same twice."""
    if isinstance(result, DomainError):
        return f"{type(result).__name__} at {result.revision}"
    answer = json.loads(result)
    random = {"nonce", "expires_at", *(("hold",) if answer.get("entry") else ())}
    return json.dumps({key: answer[key] for key in answer if key not in random})
