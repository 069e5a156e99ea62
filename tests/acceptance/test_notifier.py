"""The notifier of `slotcast serve`: a process beside the workers, which is kept as they are."""

import asyncio
import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from slotcast import Client, Customer, SlotChoice
from tests.acceptance.serving import serving
from tests.notify.post_office import open_post_office
from tests.salon import make_salon


def notifiers(process_id):
    """Return the ids of the notifiers that a server has started."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(process_id)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        int(line.split()[0]) for line in listed.stdout.splitlines() if " notifier " in f"{line} "
    ]


@pytest.fixture
async def office(monkeypatch):
    async with open_post_office() as office:
        monkeypatch.setenv("SLOTCAST_SMTP_URL", office.url)
        monkeypatch.setenv("SLOTCAST_MAIL_SENDER", "salon@example.org")
        yield office


async def book(client, hours):
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = day + timedelta(days=2, hours=hours)
    await client.book(
        SlotChoice(appointment_type="cut", start=start),
        customer=Customer(display_name="Eve", email=f"eve-{hours}@example.org"),
    )


async def arrival(office, recipient):
    async with asyncio.timeout(120):
        while recipient not in office.ids_by_recipient:
            office.arrived.clear()
            await office.arrived.wait()


async def test_a_notifier_that_dies_is_started_again_and_ends_with_its_server(settings, office):
    async with serving(settings, "--workers", "2") as (target, key, process):
        async with Client(target, api_key=key, business="salon") as client:
            await make_salon(client)
            await book(client, 1)
            await arrival(office, "eve-1@example.org")

            (first,) = notifiers(process.pid)
            os.kill(first, signal.SIGKILL)
            await book(client, 2)
            await arrival(office, "eve-2@example.org")

        (second,) = notifiers(process.pid)
        assert second != first
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)
