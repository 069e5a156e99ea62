"""An assistant books: once, what the person agreed to, in at most four calls."""

import asyncio

import pytest

from tests.mcp.salon import ADA, PRICE, ZONE, in_days


async def test_a_whole_booking_takes_at_most_four_calls(salon, assistant):
    services = await assistant.ask("list_services")
    service = services["services"][0]["service"]
    found = await assistant.ask("find_times", service=service, when=in_days(3), time_zone=ZONE)
    held = await assistant.hold(found["times"][0]["time"])
    booked = await assistant.book(held)

    assert assistant.calls <= 4
    assert booked["status"] == "CONFIRMED"
    assert booked["time_in_words"] == found["times"][0]["time_in_words"]
    (booking,) = salon.bookings()
    assert booking.conversation == assistant.conversation
    assert booking.customer.time_zone == ZONE


async def test_a_time_can_be_booked_without_a_hold(salon, assistant):
    found = await assistant.find()
    time = found["times"][0]
    booked = await assistant.ask(
        "book",
        hold_or_time=time["time"],
        confirmed={
            "time_in_words": time["time_in_words"],
            "time_zone": found["time_zone"],
            "service": found["service"],
            "price": found["price"],
        },
        customer=ADA,
        **assistant.in_turn,
    )
    assert booked["customer"]["name"] == "Ada Lovelace"


async def test_services_are_listed_with_their_people_lengths_and_prices(assistant):
    told = await assistant.ask("list_services")
    haircut, shave = told["services"]
    assert (haircut["name"], haircut["minutes"], haircut["price"]) == ("Haircut", [30, 60], PRICE)
    assert [each["name"] for each in haircut["people"]] == ["Anna", "Ben"]
    assert shave["price"] == ""
    assert told["business_time_zones"] == [ZONE]
    assert told["location"] == "Hauptstr. 1, Berlin"


async def test_a_time_is_told_once_with_all_who_are_free(assistant):
    first = (await assistant.find())["times"][0]
    assert [each["person"] for each in first["with_whom"]] == ["Anna", "Ben"]
    assert "||" in first["time"], "the time is with whoever is free"

    with_ben = (await assistant.find(person="Ben"))["times"][0]
    assert [each["person"] for each in with_ben["with_whom"]] == ["Ben"]
    assert with_ben["time"] == first["with_whom"][1]["time"]


async def test_times_are_told_over_the_whole_of_the_window(assistant):
    found = await assistant.find(limit=3)
    words = [each["time_in_words"] for each in found["times"]]
    assert len(words) == 3
    assert ", 00:00 to 00:30" in words[0]
    assert ", 23:30 to" in words[-1]
    assert found["more"]


@pytest.mark.parametrize("tool", ["hold_time", "book", "cancel", "reschedule", "join_waitlist"])
async def test_a_repeated_call_is_answered_the_same_and_done_once(salon, assistant, tool):
    arguments = await arguments_for(assistant, tool)
    answers = [await assistant.ask(tool, **arguments) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(salon.bookings()) == (1 if tool in {"book", "reschedule"} else 0)


async def test_calls_that_are_made_at_the_same_moment_book_once(salon, assistant):
    arguments = await arguments_for(assistant, "book")
    answers = await asyncio.gather(*(assistant.ask("book", **arguments) for _ in range(5)))
    assert len({answer["booking"] for answer in answers}) == 1
    assert len(salon.bookings()) == 1


async def test_a_call_repeated_with_a_name_in_other_letters_books_nothing_more(salon, assistant):
    found = await assistant.find()
    arguments = await arguments_for(assistant, "book", time=found["times"][0])
    await assistant.ask("book", **arguments)
    arguments["customer"] = {**ADA, "name": "ADA LOVELACE"}
    refusal = await assistant.refused("book", **arguments)
    assert refusal["reason"] == "REQUEST_ID_REUSED"
    assert "another" not in refusal["next_step"]
    assert len(salon.bookings()) == 1


async def test_the_next_turn_is_another_request(assistant):
    """Who changes their mind, and then again, holds the first time anew."""
    one, other = (await assistant.find(person="anna"))["times"][:2]
    first = await assistant.hold(one["time"])
    assistant.turn = 2
    second = await assistant.hold(other["time"], instead_of=first["hold"])
    assistant.turn = 3
    third = await assistant.hold(one["time"], instead_of=second["hold"])
    assert third["hold"] != first["hold"]
    assert (await assistant.book(third))["status"] == "CONFIRMED"


async def arguments_for(assistant, tool, time=None):
    """Prepare what a tool needs, and return its arguments."""
    if tool == "join_waitlist":
        windows = (await assistant.find())["readings"][0]["windows"]
        return {
            "service": "haircut",
            "windows": windows,
            "time_zone": ZONE,
            "customer": ADA,
            **assistant.in_turn,
        }
    times = (await assistant.find())["times"]
    if tool == "hold_time":
        return {"time": times[0]["time"], "time_zone": ZONE, **assistant.in_turn}
    held = await assistant.hold((time or times[0])["time"])
    if tool == "book":
        return assistant.booking_of(held)
    booked = await assistant.book(held)
    version = {"booking": booked["booking"], "version": booked["version"], **assistant.in_turn}
    if tool == "cancel":
        return {**version, "time_zone": ZONE}
    other = await assistant.hold(times[1]["time"])
    return {**version, "to": other["hold"], "confirmed": other["to_confirm"]}


async def test_a_booking_is_told_moved_and_cancelled(salon, assistant):
    booked = await assistant.book(await assistant.find_and_hold())
    told = await assistant.ask("get_booking", booking=booked["booking"], time_zone="Asia/Kolkata")
    assert "(Asia/Kolkata, UTC+05:30)" in told["time_in_words"]

    other = await assistant.find_and_hold(in_days(8))
    moved = await assistant.ask(
        "reschedule",
        booking=booked["booking"],
        version=booked["version"],
        to=other["hold"],
        confirmed=other["to_confirm"],
        **assistant.in_turn,
    )
    assert moved["time_in_words"] == other["time_in_words"]
    cancelled = await assistant.ask(
        "cancel",
        booking=booked["booking"],
        version=moved["version"],
        reason="Ill.",
        time_zone=ZONE,
        **assistant.in_turn,
    )
    assert (cancelled["status"], cancelled["cancel_reason"]) == ("CANCELLED", "Ill.")
    assert not salon.bookings()


async def test_a_hold_is_given_up_for_another(assistant):
    first = await assistant.find_and_hold()
    other = (await assistant.find(in_days(8)))["times"][0]
    await assistant.hold(other["time"], instead_of=first["hold"])
    refusal = await assistant.refused("book", **assistant.booking_of(first))
    assert refusal["reason"] == "HOLD_ENDED"
