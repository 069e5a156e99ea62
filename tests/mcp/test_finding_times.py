"""Times in a person's own words: read by the service, told back, and offered."""

import re
from datetime import timedelta

import pytest

from slotcast_mcp import finding
from tests.mcp.salon import ADA, PRICE, ZONE, in_days, today


async def test_words_are_read_and_told_back_with_times_that_fit(assistant):
    found = await assistant.find("tomorrow afternoon")
    day = today() + timedelta(days=1)
    assert len(found["readings"]) == 1
    assert f"{day:%A} {day.day} {day:%B %Y}" in found["readings"][0]["words"]
    assert found["times"]
    for time in found["times"]:
        assert re.search(r"T1[2-7]:\d\d\+", time["time"])


@pytest.mark.parametrize(
    ("when", "language"),
    [("morgen um 10 Uhr", "de"), ("mañana a las 10", "es"), ("tomorrow at 10", "")],
)
async def test_one_time_is_offered_alone_where_it_is_open(assistant, when, language):
    found = await assistant.find(when, language=language)
    exact = [time for time in found["times"] if f"{in_days(1)}T10:00" in time["time"]]
    assert exact
    assert len([time for time in found["times"] if time["reading"] == exact[0]["reading"]]) == 1


async def test_near_a_time_that_is_taken_the_nearest_are_offered(salon, assistant):
    taken = await assistant.find(f"{in_days(5)}T10:00", person="anna")
    await salon.assistant().hold(taken["times"][0]["time"])
    found = await assistant.find(f"{in_days(5)}T10:00", person="anna", limit=2)
    starts = sorted(time["time"].split("T")[1][:5] for time in found["times"])
    assert starts == ["09:30", "10:30"]
    assert taken["exact"]
    assert not found["exact"]
    assert [reading["exact"] for reading in found["readings"]] == [False]
    assert "not open: tell the person so" in found["next_step"]
    assert "That time itself is not open." in assistant.told[-1].content[0].text


async def test_the_first_free_time_is_one_time(assistant):
    found = await assistant.find("the first slot tomorrow afternoon")
    assert len(found["times"]) == 1
    assert found["more"]


def days_of(found):
    return [time["time"].split("|")[2][:10] for time in found["times"]]


async def test_what_is_open_on_a_later_day_of_many_is_found(salon, assistant):
    salon.close(in_days(2), in_days(15))
    found = await assistant.find(f"{in_days(2)}/{in_days(22)} in the mornings")
    assert found["times"]
    assert min(days_of(found)) == in_days(16)
    assert max(days_of(found)) == in_days(22)


async def test_the_last_time_of_many_days_is_on_the_last_of_them(assistant):
    found = await assistant.find(f"the last slot {in_days(1)}/{in_days(25)}")
    assert days_of(found) == [in_days(25)]


async def test_of_hours_on_many_days_it_is_told_that_there_are_more(assistant):
    found = await assistant.find(f"at 9 or 10 {in_days(2)}/{in_days(22)}", limit=3)
    assert found["more"]
    assert len(found["times"]) == 3
    assert max(days_of(found)) == in_days(22)


async def test_of_more_than_is_looked_at_it_is_told_until_when_was_looked(assistant):
    found = await assistant.find(f"{in_days(1)}/{in_days(55)}")
    assert found["more"]
    assert "Only times before" in assistant.told[-1].content[0].text


async def test_hours_are_looked_at_on_every_day_though_most_is_open_between(assistant):
    found = await assistant.find(f"at 3am {in_days(1)}/{in_days(55)}", limit=3)
    assert found["exact"]
    assert found["more"]
    assert max(days_of(found)) == in_days(55)
    found = await assistant.find(f"{in_days(1)}/{in_days(55)} in the mornings", limit=3)
    assert max(days_of(found)) == in_days(55)
    assert "Only times before" not in assistant.told[-1].content[0].text


async def test_an_hour_is_not_told_as_shut_on_days_that_were_not_looked_at(
    salon, assistant, monkeypatch
):
    times = (await assistant.find(f"at 3am {in_days(1)}/{in_days(3)}", service="shave"))["times"]
    for time in times:
        await salon.assistant().hold(time["time"])
    monkeypatch.setattr(finding, "SLOTS_PER_PAGE_MAX", 10)
    monkeypatch.setattr(finding, "PARTS_MAX", 2)
    asked = f"at 3am {in_days(1)}/{in_days(20)}"
    found = await assistant.find(asked, service="shave")
    assert found["more"]
    assert "exact" not in found["readings"][0], "it is not known"
    assert "do not say that nothing is open" in found["next_step"]
    text = assistant.told[-1].content[0].text
    assert "not open" not in text
    assert "Only times before" in text
    monkeypatch.setattr(finding, "PARTS_MAX", 3)
    found = await assistant.find(asked, service="shave")
    assert days_of(found) == [in_days(4)]
    assert found["more"]


async def test_where_too_much_lies_before_the_last_time_it_is_found_all_the_same(salon, assistant):
    salon.change_service("haircut", slot_step=timedelta(minutes=15))
    salon.close(in_days(25), in_days(55))
    found = await assistant.find(f"the last slot {in_days(1)}/{in_days(55)}")
    assert days_of(found) == [in_days(24)]
    assert "T23:30" in found["times"][0]["time"]


async def test_words_that_can_mean_several_times_are_asked_about(assistant):
    found = await assistant.find("tomorrow at 8")
    assert len(found["readings"]) > 1
    assert {time["reading"] for time in found["times"]} == {1, 2}
    assert "Ask the person which reading" in found["next_step"]


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("when the moon is full", "TIME_NOT_UNDERSTOOD"),
        ("31 June", "DATE_DOES_NOT_EXIST"),
        ("2026-06-31", "DATE_DOES_NOT_EXIST"),
        ("2020-01-06", "TIME_HAS_PASSED"),
    ],
)
async def test_words_that_mean_no_time_say_what_to_ask(assistant, when, reason):
    refusal = await assistant.refused("find_times", service="haircut", when=when, time_zone=ZONE)
    assert (refusal["reason"], refusal["field"]) == (reason, "when")
    assert "the person" in refusal["next_step"]
    assert "text:" not in refusal["message"]


async def test_a_time_that_one_asks_about_in_words_is_explained(assistant):
    told = await assistant.ask(
        "explain_time", service="shave", when=f"{in_days(90)}T10:00", time_zone=ZONE
    )
    assert [rule["rule"] for rule in told["rules"] if not rule["passed"]] == ["HORIZON"]
    assert "too far ahead" in assistant.told[-1].content[0].text
    vague = await assistant.refused(
        "explain_time", service="shave", when="tomorrow", time_zone=ZONE
    )
    assert (vague["reason"], vague["field"]) == ("INVALID_REQUEST", "when")


async def test_a_time_that_is_the_conversations_own_is_not_explained_as_taken(salon, assistant):
    held = await assistant.find_and_hold()
    link = await assistant.ask(
        "make_booking_form_link", hold_or_time=held["hold"], time_zone=ZONE, **assistant.in_turn
    )
    ticket = link["link"].partition("#")[2]
    asked = {"service": "haircut", "when": held["hold"].partition("|")[2], "time_zone": ZONE}
    own = {**asked, "conversation": assistant.conversation}
    salon.redeem(ticket)
    told = await assistant.ask("explain_time", **own)
    assert "handed over to a form" in assistant.told[-1].content[0].text
    assert "same link" in told["next_step"]
    assert not told["bookable"]
    told = await assistant.ask("explain_time", **asked)
    assert "form" not in assistant.told[-1].content[0].text, "of others nothing is told"

    shown = (await assistant.find(in_days(9), person="anna"))["times"][0]["time"]
    booked = await assistant.book(await assistant.hold(shown))
    own["when"] = shown
    told = await assistant.ask("explain_time", **own)
    broken = [each["explanation"] for each in told["rules"] if not each["passed"]]
    already = f"booked that already: Haircut with Anna, {booked['time_in_words']}."
    assert broken == [f"This conversation has {already}"]
    assert broken[0] in assistant.told[-1].content[0].text
    assert "do not book it again" in told["next_step"]
    stranger = salon.assistant()
    await stranger.ask("explain_time", **{**own, "conversation": stranger.conversation})
    assert "Anna: It is taken." in stranger.told[-1].content[0].text
    own["when"] = shown.replace("|anna|", "|ben|")
    await stranger.hold(own["when"])
    await assistant.ask("explain_time", **own)
    assert "Ben: It is taken." in assistant.told[-1].content[0].text


async def test_a_time_that_may_be_two_is_asked_about_before_it_is_explained(assistant):
    refusal = await assistant.refused(
        "explain_time", service="shave", when="tomorrow at 8", time_zone=ZONE
    )
    assert (refusal["reason"], refusal["field"]) == ("INVALID_REQUEST", "when")
    assert [reading["reading"] for reading in refusal["readings"]] == [1, 2]
    for reading in refusal["readings"]:
        assert reading["words"] in refusal["message"]
    assert "which of the `readings`" in refusal["next_step"]


async def test_who_waits_is_offered_what_is_open_and_else_waits(salon, assistant):
    found = await assistant.find(f"{in_days(5)}T10:00", service="shave")
    await salon.assistant().hold(found["times"][0]["time"])
    start = found["times"][0]["time"].split("|")[2]
    arguments = {
        "service": "shave",
        "time_zone": ZONE,
        "customer": ADA,
        **assistant.in_turn,
    }
    windows = found["readings"][0]["windows"]
    waiting = await assistant.ask("join_waitlist", windows=windows, **arguments)
    assert (waiting["status"], waiting.get("held")) == ("WAITING", None)
    assert "10:00" in waiting["windows_in_words"][0], "for that very time, and no other"

    wider = f"{start}/{start.replace('10:00', '12:00', 1)}"
    offered = await assistant.ask("join_waitlist", windows=[wider], **arguments)
    assert offered["status"] == "OFFERED"
    booked = await assistant.book(offered["held"])
    assert booked["time_in_words"] == offered["held"]["time_in_words"]


async def test_a_form_opens_with_what_is_known_and_the_time_still_held(salon, assistant):
    time = (await assistant.find())["times"][0]
    link = await assistant.ask(
        "make_booking_form_link",
        hold_or_time=time["time"],
        time_zone=ZONE,
        known=[
            {"name": "name", "value": "Ada Lovelace", "said": True},
            {"name": "phone", "value": "+49 30 1234567", "said": False},
        ],
        **assistant.in_turn,
    )
    assert link["link"].startswith("https://book.example/book/#slotcast_handoff_")
    assert link["to_confirm"]["price"] == PRICE

    redeemed = salon.redeem(link["link"].partition("#")[2])
    known = [(field.name, field.value, field.provenance) for field in redeemed.fields]
    assert known == [
        ("display_name", "Ada Lovelace", 1),
        ("phone", "+49 30 1234567", 2),
        ("time_zone", ZONE, 1),
    ]
    assert redeemed.hold.name.rsplit("/", 1)[1] == link["hold"].split("|")[0]
    assert redeemed.hold.conversation == assistant.conversation


async def test_who_has_the_form_has_the_time(salon, assistant):
    """Once it was opened, the assistant can no longer book what it handed over."""
    held = await assistant.find_and_hold()
    link = await assistant.ask(
        "make_booking_form_link", hold_or_time=held["hold"], time_zone=ZONE, **assistant.in_turn
    )
    salon.redeem(link["link"].partition("#")[2])
    refusal = await assistant.refused("book", **assistant.booking_of(held))
    assert refusal["next_step"]
    assert not salon.bookings()


async def test_what_is_known_is_named_once(assistant):
    held = await assistant.find_and_hold()
    refusal = await assistant.refused(
        "make_booking_form_link",
        hold_or_time=held["hold"],
        time_zone=ZONE,
        known=[{"name": "email", "value": text, "said": True} for text in ("a@b.de", "c@d.de")],
        **assistant.in_turn,
    )
    assert (refusal["reason"], refusal["field"]) == ("INVALID_REQUEST", "known")
