"""Webhooks of a running server: added by the command line, called by its notifier."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from slotcast import Customer, SlotChoice
from tests.acceptance.serving import serving_salon
from tests.webhooks.receiver import receiving


@pytest.fixture
async def client(settings, monkeypatch):
    """A client of a server that may call this machine."""
    monkeypatch.setenv("SLOTCAST_OUTBOUND_PRIVATE", "true")
    async with serving_salon(settings) as client:
        yield client


async def test_a_booking_is_told_to_who_was_added_by_the_command_line(client, type_in):
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    async with receiving() as receiver:
        made = await type_in("webhooks", "create", receiver.url(), "--event", "booking.booked")
        name, secret = re.search(r"(\S+/webhooks/\S+)\n.*(whsec_\S+)", made).groups()

        slot = SlotChoice(appointment_type="cut", start=start)
        booking = await client.book(slot, customer=Customer(display_name="Eve"))
        await receiver.until(lambda: bool(receiver.calls))
        assert receiver.calls[0].verify(secret)["booking"]["name"] == booking.name

        (shown,) = json.loads(await type_in("webhooks", "--json"))
        assert (shown["name"], shown["url"]) == (name, receiver.url())
        assert secret not in await type_in("webhooks")

        replayed = await type_in("webhooks", "replay", name, "--after", "0")
        assert "Events sent again: 1, up to revision" in replayed
        await receiver.until(lambda: len(receiver.calls) == 2)
        assert receiver.calls[0].id == receiver.calls[1].id

        calls = json.loads(await type_in("webhooks", "deliveries", name, "--json"))
        assert [(call["kind"], call["booking"]) for call in calls] == [
            ("booking.booked", booking.name)
        ]
        shown = await type_in("webhooks", "deliveries", name)
        assert all(word in shown for word in ("booking.booked", str(calls[0]["revision"])))
        other = await type_in("webhooks", "create", receiver.url("/never"))
        other = re.search(r"\S+/webhooks/\S+", other).group()
        assert "no calls" in await type_in("webhooks", "deliveries", other)
        await type_in("webhooks", "delete", other)

        await change_it(type_in, receiver, name, secret)
        await client.cancel_booking(booking)
        await receiver.until(lambda: len(receiver.calls) == 3)
        assert (receiver.calls[2].type, receiver.calls[2].path) == ("booking.cancelled", "/other")

    await type_in("webhooks", "delete", name)
    assert "no webhooks" in await type_in("webhooks")


async def change_it(type_in, receiver, name, secret):
    """Have it told of another event at another address, with another secret."""
    other = receiver.url("/other")
    await type_in("webhooks", "update", name, "--event", "booking.cancelled", "--url", other)
    await type_in("webhooks", "update", name, "--include-customer", "--calendar", "room")
    await type_in("webhooks", "update", name, "--all-calendars")
    (shown,) = json.loads(await type_in("webhooks", "--json"))
    assert (shown["url"], shown["event_types"], shown["calendars"], shown["include_customer"]) == (
        *(other, ["booking.cancelled"], [], True),
    )
    told = await type_in("webhooks", "rotate-secret", name)
    assert re.search(r"whsec_\S+", told).group() != secret
    (after,) = json.loads(await type_in("webhooks", "--json"))
    assert after == shown, "All else is as it was."
