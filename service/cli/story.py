"""One story through the SDK, each step of it seen by a watcher: `make demo-check`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from slotcast import Booking, Client, Customer, Slot, SlotQuery, SlotTaken, SlotView

if TYPE_CHECKING:
    from service.mail_catcher.catcher import MailCatcher

CUSTOMER = Customer(display_name="Demo visitor", email="visitor@example.com")


class StoryBroken(Exception):
    """A step did not do what it promises."""


async def tell_story(client: Client, other: Client, catcher: MailCatcher, console: Console) -> None:
    """Play the story with two visitors; raises StoryBroken where a promise breaks."""
    # From a midnight on: an alternative of the same day may be earlier than what was asked for.
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + timedelta(days=2)
    query = SlotQuery(start=start, end=start + timedelta(days=7), appointment_types=("haircut",))
    listed = (await client.list_slots(query)).items
    first, second, third = listed[0], listed[1], listed[2]
    console.print(f"[bold]list[/]        {len(listed)} slots are open from {_time(first)}")
    async with client.watch(query) as view:
        await view.reached(0)
        _check(len(view.slots) == len(listed), "the watch shows what the list shows")
        console.print(f"[bold]watch[/]       the watcher sees the same {len(view.slots)} slots")
        teller = _Teller(console, view)

        hold = await client.hold_slot(first, holder="visitor-1")
        await teller.gone("hold", first, hold.revision, "held, for this visitor alone")

        booking = await client.book(hold, customer=CUSTOMER)
        await teller.gone("book", first, booking.revision, f"booked: {booking.status.value}")
        await _letter_about(booking, catcher, console)

        taken = await other.book(second, customer=CUSTOMER)
        await teller.gone("rival", second, taken.revision, "another visitor was faster")
        try:
            await client.book(second, customer=CUSTOMER)
        except SlotTaken as refusal:
            _check(bool(refusal.alternatives), "a refusal offers alternatives")
            choice = refusal.alternatives[0]
            console.print(
                f"[bold]lose[/]        {_time(second)} is taken;"
                f" {len(refusal.alternatives)} alternatives, first {_time(choice)}"
            )
        else:
            raise StoryBroken("a slot was sold twice")
        alternative = await client.book(choice, customer=CUSTOMER)
        await teller.gone("alternative", choice, alternative.revision, "taken instead")

        target = next(slot for slot in view.slots.values() if slot.start > third.start)
        moved = await client.reschedule_booking(booking, to=target)
        await teller.gone("reschedule", target, moved.revision, "taken in the same commit …")
        await teller.open_again("", first, moved.revision, "… as this one is free again")

        cancelled = await client.cancel_booking(alternative, reason="plans changed")
        await teller.open_again("cancel", choice, cancelled.revision, "cancelled, free again")
    console.print("[green]Every step was seen by the watcher; nothing was sold twice.[/]")


async def _letter_about(booking: Booking, catcher: MailCatcher, console: Console) -> None:
    """Wait for the letter to the customer, and tell it."""
    uid = booking.name.rsplit("/", 1)[1]
    try:
        letter = await catcher.letter(
            lambda letter: (
                CUSTOMER.email in letter.recipients and uid in (letter.part("text/calendar") or "")
            )
        )
    except TimeoutError:
        raise StoryBroken("who books is written to") from None
    console.print(
        f"[bold]letter[/]      {escape(repr(letter.subject))} to {CUSTOMER.email},"
        " with the event for their calendar",
        highlight=False,
    )


class _Teller:
    """Wait until the watcher has seen a step, then tell it."""

    def __init__(self, console: Console, view: SlotView) -> None:
        self._console = console
        self._view = view

    async def gone(self, step: str, slot: Slot, revision: int, what: str) -> None:
        await self._view.reached(revision)
        _check(slot.key not in self._view.slots, f"{step}: the watcher no longer sees the slot")
        self._say(step, slot, "−", what)

    async def open_again(self, step: str, slot: Slot, revision: int, what: str) -> None:
        await self._view.reached(revision)
        _check(slot.key in self._view.slots, f"{step}: the watcher sees the slot again")
        self._say(step, slot, "+", what)

    def _say(self, step: str, slot: Slot, sign: str, what: str) -> None:
        self._console.print(
            f"[bold]{step:<11}[/] {sign} {_time(slot)} {what}"
            f" [dim](revision {self._view.revision})[/]",
            highlight=False,
        )


def _check(holds: bool, promise: str) -> None:
    if not holds:
        raise StoryBroken(promise)


def _time(slot: Slot) -> str:
    return f"{slot.start:%a %d %b %H:%M} UTC on {slot.calendar.rsplit('/', 1)[1]}"
