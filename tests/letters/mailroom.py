"""A business whose changes become letters, step by step, as the notifier does it in its loops."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from service.domain.delivery import Channel, Delivery, DeliveryState
from service.notify.consumers import ConsumerLimits, Consumers
from service.notify.delivering import Deliverer
from service.notify.letters.consumer import LettersConsumer
from service.notify.letters.sender import LetterSender, LetterSettings
from service.notify.letters.smtp import MailServer, Postbox
from service.store import deliveries
from service.store.database import Database
from slotcast import (
    AppointmentType,
    Business,
    Calendar,
    Customer,
    Schedule,
    SlotChoice,
    WallInterval,
    Weekday,
)
from tests.letters.mail_server import ScriptedServer
from tests.letters.reading import Mail, read

BUSINESS = "lindenhof"
SENDER = "bookings@slotcast.example"
PUBLIC_URL = "https://book.example.com"
DAY = datetime.combine(datetime.now(UTC).date() + timedelta(days=20), datetime.min.time(), UTC)
ADA = Customer(
    display_name="Ada Lovelace",
    email="ada@example.com",
    phone="+442079460958",
    time_zone="Europe/London",
    language="en-GB",
)
TYPES: dict[str, dict[str, Any]] = {
    "cut": {"any_of": ("anna", "ben"), "reminders": (timedelta(days=1), timedelta(hours=2))},
    "colour": {"any_of": ("anna",), "requires_approval": True, "cancel_by_reply": True},
}


def a_slot(hour=9, *, calendar="anna", type_="cut", days=0) -> SlotChoice:
    """Return a slot at an hour, UTC."""
    start = DAY + timedelta(days=days, hours=hour)
    return SlotChoice(appointment_type=type_, start=start, calendar=calendar)


async def make_business(client, **changes) -> None:
    """Make the business: two people with addresses, in Berlin, open day and night."""
    given = {
        "name": BUSINESS,
        "display_name": "Salon Lindenhof",
        "email": "hello@lindenhof.example",
        "phone": "+49 30 901820",
        "location": "Lindenstraße 12, 10969 Berlin",
        "language": "de",
    }
    await client.create_business(Business(**{**given, **changes}))
    always = (WallInterval(start="00:00", end="24:00"),)
    await client.create_schedule(
        Schedule(name="always", display_name="Always", weekly=dict.fromkeys(Weekday, always))
    )
    for name in ("anna", "ben"):
        await client.create_calendar(
            Calendar(
                name=name,
                display_name=name.capitalize(),
                time_zone="Europe/Berlin",
                schedule="always",
                email=f"{name}@lindenhof.example",
            )
        )
    for name, rules in TYPES.items():
        await client.create_appointment_type(
            AppointmentType(
                name=name,
                display_name=name.capitalize(),
                durations=(timedelta(minutes=30),),
                **rules,
            )
        )


class Mailroom:
    """Plans and sends what is due whenever it is told to."""

    def __init__(self, database: Database, server: ScriptedServer, secret: bytes, **options):
        self._database = database
        self._jobs = count(1)
        self.server = server
        postbox = Postbox(
            MailServer.from_url(server.url),
            letter_seconds_max=options.pop("letter_seconds_max", 10.0),
        )
        given = {"sender": SENDER, "public_url": PUBLIC_URL, "secret": secret, **options}
        sender = LetterSender(database, postbox, LetterSettings(**given))
        self._consumers = Consumers(database, [LettersConsumer(is_on=True)], ConsumerLimits())
        self._deliverer = Deliverer(database, {Channel.LETTER: sender})

    async def work(self, *, at_once: bool = False) -> list[Mail]:
        """Plan, send all that is due once, and return what has come to the server by it."""
        before = len(self.server.letters)
        await self._consumers.catch_up()
        lanes = dict.fromkeys(each.lane for each in reversed(await self.listed("waiting")))
        if at_once:
            await asyncio.gather(*map(self._deliver, lanes))
        else:
            for lane in lanes:
                await self._deliver(lane)
        return [read(data) for data in self.server.letters[before:]]

    async def _deliver(self, lane: str) -> None:
        await self._deliverer.deliver(Channel.LETTER, next(self._jobs), BUSINESS, lane)

    async def listed(self, *states: str) -> list[Delivery]:
        """Return the deliveries in these states, the newest first."""
        wanted = deliveries.Wanted(states=frozenset(map(DeliveryState, states)))
        async with self._database.snapshot(BUSINESS) as tx:
            return await deliveries.list_page(tx, BUSINESS, wanted, before=None, limit=1000)

    async def let_time_pass(self, *, lane: str = "%", begun: bool = True) -> None:
        """Have what is tried again, or what is due later, due now."""
        async with self._database.transaction(BUSINESS) as tx:
            await tx.exec_driver_sql(
                """
                UPDATE deliveries SET due_at = now(), leased_by = NULL, leased_until = NULL
                WHERE business_id = $1 AND state = 'waiting' AND lane LIKE $2
                  AND (attempts > 0 OR leased_until IS NOT NULL) = $3
                """,
                (BUSINESS, lane, begun),
            )


def to(mails: list[Mail], address: str) -> list[Mail]:
    """Return the mails to an address."""
    return [mail for mail in mails if mail.message["To"].addresses[0].addr_spec == address]
