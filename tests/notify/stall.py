"""Does Book wait for a mail server that stalls? Side by side: `python -m tests.notify.stall`.

Two whole servers run on this machine, each with workers and a notifier of its own. The mail server
of one takes every letter; that of the other lets everyone in and then says nothing for ever.
Bookings go to the one and the other in turn, at an even pace.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.embedded.postgres import Postgres
from service.embedded.valkey import Valkey
from service.store.database import Database
from slotcast import Client, Customer, SlotChoice
from tests.notify.post_office import open_post_office, stalled_post_office
from tests.salon import QUARTER, make_salon

WARM_UP = 20
PLANNING_SECONDS_MAX = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the two servers."""

    name: str
    client: Client
    database_url: str

    async def states(self, bookings: int) -> dict[str, int]:
        """How many of its letters stand how, when there is one for each booking."""
        database = Database(self.database_url, pool_size=1)
        try:
            async with asyncio.timeout(PLANNING_SECONDS_MAX):
                while True:
                    async with database.snapshot("salon") as tx:
                        found = await tx.exec_driver_sql(
                            "SELECT state, count(*) FROM deliveries GROUP BY state"
                        )
                        states = {row["state"]: row["count"] for row in found.mappings()}
                    if sum(states.values()) >= bookings:
                        return states
                    await _wait(0.1)
        finally:
            await database.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """How long Book took on one side, in milliseconds, and what became of the letters."""

    name: str
    p50: float
    p90: float
    p99: float
    letters: dict[str, int]

    def __str__(self) -> str:
        letters = ", ".join(f"{count} {state}" for state, count in sorted(self.letters.items()))
        return f"{self.name:<22}{self.p50:>8.1f}{self.p90:>8.1f}{self.p99:>8.1f}   {letters}"


async def measure(
    sides: Sequence[Side], *, bookings: int, per_second: float
) -> tuple[list[Figures], float]:
    """Book on each side in turn; return the figures of each, and by how much the medians differ."""
    seconds: dict[str, list[float]] = {side.name: [] for side in sides}
    began = time.monotonic()
    for number in range(WARM_UP + bookings):
        for turn in range(len(sides)):
            # Who is first changes, so that none is always behind the other.
            side = sides[(turn + number) % len(sides)]
            took = await _book(side.client, number)
            if number >= WARM_UP:
                seconds[side.name].append(took)
        await _wait(began + (number + 1) / per_second - time.monotonic())
    booked = WARM_UP + bookings
    figures = [_figures(side.name, seconds[side.name], await side.states(booked)) for side in sides]
    return figures, figures[-1].p50 / figures[0].p50


async def _book(client: Client, number: int) -> float:
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    choice = SlotChoice(
        appointment_type="cut",
        calendar=f"chair-{number % 2 + 1}",
        start=day + timedelta(days=2) + QUARTER * (number // 2),
    )
    began = time.perf_counter()
    await client.book(
        choice, customer=Customer(display_name="Eve", email=f"eve-{number}@example.org")
    )
    return time.perf_counter() - began


async def _wait(seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), max(seconds, 0.0))


def _figures(name: str, seconds: list[float], letters: dict[str, int]) -> Figures:
    cuts = [1000 * each for each in statistics.quantiles(seconds, n=100)]
    return Figures(name=name, p50=cuts[49], p90=cuts[89], p99=cuts[98], letters=letters)


@asynccontextmanager
async def serving(
    name: str, folder: Path, smtp_url: str, stores: dict[str, str]
) -> AsyncIterator[Side]:
    """Run `slotcast serve`, with a worker and a notifier, and make a business."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "serve", "--workers", "1"),
        env={
            **os.environ,
            **stores,
            "SLOTCAST_DATA": str(folder),
            "SLOTCAST_LISTEN": "127.0.0.1:0",
            "SLOTCAST_LOG_LEVEL": "ERROR",
            "SLOTCAST_SMTP_URL": smtp_url,
            "SLOTCAST_MAIL_SENDER": "salon@example.org",
            "SLOTCAST_DRAIN_SECONDS": "1",
        },
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async for line in process.stderr:
            if b"serves on" in line:
                break
        told = json.loads((folder / "server.json").read_text())
        key = (folder / "operator_key").read_text().strip()
        async with Client(told["target"], api_key=key, business="salon") as client:
            await make_salon(client)
            yield Side(name=name, client=client, database_url=stores["DATABASE_URL"])
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


async def compare(folder: Path, *, bookings: int, per_second: float) -> tuple[list[Figures], float]:
    """Start both, and measure."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(Postgres(folder / "postgres"))
        sides = []
        office = await stack.enter_async_context(open_post_office())
        stalled_url = await stack.enter_async_context(stalled_post_office())
        for name, smtp_url in (("takes every letter", office.url), ("stalls", stalled_url)):
            word = name.split()[0]
            (folder / word).mkdir()
            postgres.create_database(word)
            valkey = stack.enter_context(Valkey(folder / f"valkey-{word}"))
            stores = {"DATABASE_URL": postgres.dsn(word), "REDIS_URL": valkey.url}
            side = serving(name, folder / word, smtp_url, stores)
            sides.append(await stack.enter_async_context(side))
        return await measure(sides, bookings=bookings, per_second=per_second)


async def _main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="slotcast-stall-") as name:
        figures, ratio = await compare(
            Path(name), bookings=options.bookings, per_second=options.per_second
        )
    print("the mail server…      p50 ms  p90 ms  p99 ms   its letters at the end")  # noqa: T201
    for each in figures:
        print(each)  # noqa: T201
    print(f"median of Book, stalled : healthy = {ratio:.2f}")  # noqa: T201


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=500, help="On each side.")
    parser.add_argument("--per-second", type=float, default=20.0, help="On each side.")
    asyncio.run(_main(parser.parse_args()))
