"""What happens to the calls of an assistant: somebody is faster, holds end, answers come late."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from slotcast import Client, Customer, SlotcastError, SlotChoice
from slotcast_chat.assistant.state import Answer
from slotcast_chat.benchmark.business import COMPETITOR
from slotcast_chat.benchmark.scenario import Event, Scenario
from slotcast_chat.tools import AnswerLost, Tools

LAPSE_LOOKS_SECONDS = 0.2


class FaultyTools:
    """Tools at which the events of a scenario happen. `calls` counts what the assistant called."""

    def __init__(self, tools: Tools, client: Client, scenario: Scenario) -> None:
        """Take the tools, and a client for those who come between."""
        self._tools = tools
        self._client = client
        self._scenario = scenario
        self._seen: Counter[str] = Counter()
        self.calls: list[str] = []

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Call a tool, with what the scenario has happen at it."""
        self._seen[tool] += 1
        self.calls.append(tool)
        event = self._event(tool)
        if event is None:
            return await self._tools.call(tool, arguments)
        if event.do in {"take", "take others", "release", "lapse"}:
            await self._meddle(event, arguments)
            return await self._tools.call(tool, arguments)
        return await self._distort(event, tool, arguments)

    def _event(self, tool: str) -> Event | None:
        number = self._seen[tool]
        for event in self._scenario.events:
            if event.tool == tool and event.nth <= number < event.nth + event.times:
                return event
        return None

    async def _distort(self, event: Event, tool: str, arguments: Mapping[str, Any]) -> Answer:
        if event.do == "fail":
            raise AnswerLost(f"{tool}: the connection was cut before it.")
        answer = await self._tools.call(tool, arguments)
        if event.do == "lose":
            raise AnswerLost(f"{tool}: the connection was cut after it.")
        if event.do == "twice":
            return await self._tools.call(tool, arguments)
        await asyncio.sleep(event.seconds)
        return answer

    async def _meddle(self, event: Event, arguments: Mapping[str, Any]) -> None:
        named = next(
            (arguments[name] for name in ("time", "hold_or_time", "to") if arguments.get(name)), ""
        )
        hold_id, time = named.split("|", 1) if named.count("|") == 4 else ("", named)
        if hold_id and event.do == "lapse":
            await self._until_lapsed(time)
        elif hold_id:
            # A hold that was given up elsewhere: its time is free, until somebody takes it.
            await self._client.release_hold(hold_id)
        if event.do in {"take", "take others"}:
            await self._book(time, others=event.do == "take others")

    async def _book(self, time: str, *, others: bool) -> None:
        service, person, start, _ = time.split("|")
        people = self._scenario.people if others or not person else (person,)
        for each in people:
            with suppress(SlotcastError):
                await self._client.book(
                    SlotChoice(
                        appointment_type=service,
                        calendar=each,
                        start=datetime.fromisoformat(start),
                    ),
                    customer=Customer(display_name=COMPETITOR),
                )

    async def _until_lapsed(self, time: str) -> None:
        """Wait until others may have the held time: until then it is not open to them."""
        service, person, start, _ = time.split("|")
        while True:
            explanation = await self._client.explain_slot(
                SlotChoice(
                    appointment_type=service,
                    calendar=person,
                    start=datetime.fromisoformat(start),
                )
            )
            if explanation.bookable:
                return
            await asyncio.sleep(LAPSE_LOOKS_SECONDS)
