"""Waiting for a time: what is waited for, what is offered, and what cannot come."""

from datetime import datetime, timedelta

from tests.mcp.salon import ADA, ZONE, in_days


def minute_of(start):
    """The window in which only that start lies."""
    first = datetime.fromisoformat(start)
    last = first + timedelta(minutes=1)
    return "/".join(each.isoformat(timespec="minutes") for each in (first, last))


def hour_of(start):
    first = datetime.fromisoformat(start)
    last = first + timedelta(hours=1)
    return "/".join(each.isoformat(timespec="minutes") for each in (first, last))


def waiting_for(assistant, *windows, **changes):
    return {
        "service": "shave",
        "windows": list(windows),
        "time_zone": ZONE,
        "customer": ADA,
        **assistant.in_turn,
        **changes,
    }


async def a_start(assistant):
    """A start of a shave, by its name."""
    return (await assistant.find(f"{in_days(5)}T10:00", service="shave"))["times"][0]["time"].split(
        "|"
    )[2]


async def test_an_offer_that_is_not_at_the_asked_time_is_told_as_another(salon, assistant):
    start = await a_start(assistant)
    await salon.assistant().hold(f"shave|ben|{start}|30")
    offered = await assistant.ask("join_waitlist", **waiting_for(assistant, hour_of(start)))
    assert offered["status"] == "OFFERED"
    assert "10:30" in offered["held"]["time_in_words"]
    assert "if they asked for an exact time, this is another" in offered["next_step"]
    assert "not the time at which a window begins" in assistant.told[-1].content[0].text


async def test_an_offer_at_the_asked_time_is_not_told_as_another(salon, assistant):
    start = await a_start(assistant)
    offered = await assistant.ask("join_waitlist", **waiting_for(assistant, hour_of(start)))
    assert "10:00" in offered["held"]["time_in_words"]
    assert "another" not in offered["next_step"]
    assert "not the time" not in assistant.told[-1].content[0].text


async def test_who_waits_for_one_minute_waits_for_the_start_in_it(salon, assistant):
    start = await a_start(assistant)
    await salon.assistant().hold(f"shave|ben|{start}|30")
    waiting = await assistant.ask("join_waitlist", **waiting_for(assistant, minute_of(start)))
    assert (waiting["status"], waiting.get("held")) == ("WAITING", None)


async def test_minutes_at_which_nothing_starts_are_not_waited_for(salon, assistant):
    start = await a_start(assistant)
    off = start.replace("10:00", "10:01", 1)
    refusal = await assistant.refused("join_waitlist", **waiting_for(assistant, minute_of(off)))
    assert (refusal["reason"], refusal["field"]) == ("SLOT_CLOSED", "windows")
    assert "nothing starts then" in refusal["message"]


async def test_what_cannot_be_booked_yet_is_not_waited_for(salon, assistant):
    start = await a_start(assistant)
    far = (datetime.fromisoformat(start) + timedelta(days=60)).isoformat(timespec="minutes")
    refusal = await assistant.refused("join_waitlist", **waiting_for(assistant, hour_of(far)))
    assert (refusal["reason"], refusal["field"]) == ("BEYOND_HORIZON", "windows")

    await salon.assistant().hold(f"shave|ben|{start}|30")
    waiting = await assistant.ask(
        "join_waitlist", **waiting_for(assistant, minute_of(start), hour_of(far))
    )
    assert len(waiting["windows_in_words"]) == len(waiting["closed_in_words"]) == 1
    assert "too far ahead" in waiting["next_step"]
    (window,) = salon.waits_for(waiting["entry"])
    assert window == datetime.fromisoformat(start), "the service waits for no more than was told"


async def test_an_offered_hold_is_the_conversations_own(salon, assistant):
    start = await a_start(assistant)
    offered = await assistant.ask("join_waitlist", **waiting_for(assistant, hour_of(start)))
    other = salon.assistant()
    refusal = await other.refused("book", **other.booking_of(offered["held"]))
    assert refusal["reason"] == "RESOURCE_NOT_FOUND"
    assert (await assistant.book(offered["held"]))["status"] == "CONFIRMED"
