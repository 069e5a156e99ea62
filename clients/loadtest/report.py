"""What a run has found, as text for people and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtest.audit import Audit
from loadtest.comparison import Summary, compared, summaries
from loadtest.figures import Spread
from loadtest.measures import Round, Side
from loadtest.options import Options, Scenario
from loadtest.recording import Breaches
from loadtest.replay.machine import Machine

# Whoever may read a report may not therefore call the server.
SECRET_OPTIONS = frozenset({"api_key", "database_url"})
HINTS = {
    "RATE_LIMITED": "raise SLOTCAST_RATE_LIMIT_PER_CLIENT_PER_MINUTE and _PER_KEY_ on the server",
    "OVERLOADED": "fewer --callers, or a longer SLOTCAST_LANE_QUEUE_MAX on the server",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Every round, and what surrounds the figures."""

    machine: Machine
    versions: Mapping[str, str]
    # None: it is not known on what the server stands.
    postgres: Mapping[str, str] | None
    options: Options
    rounds: list[Round]
    audit: Audit
    notes: list[str]

    @property
    def failures(self) -> Counter[str]:
        """The answers that no scenario expects, by reason."""
        whole: Counter[str] = Counter()
        for each in self.rounds:
            whole.update(each.failures)
        return whole

    @property
    def breaches(self) -> Breaches:
        """All promises that were found broken."""
        whole = Breaches()
        for each in self.rounds:
            whole.join(each.breaches)
        whole.join(self.audit.breaches)
        return whole

    @property
    def is_sound(self) -> bool:
        """Whether every answer was right."""
        return not self.failures and not self.breaches.count

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {
            "is_sound": self.is_sound,
            "ratios": [
                {"what": ratio.what, **_spread(ratio.spread)} for ratio in compared(self.rounds)
            ],
            "summaries": [
                {
                    "scenario": summary.scenario,
                    "side": summary.side,
                    **{name: _spread(value) for name, value in summary.figures.items()},
                }
                for summary in summaries(self.rounds)
            ],
            "failures": dict(self.failures),
            "breaches": asdict(self.breaches),
            "audit": {"bookings": self.audit.bookings, "slots": self.audit.slots},
            "rounds": [asdict(each) for each in self.rounds],
            "machine": asdict(self.machine),
            "versions": dict(self.versions),
            "postgres": None if self.postgres is None else dict(self.postgres),
            "options": {
                field.name: getattr(self.options, field.name)
                for field in fields(self.options)
                if field.name not in SECRET_OPTIONS
            },
            "notes": self.notes,
        }

    def show(self, console: Console) -> None:
        """Print it."""
        console.print(_figures_table(self.rounds))
        if (shown := _frames_table(self.rounds)).row_count:
            console.print(shown)
        if (ratios := _ratios_table(self.rounds)).row_count:
            console.print(ratios)
        for line in self._lines():
            console.print(line, highlight=False, soft_wrap=True)

    def _lines(self) -> Iterator[str]:
        yield f"{self.machine}"
        yield ", ".join(f"{name} {value}" for name, value in self.versions.items())
        if self.postgres is not None:
            yield ", ".join(f"{name} {value}" for name, value in self.postgres.items())
        yield from self.notes
        winners = [each.winners for each in self.rounds if _is_race(each)]
        if winners:
            yield f"Winners of the hot slot, round by round: {', '.join(map(str, winners))}."
        yield (
            f"Compared at the end: {self.audit.bookings:,} bookings,"
            f" {self.audit.slots:,} open slots."
        )
        if bare := sum(each.bare_refusals for each in self.rounds):
            yield f"[yellow]{bare:,} refusals came without alternatives, which took too long.[/]"
        if not_sent := sum(each.not_sent for each in self.rounds):
            yield f"[yellow]{not_sent:,} calls were not made when due: too many were in flight.[/]"
        for reason, count in self.failures.most_common():
            hint = f" ({HINTS[reason]})" if reason in HINTS else ""
            yield f"[bold red]{count:,} failures: {reason}[/]{hint}"
        if self.breaches.count:
            yield f"[bold red]{self.breaches.count:,} broken promises:[/]"
            yield from (f"[red]  {breach}[/]" for breach in self.breaches.told)
        if self.is_sound:
            yield "[green]Every answer was right.[/]"


def _is_race(each: Round) -> bool:
    return each.scenario is Scenario.HOT and each.side is Side.SERVICE


def _figures_table(rounds: list[Round]) -> Table:
    table = Table(
        *("scenario", "side", "answers/s", "from – to", "noise", "p50", "p95", "p99", "max ms"),
        "client cores",
        box=None,
        header_style="dim",
    )
    for summary in summaries(rounds):
        rate = summary.figures["per_second"]
        table.add_row(
            summary.scenario or "one per booking",
            summary.side,
            f"{rate.median:,.0f}",
            f"{rate.min:,.0f} – {rate.max:,.0f}",
            f"{rate.noise:.0%}",
            *_milliseconds(summary, "latency"),
            "" if summary.side is Side.PGBENCH else f"{summary.figures['client_cores'].median:.2f}",
        )
    return table


def _frames_table(rounds: list[Round]) -> Table:
    table = Table(
        *("watch", "side", "p50", "p95", "p99", "max ms", "p99 from – to"),
        box=None,
        header_style="dim",
    )
    for summary in summaries(rounds):
        for name, words in (
            ("after_answer", "frame after the answer"),
            ("after_send", "frame after the call"),
        ):
            if worst := summary.figures.get(f"{name}_p99_ms"):
                table.add_row(
                    words,
                    summary.side,
                    *_milliseconds(summary, name),
                    f"{worst.min:.1f} – {worst.max:.1f}",
                )
    return table


def _ratios_table(rounds: list[Round]) -> Table:
    table = Table("the service", "ratio", "from – to", box=None, header_style="dim")
    for ratio in compared(rounds):
        found = ratio.spread
        table.add_row(
            ratio.what,
            f"[bold]{found.median:.2f}[/]",
            f"{found.min:.2f} – {found.max:.2f}",
        )
    return table


def _milliseconds(summary: Summary, name: str) -> list[str]:
    found = [summary.figures.get(f"{name}_{part}_ms") for part in ("p50", "p95", "p99", "max")]
    return ["" if each is None else f"{each.median:.1f}" for each in found]


def _spread(found: Spread) -> dict[str, float]:
    return {**asdict(found), "noise": found.noise}
