"""`slotcast-chat benchmark`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO

from mcp import Client as McpClient

from slotcast_chat.assistant.assistant import Assistant
from slotcast_chat.benchmark.document import document
from slotcast_chat.benchmark.playing import MakeDriver, Played, play
from slotcast_chat.benchmark.report import failures, markdown
from slotcast_chat.benchmark.scenario import KINDS, Scenario, load_scenarios
from slotcast_chat.benchmark.service import Access, NotStarted, running_service
from slotcast_chat.benchmark.session import WAYS
from slotcast_chat.model.assistant import ModelAssistant, Spending
from slotcast_chat.model.endpoint import NoModel, endpoint_from_environment
from slotcast_chat.tools import Tools

KEY_VARIABLE = "SLOTCAST_API_KEY"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--driver", choices=("rules", "model"), default="rules", help="who answers")
    parser.add_argument(
        "--target", help="a Slotcast to measure at; by default one is started and thrown away"
    )
    parser.add_argument("--key", help=f"an operator's API key for --target, or {KEY_VARIABLE}")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only these scenarios")
    parser.add_argument("--only", help="only scenarios whose name has this in it")
    parser.add_argument("--jobs", type=int, default=2, help="how many conversations at a time")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the table into a document"
    )
    parser.add_argument(
        "--over", choices=WAYS, default="http", help="how the tools are called: http, or in memory"
    )
    parser.add_argument("--list", action="store_true", help="only tell which scenarios there are")
    parser.add_argument("--verbose", action="store_true", help="print what was said")


def run(options: argparse.Namespace) -> int:
    """Measure; 0 where all went right."""
    scenarios = [each for each in load_scenarios() if _is_wanted(each, options)]
    if options.list:
        _say("\n".join(f"{each.kind}: {each.name}" for each in scenarios))
        return 0
    if not scenarios:
        _say("No scenario fits.", sys.stderr)
        return 2
    try:
        return asyncio.run(_run(scenarios, options))
    except (NotStarted, NoModel) as error:
        _say(str(error), sys.stderr)
        return 2


async def _run(scenarios: Sequence[Scenario], options: argparse.Namespace) -> int:
    spending = Spending()
    async with _driver(options.driver, spending) as make_driver, _access(options) as access:
        results = await play_all(scenarios, access, make_driver, options.jobs, options.over)
    table = markdown(results)
    if options.verbose:
        for each in results:
            _say("\n".join((f"## {each.scenario.kind}: {each.scenario.name}", *each.transcript)))
    _say(table)
    if spending.calls:
        _say(f"The model was asked {spending.calls} times: {spending.tokens} tokens.\n")
    _say(failures(results))
    if options.write:
        options.write.write_text(document(table, options.driver), encoding="utf-8")
    return 0 if all(each.verdict.is_success for each in results) else 1


async def play_all(
    scenarios: Sequence[Scenario],
    access: Access,
    make_driver: MakeDriver,
    jobs: int,
    way: str = "memory",
) -> list[Played]:
    """Play scenarios, so many at a time; the results are in their order."""
    gate = asyncio.Semaphore(max(jobs, 1))

    async def one(scenario: Scenario) -> Played:
        async with gate:
            played = await play(scenario, access, make_driver, way)
        mark = "ok" if played.verdict.is_success else "FAILED"
        _say(f"{mark:>6}  {scenario.kind}: {scenario.name}", sys.stderr)
        return played

    return list(await asyncio.gather(*map(one, scenarios)))


@asynccontextmanager
async def _access(options: argparse.Namespace) -> AsyncIterator[Access]:
    if options.target is None:
        _say("starting a Slotcast of its own", sys.stderr)
        async with running_service() as access:
            yield access
        return
    key = options.key or os.environ.get(KEY_VARIABLE)
    if not key:
        raise NotStarted(f"Name an operator's API key with --key or {KEY_VARIABLE}.")
    yield Access(options.target, key)


@asynccontextmanager
async def _driver(name: str, spending: Spending) -> AsyncIterator[MakeDriver]:
    if name == "rules":
        yield rules
        return
    async with endpoint_from_environment() as endpoint:

        def model(tools: Tools, session: McpClient, conversation: str, zone: str) -> ModelAssistant:
            return ModelAssistant(endpoint, tools, session, conversation, zone, spending=spending)

        yield model


def rules(tools: Tools, _session: McpClient, conversation: str, zone: str) -> Assistant:
    """Make the assistant by rules."""
    return Assistant(tools, conversation, zone)


def _is_wanted(scenario: Scenario, options: argparse.Namespace) -> bool:
    is_kind = not options.kind or scenario.kind in options.kind
    return is_kind and (not options.only or options.only.lower() in scenario.name.lower())


def _say(text: str, stream: TextIO = sys.stdout) -> None:
    stream.write(f"{text}\n")
