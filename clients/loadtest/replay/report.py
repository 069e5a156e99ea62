"""What a replay found, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from loadtest.figures import Latency
from loadtest.replay.audit import Breach
from loadtest.replay.machine import Machine

BREACHES_SHOWN_MAX = 20
ERRORS_SHOWN_MAX = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """What was played, and how fast. `late_seconds_max`: behind the pace that was asked for."""

    requests: int
    units: int
    people: int
    first_date: str
    last_date: str
    weeks_moved: int
    speed: float | None
    concurrency: int
    seed: int
    seconds: float
    requests_per_second: float
    late_seconds_max: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcomes:
    """How the requests ended. `taken`: a slot that was seen open had gone when it was asked for."""

    booked: int
    on_another_day: int
    full: int
    outrun: int
    failed: int
    unknown: int
    not_played: int
    cancelled: int
    taken: int
    errors: dict[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """How soon watches showed what was answered, and whether they ended up equal to a list."""

    watchers: int
    freshness: Latency | None
    frame_first: int
    unseen: int
    stale: int
    differences: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What was looked at in the end, and every broken promise that was found."""

    bookings: int
    live_bookings: int
    open_seats: int
    breaches: list[Breach]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The whole of it."""

    played: Played
    outcomes: Outcomes
    calls: dict[str, Latency | None]
    watched: Watched
    checked: Checked
    machine: Machine

    @property
    def kept(self) -> bool:
        """True: all was played, and every promise was kept."""
        broken = self.checked.breaches or self.watched.differences
        return not broken and self.outcomes.not_played == 0

    def as_json(self) -> dict[str, Any]:
        """Return plain values for programs."""
        return asdict(self) | {"kept": self.kept}

    def as_text(self) -> Group:
        """Return what a terminal shows."""
        return Group(*self._sentences(), self._table(), *self._verdicts())

    def _sentences(self) -> list[Text]:
        played, outcomes = self.played, self.outcomes
        pace = "as fast as it goes" if played.speed is None else f"{played.speed:,.0f} x"
        lines = [
            (
                f"{played.requests:,} requests of {played.people:,} people at {played.units} units,"
                f" for {played.first_date} to {played.last_date}, {pace}:"
                f" {played.seconds:,.1f} s, {played.requests_per_second:,.0f} requests/s"
            ),
            (
                f"{outcomes.booked:,} booked ({outcomes.on_another_day:,} of them on another day),"
                f" {outcomes.cancelled:,} of those cancelled later; {outcomes.full:,} refused as"
                f" full, {outcomes.outrun:,} outrun, {outcomes.failed:,} failed,"
                f" {outcomes.unknown:,} unknown"
            ),
            f"{outcomes.taken:,} times a slot had gone between seeing and holding it",
        ]
        if outcomes.not_played:
            lines.append(f"{outcomes.not_played:,} requests were not played: too many had failed")
        if played.late_seconds_max >= 1:
            lines.append(f"At most {played.late_seconds_max:,.1f} s behind the pace asked for")
        for error, times in list(outcomes.errors.items())[:ERRORS_SHOWN_MAX]:
            lines.append(f"{times:,} x {error}")
        return [Text(line) for line in lines]

    def _table(self) -> Table:
        table = Table("ms", *("count", "p50", "p95", "p99", "max"), box=None, pad_edge=False)
        for column in table.columns[1:]:
            column.justify = "right"
        rows = {**self.calls, "answer to watch": self.watched.freshness}
        for name, took in rows.items():
            if took is not None:
                percentiles = (took.p50_ms, took.p95_ms, took.p99_ms, took.max_ms)
                table.add_row(name, f"{took.count:,}", *(f"{ms:,.1f}" for ms in percentiles))
        return table

    def _verdicts(self) -> list[Text]:
        watched, checked = self.watched, self.checked
        lines = [
            Text(
                f"{watched.watchers} watches: {watched.frame_first:,} changes were shown before"
                f" they were answered, {watched.stale} times stale,"
                f" {len(watched.differences)} differences from a list"
            ),
            Text(
                f"{checked.bookings:,} bookings read back, {checked.live_bookings:,} of them live,"
                f" {checked.open_seats:,} seats still open: {len(checked.breaches)} broken promises"
            ),
        ]
        broken = [f"{item.promise}: {item.what}" for item in checked.breaches]
        broken += watched.differences
        lines += [Text(line, style="red") for line in broken[:BREACHES_SHOWN_MAX]]
        if self.kept:
            lines.append(Text("No double booking, no lost booking.", style="bold green"))
        return [*lines, Text(str(self.machine), style="dim")]
