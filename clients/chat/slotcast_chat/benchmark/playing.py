"""Plays a scenario: a person and an assistant, at a business of their own."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

from mcp import Client as McpClient

from slotcast import Client, Customer, SlotcastError
from slotcast_chat.assistant.state import Say
from slotcast_chat.benchmark.business import bookings_of, make_business
from slotcast_chat.benchmark.faults import FaultyTools
from slotcast_chat.benchmark.judging import Verdict, judge
from slotcast_chat.benchmark.person import Person
from slotcast_chat.benchmark.scenario import Scenario
from slotcast_chat.benchmark.service import Access
from slotcast_chat.benchmark.session import open_session
from slotcast_chat.tools import SessionTools, Timed, Tools

TURNS_MAX = 20
SCENARIO_SECONDS_MAX = 180.0
_runs = count(1)


class Driver(Protocol):
    """An assistant that is measured."""

    async def answer(self, message: str) -> Say:
        """Answer a message of the person."""
        ...


class MakeDriver(Protocol):
    """Makes an assistant for one conversation."""

    def __call__(self, tools: Tools, session: McpClient, conversation: str, zone: str, /) -> Driver:
        """Make it; an empty zone is not known, and has to be asked for."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """How a scenario went. `call_seconds`: of each call, without what was put in its way."""

    scenario: Scenario
    verdict: Verdict
    calls: int
    turns: int
    seconds: float
    call_seconds: tuple[float, ...]
    transcript: tuple[str, ...]


async def play(
    scenario: Scenario, access: Access, make_driver: MakeDriver, way: str = "memory"
) -> Played:
    """Play one, and judge it. With an operator's key; `way` is that of the tools' session."""
    business = f"bench-{datetime.now(UTC):%H%M%S}-{next(_runs)}-{time.monotonic_ns() % 100000}"
    now = datetime.now(UTC)
    async with Client(access.target, api_key=access.api_key, business=business) as operator:
        await make_business(operator, business, scenario, now)
        async with open_session(access, business, way) as session:
            seconds: list[float] = []
            timed = Timed(SessionTools(session), seconds)
            faulty = FaultyTools(timed, operator, scenario)
            zone = scenario.zone if scenario.knows_zone else ""
            driver = make_driver(faulty, session, f"chat-{business}", zone)
            began = time.perf_counter()
            talk = Talk(Person(scenario, now), driver)
            try:
                async with asyncio.timeout(SCENARIO_SECONDS_MAX):
                    await talk.run()
            except TimeoutError:
                talk.transcript.append("(It took too long, and was ended.)")
            lasted = time.perf_counter() - began
        if scenario.form and talk.link:
            # Where that fails, nothing is booked, which is judged.
            with suppress(SlotcastError):
                await _fill_in_form(operator, talk.link, scenario)
        bookings = await bookings_of(operator, now)
        waiting = len((await operator.list_waitlist()).items)
    return Played(
        scenario=scenario,
        verdict=judge(scenario, bookings, waiting, now),
        calls=len(faulty.calls),
        turns=talk.turns,
        seconds=lasted,
        call_seconds=tuple(seconds),
        transcript=tuple(talk.transcript),
    )


class Talk:
    """A conversation: what was said, and the last link that was given."""

    def __init__(self, person: Person, driver: Driver) -> None:
        """Begin with nothing said."""
        self._person, self._driver = person, driver
        self.transcript: list[str] = []
        self.turns = 0
        self.link = ""

    async def run(self) -> None:
        """Let them talk until the person leaves, or for so many turns."""
        said = ""
        while self.turns < TURNS_MAX:
            message = self._person.reply(said)
            if message is None:
                return
            self.turns += 1
            self.transcript.append(f"Person: {message}")
            answer = await self._driver.answer(message)
            said = answer.text
            self.link = answer.link or self.link
            self.transcript.append(f"Assistant: {said}")
            if self.link and self._person.prefers_forms:
                return


async def _fill_in_form(client: Client, link: str, scenario: Scenario) -> None:
    """Do as the form does: take the hold over, and book it."""
    ticket = link.rpartition("#")[2]
    redeemed = await client.redeem_handoff(ticket, holder="the-form")
    known = {field.name: field.value for field in redeemed.fields}
    name = known.get("display_name", scenario.person_name)
    await client.book(
        redeemed.hold,
        holder="the-form",
        customer=Customer(display_name=name, email=scenario.email, time_zone=scenario.zone),
    )
