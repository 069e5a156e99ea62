"""What a conversation has booked or handed over is its own: told so, and not done once more."""

from datetime import UTC, datetime, timedelta

import pytest

from slotcast import Hold
from slotcast_mcp import standing
from slotcast_mcp.booking import HOLDS_OF_ONE_MAX
from slotcast_mcp.ids import Held, Time
from slotcast_mcp.memory import EACH_MAX, HANDED_OVER_FOR, Memory
from tests.mcp.salon import ADA, ZONE, in_days


async def open_time(assistant, person="", **changes):
    """A time, and the arguments of a call that books it without a hold."""
    found = await assistant.find(in_days(6), person=person, **changes)
    time = found["times"][0]
    confirmed = {
        "time_in_words": time["time_in_words"],
        "time_zone": ZONE,
        "service": found["service"],
        "price": found["price"],
    }
    return {"hold_or_time": time["time"], "confirmed": confirmed, "customer": ADA}


@pytest.mark.parametrize("person", ["", "anna"])
async def test_the_same_call_one_turn_later_books_no_second_time(salon, assistant, person):
    asked = await open_time(assistant, person)
    booked = await assistant.ask("book", **asked, **assistant.in_turn)
    assistant.turn += 1
    refusal = await assistant.refused("book", **asked, **assistant.in_turn)
    assert refusal["reason"] == "ALREADY_BOOKED"
    assert (refusal["booking"], refusal["version"]) == (booked["booking"], 1)
    assert f"[booking: {booked['booking']}, version: 1]" in assistant.told[-1].content[0].text
    assert booked["time_in_words"] in refusal["message"]
    assert "another: true" in refusal["next_step"]
    assert "held" not in refusal, "nothing else is held instead"
    assert len(salon.bookings()) == 1


async def test_a_key_that_may_not_read_bookings_books_no_second_time_either(salon):
    may_book = ("availability.read", "catalog.read", "bookings.write")
    assistant = salon.assistant(*may_book)
    asked = await open_time(assistant)
    await assistant.ask("book", **asked, **assistant.in_turn)
    assistant.turn += 1
    refusal = await assistant.refused("book", **asked, **assistant.in_turn)
    assert refusal["reason"] == "ALREADY_BOOKED"
    assert len(salon.bookings()) == 1


async def test_a_second_booking_that_is_wanted_is_made(salon, assistant):
    asked = await open_time(assistant)
    await assistant.ask("book", **asked, **assistant.in_turn)
    for _ in range(2):
        await assistant.ask("book", **asked, another=True, **assistant.in_turn)
    assert len(salon.bookings()) == 2, "the second is wanted in the same turn, and made once too"


async def test_what_was_cancelled_can_be_booked_again(salon, assistant):
    asked = await open_time(assistant)
    booked = await assistant.ask("book", **asked, **assistant.in_turn)
    version = {"booking": booked["booking"], "version": booked["version"]}
    await assistant.ask("cancel", **version, time_zone=ZONE, **assistant.in_turn)
    assistant.turn += 1
    await assistant.ask("book", **asked, **assistant.in_turn)
    assert len(salon.bookings()) == 1


async def test_a_call_that_is_repeated_tells_the_booking_as_it_stands_now(salon, assistant):
    asked = await open_time(assistant)
    booked = await assistant.ask("book", **asked, **assistant.in_turn)
    again = await assistant.ask("book", **asked, **assistant.in_turn)
    assert (again["booking"], again["status"]) == (booked["booking"], "CONFIRMED")
    cancelling = {"booking": booked["booking"], "version": 1, "time_zone": ZONE}
    await assistant.ask("cancel", **cancelling, **assistant.in_turn)
    once_more = await assistant.ask("book", **asked, **assistant.in_turn)
    assert (once_more["booking"], once_more["status"]) == (booked["booking"], "CANCELLED")
    assert "it is cancelled" in once_more["next_step"]
    assert "Booked:" not in assistant.told[-1].content[0].text


def of_anna(clock, minutes=30):
    return f"haircut|anna|{in_days(8)}T{clock}+01:00|{minutes}"


async def test_a_time_that_is_chosen_again_in_the_same_turn_is_held_anew(salon, assistant):
    first = await assistant.hold(of_anna("10:00"))
    other = await assistant.hold(of_anna("11:00"), instead_of=first["hold"])
    again = [
        await assistant.hold(of_anna("10:00"), instead_of=other["hold"]),
        await assistant.hold(of_anna("10:00"), instead_of=other["hold"]),
    ]
    assert again[0]["hold"] == again[1]["hold"] != first["hold"]
    booked = await assistant.book(again[0])
    cancelling = {"booking": booked["booking"], "version": 1, "time_zone": ZONE}
    await assistant.ask("cancel", **cancelling, **assistant.in_turn)
    for_bob = await assistant.book(await assistant.hold(of_anna("10:00")), customer={"name": "Bob"})
    assert (for_bob["status"], for_bob["booking"] == booked["booking"]) == ("CONFIRMED", False)
    assert len(salon.bookings()) == 1


async def test_a_time_is_not_held_anew_without_end(assistant):
    holds = []
    for _ in range(HOLDS_OF_ONE_MAX):
        holds.append((await assistant.hold(of_anna("10:00")))["hold"])
        await assistant.hold(of_anna("12:00"), instead_of=holds[-1])
    assert len(set(holds)) == HOLDS_OF_ONE_MAX
    asked = {"time": of_anna("10:00"), "time_zone": ZONE, **assistant.in_turn}
    assert (await assistant.refused("hold_time", **asked))["reason"] == "HOLD_ENDED"


async def test_what_began_earlier_and_lasts_still_is_booked_then(salon, assistant):
    await assistant.book(await assistant.hold(of_anna("10:00", 60)))
    assistant.turn += 1
    with_ben = await assistant.hold(of_anna("10:30").replace("anna", "ben"))
    refusal = await assistant.refused("book", **assistant.booking_of(with_ben))
    assert refusal["reason"] == "ALREADY_BOOKED"
    later = await assistant.hold(of_anna("11:00"))
    assert (await assistant.book(later))["status"] == "CONFIRMED", "the one has ended then"
    assert len(salon.bookings()) == 2


async def test_what_is_moved_is_not_in_its_own_way(salon, assistant):
    booked = await assistant.book(await assistant.hold(of_anna("10:00")))
    longer = {**await assistant.hold(of_anna("14:00", 60)), "hold": of_anna("10:00", 60)}
    longer["to_confirm"]["time_in_words"] = booked["time_in_words"].replace("10:30", "11:00")
    await salon.assistant().hold(of_anna("10:30"))
    refusal = await assistant.refused(
        "reschedule",
        booking=booked["booking"],
        version=1,
        to=longer["hold"],
        confirmed=longer["to_confirm"],
        **assistant.in_turn,
    )
    assert refusal["reason"] == "SLOT_TAKEN"


async def test_of_many_bookings_it_is_said_that_there_are_more(assistant, monkeypatch):
    monkeypatch.setattr(standing, "BOOKINGS_MAX", 2)
    asked = {"conversation": assistant.conversation, "time_zone": ZONE}
    for hour, more in ((10, False), (11, False), (12, True)):
        await assistant.book(await assistant.hold(of_anna(f"{hour}:00")))
        told = await assistant.ask("get_booking", **asked)
        assert (len(told["bookings"]), told["more"]) == (min(hour - 9, 2), more)
        assert ("There are more." in assistant.told[-1].content[0].text) is more


async def test_who_is_listed_as_free_is_nobody_named(salon, assistant):
    asked = await open_time(assistant)
    asked["confirmed"]["person"] = "Anna or Ben"
    booked = await assistant.ask("book", **asked, **assistant.in_turn)
    assert booked["person"] in ("Anna", "Ben")


async def test_what_was_moved_away_leaves_its_time(salon, assistant):
    asked = await open_time(assistant, "anna")
    booked = await assistant.ask("book", **asked, **assistant.in_turn)
    held = await assistant.find_and_hold(in_days(8))
    await assistant.ask(
        "reschedule",
        booking=booked["booking"],
        version=booked["version"],
        to=held["hold"],
        confirmed=held["to_confirm"],
        **assistant.in_turn,
    )
    assistant.turn += 1
    await assistant.ask("book", **asked, **assistant.in_turn)
    assert len(salon.bookings()) == 2


async def test_what_the_business_cancelled_can_be_booked_again(salon, assistant):
    asked = await open_time(assistant)
    booked = await assistant.ask("book", **asked, **assistant.in_turn)
    other = salon.assistant("availability.read", "catalog.read", "bookings.read", "bookings.write")
    version = {"booking": booked["booking"], "version": booked["version"]}
    await other.ask("cancel", **version, time_zone=ZONE, **other.in_turn)
    assistant.turn += 1
    assert await assistant.ask("book", **asked, **assistant.in_turn)


async def test_a_booking_of_the_conversation_is_never_told_as_someone_elses(salon, assistant):
    """Nor where another process booked it, as long as the key may read bookings."""
    asked = await open_time(assistant, "anna")
    booked = await assistant.ask("book", **asked, **assistant.in_turn)
    with salon.serving() as url:
        async with salon.over_http(url=url) as elsewhere:
            in_turn = {"conversation": assistant.conversation, "turn": 2}
            time = {"time": asked["hold_or_time"], "time_zone": ZONE}
            for tool, arguments in (("book", asked), ("hold_time", time)):
                result = await elsewhere.call_tool(tool, {**arguments, **in_turn})
                refusal = result.structured_content
                assert refusal["reason"] == "ALREADY_BOOKED"
                assert refusal["booking"] == booked["booking"]


@pytest.mark.parametrize("service", ["haircut", "shave"], ids=["with anyone", "of a class"])
async def test_what_one_process_booked_another_does_not_book_a_second_time(
    salon, assistant, service
):
    salon.change_service("shave", capacity=5)
    asked = await open_time(assistant, service=service)
    with salon.serving() as url:
        elsewhere = salon.assistant(conversation=assistant.conversation, url=url)
        booked = await assistant.ask("book", **asked, **assistant.in_turn)
        elsewhere.turn += 1
        refusal = await elsewhere.refused("book", **asked, **elsewhere.in_turn)
        assert (refusal["reason"], refusal["booking"]) == ("ALREADY_BOOKED", booked["booking"])
        same = await elsewhere.ask("book", **asked, **assistant.in_turn)
        assert same == booked, "the same call in the same turn is answered the same"
        assert len(salon.bookings()) == 1
        await elsewhere.ask("book", **asked, another=True, **elsewhere.in_turn)
        assert len(salon.bookings()) == 2
        await elsewhere.leave()


async def test_any_process_tells_what_the_form_has_booked(salon, assistant):
    held = await assistant.find_and_hold()
    link = await assistant.ask(
        "make_booking_form_link", hold_or_time=held["hold"], time_zone=ZONE, **assistant.in_turn
    )
    assert "get_booking" in link["next_step"]
    asked = {"conversation": assistant.conversation, "time_zone": ZONE}
    with salon.serving() as url:
        elsewhere = salon.assistant(conversation=assistant.conversation, url=url)
        before = await elsewhere.ask("get_booking", **asked)
        assert (before["bookings"], before["more"]) == ([], False)
        assert "not completed yet" in before["next_step"]
        salon.complete(link["link"].partition("#")[2])
        after = await elsewhere.ask("get_booking", **asked)
        assert [each["time_in_words"] for each in after["bookings"]] == [held["time_in_words"]]
        assert f"[booking: {after['bookings'][0]['booking']}" in elsewhere.told[-1].content[0].text
        await elsewhere.leave()
    assistant.turn += 1
    refusal = await assistant.refused("book", **assistant.booking_of(held))
    assert (refusal["reason"], refusal["booking"]) == (
        "ALREADY_BOOKED",
        after["bookings"][0]["booking"],
    )


async def test_the_bookings_of_a_conversation_are_its_own_and_those_that_stand_come_first(
    salon, assistant
):
    booked = [
        await assistant.book(await assistant.find_and_hold(in_days(days)), another=True)
        for days in (7, 8, 9)
    ]
    gone = {"booking": booked[0]["booking"], "version": 1}
    await assistant.ask("cancel", **gone, time_zone=ZONE, **assistant.in_turn)
    stranger = salon.assistant()
    await stranger.book(await stranger.find_and_hold())
    told = await assistant.ask(
        "get_booking", conversation=assistant.conversation, time_zone="Asia/Kolkata"
    )
    assert [(each["booking"], each["status"]) for each in told["bookings"]] == [
        (booked[1]["booking"], "CONFIRMED"),
        (booked[2]["booking"], "CONFIRMED"),
        (booked[0]["booking"], "CANCELLED"),
    ]
    assert "Ada" not in str(told), "who comes is told of a booking that is named"


async def test_what_is_asked_for_is_a_booking_or_a_conversation(assistant):
    refusal = await assistant.refused("get_booking", time_zone=ZONE)
    assert refusal["reason"] == "INVALID_REQUEST"
    assert "Give `booking` or `conversation`" in refusal["message"]


async def test_a_time_that_is_open_in_the_form_is_waited_for(salon, assistant):
    held = await assistant.hold((await open_time(assistant, "anna"))["hold_or_time"])
    link = await assistant.ask(
        "make_booking_form_link", hold_or_time=held["hold"], time_zone=ZONE, **assistant.in_turn
    )
    salon.redeem(link["link"].partition("#")[2])
    assistant.turn += 1
    time = {"time": held["hold"].partition("|")[2], "time_zone": ZONE}
    of_time = {"hold_or_time": time["time"]}
    refusals = [
        await assistant.refused("book", **assistant.booking_of(held)),
        await assistant.refused("hold_time", **time, **assistant.in_turn),
        await assistant.refused("book", **{**assistant.booking_of(held), **of_time}),
    ]
    assert {each["reason"] for each in refusals} == {"HANDED_OVER"}
    assert not any("held" in each for each in refusals), "nothing else is held instead"
    assert "Do not book or hold it again" in refusals[0]["next_step"]
    stranger = salon.assistant()
    other = await stranger.refused("hold_time", **time, **stranger.in_turn)
    assert other["reason"] == "SLOT_TAKEN"


async def test_a_time_whose_form_was_given_up_is_like_any_other(salon, assistant):
    held = await assistant.hold((await open_time(assistant, "anna"))["hold_or_time"])
    await assistant.ask(
        "make_booking_form_link", hold_or_time=held["hold"], time_zone=ZONE, **assistant.in_turn
    )
    other = (await assistant.find(in_days(9)))["times"][0]["time"]
    await assistant.hold(other, instead_of=held["hold"])
    time = held["hold"].partition("|")[2]
    await salon.assistant().hold(time)
    assistant.turn += 1
    refusal = await assistant.refused("hold_time", time=time, time_zone=ZONE, **assistant.in_turn)
    assert refusal["reason"] == "SLOT_TAKEN"


async def test_a_hold_of_another_conversation_is_not_booked_moved_to_given_up_or_handed_over(
    salon, assistant
):
    held = await salon.assistant().find_and_hold()
    booked = await assistant.book(await assistant.find_and_hold(in_days(8)))
    name, zone, turn = held["hold"], {"time_zone": ZONE}, assistant.in_turn
    moving = {"booking": booked["booking"], "version": 1, "confirmed": held["to_confirm"]}
    time = (await assistant.find(in_days(9)))["times"][0]["time"]
    refusals = [
        await assistant.refused("book", **assistant.booking_of(held)),
        await assistant.refused("reschedule", to=name, **moving, **turn),
        await assistant.refused("hold_time", time=time, instead_of=name, **zone, **turn),
        await assistant.refused("make_booking_form_link", hold_or_time=name, **zone, **turn),
    ]
    assert {each["reason"] for each in refusals} == {"RESOURCE_NOT_FOUND"}
    assert len(salon.bookings()) == 1


SOON = datetime.now(UTC) + timedelta(minutes=5)


def a_hold(number, expires_at=SOON):
    """A hold of an hour of its own."""
    start = datetime(2030, 1, 7, tzinfo=UTC) + timedelta(hours=number)
    return Hold(
        name=f"businesses/salon/holds/{number}",
        appointment_type="businesses/salon/appointmentTypes/haircut",
        calendars=("businesses/salon/calendars/anna",),
        start=start,
        end=start + timedelta(hours=1),
        expires_at=expires_at,
        holder="chat",
    )


def held(hold):
    """The hold as tools name it."""
    return Held(hold.name.rpartition("/")[2], Time("haircut", "anna", hold.start, 60))


def test_what_is_remembered_is_bounded_and_the_oldest_is_forgotten():
    memory = Memory(conversations_max=2)
    holds = [a_hold(number) for number in range(EACH_MAX + 1)]
    for hold in holds:
        memory.has_handed_over("one", hold)
    assert not memory.is_handed_over("one", held(holds[0]))
    assert memory.is_handed_over("one", held(holds[1]))
    memory.has_handed_over("two", holds[0])
    memory.has_handed_over("three", holds[0])
    assert not memory.is_handed_over("one", held(holds[1]))

    for hold in holds[:3]:
        memory.has_held("one", hold)
    assert [memory.is_of_another("two", held(hold).hold_id) for hold in holds[:3]] == [
        False,
        True,
        True,
    ]


def test_a_form_is_not_waited_for_without_end():
    memory = Memory()
    old = a_hold(1, datetime.now(UTC) - HANDED_OVER_FOR)
    memory.has_handed_over("one", old)
    assert not memory.is_handed_over("one", held(old))
    assert not memory.is_handed_over("one", held(old).time)
