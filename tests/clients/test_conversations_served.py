"""Conversations on the whole service: a server, PostgreSQL and Valkey."""

import asyncio
import random
import re
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import indent

import pytest

import slotcast
from slotcast import (
    ConversationLimits,
    Conversations,
    Customer,
    ShownChanged,
    SlotQuery,
    SlotRefused,
    SlotTaken,
    Stale,
    TooManyHolds,
    ViewStale,
)
from tests.robustness.cluster.proxy import Address, FaultProxy
from tests.salon import make_salon

WHO = Customer(display_name="A visitor")
STALE_AFTER_SECONDS = 1.5
PEOPLE = 12


def tomorrow():
    return datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)


CUTS = {"appointment_types": ("cut",), "calendars": ("chair-1",)}


@pytest.fixture
async def conversations(salon):
    limits = ConversationLimits(patience_seconds=60)
    async with Conversations(salon, ahead=timedelta(days=3), limits=limits) as conversations:
        yield conversations


async def a_change(conversation):
    while not isinstance(news := await anext(conversation), ShownChanged):
        pass
    return news


async def test_one_is_told_what_another_takes_and_gives_back(conversations, salon):
    ada, bob = conversations.open("ada"), conversations.open("bob")
    shown = await ada.slots(**CUTS, start=tomorrow(), limit=4)
    assert await bob.slots(**CUTS, start=tomorrow(), limit=4) == shown
    hold = await ada.hold_slot(shown[0])
    assert (await a_change(bob)).gone == (shown[0],)
    assert await ada.slots(**CUTS, start=tomorrow(), limit=4) == shown
    assert shown[0] not in await bob.slots(**CUTS, start=tomorrow(), limit=4)
    booking = await ada.book(hold, customer=WHO)
    assert (await salon.get_booking(booking.name)).conversation == "ada"
    assert shown[0] not in await ada.slots(**CUTS, start=tomorrow(), limit=4)
    await salon.cancel_booking(booking)
    assert (await a_change(bob)).back == (shown[0],)


async def test_what_was_refused_is_not_shown_again(conversations, salon):
    ada = conversations.open("ada")
    wanted = (await ada.slots(**CUTS, start=tomorrow(), limit=1))[0]
    await salon.book(wanted, customer=WHO)
    with pytest.raises(SlotTaken) as taken:
        await ada.book(wanted, customer=WHO)
    assert taken.value.alternatives
    assert wanted not in await ada.slots(**CUTS, start=tomorrow())


async def test_a_hold_that_is_released_is_free_for_all_and_not_told_gone(conversations):
    ada, bob = conversations.open("ada"), conversations.open("bob")
    (quick,) = await ada.slots(appointment_types=("quick",), start=tomorrow(), limit=1)
    await bob.slots(appointment_types=("quick",), start=tomorrow(), limit=1)
    await ada.release_hold(await ada.hold_slot(quick))
    assert (await ada.slots(appointment_types=("quick",), start=tomorrow(), limit=1)) == (quick,)
    assert await ada.gone() == await bob.gone() == ()


@pytest.fixture
async def cut_off(start_server, connect, settings):
    """A proxy before a server whose views grow stale soon, and conversations that come by it."""
    target = await start_server(heartbeat_seconds=0.3, stale_after_seconds=STALE_AFTER_SECONDS)
    host, port = target.rsplit(":", 1)
    direct = await connect(target)
    await make_salon(direct)
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(FaultProxy(Address(host, int(port))))
        through = await connect(str(proxy.address))
        limits = ConversationLimits(patience_seconds=0.05)
        conversations = await stack.enter_async_context(Conversations(through, limits=limits))
        yield proxy, conversations, direct


@pytest.mark.parametrize("fault", ["blackhole", "refuse"])
async def test_cut_off_it_shows_nothing_within_stale_after_and_heals_by_itself(cut_off, fault):
    proxy, conversations, direct = cut_off
    ada = conversations.open("ada")
    shown = await healed(ada)
    getattr(proxy, fault)()
    # What was heard before the cut was good for so long; nothing since was.
    async with asyncio.timeout(STALE_AFTER_SECONDS + 5):
        assert isinstance(await anext(ada), Stale)
    with pytest.raises(ViewStale):
        await ada.slots(**CUTS, start=tomorrow())
    with pytest.raises(ViewStale):
        await ada.gone()
    await direct.book(shown[1], customer=WHO)
    proxy.heal()
    # What was under way, and is young enough, may come first.
    while not (gone := (await a_change(ada)).gone):
        pass
    assert gone == (shown[1],)
    assert shown[1] not in await healed(ada)


async def healed(conversation):
    """Ask until it is known what is open, as a chat does whose person asks again."""
    while True:
        with suppress(ViewStale):
            return await conversation.slots(**CUTS, start=tomorrow(), limit=3)


class Person:
    """Someone who was told what is gone, by news, by a refusal, or by being shown slots anew."""

    def __init__(self, conversation):
        self.conversation = conversation
        self.told_gone = set()
        self.heard = asyncio.Event()

    async def follow(self):
        async for news in self.conversation:
            self.told_gone |= {slot.key for slot in news.gone}
            self.told_gone -= {slot.key for slot in news.back}
            self.heard.set()

    async def look(self):
        slots = await self.conversation.slots(appointment_types=("cut",), start=tomorrow(), limit=8)
        self.told_gone -= {slot.key for slot in slots}
        return slots

    async def rush(self, client, chance):
        """Hold, book, release and cancel what others want too; each time look again."""
        for _ in range(4):
            wanted = chance.choice(await self.look())
            try:
                hold = await self.conversation.hold_slot(wanted)
                match chance.randrange(4):
                    case 0:
                        await self.conversation.release_hold(hold)
                    case 1:
                        booking = await self.conversation.book(hold, customer=WHO)
                        await client.cancel_booking(booking)
                    case 2:
                        await self.conversation.book(hold, customer=WHO)
            except SlotRefused:
                self.told_gone.add(wanted.key)
            except TooManyHolds:
                await self.conversation.release_hold(self.conversation.holds[0])


@pytest.mark.parametrize("round_", range(3))
async def test_after_a_rush_everyone_has_been_told_the_truth(conversations, salon, round_):
    chance = random.Random(round_)
    people = [Person(conversations.open(f"person-{number}")) for number in range(PEOPLE)]
    followers = [asyncio.create_task(person.follow()) for person in people]
    await asyncio.gather(*(person.look() for person in people))
    await asyncio.gather(*(person.rush(salon, random.Random(chance.random())) for person in people))
    query = SlotQuery(start=tomorrow(), end=tomorrow() + timedelta(days=1))
    page = await salon.list_slots(replace(query, appointment_types=("cut",)))
    truth = {slot.key for slot in page.items}
    while conversations.revision < page.revision:
        await conversations._view.moved()
    for person in people:
        gone = {slot.key for slot in await person.conversation.gone()}
        assert gone == gone_by(truth, person.conversation)
        shown = {slot.key for slot in person.conversation.shown}
        async with asyncio.timeout(10):
            while person.told_gone & shown != gone:  # who was woken has its turn
                person.heard.clear()
                await person.heard.wait()
    for follower in followers:
        follower.cancel()
    await asyncio.gather(*followers, return_exceptions=True)


def gone_by(truth, conversation):
    """What of the shown slots is not open, but for what the conversation itself stands before."""
    return {
        slot.key
        for slot in conversation.shown
        if slot.key not in truth
        and not any(
            slot.calendar in hold.calendars and slot.start < hold.end and hold.start < slot.end
            for hold in conversation.holds
        )
    }


README = Path(slotcast.__file__).parent.parent / "README.md"


async def test_the_readmes_conversation_does_what_it_says(salon):
    (example,) = re.findall(
        r"## Conversations\n.*?```python\n(.*?)```", README.read_text(), flags=re.DOTALL
    )
    said = asyncio.Queue()
    names = {name: getattr(slotcast, name) for name in slotcast.__all__} | {
        "client": salon,
        "monday": tomorrow(),
        "show": said.put_nowait,
        "hide": lambda _: None,
        "say": lambda *words: said.put_nowait(words),
    }
    code = f"async def example():\n{indent(example, '    ')}"
    exec(compile(code, str(README), "exec"), names)
    talking = asyncio.create_task(names["example"]())
    talking.add_done_callback(lambda _: said.put_nowait("It has ended."))
    shown = await said.get()
    assert len(shown) == 3, talking
    await salon.book(shown[1], customer=WHO)
    assert await said.get() == ("has just gone", (shown[1],))
    assert await said.get() == ("is free again", ())
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)
