"""`slotcast letters` and `slotcast jobs`, beside a running server with a mail server."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from slotcast import (
    Customer,
    DeliveryChannel,
    DeliveryQuery,
    DeliveryState,
    SlotChoice,
)
from tests.acceptance.serving import serving_salon
from tests.notify.post_office import open_post_office

REFUSED = "nobody@example.org"


@pytest.fixture
async def office():
    async with open_post_office() as office:
        office.refused.add(REFUSED)
        yield office


@pytest.fixture
async def client(settings, office, monkeypatch):
    """A client of a server with a notifier that hands its letters to the mail server."""
    monkeypatch.setenv("SLOTCAST_SMTP_URL", office.url)
    monkeypatch.setenv("SLOTCAST_MAIL_SENDER", "salon@example.org")
    async with serving_salon(settings) as client:
        yield client


async def book(client, email, hours):
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    return await client.book(
        SlotChoice(appointment_type="cut", start=start + timedelta(hours=hours)),
        customer=Customer(display_name="Eve", email=email),
    )


async def deliveries(client, *states):
    """Wait until there is one that stands so."""
    query = DeliveryQuery(channel=DeliveryChannel.LETTER, states=states)
    async with asyncio.timeout(60):
        while not (found := (await client.list_deliveries(query)).items):  # noqa: ASYNC110
            await asyncio.sleep(0)
    return found


async def test_letters_shows_what_was_sent_and_jobs_sends_again_what_was_given_up(
    client, office, type_in
):
    sent = await book(client, "eve@example.org", 0)
    await deliveries(client, DeliveryState.SENT)
    refused = await book(client, REFUSED, 1)
    await deliveries(client, DeliveryState.DEAD)

    shown = await type_in("letters")
    (message_id,) = office.ids_by_recipient["eve@example.org"]
    (line,) = [line for line in shown.splitlines() if sent.name.rpartition("/")[2] in line]
    assert all(word in line for word in ("confirmation", "customer", "sent", message_id))
    only = json.loads(await type_in("letters", "--booking", refused.name, "--json"))
    assert [each["state"] for each in only] == ["DEAD"]

    told = await type_in("jobs")
    assert "550" in told
    assert "1 given up" in told
    (dead,) = json.loads(await type_in("jobs", "--json"))
    assert dead["name"].rpartition("/")[2] in told
    office.refused.clear()
    assert "1 to be sent again." in await type_in("jobs", "retry", "--all")

    async with asyncio.timeout(60):
        while REFUSED not in office.ids_by_recipient:
            office.arrived.clear()
            await office.arrived.wait()
    await deliveries(client, DeliveryState.SENT)


MANY = 1200


@pytest.fixture
async def crowded(client, settings):
    """A salon in whose list of jobs an old dead one stands behind many that wait for later."""
    database = await asyncpg.connect(settings.database_url)
    await database.execute(CROWD, MANY)
    await database.close()
    return client


CROWD = """
    INSERT INTO deliveries (business_id, delivery_id, channel, lane, revision, ordinal, kind,
        target, body, state, attempts, due_at, created_at, ended_at, detail)
    SELECT 'salon', gen_random_uuid(), 'letter', 'lane:' || n, 1, 1,
        CASE WHEN n = 1 THEN 'follow_up' ELSE 'reminder' END, 'customer', '{}',
        CASE WHEN n = 0 THEN 'dead' ELSE 'waiting' END, CASE WHEN n = 0 THEN 3 ELSE 0 END,
        now() + interval '30 days', now() + n * interval '1 second',
        CASE WHEN n = 0 THEN now() END, CASE WHEN n = 0 THEN '550 no such mailbox' ELSE '' END
    FROM generate_series(0, $1) AS n
"""


async def test_jobs_shows_each_that_was_given_up_however_many_wait_for_later(crowded, try_in):
    code, told, errors = await try_in("jobs")

    assert (code, errors) == (0, "")
    assert "550 no such mailbox" in told
    assert "1 given up" in told
    assert f"And {MANY - 1:,} reminders and 1 other for later." in told
    assert len(told.splitlines()) == 4


async def test_jobs_that_are_not_given_up_are_not_sent_again_and_it_is_said_why(crowded, try_in):
    query = DeliveryQuery(states=(DeliveryState.WAITING,))
    waiting = (await crowded.list_deliveries(query, page_size=1)).items[0]

    code, _, errors = await try_in("jobs", "retry", waiting.name.rpartition("/")[2])

    assert code == 2
    assert "is waiting: only what was given up is sent again." in " ".join(
        errors.replace("│", "").split()
    )


UNPLANNED = """
    INSERT INTO deliveries (business_id, delivery_id, channel, lane, revision, ordinal, kind,
        target, body, state, attempts, due_at, created_at, ended_at, detail)
    SELECT 'salon', id, 'letter', 'unplanned:letters', revision, 0, kind, '', body::jsonb, 'dead',
        1, now(), now(), now(), detail
    FROM (VALUES
        (gen_random_uuid(), 3, 'unplanned', '{"change": {"r": 3, "t": 0, "k": "booked"}}',
            'revision 3 could not be planned: ValueError'),
        (gen_random_uuid(), 1, 'lost_changes', '{"first": 1, "last": 2}',
            'revisions 1 to 2 could not be planned: the log was trimmed before')
    ) AS row (id, revision, kind, body, detail)
    RETURNING delivery_id
"""


async def test_jobs_shows_what_could_not_be_planned_and_retry_says_what_came_of_it(
    client, settings, try_in
):
    database = await asyncpg.connect(settings.database_url)
    _, lost = await database.fetch(UNPLANNED)
    await database.close()

    _, told, _ = await try_in("jobs")
    assert "letter: unplanned" in told
    assert "revision 3 could not be planned: ValueError" in told
    code, told, errors = await try_in("jobs", "retry", str(lost["delivery_id"]))
    assert (code, told) == (2, "")
    assert "The revisions 1 to 2 could not be planned" in " ".join(errors.replace("│", "").split())

    code, told, errors = await try_in("jobs", "retry", "--all")

    assert (code, errors) == (0, "")
    assert told.splitlines() == [
        "1 planned again: what is owed is sent now.",
        "1 cannot be planned any more: the log was trimmed. See `slotcast jobs`.",
    ]
