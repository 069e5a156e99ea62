"""Whether the chat can work: the service is reached, and the key may do all that is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from slotcast import BookingQuery, Client, SlotcastError, SlotQuery

CHECK_SECONDS_MAX = 10.0


class CannotServe(Exception):
    """The chat could not do its work, and why: one sentence."""


async def check_access(client: Client, business: str) -> None:
    """Ask for something by each scope that the chat needs. CannotServe: it cannot work."""
    now = datetime.now(UTC)
    start, end = now, now + timedelta(minutes=1)
    # There is no such hold: nothing is given up, and the scope is looked at before that.
    asked: dict[str, Awaitable[object]] = {
        "catalog.read": client.list_appointment_types(page_size=1),
        "availability.read": client.list_slots(SlotQuery(start=start, end=end), page_size=1),
        "bookings.read": client.list_bookings(BookingQuery(start=start, end=end), page_size=1),
        "bookings.write": client.release_hold(str(uuid4())),
    }
    try:
        async with asyncio.timeout(CHECK_SECONDS_MAX):
            answers = await asyncio.gather(*asked.values(), return_exceptions=True)
    except TimeoutError:
        raise CannotServe(f"Slotcast did not answer for {CHECK_SECONDS_MAX:.0f} s.") from None
    refusals = {
        scope: answer
        for scope, answer in zip(asked, answers, strict=True)
        if isinstance(answer, BaseException)
    }
    missing = [scope for scope, error in refusals.items() if _reason(error) == "SCOPE_MISSING"]
    if missing:
        raise CannotServe(f"The API key has no scope {', '.join(missing)}: the chat needs it.")
    for scope, error in refusals.items():
        if scope != "bookings.write" or _reason(error) != "RESOURCE_NOT_FOUND":
            raise CannotServe(_told(error, business)) from error


def _reason(error: BaseException) -> str:
    return error.reason if isinstance(error, SlotcastError) else ""


def _told(error: BaseException, business: str) -> str:
    if not isinstance(error, SlotcastError):
        return f"Slotcast cannot be asked: {error}"
    if error.reason == "RESOURCE_NOT_FOUND":
        return f"Slotcast has no business {business}."
    if error.reason:
        return f"Slotcast refuses: {error}"
    return f"Slotcast cannot be reached: {error}"
