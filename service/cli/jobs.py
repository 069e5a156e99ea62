"""`slotcast jobs`: what waits to be sent, what was given up and why, and send it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from service.cli.connection import (
    DEMO_BUSINESS,
    ApiKeyOption,
    BusinessOption,
    TargetOption,
    id_of,
    lists_when_alone,
    with_client,
)
from service.cli.deliveries import collect, state_of
from service.cli.printing import counted, print_json, print_table, say, warn
from slotcast import Client, Delivery, DeliveryQuery, DeliveryState, InvalidTransition, LogTrimmed

DEAD_MAX = 1000
WAITING_MAX = 10_000
"""Reminders of all that is booked are among them, so it is many that are read."""
RETRIED_MAX = 10_000
app = typer.Typer(help="What waits to be sent, and what was given up, and why; send it again.")


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="jobs")


async def _show(client: Client, as_json: bool) -> None:
    dead = await _newest(client, DeliveryState.DEAD, DEAD_MAX)
    waiting = await _newest(client, DeliveryState.WAITING, WAITING_MAX)
    if as_json:
        print_json([*dead, *waiting])
        return
    now = datetime.now(UTC)
    at_hand = [each for each in waiting if each.due <= now or each.attempts]
    later = [each for each in waiting if each.due > now and not each.attempts]
    if dead or at_hand:
        _print([*reversed(dead), *reversed(at_hand)])
    if dead:
        say(f"{len(dead):,} given up: `slotcast jobs retry --all` sends them again.")
    _say_later(later, is_all=not (dead or at_hand))


lists_when_alone(app, _show)


@app.command()
def retry(
    delivery: Annotated[
        str,
        typer.Argument(help="Its name, or its id.", callback=id_of("delivery", "deliveries")),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    business: BusinessOption = DEMO_BUSINESS,
    target: TargetOption = None,
    api_key: ApiKeyOption = None,
) -> None:
    """Send again what was given up, one or all, under the same ids.

    What could not be planned is planned again, from what is kept of its change.
    """
    if bool(delivery) == every:
        raise typer.BadParameter("Name one, or say --all.")

    async def work(client: Client) -> None:
        await (_retry(client, delivery) if delivery else _retry_all(client))

    with_client(work, business, target, api_key)


async def _newest(client: Client, state: DeliveryState, limit: int) -> list[Delivery]:
    """Return the newest in a state, and say so where there are more."""
    found = await collect(client, DeliveryQuery(states=(state,)), limit + 1)
    if len(found) > limit:
        warn(f"Of what is {state.lower()}, only the newest {limit:,} were looked at.")
    return found[:limit]


def _print(found: Sequence[Delivery]) -> None:
    rows = [
        (
            each.name.rpartition("/")[2],
            f"{each.channel.lower()}: {each.kind.replace('_', ' ')}",
            each.target,
            state_of(each),
            _next_attempt(each),
            each.detail,
        )
        for each in found
    ]
    print_table(("id", "what", "to", "state", "next attempt", "why"), rows)


def _say_later(later: Sequence[Delivery], *, is_all: bool) -> None:
    """Say how much is only for later, instead of showing it."""
    reminders = sum(each.kind == "reminder" for each in later)
    others = len(later) - reminders
    parts = [counted(reminders, "reminder")] if reminders else []
    if others:
        parts.append(counted(others, "other"))
    if parts:
        start = "Nothing is due, and nothing was given up; there are" if is_all else "And"
        say(f"{start} {' and '.join(parts)} for later.")
    elif is_all:
        say("Nothing waits, and nothing was given up.")


async def _retry(client: Client, delivery: str) -> None:
    try:
        tried = await client.retry_delivery(delivery)
    except InvalidTransition as refusal:
        state = refusal.metadata.get("status", "").lower()
        raise typer.BadParameter(
            f"{delivery} is {state or 'not given up'}: only what was given up is sent again."
        ) from None
    except LogTrimmed as refusal:
        raise typer.BadParameter(f"Nothing is left to plan it from. {refusal.message}") from None
    _say_retried([tried], lost=0)


async def _retry_all(client: Client) -> None:
    """Retry all, the oldest change first: what one owes waits before what comes after it."""
    tried, lost = [], 0
    found = await _newest(client, DeliveryState.DEAD, RETRIED_MAX)
    for each in sorted(found, key=lambda dead: (dead.revision, dead.created)):
        try:
            tried.append(await client.retry_delivery(each))
        except InvalidTransition:
            # Somebody else was faster.
            continue
        except LogTrimmed:
            lost += 1
    _say_retried(tried, lost=lost)


def _say_retried(tried: Sequence[Delivery], *, lost: int) -> None:
    """Say what came of retrying: what was planned again has ended, and others wait instead."""
    waiting = sum(each.state is DeliveryState.WAITING for each in tried)
    dead = sum(each.state is DeliveryState.DEAD for each in tried)
    planned = len(tried) - waiting - dead
    if waiting or not (planned or dead or lost):
        say(f"{waiting} to be sent again.")
    if planned:
        say(f"{planned} planned again: what is owed is sent now.")
    if dead:
        say(f"{dead} could not be planned again: `slotcast jobs` says why.")
    if lost:
        say(f"{lost} cannot be planned any more: the log was trimmed. See `slotcast jobs`.")


def _next_attempt(delivery: Delivery) -> str:
    if delivery.state is not DeliveryState.WAITING:
        return ""
    return f"{delivery.due.astimezone():%d %b %H:%M:%S}"
