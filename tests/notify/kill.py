"""Kill the notifier again and again while bookings happen: `python -m tests.notify.kill`.

A real mail server counts what arrives. Every booking must have its letter; a letter that was sent
when the notifier died, and not yet recorded, comes once more, under the same Message-ID.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.cli.api_key import SCOPES, new_key
from service.embedded.postgres import Postgres
from service.embedded.valkey import Valkey
from service.settings import Settings
from service.store import api_keys
from service.store.api_keys import ANY_BUSINESS
from service.store.database import Database
from service.store.migrate import migrate
from service.store.scope import ALL_BUSINESSES
from service.wiring import built_server
from slotcast import (
    Client,
    Customer,
    SlotChoice,
)
from tests.notify.post_office import PostOffice, open_post_office
from tests.salon import QUARTER, make_salon

LIFE_SECONDS_MAX = 20.0
LAST_SECONDS_MAX = 0.2
"""A notifier is killed some time after so many letters as chance will have it, or after 20 s."""
ARRIVAL_SECONDS_MAX = 180.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of it."""

    bookings: int
    kills: int
    kills_at_work: int
    letters: int
    letters_before: int
    repeated: int
    without_letter: int
    with_several: int
    recorded: int
    seconds_after_the_last: float

    @property
    def is_right(self) -> bool:
        """Whether each booking has its one letter, and no more repetitions than kills explain."""
        return self.without_letter == self.with_several == 0 and self.recorded == self.bookings

    def __str__(self) -> str:
        return "\n".join(
            (
                f"bookings                                   {self.bookings:>6}",
                f"kills of the notifier (SIGKILL)            {self.kills:>6}",
                f"  of them while something was to be sent   {self.kills_at_work:>6}",
                f"letters that the mail server took          {self.letters:>6}",
                f"  of them before the last kill             {self.letters_before:>6}",
                f"  repeated: the same Message-ID again      {self.repeated:>6}",
                f"bookings without a letter                  {self.without_letter:>6}",
                f"bookings with two different letters        {self.with_several:>6}",
                f"letters recorded as sent                   {self.recorded:>6}",
                f"all had arrived after the last kill within {self.seconds_after_the_last:>6.1f} s",
            )
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A server with a business, and a mail server."""

    settings: Settings
    database: Database
    client: Client
    office: PostOffice


class NotifierProcess:
    """`slotcast notifier`, as the supervisor runs it."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url is not None
        self._environment = {
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url or "",
            "SLOTCAST_DATA": str(settings.data_folder),
            "SLOTCAST_TOKEN_SECRET": settings.token_secret or "",
            "SLOTCAST_SMTP_URL": settings.smtp_url or "",
            "SLOTCAST_MAIL_SENDER": settings.mail_sender,
            "SLOTCAST_LOG_LEVEL": "ERROR",
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Start one, and yield it when it works; it is killed at the end of the block."""
        read_end, write_end = os.pipe()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service", "notifier", "--ready-fd", str(write_end)),
            stdin=asyncio.subprocess.PIPE,
            env=self._environment,
            pass_fds=(write_end,),
            start_new_session=True,
        )
        os.close(write_end)
        try:
            told = await asyncio.to_thread(os.read, read_end, 1)
            assert told == b"1", "The notifier ended while it started."
            yield process
        finally:
            os.close(read_end)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()


async def play(stage: Stage, *, bookings: int, kills: int, seed: int) -> Result:
    """Book at an even pace, and kill notifier after notifier meanwhile."""
    database, client, office = stage.database, stage.client, stage.office
    chance = random.Random(seed)
    notifier = NotifierProcess(stage.settings)
    booked = 0
    kills_at_work = 0
    for number in range(kills):
        until = bookings * (number + 1) // kills
        async with asyncio.TaskGroup() as group:
            group.create_task(book(client, range(booked, until)))
            async with notifier.running():
                letters = chance.randint(0, 2 * bookings // kills)
                await _until_taken(office, office.taken + letters)
                await _wait(chance.uniform(0.0, LAST_SECONDS_MAX))
                kills_at_work += len(office.ids_by_recipient) < until
        booked = until
    before = office.taken
    began = time.monotonic()
    async with notifier.running():
        await _all_arrived(database, office, bookings)
        seconds = time.monotonic() - began
        recorded = await _count(database, "sent")
    ids = [office.ids_by_recipient.get(_address(number), {}) for number in range(bookings)]
    return Result(
        bookings=bookings,
        kills=kills,
        kills_at_work=kills_at_work,
        letters=office.taken,
        letters_before=before,
        repeated=office.repeated,
        without_letter=sum(len(each) == 0 for each in ids),
        with_several=sum(len(each) > 1 for each in ids),
        recorded=recorded,
        seconds_after_the_last=seconds,
    )


def _address(number: int) -> str:
    return f"customer-{number}@example.org"


async def _until_taken(office: PostOffice, letters: int) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LIFE_SECONDS_MAX):
            while office.taken < letters:
                office.arrived.clear()
                await office.arrived.wait()


async def _wait(seconds: float) -> None:
    """Let a notifier live for so long: when it dies is the chance that is played with."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


async def book(client: Client, numbers: range) -> None:
    """Book for these customers, each by an address of their own."""
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for number in numbers:
        await client.book(
            SlotChoice(
                appointment_type="cut",
                calendar=f"chair-{number % 2 + 1}",
                start=start + timedelta(days=2) + QUARTER * (number // 2),
            ),
            customer=Customer(display_name=f"Customer {number}", email=_address(number)),
        )


async def _all_arrived(database: Database, office: PostOffice, bookings: int) -> None:
    """Wait until nothing waits any more; or for so long that it would not come any more."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ARRIVAL_SECONDS_MAX):
            while len(office.ids_by_recipient) < bookings or await _count(database, "waiting"):
                office.arrived.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(office.arrived.wait(), 0.5)


async def _count(database: Database, state: str) -> int:
    async with database.snapshot("salon") as tx:
        found = await tx.exec_driver_sql(
            "SELECT count(*) FROM deliveries WHERE state = $1", (state,)
        )
        return int(found.scalar_one())


@asynccontextmanager
async def staged(settings: Settings) -> AsyncIterator[Stage]:
    """Run a mail server, and a server on a migrated database, with a business."""
    async with open_post_office() as office:
        settings = replace(settings, smtp_url=office.url, mail_sender="salon@example.org")
        async with built_server(settings, reuse_port=False) as (target, parts):
            key = await _operator_key(parts.database)
            async with Client(target, api_key=key, business="salon") as client:
                await make_salon(client)
                yield Stage(
                    settings=settings, database=parts.database, client=client, office=office
                )


async def _operator_key(database: Database) -> str:
    key, text = new_key(ANY_BUSINESS, "operator", frozenset(SCOPES))
    async with database.transaction(ALL_BUSINESSES) as tx:
        await api_keys.add(tx, key)
    return text


async def _main(options: argparse.Namespace) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="slotcast-kill-") as name,
        Postgres(Path(name) / "postgres") as postgres,
        Valkey(Path(name) / "valkey") as valkey,
    ):
        postgres.create_database("slotcast")
        settings = Settings(
            data_folder=Path(name),
            database_url=postgres.dsn("slotcast"),
            redis_url=valkey.url,
            listen_address="127.0.0.1:0",
            token_secret="a secret that server and notifier share",
        )
        await migrate(postgres.dsn("slotcast"))
        async with staged(settings) as stage:
            result = await play(
                stage, bookings=options.bookings, kills=options.kills, seed=options.seed
            )
    print(result)  # noqa: T201
    return 0 if result.is_right else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(asyncio.run(_main(parser.parse_args())))
