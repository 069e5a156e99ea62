"""The rounds of a run, put side by side: medians, spreads, and one side as a part of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from loadtest.figures import Spread, ratios, spread
from loadtest.measures import Round, Side
from loadtest.options import Scenario

Figure = Callable[[Round], float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """One scenario on one side, over the rounds; a latency is the median of those of the rounds."""

    scenario: Scenario | None
    side: Side
    figures: dict[str, Spread]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """What the service does, as a part of what something bare does, round by round."""

    what: str
    spread: Spread


def _latency(name: str, percent: str) -> Figure:
    def read(of: Round) -> float | None:
        latency = getattr(of, name)
        return None if latency is None else float(getattr(latency, f"{percent}_ms"))

    return read


FIGURES: dict[str, Figure] = {
    "per_second": lambda of: of.per_second,
    **{
        f"{name}_{percent}_ms": _latency(name, percent)
        for name in ("latency", "after_answer", "after_send")
        for percent in ("p50", "p95", "p99", "max")
    },
    "client_cores": lambda of: of.client_cores,
}
COMPARED: tuple[tuple[str, str, Scenario, Side], ...] = (
    ("Book, unary: answers per second, of the bare echo", "per_second", Scenario.UNARY, Side.ECHO),
    ("Book, unary: answers per second, of pgbench", "per_second", Scenario.UNARY, Side.PGBENCH),
    ("Book, unary: p50, of the bare echo", "latency_p50_ms", Scenario.UNARY, Side.ECHO),
    ("StreamBookings: answers per second, of pgbench", "per_second", Scenario.STREAM, Side.PGBENCH),
    (
        "StreamBookings: answers per second, of the bare echo",
        "per_second",
        Scenario.STREAM,
        Side.ECHO,
    ),
    ("one hot slot: decisions per second, of the bare echo", "per_second", Scenario.HOT, Side.ECHO),
    ("call to frame: p50, of the bare broadcast", "after_send_p50_ms", Scenario.WATCH, Side.ECHO),
    ("call to frame: p99, of the bare broadcast", "after_send_p99_ms", Scenario.WATCH, Side.ECHO),
)


def summaries(rounds: Sequence[Round]) -> Iterator[Summary]:
    """Yield every scenario and side that was measured."""
    for scenario, side in dict.fromkeys((each.scenario, each.side) for each in rounds):
        own = [each for each in rounds if (each.scenario, each.side) == (scenario, side)]
        figures = {name: spread(_values(own, figure)) for name, figure in FIGURES.items()}
        found = {name: each for name, each in figures.items() if each is not None}
        yield Summary(scenario=scenario, side=side, figures=found)


def compared(rounds: Sequence[Round]) -> Iterator[Ratio]:
    """Yield every ratio for which both sides were measured."""
    for what, name, scenario, below in COMPARED:
        figure = FIGURES[name]
        other = None if below is Side.PGBENCH else scenario
        found = spread(
            ratios(
                _values(_of(rounds, scenario, Side.SERVICE), figure),
                _values(_of(rounds, other, below), figure),
            )
        )
        if found is not None:
            yield Ratio(what=what, spread=found)


def _of(rounds: Sequence[Round], scenario: Scenario | None, side: Side) -> list[Round]:
    return [each for each in rounds if each.scenario == scenario and each.side is side]


def _values(rounds: Sequence[Round], figure: Figure) -> list[float]:
    return [value for each in rounds if (value := figure(each)) is not None]
