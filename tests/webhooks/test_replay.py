"""What happened can be told again: with the same ids, in order, as far back as the log is kept."""

from __future__ import annotations

import pytest

from service.domain.booking import BookingEvent
from service.domain.errors import LogTrimmed
from tests.actions.submissions import hold, slot
from tests.webhooks.desk import states


async def test_a_replay_sends_the_same_events_with_the_same_ids(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    booking = await desk.book(slot(1))
    await desk.change(booking, BookingEvent.CANCEL)
    await desk.carry_out()
    first = [(call.id, call.body) for call in receiver.calls]

    done = await desk.replay(webhook, webhook.after_revision)
    await desk.carry_out()

    assert (done.events, done.revision) == (2, await desk.books.revision())
    assert [(call.id, call.body) for call in receiver.calls] == first * 2


async def test_a_replay_tells_a_webhook_what_happened_before_it_was_made(desk, receiver):
    booking = await desk.book(slot(1))
    await desk.change(booking, BookingEvent.CANCEL)
    webhook = await desk.subscribe(receiver.url())
    await desk.carry_out()
    assert receiver.calls == []

    await desk.replay(webhook, 0)
    await desk.carry_out()

    told = [(call.type, call.event["booking"]["version"]) for call in receiver.calls]
    assert told == [("booking.booked", "1"), ("booking.cancelled", "2")]


async def test_a_replay_begins_after_the_revision_that_it_names(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    booking = await desk.book(slot(1))
    booked_at = await desk.books.revision()
    await desk.change(booking, BookingEvent.CANCEL)
    await desk.carry_out()
    receiver.calls.clear()

    await desk.replay(webhook, booked_at)
    await desk.carry_out()

    assert [call.type for call in receiver.calls] == ["booking.cancelled"]


async def test_a_replay_sends_what_was_given_up(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    receiver.answer = lambda _call: 500
    await desk.book(slot(1))
    await desk.carry_out()
    await desk.be_a_day_later()
    assert states(await desk.carry_out()) == ["dead"]

    receiver.answer = lambda _call: 200
    await desk.replay(webhook, webhook.after_revision)

    assert states(await desk.carry_out()) == ["sent"]


async def test_what_waits_is_not_sent_twice_by_a_replay(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    await desk.book(slot(1))
    await desk.plan()

    await desk.replay(webhook, webhook.after_revision)
    await desk.carry_out()

    assert len(receiver.calls) == 1


async def test_what_the_consumer_has_yet_to_plan_is_not_sent_twice(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    await desk.book(slot(1))

    await desk.replay(webhook, webhook.after_revision)
    await desk.carry_out()

    assert len(receiver.calls) == 1


async def test_a_replay_is_bounded_and_goes_on_from_where_it_stopped(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    await desk.book(slot(1), slot(2))
    await desk.book(slot(3), slot(4))
    await desk.carry_out()
    receiver.calls.clear()

    first = await desk.replay(webhook, webhook.after_revision, events_max=3)
    rest = await desk.replay(webhook, first.revision, events_max=3)
    await desk.carry_out()

    assert (first.events, rest.events) == (2, 2), "No revision is told in part."
    assert rest.revision == await desk.books.revision()
    assert len(receiver.calls) == 4


async def test_a_replay_looks_at_so_many_changes_and_no_more(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    for number in range(4):
        await desk.lanes.submit(hold(slot(number)))

    done = await desk.replay(webhook, webhook.after_revision, changes_max=3)

    assert (done.events, done.revision) == (0, webhook.after_revision + 3)


async def test_a_replay_from_before_what_is_kept_is_refused_and_says_what_is_kept(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    await desk.book(slot(1))
    await desk.book(slot(2))
    head = await desk.books.revision()
    await desk.books.run("DELETE FROM changes WHERE revision < $1", head)

    with pytest.raises(LogTrimmed) as refused:
        await desk.replay(webhook, webhook.after_revision)

    assert refused.value.metadata == {"first_revision": str(head)}
    assert (await desk.replay(webhook, head - 1)).events == 1


async def test_of_a_log_that_is_all_gone_nothing_is_told(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    await desk.book(slot(1))
    await desk.books.run("DELETE FROM changes")

    with pytest.raises(LogTrimmed):
        await desk.replay(webhook, webhook.after_revision)
