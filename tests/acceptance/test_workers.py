"""A server as `slotcast serve` runs it: worker processes on one port, one of which may die."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from slotcast import (
    BookingQuery,
    Client,
    Customer,
    SlotcastError,
    SlotChoice,
    SlotQuery,
    SlotTaken,
    Timeouts,
)
from tests.acceptance.serving import serving
from tests.salon import QUARTER, make_salon

WHO = Customer(display_name="A visitor")
BOOKINGS = 500


def children(process_id):
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process_id)], capture_output=True, text=True, check=True
    )
    return [int(each) for each in listed.stdout.split()]


def wish(number):
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return SlotChoice(
        appointment_type="cut",
        calendar=f"chair-{number % 2 + 1}",
        start=start + timedelta(days=2) + QUARTER * (number // 2),
    )


async def try_to_book(client, number):
    try:
        return await client.book(wish(number), customer=WHO, request_id=f"request-{number}")
    except SlotcastError as error:
        return error


async def test_a_killed_worker_loses_no_answered_booking_and_every_other_can_be_retried(settings):
    async with serving(settings, "--workers", "2") as (target, key, process):
        impatient = Timeouts(attempts_max=1)
        clients = [
            await Client(target, api_key=key, business="salon", timeouts=impatient).__aenter__()
            for _ in range(8)
        ]
        await make_salon(clients[0])
        answered = 0
        done = asyncio.Event()

        async def book(number):
            nonlocal answered
            result = await try_to_book(clients[number % 8], number)
            answered += 1
            if answered == BOOKINGS // 5:
                done.set()
            return result

        booking = asyncio.gather(*(book(number) for number in range(BOOKINGS)))
        await done.wait()
        os.kill(children(process.pid)[0], signal.SIGKILL)
        first = await booking
        for client in clients:
            await client.__aexit__(None, None, None)
        async with Client(target, api_key=key, business="salon") as client:
            again = [await try_to_book(client, number) for number in range(BOOKINGS)]
            stored = await all_bookings(client)
    assert not [error for error in again if isinstance(error, SlotcastError)]
    for before, after in zip(first, again, strict=True):
        assert isinstance(before, SlotcastError) or before == after
    assert sorted(each.name for each in again) == sorted(each.name for each in stored)
    assert not [error for error in first if isinstance(error, SlotTaken)]


async def all_bookings(client):
    query = BookingQuery(start=wish(0).start, end=wish(0).start + timedelta(days=30))
    found, token = [], ""
    while True:
        page = await client.list_bookings(query, page_size=500, page_token=token)
        found.extend(page.items)
        token = page.next_page_token
        if not token:
            return found


async def test_a_server_that_is_told_to_stop_sends_its_watchers_away_with_nothing_lost(settings):
    start = datetime.now(UTC)
    query = SlotQuery(start=start, end=start + timedelta(days=1))
    async with (
        serving(settings) as (target, key, process),
        Client(target, api_key=key, business="salon") as client,
    ):
        await make_salon(client)
        async with client.watch(query) as view:
            await view.reached(1)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0


@pytest.mark.parametrize("command", [["demo", "--check"]])
def test_the_story_of_demo_check_is_told_to_its_end(command, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "service", *command],
        env={**os.environ, "SLOTCAST_DATA": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "nothing was sold twice" in ended.stdout
