"""Conversations: one watch, and everyone is told what became of what they were shown."""

import asyncio
from dataclasses import fields, replace
from datetime import timedelta

import grpc
import pytest

from slotcast import (
    BeyondWindow,
    Client,
    ClientClosed,
    ConversationForgotten,
    ConversationLimits,
    Conversations,
    Customer,
    KeyInvalid,
    ShownChanged,
    SlotChoice,
    SlotTaken,
    Stale,
    Timeouts,
    ViewStale,
)
from slotcast.v1 import booking_service_pb2 as booking_pb
from slotcast.v1.availability_service_pb2 import Reset
from slotcast.v1.error_reason_pb2 import Alternatives
from tests.clients.chat import (
    book_answer,
    caught_up,
    delta,
    heartbeat,
    hold_answer,
    nothing_is_told,
    now,
    reset,
    slot,
    snapshot,
    waiting,
)
from tests.clients.scripted import refused
from tests.clients.wire import STALE_AFTER_SECONDS, slot_message

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
DAY_SECONDS = 86_400
ADA = Customer(display_name="Ada")
SOON = now()
FIVE = [slot(number) for number in range(5)]


@pytest.fixture
async def conversations(client):
    async with Conversations(client) as conversations:
        yield conversations


@pytest.fixture
async def stream(script, conversations):
    """The one watch, with five slots open at revision 1."""
    stream = await script.stream()
    stream.send(*snapshot(1, FIVE))
    return stream


@pytest.fixture
async def ada(conversations, stream):
    """A conversation that has shown the five slots."""
    ada = conversations.open("ada")
    assert await ada.slots() == tuple(FIVE)
    return ada


async def begun(asking):
    """Let a question go as far as it comes by itself: to where it waits for the view."""
    task = asyncio.ensure_future(asking)
    await asyncio.sleep(0)
    return task


# What is watched.


async def test_all_types_and_calendars_are_watched_by_nobody_in_particular(script, conversations):
    request = (await script.stream()).request
    assert request.parent == "businesses/salon"
    assert (list(request.appointment_types), list(request.calendars), request.holder) == (
        [],
        [],
        "",
    )
    start, end = request.start_time.ToSeconds(), request.end_time.ToSeconds()
    assert start <= now().timestamp()
    assert end >= now().timestamp() + 30 * DAY_SECONDS
    assert end - start <= 62 * DAY_SECONDS


async def test_the_farthest_window_is_within_what_one_watch_may_span(client, script):
    async with Conversations(client, ahead=timedelta(days=60)):
        request = (await script.stream()).request
        assert request.end_time.ToSeconds() - request.start_time.ToSeconds() <= 62 * DAY_SECONDS


@pytest.mark.parametrize("days", [0, -1, 61])
async def test_a_window_of_no_length_or_too_much_is_refused(client, days):
    with pytest.raises(ValueError, match="ahead"):
        Conversations(client, ahead=timedelta(days=days))


async def test_thousands_of_conversations_share_one_watch(conversations, script, stream):
    for number in range(2000):
        assert await conversations.open(f"c{number}").slots(limit=1) == (FIVE[0],)
    assert script._streams.empty()


async def test_a_conversation_that_was_opened_is_found_by_its_id(conversations):
    ada = conversations.open("ada", holder="+49 30 1")
    assert conversations.open("ada") is ada
    assert (ada.id, ada.holder) == ("ada", "+49 30 1")
    assert conversations.open("bob").holder == "bob"
    assert len(conversations) == 2


# Showing.


async def test_slots_are_those_of_the_types_calendars_and_times_that_are_asked_for(
    conversations, script
):
    all_slots = [
        slot(number, calendar=calendar, kind=kind)
        for number in range(60)
        for kind in ("cut", "dye")
        for calendar in ("anna", "bert")
    ]
    (await script.stream()).send(*snapshot(1, all_slots))
    ada = conversations.open("ada")
    assert await ada.slots(limit=3) == tuple(sorted(all_slots, key=lambda each: each.key)[:3])
    found = await ada.slots(
        appointment_types=("dye",),
        calendars=("businesses/salon/calendars/bert",),
        start=slot(20).start,
        end=slot(55).start,
        limit=50,
    )
    assert found == tuple(slot(n, calendar="bert", kind="dye") for n in range(20, 55))


async def test_a_question_that_cannot_be_answered_is_refused(ada, client, script):
    with pytest.raises(BeyondWindow):
        await ada.slots(end=now() + timedelta(days=40))
    with pytest.raises(BeyondWindow):
        await ada.slots(start=now() + timedelta(days=40))
    for duration in (timedelta(0), timedelta(minutes=-30), timedelta(days=69)):
        with pytest.raises(ValueError, match="duration"):
            await ada.slots(duration=duration)
    with pytest.raises(ValueError, match="limit"):
        await ada.slots(limit=51)
    with pytest.raises(ValueError, match="after"):
        await ada.slots(start=SOON, end=SOON)
    with pytest.raises(ValueError, match="zone"):
        await ada.slots(start=SOON.replace(tzinfo=None))
    with pytest.raises(TypeError, match="one name"):
        await ada.slots(calendars="anna")
    async with Conversations(client, appointment_types=("cut",)) as only_cuts:
        with pytest.raises(ValueError, match="not watched"):
            await only_cuts.open("ada").slots(appointment_types=("dye",))


async def test_the_first_question_waits_for_the_snapshot(conversations, script):
    asking = asyncio.create_task(conversations.open("ada").slots())
    stream = await script.stream()
    chunk, end = snapshot(1, FIVE)
    stream.send(chunk)
    assert not asking.done()
    stream.send(end)
    assert await asking == tuple(FIVE)


# Told.


async def test_a_slot_that_was_shown_and_is_taken_is_told_gone(ada, stream):
    stream.send(delta(2, closed=[FIVE[1]]))
    news = await anext(ada)
    assert news == ShownChanged(gone=(FIVE[1],), back=(), revision=2, as_of=news.as_of)
    assert await ada.gone() == (FIVE[1],)
    assert FIVE[1] not in await ada.slots()


async def test_who_did_not_show_it_is_not_told(conversations, ada, stream):
    bob = conversations.open("bob")
    await bob.slots(start=FIVE[2].start)
    stream.send(delta(2, closed=[FIVE[1]]))
    assert (await anext(ada)).gone == (FIVE[1],)
    await nothing_is_told(bob)
    assert await bob.gone() == ()


async def test_a_slot_that_is_open_again_is_told_back(ada, stream):
    stream.send(delta(2, closed=[FIVE[1]]))
    await anext(ada)
    stream.send(delta(3, opened=[FIVE[1]]))
    news = await anext(ada)
    assert (news.gone, news.back) == ((), (FIVE[1],))


async def test_what_happened_meanwhile_is_told_merged_once(conversations, ada, stream):
    for turn in range(50):
        stream.send(delta(2 + 2 * turn, closed=[FIVE[1]]), delta(3 + 2 * turn, opened=[FIVE[1]]))
    stream.send(delta(102, closed=[FIVE[2], FIVE[4]]))
    await caught_up(conversations, 102)
    news = await anext(ada)
    assert (news.gone, news.back, news.revision) == ((FIVE[2], FIVE[4]), (), 102)
    await nothing_is_told(ada)


async def test_a_slot_with_another_number_of_seats_is_no_news(ada, conversations, stream):
    stream.send(delta(2, opened=[replace(FIVE[0], seats_left=7)]))
    await caught_up(conversations, 2)
    await nothing_is_told(ada)
    assert (await ada.slots())[0].seats_left == 7


async def test_alternatives_that_were_shown_are_told_of_too(conversations, stream):
    ada = conversations.open("ada")
    await ada.slots(limit=1)
    ada.remember(FIVE[3:])
    assert ada.shown == (FIVE[0], *FIVE[3:])
    stream.send(delta(2, closed=[FIVE[4]]))
    assert (await anext(ada)).gone == (FIVE[4],)


async def test_shown_again_a_slot_that_came_back_is_known_to_be_open(ada, conversations, stream):
    stream.send(delta(2, closed=[FIVE[1]]))
    await anext(ada)
    stream.send(delta(3, opened=[FIVE[1]]))
    await caught_up(conversations, 3)
    assert FIVE[1] in await ada.slots()
    await nothing_is_told(ada)


# Stale.


async def test_a_view_that_hears_nothing_shows_nothing(ada, clock):
    clock.advance(STALE_AFTER_SECONDS)
    assert ada.is_stale
    for question in (ada.slots, ada.gone):
        asking = await begun(question())
        clock.advance(1)
        with pytest.raises(ViewStale) as stale:
            await asking
        assert stale.value.retryable


async def test_a_conversation_is_told_once_that_nothing_is_known(ada, stream, script, clock):
    waiter = await begun(waiting(ada))
    clock.advance(STALE_AFTER_SECONDS)
    stale = await waiter
    assert isinstance(stale, Stale)
    assert stale.as_of is not None
    waiter = await begun(waiting(ada))
    ada.remember(FIVE)  # it looks again
    (await script.stream()).send(heartbeat(1, FIVE, seconds=STALE_AFTER_SECONDS))
    assert isinstance(await waiter, ShownChanged)


async def test_one_that_showed_nothing_has_nothing_that_could_be_stale(
    conversations, script, stream, ada, clock
):
    bob = conversations.open("bob")
    waiter = await begun(waiting(bob))
    clock.advance(STALE_AFTER_SECONDS)
    assert isinstance(await anext(ada), Stale)
    again = await script.stream()
    again.send(heartbeat(1, FIVE, seconds=STALE_AFTER_SECONDS))
    assert isinstance(await anext(ada), ShownChanged)
    bob.remember(FIVE[:1])
    again.send(delta(2, closed=FIVE[:1], seconds=STALE_AFTER_SECONDS))
    assert (await waiter).gone == (FIVE[0],)


async def test_it_heals_by_itself_and_compares_anew(ada, stream, script, clock):
    clock.advance(STALE_AFTER_SECONDS)
    assert isinstance(await anext(ada), Stale)
    again = await script.stream()
    assert again.request.resume_token == "token-1"
    again.send(delta(7, closed=[FIVE[0]], seconds=STALE_AFTER_SECONDS))
    news = await anext(ada)
    assert (news.gone, news.revision) == ((FIVE[0],), 7)
    assert await ada.slots() == tuple(FIVE[1:])


async def test_it_is_told_that_all_is_known_again_also_where_nothing_changed(
    ada, script, stream, clock
):
    clock.advance(STALE_AFTER_SECONDS)
    assert isinstance(await anext(ada), Stale)
    (await script.stream()).send(heartbeat(1, FIVE, seconds=STALE_AFTER_SECONDS))
    news = await anext(ada)
    assert (news.gone, news.back) == ((), ())


async def test_a_watch_that_is_reset_is_compared_anew(ada, stream):
    stream.send(reset(9), *snapshot(9, [*FIVE[2:], slot(9)]))
    while not isinstance(news := await anext(ada), ShownChanged):
        pass
    assert news.gone == tuple(FIVE[:2])
    assert await ada.slots() == (*FIVE[2:], slot(9))


async def test_an_outage_longer_than_a_client_waits_heals_too(script, clock):
    timeouts = Timeouts(clock=clock, outage_seconds_max=10)
    async with (
        Client(script.target, business="salon", timeouts=timeouts) as client,
        Conversations(client) as conversations,
    ):
        stream = await script.stream()
        for _ in range(40):
            stream.end(refused(UNAVAILABLE))
            stream = await script.stream()
        assert clock.now > 1010 + 50
        stream.send(*snapshot(1, FIVE))
        assert await conversations.open("ada").slots() == tuple(FIVE)


async def test_a_watch_that_is_refused_for_good_is_raised_to_everyone(ada, conversations, stream):
    waiter = await begun(waiting(ada))
    stream.end(refused(grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID"))
    with pytest.raises(KeyInvalid):
        await waiter
    with pytest.raises(KeyInvalid):
        await conversations.open("bob").slots()


async def test_leaving_the_block_ends_all(client, script):
    async with Conversations(client) as conversations:
        stream = await script.stream()
        stream.send(*snapshot(1, FIVE))
        ada = conversations.open("ada")
        await ada.slots()
        waiter = await begun(waiting(ada))
    with pytest.raises(StopAsyncIteration):
        await waiter
    with pytest.raises(ConversationForgotten):
        await ada.slots()
    with pytest.raises(ClientClosed):
        await conversations.open("ada").slots()
    await stream.closed.wait()


# One's own.


async def test_holds_and_bookings_carry_the_conversation_and_its_holder(
    conversations, script, stream
):
    ada = conversations.open("chat-1", holder="ada")
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 2))
    script.on("Book", lambda _: book_answer(FIVE[0], 3))
    hold = await ada.hold_slot(FIVE[0], request_id="r1")
    request = script.calls[-1].request
    assert (request.holder, request.conversation, request.request_id) == ("ada", "chat-1", "r1")
    booking = await ada.book(hold, customer=ADA, fields={"a": "b"}, request_id="r2")
    request = script.calls[-1].request
    assert (request.holder, request.conversation, request.request_id) == ("ada", "chat-1", "r2")
    assert dict(request.fields) == {"a": "b"}
    assert booking.revision == 3


async def test_read_your_writes_the_next_slots_are_not_older_than_ones_own_hold(
    ada, stream, script
):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 5))
    await ada.hold_slot(FIVE[0])
    asking = asyncio.create_task(ada.slots())
    stream.send(delta(4, opened=[slot(8)]))
    await asyncio.sleep(0)
    assert not asking.done()
    stream.send(delta(5, closed=FIVE[:2]))
    assert await asking == (FIVE[0], *FIVE[2:], slot(8))


async def test_a_view_that_does_not_reach_ones_own_write_shows_nothing(ada, script, clock):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 5))
    await ada.hold_slot(FIVE[0])
    asking = await begun(ada.slots())
    clock.advance(1)
    with pytest.raises(ViewStale):
        await asking


async def test_ones_own_hold_hides_nothing_from_one_and_is_told_to_the_others(
    ada, conversations, stream, script
):
    bob = conversations.open("bob")
    await bob.slots()
    dyed = slot(0, kind="dye")
    stream.send(delta(2, opened=[dyed]))
    await caught_up(conversations, 2)
    ada.remember([dyed])
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 3))
    hold = await ada.hold_slot(FIVE[0])
    stream.send(delta(3, closed=[FIVE[0], dyed]))
    assert (await anext(bob)).gone == (FIVE[0],)
    assert ada.holds == (hold,)
    assert await ada.slots() == tuple(FIVE)
    assert await ada.gone() == ()
    await nothing_is_told(ada)


async def test_what_ones_own_hold_closes_around_it_by_a_buffer_is_not_told_gone(
    ada, conversations, stream, script
):
    left = [FIVE[4], slot(9)]
    bob = conversations.open("bob")
    await bob.slots()
    held = hold_answer(FIVE[2], 7, seconds=120)
    script.on("HoldSlot", lambda _: hold_answer(FIVE[2], 3, seconds=60))
    script.on("RenewHold", lambda _: booking_pb.RenewHoldResponse(hold=held.hold, revision=7))
    hold = await ada.hold_slot(FIVE[2])
    stream.send(delta(2, opened=[slot(9)]))
    await caught_up(conversations, 2)
    stream.send(delta(3, closed=FIVE[1:4]))
    assert (await anext(bob)).gone == tuple(FIVE[1:4])
    assert await ada.gone() == ()
    stream.send(delta(4, closed=FIVE[:1]))  # this one was another's
    assert (await anext(ada)).gone == (FIVE[0],)
    await ada.renew_hold(hold)
    stream.send(heartbeat(7, left, seconds=90))
    await caught_up(conversations, 7)
    assert await ada.gone() == (FIVE[0],)
    # It lapsed, and they are taken at once.
    stream.send(heartbeat(8, left, seconds=120))
    assert set((await anext(ada)).gone) == set(FIVE[1:4])


async def test_what_ones_own_hold_closes_may_be_watched_before_the_answer_comes(
    ada, conversations, stream, script
):
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer(_):
        asked.set()
        await answered.wait()
        return hold_answer(FIVE[2], 3)

    script.on("HoldSlot", answer)
    holding = asyncio.create_task(ada.hold_slot(FIVE[2]))
    await asked.wait()
    stream.send(delta(2, closed=FIVE[:1]))
    await caught_up(conversations, 2)
    stream.send(delta(3, closed=FIVE[1:4]))
    await caught_up(conversations, 3)
    assert await ada.gone() == ()  # whose doing each is shows by the answer
    answered.set()
    await holding
    assert await ada.gone() == (FIVE[0],)


async def test_a_slot_that_one_holds_oneself_may_be_watched_before_the_answer_comes(
    ada, conversations, stream, script
):
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer(_):
        asked.set()
        await answered.wait()
        return hold_answer(FIVE[0], 2)

    script.on("HoldSlot", answer)
    holding = asyncio.create_task(ada.hold_slot(FIVE[0]))
    await asked.wait()
    stream.send(delta(2, closed=[FIVE[0]]))
    await caught_up(conversations, 2)
    await nothing_is_told(ada)
    answered.set()
    await holding
    await nothing_is_told(ada)


async def test_of_a_choice_on_any_calendar_the_hold_is_known_by_its_answer(
    ada, conversations, stream, script
):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 2))
    choice = SlotChoice(appointment_type="cut", start=FIVE[0].start)
    await ada.hold_slot(choice)
    stream.send(delta(2, closed=[FIVE[0]]))
    await nothing_is_told(ada)
    assert await ada.slots() == tuple(FIVE)


async def test_a_hold_that_lapses_and_is_taken_at_once_is_told_gone(
    ada, conversations, stream, script
):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 2, seconds=60))
    await ada.hold_slot(FIVE[0])
    stream.send(delta(2, closed=[FIVE[0]]))
    await caught_up(conversations, 2)
    waiter = await begun(waiting(ada))
    # Lapsed and taken in one frame, which says nothing of it: it was closed, and is.
    stream.send(heartbeat(4, FIVE[1:], seconds=60))
    assert (await waiter).gone == (FIVE[0],)
    assert ada.holds == ()


async def test_a_slot_that_was_told_gone_and_is_held_is_no_news_until_it_is_gone_again(
    ada, conversations, stream, script
):
    stream.send(delta(2, closed=[FIVE[0]]))
    assert (await anext(ada)).gone == (FIVE[0],)
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 4, seconds=60))
    await ada.hold_slot(FIVE[0])  # it was given back, and held before the watch told of it
    stream.send(heartbeat(4, FIVE[1:]))
    await caught_up(conversations, 4)
    await nothing_is_told(ada)
    assert await ada.gone() == ()
    stream.send(heartbeat(5, FIVE[1:], seconds=60))
    assert (await anext(ada)).gone == (FIVE[0],)


async def test_a_slot_that_is_held_counts_as_shown(conversations, stream, script):
    ada = conversations.open("ada")
    script.on("HoldSlot", lambda _: hold_answer(FIVE[3], 2, seconds=60))
    await ada.hold_slot(SlotChoice(appointment_type="cut", start=FIVE[3].start))
    assert ada.shown == (FIVE[3],)
    stream.send(delta(2, closed=[FIVE[3]], seconds=60))
    assert (await anext(ada)).gone == (FIVE[3],)


async def test_a_conversation_that_is_forgotten_amid_a_hold_still_gets_it(ada, stream, script):
    def answer(_):
        ada.close()
        return hold_answer(FIVE[0], 2)

    script.on("HoldSlot", answer)
    assert (await ada.hold_slot(FIVE[0])).name == "businesses/salon/holds/h1"
    assert ada._shared.hub.shown_count == 0


async def test_a_hold_that_lapses_and_stays_free_is_no_news(ada, conversations, stream, script):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 2, seconds=60))
    await ada.hold_slot(FIVE[0])
    stream.send(delta(2, closed=[FIVE[0]]), delta(3, opened=[FIVE[0]], seconds=60))
    await caught_up(conversations, 3)
    await nothing_is_told(ada)


async def test_a_hold_that_is_renewed_stands_longer(ada, conversations, stream, script):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 2, seconds=60))
    held = hold_answer(FIVE[0], 3, seconds=120)
    script.on("RenewHold", lambda _: booking_pb.RenewHoldResponse(hold=held.hold, revision=3))
    await ada.renew_hold(await ada.hold_slot(FIVE[0]))
    stream.send(delta(2, closed=[FIVE[0]]), heartbeat(3, FIVE[1:], seconds=90))
    await caught_up(conversations, 3)
    await nothing_is_told(ada)
    assert len(ada.holds) == 1


async def test_a_hold_that_is_released_is_not_told_gone_before_the_watch_knows(
    ada, conversations, stream, script
):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 2))
    script.on("ReleaseHold", lambda _: booking_pb.ReleaseHoldResponse(revision=3))
    hold = await ada.hold_slot(FIVE[0])
    stream.send(delta(2, closed=[FIVE[0]]))
    await caught_up(conversations, 2)
    await ada.release_hold(hold)
    waiter = await begun(waiting(ada))
    ada.remember(FIVE[1:])  # it looks again
    # Another was quicker; only now can it be known.
    stream.send(heartbeat(4, FIVE[1:]))
    news = await waiter
    assert (news.gone, news.revision) == ((FIVE[0],), 4)


async def test_what_one_books_oneself_is_no_news(ada, conversations, stream, script):
    script.on("Book", lambda _: book_answer(FIVE[0], 2))
    await ada.book(FIVE[0], customer=ADA)
    stream.send(delta(2, closed=[FIVE[0]]))
    await caught_up(conversations, 2)
    await nothing_is_told(ada)
    assert ada.shown == tuple(FIVE[1:])
    assert await ada.slots() == tuple(FIVE[1:])


async def test_a_hold_that_is_booked_by_its_name_is_no_hold_any_more(ada, stream, script):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 2))
    script.on("Book", lambda _: book_answer(FIVE[0], 3))
    await ada.hold_slot(FIVE[0])
    await ada.book("h1", customer=ADA)
    assert ada.holds == ()
    stream.send(delta(3, closed=[FIVE[0]]))
    assert await ada.slots() == tuple(FIVE[1:])


async def test_a_hold_that_was_handed_over_is_no_news_any_more(ada, conversations, stream, script):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 2, seconds=60))
    ada.hand_over(await ada.hold_slot(FIVE[0]))
    stream.send(delta(2, closed=[FIVE[0]], seconds=61))
    await caught_up(conversations, 2)
    await nothing_is_told(ada)
    assert await ada.gone() == ()


async def test_a_refusal_is_told_once_and_not_shown_again(ada, stream, script):
    offered = Alternatives(slots=[slot_message(FIVE[2])], revision=4)
    refusal = refused(grpc.StatusCode.FAILED_PRECONDITION, "SLOT_TAKEN", details=[offered])
    script.in_turn("HoldSlot", refusal)
    with pytest.raises(SlotTaken):
        await ada.hold_slot(FIVE[0])
    asking = await begun(ada.slots())
    assert not asking.done()
    stream.send(delta(4, closed=FIVE[:2]))
    assert await asking == tuple(FIVE[2:])
    assert (await anext(ada)).gone == (FIVE[1],)


async def test_a_business_made_anew_counts_from_one_and_has_no_holds(ada, stream, script):
    script.on("HoldSlot", lambda _: hold_answer(FIVE[0], 50))
    await ada.hold_slot(FIVE[0])
    stream.send(delta(50, closed=[FIVE[0]]))
    assert await ada.slots() == tuple(FIVE)
    stream.send(reset(1, Reset.REASON_EPOCH), *snapshot(1, FIVE[1:]))
    while not isinstance(news := await anext(ada), ShownChanged):
        pass
    assert news.gone == (FIVE[0],)
    assert await ada.slots() == tuple(FIVE[1:])


# Bounded.


@pytest.fixture
async def few(client, script):
    """At most three conversations, which show four slots each, and are idle for a minute."""
    limits = ConversationLimits(conversations_max=3, shown_max=4, idle_seconds_max=60)
    async with Conversations(client, limits=limits) as few:
        stream = await script.stream()
        stream.send(*snapshot(1, FIVE))
        yield few


async def test_one_conversation_too_many_forgets_the_idlest(few):
    first, second, third = (few.open(name) for name in "abc")
    await first.slots(limit=1)
    waiter = waiting(second)
    fourth = few.open("d")
    assert len(few) == 3
    with pytest.raises(StopAsyncIteration):
        await waiter
    with pytest.raises(ConversationForgotten):
        await second.slots(limit=1)
    assert few.open("a") is first
    assert few.open("d") is fourth
    assert few.open("b") is not second
    with pytest.raises(ConversationForgotten):
        await third.gone()


async def test_an_idle_conversation_is_forgotten(few, clock):
    idle, busy = few.open("idle"), few.open("busy")
    await busy.slots(limit=1)
    clock.jump(59)
    few.open("busy")
    clock.jump(1)
    few.open("another")
    assert few.open("busy") is busy
    with pytest.raises(ConversationForgotten):
        await idle.slots(limit=1)


async def test_idle_conversations_are_forgotten_also_when_nobody_asks(ada, conversations, clock):
    telling = await begun(_all(ada))
    clock.advance(3600)
    assert [type(news) for news in await telling] in ([], [Stale])
    assert len(conversations) == 0


async def _all(conversation):
    return [news async for news in conversation]


async def test_of_too_many_shown_slots_the_first_are_forgotten(few):
    ada = few.open("ada")
    await ada.slots(limit=2)
    await ada.slots(start=FIVE[2].start, limit=3)
    assert ada.shown == tuple(FIVE[1:])
    assert ada._shared.hub.shown_count == 4
    with pytest.raises(ValueError, match="limit"):
        await ada.slots(limit=5)


async def test_nothing_is_kept_of_a_conversation_that_was_closed(ada, conversations):
    hub = ada._shared.hub
    assert hub.shown_count == 5
    ada.close()
    ada.close()
    assert (hub.shown_count, len(conversations)) == (0, 0)
    with pytest.raises(StopAsyncIteration):
        await anext(ada)


@pytest.mark.parametrize("name", [field.name for field in fields(ConversationLimits)])
def test_a_limit_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match=name):
        ConversationLimits(**{name: 0})


# The window moves on.


async def test_before_its_end_another_window_takes_over_without_a_gap(
    ada, conversations, stream, script
):
    first = stream.request
    stream.send(heartbeat(2, FIVE, seconds=DAY_SECONDS + 10))
    moved = await script.stream()
    assert moved.request.start_time.ToSeconds() - first.start_time.ToSeconds() >= DAY_SECONDS
    assert moved.request.end_time.ToSeconds() - first.end_time.ToSeconds() >= DAY_SECONDS
    assert (moved.request.min_revision, moved.request.resume_token) == (2, "")
    stream.send(delta(3, closed=[FIVE[0]], seconds=DAY_SECONDS + 11))
    assert (await anext(ada)).gone == (FIVE[0],)
    # The next one is behind: it is not taken yet.
    moved.send(*snapshot(2, [*FIVE, slot(99)], seconds=DAY_SECONDS + 11))
    await nothing_is_told(ada)
    assert slot(99) not in await ada.slots()
    moved.send(delta(3, closed=FIVE[:2], seconds=DAY_SECONDS + 12))
    assert (await anext(ada)).gone == (FIVE[1],)
    await stream.closed.wait()
    assert await ada.slots() == (*FIVE[2:], slot(99))
    assert not conversations.is_stale


async def test_where_the_next_window_does_not_come_it_is_tried_again(ada, stream, script, clock):
    stream.send(heartbeat(2, FIVE, seconds=DAY_SECONDS + 10))
    moved = await script.stream()
    moved.end(refused(grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"))
    stream.send(heartbeat(3, FIVE, seconds=DAY_SECONDS + 11))
    while script._streams.empty():
        stream.send(heartbeat(3, FIVE, seconds=DAY_SECONDS + 11))
        await ada._shared.hub.view.moved()
    assert await ada.slots() == tuple(FIVE)
    (await script.stream()).send(*snapshot(4, FIVE[1:], seconds=DAY_SECONDS + 12))
    assert (await anext(ada)).gone == (FIVE[0],)


@pytest.mark.parametrize("days", [-3, 3])
async def test_a_clock_that_is_wrong_here_is_put_right_by_the_servers(conversations, script, days):
    wrong = await script.stream()
    there = days * DAY_SECONDS
    wrong.send(*snapshot(1, FIVE, seconds=there))
    right = await script.stream()
    start = right.request.start_time.ToSeconds()
    assert start < now().timestamp() + there < start + 2 * 3600
    later = slot(9 + 48 * days)
    right.send(*snapshot(1, [later], seconds=there))
    await wrong.closed.wait()
    assert await conversations.open("ada").slots() == (later,)


async def test_a_window_that_begins_after_now_is_not_shown(conversations, script, clock):
    wrong = await script.stream()
    wrong.send(*snapshot(1, FIVE, seconds=-3 * DAY_SECONDS))
    await script.stream()
    asking = await begun(conversations.open("ada").slots())
    clock.advance(1)
    with pytest.raises(ViewStale):
        await asking
