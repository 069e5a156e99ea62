"""What the notifier asks again and again uses an index, however much has been sent."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from service.domain.delivery import CONSUMERS, Channel, DeliveryState
from service.store import consumers, deliveries, trimming
from service.store.scope import ALL_BUSINESSES
from tests.notify.engine import a_delivery
from tests.schema.test_query_plans import (
    plan_for_any_values,
    plan_with_values,
    statements_of,
    tables_read_whole,
)
from tests.store.rows import make_business

AGE = timedelta(days=9999)
FILL = """
INSERT INTO deliveries (business_id, delivery_id, channel, lane, revision, ordinal, kind,
    booking_id, target, body, state, attempts, due_at, created_at, ended_at, detail)
SELECT CASE WHEN i % 10 < 9 THEN 'demo' ELSE 'business-' || i % 1000 / 10 END, gen_random_uuid(),
    'letter', 'letter:' || i / 3, i, 0, 'confirmation', gen_random_uuid(), 'customer', '{}',
    CASE WHEN i % 50 = 0 THEN 'waiting' ELSE 'sent' END, 1, now() + i * interval '1 second', now(),
    CASE WHEN i % 50 <> 0 THEN now() END, ''
FROM generate_series(1, 20000) AS i
"""


async def send(tx):
    await deliveries.add(tx, "demo", [a_delivery()])
    taken = await deliveries.take(
        tx, "demo", "letter:one:customer", job_id=1, lease=AGE, patience=AGE
    )
    assert taken is not None
    await deliveries.put_off(tx, taken, "later", timedelta())
    await deliveries.end(tx, taken, DeliveryState.DEAD, "never")
    await deliveries.retry(tx, "demo", taken.delivery_id)
    await deliveries.get(tx, "demo", UUID(int=1))
    await deliveries.lock(tx, "demo", UUID(int=1))
    await deliveries.skip(tx, "demo", "reminder", [deliveries.Overtaken(UUID(int=1), 1, "moved")])
    await deliveries.counts(tx, "demo", Channel.WEBHOOK, ["one", "two"])
    await deliveries.drop_target(tx, "demo", Channel.WEBHOOK, "one")


async def look(tx):
    for wanted in (
        deliveries.Wanted(),
        deliveries.Wanted(booking_id=UUID(int=1)),
        deliveries.Wanted(states=frozenset({DeliveryState.DEAD})),
    ):
        await deliveries.list_page(tx, "demo", wanted, before=None, limit=100)


async def follow(tx):
    await consumers.take(tx, "demo", "letters")
    await consumers.move(tx, "demo", "letters", 1)
    await consumers.add_lacking(tx, "demo")


async def sweep(tx):
    await consumers.behind(tx, CONSUMERS, after=consumers.Behind("", ""), limit=200)
    await consumers.lacking(tx, limit=200)
    await deliveries.overdue(tx, Channel.LETTER, for_longer_than=AGE, limit=200)
    await trimming.trim_deliveries(tx, older_than=AGE, rows_max=5000)


STORIES = [("demo", send), ("demo", look), ("demo", follow), (ALL_BUSINESSES, sweep)]


@pytest.mark.parametrize("planned", [plan_with_values, plan_for_any_values])
async def test_nothing_that_is_asked_often_reads_the_deliveries_whole(database, owner, planned):
    await make_business(database)
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql(FILL)
        await tx.exec_driver_sql("ANALYZE deliveries")
    guilty = {}
    for scope, story in STORIES:
        for statement, values in await statements_of(database, story, scope):
            async with database.transaction(scope) as tx:
                if found := tables_read_whole(await planned(tx, statement, values)):
                    guilty[statement] = found

    assert guilty == {}
