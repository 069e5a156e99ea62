"""The whole of it: bookings, a notifier that is killed, a real mail server; and one that stalls."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from service.domain.delivery import DeliveryState
from service.wiring import built_notifier, built_server
from slotcast import Client
from tests.notify.engine import stored
from tests.notify.kill import book, play, staged
from tests.notify.post_office import stalled_post_office
from tests.salon import make_salon

BOOKINGS, KILLS = 20, 2


async def test_every_booking_has_its_letter_although_the_notifier_is_killed(settings):
    async with staged(settings) as stage:
        result = await play(stage, bookings=BOOKINGS, kills=KILLS, seed=1)

    assert result.is_right, str(result)
    assert result.letters - result.repeated == BOOKINGS
    # What it was sending when it died, and no more.
    assert result.repeated <= KILLS * 32


async def test_bookings_are_answered_while_the_mail_server_says_nothing(settings, operator_key):
    """How long they take is measured by `python -m tests.notify.stall`, and is no test."""
    async with stalled_post_office() as url:
        settings = replace(settings, smtp_url=url, mail_sender="salon@example.org", drain_seconds=0)
        async with (
            built_server(settings, reuse_port=False) as (target, parts),
            built_notifier(settings),
            Client(target, api_key=operator_key, business="salon") as client,
        ):
            await make_salon(client)
            await book(client, range(BOOKINGS))
            async with asyncio.timeout(60):
                # All of them are being sent, or wait for that.
                while len(letters := await stored(parts.database, "salon")) < BOOKINGS:  # noqa: ASYNC110
                    await asyncio.sleep(0)

    assert {each.state for each in letters} == {DeliveryState.WAITING}
