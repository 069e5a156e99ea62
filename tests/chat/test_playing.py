"""Scenarios from end to end: the real service, the real MCP server, and the assistant by rules."""

import pytest

from slotcast_chat.benchmark.command import play_all, rules
from slotcast_chat.benchmark.scenario import load_scenarios
from slotcast_chat.benchmark.service import Access

SCENARIOS = {scenario.name: scenario for scenario in load_scenarios()}


@pytest.fixture
def access(server, operator_key):
    return Access(server, operator_key)


async def played(access, *names):
    chosen = [SCENARIOS[name] for name in names]
    results = await play_all(chosen, access, rules, jobs=2, way="http")
    return {each.scenario.name: each for each in results}


async def test_the_assistant_by_rules_books_what_is_wanted_whatever_happens_meanwhile(access):
    results = await played(
        access,
        "A day and an hour",
        "Another day, before the yes",
        "Taken before it is held: the next time is chosen",
        "Given up before the yes, and still free",
        "The day on which the clocks go forward, at an hour",
        "Instructions as a name",
        "The booking's answer is lost twice",
        "Booked, and then moved",
        "A no that begins as a yes does",
        "Cancelling, and then keeping it after all",
        "Moved to another hour of the same day",
        "Two booked, and the one that is named cancelled",
        "Another haircut, and the first one cancelled",
        "Not with one of them",
    )

    assert [each.verdict.faults for each in results.values()] == [()] * len(results)
    assert results["A day and an hour"].calls == 4


async def test_an_assistant_that_books_the_wrong_time_is_found(access):
    class Careless:
        """Books what is offered first, and asks nothing."""

        def __init__(self, tools, session, conversation, zone):
            self.inner = rules(tools, session, conversation, zone)

        async def answer(self, message):
            return await self.inner.answer(message.replace("10:00", "11:00"))

    scenario = SCENARIOS["A day and an hour"]
    (result,) = await play_all([scenario], access, Careless, jobs=1)

    assert result.verdict.wrong_times == 1
    assert not result.verdict.is_success
