"""Scenarios, as they are written in `scenarios/*.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Any

KINDS = (
    "plain",
    "vague",
    "change of mind",
    "lost race",
    "expired hold",
    "clock change",
    "other zone",
    "hostile text",
    "repeated call",
    "slow tool",
)
QUESTIONS = frozenset({"any", "name", "email", "zone", "confirm", "done"})
DEEDS = frozenset({"take", "take others", "release", "lapse", "lose", "fail", "slow", "twice"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What the person says, and at which question of the assistant."""

    say: str
    at: str = "any"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What happens at the nth call of a tool, and at the next ones, so many `times`.

    Before it: `take`: somebody books the time that it names, with that person (`take others`: with
    everybody), after the hold was given up, if it names one; `release`: that hold is given up;
    `lapse`: it is waited for until the hold has lapsed. To its answer: `lose`: it is done, and not
    answered; `fail`: it is not even done; `slow`: answered so many seconds later; `twice`: it is
    done again, and the second answer is taken.
    """

    tool: str
    do: str
    nth: int = 1
    times: int = 1
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Want:
    """What must be true in the end, of the bookings that the person has. No day: nothing is booked.

    at: the local times that are right; span: or any in [from, to). Empty: any time of the day.
    """

    day: str = ""
    days: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    span: tuple[str, ...] = ()
    service: str = "haircut"
    person: str = ""
    minutes: int = 0
    cancelled: int = 0
    waiting: int = 0
    name: str = ""
    email: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A business, a person, what happens meanwhile, and what must be true in the end.

    says: the lines of the person, in order. Each is said where the assistant wants to hear
        something, but not instead of a name, an address, a city or a yes, which the person gives by
        itself; one with `at` is said at exactly that question. Days in them: see days.py.
    zone, city: of the person; knows_zone: the assistant is told the zone.
    business_zone, hours, people, closed: of the business; taken: times that others have booked.
    events: what happens at calls of tools. hold_seconds: how long a hold lasts, 10 at least.
    form: the person leaves with the link to a form, and books there.
    """

    name: str
    kind: str
    says: tuple[Line, ...]
    want: Want
    zone: str = "Europe/Berlin"
    business_zone: str = "Europe/Berlin"
    knows_zone: bool = True
    city: str = "Berlin"
    person_name: str = "Ada Lovelace"
    email: str = "ada@example.com"
    hours: tuple[str, ...] = ("09:00-12:30", "13:30-18:00")
    people: tuple[str, ...] = ("anna", "ben")
    closed: tuple[str, ...] = ()
    taken: tuple[Mapping[str, str], ...] = ()
    events: tuple[Event, ...] = ()
    hold_seconds: int = 300
    form: bool = False


def load_scenarios() -> tuple[Scenario, ...]:
    """Return all scenarios, kind by kind."""
    folder = files("slotcast_chat.benchmark") / "scenarios"
    scenarios: list[Scenario] = []
    for kind in KINDS:
        text = (folder / f"{kind.replace(' ', '_')}.toml").read_text(encoding="utf-8")
        scenarios.extend(_scenario(kind, each) for each in tomllib.loads(text)["scenario"])
    names = [scenario.name for scenario in scenarios]
    if len(set(names)) != len(names):
        raise ValueError("Two scenarios have the same name.")
    return tuple(scenarios)


def _scenario(kind: str, values: Mapping[str, Any]) -> Scenario:
    known = {field.name for field in fields(Scenario)} - {"kind"}
    if unknown := values.keys() - known:
        raise ValueError(f"{values.get('name')}: {', '.join(sorted(unknown))} is not known.")
    made: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    made["says"] = tuple(_line(each) for each in values["says"])
    made["events"] = tuple(Event(**each) for each in values.get("events", ()))
    made["want"] = _want(values["want"])
    scenario = Scenario(kind=kind, **made)
    _check(scenario)
    return scenario


def _line(value: str | Mapping[str, str]) -> Line:
    return Line(say=value) if isinstance(value, str) else Line(**value)


def _want(values: Mapping[str, Any]) -> Want:
    at = values.get("at", ())
    lists = {name: tuple(values.get(name, ())) for name in ("span", "days")}
    return Want(**{**values, **lists, "at": (at,) if isinstance(at, str) else tuple(at)})


def _check(scenario: Scenario) -> None:
    for line in scenario.says:
        if line.at not in QUESTIONS:
            raise ValueError(f"{scenario.name}: {line.at} is no question.")
    for event in scenario.events:
        if event.do not in DEEDS:
            raise ValueError(f"{scenario.name}: {event.do} is no deed.")
