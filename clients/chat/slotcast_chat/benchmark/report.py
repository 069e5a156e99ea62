"""The scores, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from slotcast_chat.benchmark.playing import Played
from slotcast_chat.benchmark.scenario import KINDS


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of the durations of calls, in milliseconds."""

    p50: float
    p99: float
    slowest: float


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """Return them: the least value that so many of a hundred are not above."""
    ranked = sorted(seconds)

    def at(share: float) -> float:
        return ranked[max(0, -int(-share * len(ranked) // 1) - 1)] * 1000

    return Percentiles(at(0.5), at(0.99), ranked[-1] * 1000) if ranked else Percentiles(0, 0, 0)


def markdown(results: Sequence[Played]) -> str:
    """Return the table, kind by kind, and what one call of a tool takes."""
    if not results:
        raise ValueError("No scenario was played.")
    lines = [
        "| scenarios | number | success | double bookings | wrong times | tool calls | seconds |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind in KINDS:
        some = [each for each in results if each.scenario.kind == kind]
        if some:
            lines.append(_row(kind, some))
    lines.append(_row("**all**", results))
    seconds = [each for played in results for each in played.call_seconds]
    took = percentiles(seconds)
    lines += [
        "",
        f"One call of a tool, of {len(seconds)}: p50 {took.p50:.1f} ms, p99 {took.p99:.1f} ms.",
    ]
    return "\n".join(lines) + "\n"


def failures(results: Sequence[Played]) -> str:
    """Tell what went wrong, with what was said."""
    parts = []
    for each in results:
        if not each.verdict.is_success:
            faults = "; ".join(each.verdict.faults)
            said = "\n".join(f"    {line}" for line in "\n".join(each.transcript).splitlines())
            parts.append(f"{each.scenario.kind}: {each.scenario.name}: {faults}\n{said}\n")
    return "\n".join(parts)


def _row(kind: str, some: Sequence[Played]) -> str:
    right = sum(each.verdict.is_success for each in some)
    doubled = sum(each.verdict.double_bookings for each in some)
    wrong = sum(each.verdict.wrong_times for each in some)
    calls = fmean(each.calls for each in some)
    seconds = fmean(each.seconds for each in some)
    return (
        f"| {kind} | {len(some)} | {100 * right / len(some):.0f} % | {doubled} | {wrong}"
        f" | {calls:.1f} | {seconds:.2f} |"
    )
