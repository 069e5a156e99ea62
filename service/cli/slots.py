"""`slotcast slots`, and `slotcast watch`: a live table in the terminal."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from service.cli.connection import (
    DEMO_BUSINESS,
    Access,
    ApiKeyOption,
    BusinessOption,
    JsonOption,
    TargetOption,
    connect,
    find_access,
    run,
)
from service.cli.printing import page, print_json, say, styled
from slotcast import Client, Slot, SlotKey, SlotQuery, Stale, Update

FLASH_SECONDS = 1.5
REFRESH_SECONDS = 0.1
ROWS_MAX = 40

TypesArgument = Annotated[
    list[str] | None, typer.Argument(help="Appointment types; none: all of the business.")
]
DaysOption = Annotated[int, typer.Option(min=1, max=62, help="From now on.")]
ZoneOption = Annotated[str | None, typer.Option("--zone", help="IANA zone; this machine's.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(slots)
    app.command()(watch)


def slots(
    types: TypesArgument = None,
    days: DaysOption = 7,
    zone: ZoneOption = None,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the open slots of the next days."""
    access = find_access(target, api_key)
    run(_slots(access, business, _query(types, days), _zone(zone), as_json))


async def _slots(
    access: Access, business: str, query: SlotQuery, zone: tzinfo | None, as_json: bool
) -> None:
    async with connect(access, business) as client:
        found = await _all_slots(client, query)
    if as_json:
        print_json([_as_json(slot) for slot in found])
        return
    if not found:
        say("Nothing is open.")
        return
    table = Table("day", "open", box=None, header_style="dim")
    for (day, type_, calendar), times in _by_day(found, zone).items():
        table.add_row(styled(f"{day} ", (f"{type_} · {calendar}", "dim")), Text("  ").join(times))
    page().print(table)


async def _all_slots(client: Client, query: SlotQuery) -> list[Slot]:
    found: list[Slot] = []
    token = ""
    while True:
        page = await client.list_slots(query, page_token=token)
        found.extend(page.items)
        token = page.next_page_token
        if not token:
            return found


def watch(
    types: TypesArgument = None,
    days: DaysOption = 3,
    zone: ZoneOption = None,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Watch the open slots: a slot that comes flashes green, one that goes flashes red."""
    access = find_access(target, api_key)
    show = _watch_json if as_json else _watch_table
    run(show(access, business, _query(types, days), _zone(zone)))


async def _watch_json(
    access: Access, business: str, query: SlotQuery, _zone: tzinfo | None
) -> None:
    async with connect(access, business) as client, client.watch(query) as view:
        async for update in view:
            sys.stdout.write(json.dumps(_update_as_json(update)) + "\n")
            sys.stdout.flush()


async def _watch_table(
    access: Access, business: str, query: SlotQuery, zone: tzinfo | None
) -> None:
    board = Board(zone=zone)
    async with connect(access, business) as client, client.watch(query) as view:
        with Live(board.table(), screen=False, auto_refresh=False) as live:

            async def read() -> None:
                async for update in view:
                    board.take(update)

            reader = asyncio.create_task(read())
            while not reader.done():
                board.is_stale = view.is_stale
                live.update(board.table(), refresh=True)
                await asyncio.wait({reader}, timeout=REFRESH_SECONDS)
            await reader


@dataclass(kw_only=True, slots=True)
class Board:
    """What the terminal shows: open slots, and for a moment those that have gone."""

    zone: tzinfo | None
    open: dict[SlotKey, Slot] = field(default_factory=dict)
    gone: dict[SlotKey, float] = field(default_factory=dict)
    come: dict[SlotKey, float] = field(default_factory=dict)
    revision: int = 0
    as_of: datetime | None = None
    is_stale: bool = True

    def take(self, update: Update | Stale) -> None:
        """Apply what the watch tells."""
        if isinstance(update, Stale):
            return
        until = time.monotonic() + FLASH_SECONDS
        if update.whole:
            self.open.clear()
            until = 0.0
        for key in update.closed:
            if self.open.pop(key, None) is not None:
                self.gone[key] = until
        for slot in update.opened:
            if self.open.get(slot.key) != slot:
                self.come[slot.key] = until
            self.open[slot.key] = slot
        self.revision, self.as_of = update.revision, update.as_of

    def table(self) -> Table:
        """Draw the board."""
        now = time.monotonic()
        for flashing in (self.gone, self.come):
            for key in [key for key, until in flashing.items() if until < now]:
                del flashing[key]
        state = "[bold red]STALE: offer nothing[/]" if self.is_stale else "[green]live[/]"
        as_of = f"{self.as_of:%H:%M:%S.%f}"[:-3] if self.as_of else "–"
        table = Table(
            "when", "what", "where", "seats",
            title=f"{len(self.open)} open · revision {self.revision} · {as_of} · {state}",
            box=None, header_style="dim", title_justify="left",
        )  # fmt: skip
        shown = sorted({*self.open, *self.gone})[:ROWS_MAX]
        for key in shown:
            table.add_row(*self._row(key))
        if len(self.open) > len(shown):
            table.add_row(f"[dim]… and {len(self.open) - len(shown)} more[/]")
        return table

    def _row(self, key: SlotKey) -> list[Text]:
        slot = self.open.get(key)
        style = ""
        if slot is None:
            style = "bold white on red"
        elif key in self.come:
            style = "bold black on green"
        elif self.is_stale:
            style = "dim strike"
        when = f"{key.start.astimezone(self.zone):%a %d %b %H:%M}"
        seats = str(slot.seats_left) if slot else "gone"
        cells = (when, _short(key.appointment_type), _short(key.calendar), seats)
        return [Text(cell, style=style) for cell in cells]


def _query(types: list[str] | None, days: int) -> SlotQuery:
    now = datetime.now(UTC)
    return SlotQuery(
        start=now, end=now + timedelta(days=days), appointment_types=tuple(types or ())
    )


def _zone(name: str | None) -> tzinfo | None:
    return None if name is None else ZoneInfo(name)


def _by_day(found: Iterable[Slot], zone: tzinfo | None) -> dict[tuple[str, str, str], list[Text]]:
    days: dict[tuple[str, str, str], list[Text]] = {}
    for slot in found:
        local = slot.start.astimezone(zone)
        key = (f"{local:%a %d %b}", _short(slot.appointment_type), _short(slot.calendar))
        seats = f"×{slot.seats_left}" if slot.seats_left > 1 else ""
        days.setdefault(key, []).append(styled(f"{local:%H:%M}", (seats, "dim")))
    return days


def _as_json(slot: Slot) -> dict[str, object]:
    return {
        "appointment_type": slot.appointment_type,
        "calendar": slot.calendar,
        "start": slot.start.isoformat(),
        "end": slot.end.isoformat(),
        "seats_left": slot.seats_left,
    }


def _update_as_json(update: Update | Stale) -> dict[str, object]:
    if isinstance(update, Stale):
        return {"stale": True}
    return {
        "revision": update.revision,
        "as_of": update.as_of.isoformat(),
        "whole": update.whole,
        "opened": [_as_json(slot) for slot in update.opened],
        "closed": [
            {
                "appointment_type": key.appointment_type,
                "calendar": key.calendar,
                "start": key.start.isoformat(),
                "end": key.end.isoformat(),
            }
            for key in update.closed
        ],
    }


def _short(name: str) -> str:
    return name.rsplit("/", 1)[1]
