"""Slots, frames and holds near the present, for conversations: their window begins at now."""

import asyncio
from datetime import UTC, datetime, timedelta

from slotcast.conversations.shown import Claim
from slotcast.convert import timestamp
from slotcast.v1 import booking_service_pb2 as booking_pb
from tests.clients import wire

_TOMORROW = (datetime.now(UTC) + timedelta(days=1) - wire.DAY) // timedelta(minutes=30)


def now(seconds=0):
    """The instant that is so many seconds ahead."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def _seconds(ahead):
    """The same as wire counts: from its day on."""
    return (now(ahead) - wire.DAY).total_seconds()


def slot(number, **more):
    """The slot that starts so many half hours into tomorrow."""
    return wire.a_slot(_TOMORROW + number, **more)


def snapshot(revision, slots, *, seconds=0):
    """A snapshot that is as of so many seconds ahead."""
    return wire.snapshot(revision, slots, seconds=_seconds(seconds))


def delta(revision, *, seconds=0, **what):
    return wire.delta(revision, seconds=_seconds(seconds), **what)


def heartbeat(revision, slots, *, seconds=0):
    return wire.heartbeat(revision, slots, seconds=_seconds(seconds))


def reset(revision, *reason, seconds=0):
    return wire.reset(revision, *reason, seconds=_seconds(seconds))


def hold_answer(held, revision, *, name="h1", seconds=600, holder="ada"):
    """The answer to HoldSlot: it lapses so many seconds ahead."""
    hold = booking_pb.Hold(
        name=f"businesses/salon/holds/{name}",
        appointment_type=held.appointment_type,
        calendars=[held.calendar],
        start_time=timestamp(held.start),
        end_time=timestamp(held.end),
        expire_time=timestamp(now(seconds)),
        holder=holder,
    )
    return booking_pb.HoldSlotResponse(hold=hold, revision=revision)


def book_answer(booked, revision):
    booking = wire.booking_message(
        appointment_type=booked.appointment_type,
        calendars=[booked.calendar],
        start_time=timestamp(booked.start),
        end_time=timestamp(booked.end),
    )
    return booking_pb.BookResponse(bookings=[booking], revision=revision)


async def caught_up(conversations, revision):
    """Wait until the view is at a revision, and everyone concerned has been woken."""
    while conversations.revision < revision:
        await conversations._view.moved()
    await asyncio.sleep(0)


def waiting(conversation):
    return asyncio.create_task(anext(conversation))


async def nothing_is_told(conversation):
    """What is told next is what only now happens: so nothing else was to be told before.

    What had been, or was wrongly thought of a slot, would be told first, or with it.
    """
    task = waiting(conversation)
    await asyncio.sleep(0)
    never_open = slot(0, calendar="nobody")
    conversation.remember([never_open])
    news = await task
    assert (news.gone, news.back) == ((never_open,), ())
    conversation._forget_behind(Claim.of(never_open, str))
    return news
