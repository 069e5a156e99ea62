"""`slotcast letters` and `slotcast jobs`, beside a running server with a mail server."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta

import pytest

from slotcast import (
    Client,
    Customer,
    DeliveryChannel,
    DeliveryQuery,
    DeliveryState,
    SlotChoice,
)
from tests.acceptance.serving import serving
from tests.notify.post_office import open_post_office
from tests.salon import make_salon

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
    async with (
        serving(settings) as (target, key, _),
        Client(target, api_key=key, business="salon") as client,
    ):
        await make_salon(client)
        yield client


@pytest.fixture
def type_in(settings):
    async def run(*words):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service", *words, "--business", "salon"),
            env={**os.environ, "SLOTCAST_DATA": str(settings.data_folder), "COLUMNS": "250"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return output.decode()

    return run


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
    office.refused.clear()
    assert "1 to be sent again." in await type_in("jobs", "retry", "--all")

    async with asyncio.timeout(60):
        while REFUSED not in office.ids_by_recipient:
            office.arrived.clear()
            await office.arrived.wait()
    await deliveries(client, DeliveryState.SENT)
