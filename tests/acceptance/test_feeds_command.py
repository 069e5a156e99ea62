"""`slotcast feeds`, beside a running server whose notifier fetches what is due."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import grpc
import icalendar
import pytest

from slotcast import Customer as Person
from slotcast import SlotChoice, SlotTaken
from slotcast.v1.feed_service_pb2 import GetSharedFeedRequest
from slotcast.v1.feed_service_pb2_grpc import FeedServiceStub
from tests.acceptance.serving import serving_salon
from tests.feeds.feed_server import ics_of, serving_feed

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
HOUR = timedelta(hours=1)


@pytest.fixture
async def client(settings, monkeypatch):
    """A client of a server that may fetch from this machine."""
    monkeypatch.setenv("SLOTCAST_OUTBOUND_PRIVATE", "true")
    monkeypatch.setenv("SLOTCAST_PUBLIC_URL", "https://book.example.com")
    async with serving_salon(settings) as client:
        yield client


def book(client, hours):
    slot = SlotChoice(appointment_type="cut", calendar="chair-1", start=START + hours * HOUR)
    return client.book(slot, customer=Person(display_name="Eve Example"))


async def is_due(client):
    (feed,) = await client.list_busy_feeds("chair-1")
    return feed.next_attempt < datetime.now(UTC)


async def test_a_feed_is_imported_fetched_again_by_the_notifier_listed_and_ended(
    client, type_in, settings
):
    async with serving_feed() as server:
        server.body = ics_of((START, START + HOUR))

        shown = await type_in(
            "feeds", "import", "chair-1", "google", server.url, "--close-after", "60"
        )
        assert "1 busy interval is on chair-1" in shown
        with pytest.raises(SlotTaken):
            await book(client, 0)

        server.body = ics_of((START + HOUR, START + 2 * HOUR))
        server.asked.clear()
        database = await asyncpg.connect(settings.database_url)
        await database.execute("UPDATE busy_feeds SET next_at = now()")
        await database.close()
        async with asyncio.timeout(60):
            await server.asked.wait()
            while await is_due(client):  # noqa: ASYNC110
                await asyncio.sleep(0)
        await book(client, 0)
        with pytest.raises(SlotTaken):
            await book(client, 1)

        (feed,) = json.loads(await type_in("feeds", "list", "chair-1", "--json"))
        assert (feed["state"], feed["url"], feed["busy_intervals"]) == ("OK", server.url, 1)
        assert datetime.fromisoformat(feed["next_attempt"]).tzinfo is not None
        assert feed["refresh_interval"] == "PT900S"
        assert feed == json.loads(await type_in("feeds", "--json"))[0]
        assert server.url in await type_in("feeds", "list", "chair-1")
        assert "google has ended" in await type_in("feeds", "delete", "chair-1", "google")
        assert "There are no feeds." in await type_in("feeds", "list", "chair-1")
    await book(client, 1)


async def test_a_secret_address_is_made_listed_read_and_revoked(client, type_in):
    await book(client, 0)

    url = (
        await type_in("feeds", "link", "create", "chair-1", "--name", "Phone", "--with-names")
    ).strip()

    assert url.startswith("https://book.example.com/v1/feeds/salon_")
    stub = FeedServiceStub(client._connection.channel)
    token = GetSharedFeedRequest(token=url.rpartition("/")[2])
    (event,) = icalendar.Calendar.from_ical((await stub.GetSharedFeed(token)).data).walk("VEVENT")
    assert "Eve Example" in str(event["SUMMARY"])
    (link,) = json.loads(await type_in("feeds", "link", "list", "chair-1", "--json"))
    assert (link["display_name"], link["url"]) == ("Phone", "")
    link_id = link["name"].rpartition("/")[2]
    assert link_id in await type_in("feeds", "link", "revoke", "chair-1", link_id)
    assert "There are no addresses." in await type_in("feeds", "link", "list", "chair-1")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetSharedFeed(token)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
