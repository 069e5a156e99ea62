"""The command `slotcast`, as a newcomer types it beside a running server."""

import json

import pytest

from tests.acceptance.serving import serving_salon

HOLIDAY = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Slotcast//tests//EN
BEGIN:VEVENT
UID:holiday
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:{first}
DTEND;VALUE=DATE:{end}
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
async def type_in(settings, try_in):
    """Type a command beside a server; returns its exit code, and what it printed."""
    async with serving_salon(settings):
        yield try_in


async def list_slots(type_in):
    code, out, err = await type_in("slots", "cut", "--days", "2", "--json")
    assert code == 0, err
    return json.loads(out)


async def test_a_slot_that_is_listed_can_be_booked_and_cancelled(type_in):
    slot = (await list_slots(type_in))[-1]
    calendar = slot["calendar"].rsplit("/", 1)[1]
    wish = ("book", "cut", slot["start"], "--calendar", calendar)
    code, out, err = await type_in(*wish, "--json")
    assert code == 0, err
    booking = json.loads(out)
    assert slot not in await list_slots(type_in)

    code, out, err = await type_in(*wish)
    assert code == 1
    assert "open:" in err
    assert "Traceback" not in err

    code, out, err = await type_in("cancel", booking["name"], "--json")
    assert (code, json.loads(out)["status"]) == (0, "CANCELLED")
    assert slot in await list_slots(type_in)


# In it is what Rich reads as markup, as an emoji, and as an escape.
ODD_NAME = "Bad [/] [red]Name :smile: \\"


async def test_who_waits_is_told_by_any_name_and_can_join_and_leave(type_in):
    assert (await type_in("waitlist"))[1] == "Nobody waits.\n"
    # Nothing begins at a second past the minute, so it is never offered anything.
    window = ("2100-01-04T09:00:01+00:00", "2100-01-04T09:00:02+00:00")
    wish = ("cut", *window, "--name", ODD_NAME)
    code, out, err = await type_in("waitlist", "join", *wish, "--json")
    assert code == 0, err
    joined = json.loads(out)
    assert joined["status"] == "WAITING"

    code, out, err = await type_in("waitlist")
    assert code == 0, err
    assert f"WAITING {ODD_NAME}: cut " in out
    assert joined["name"] in out
    code, out, err = await type_in("waitlist", "--json")
    assert json.loads(out) == [joined]

    code, out, err = await type_in("waitlist", "leave", joined["name"])
    assert code == 0, err
    assert f"{joined['name']} waits no more" in out
    code, _, err = await type_in("waitlist", "leave", joined["name"])
    assert code == 1
    assert "Traceback" not in err


async def test_what_recurs_is_booked_whole_or_as_far_as_it_fits_and_each_refusal_is_told(type_in):
    slot = (await list_slots(type_in))[0]
    calendar = slot["calendar"].rsplit("/", 1)[1]
    wish = ("book", "cut", slot["start"], "--calendar", calendar)
    code, out, err = await type_in(*wish, "--repeat", "FREQ=DAILY;COUNT=3", "--json")
    assert code == 0, err
    occurrences = json.loads(out)["occurrences"]
    assert [each["booking"]["status"] for each in occurrences] == ["CONFIRMED"] * 3

    repeated = (*wish, "--repeat", "FREQ=DAILY;COUNT=4")
    code, _, err = await type_in(*repeated)
    assert code == 1
    assert err.count("not booked") == 3
    assert "Traceback" not in err
    code, out, err = await type_in(*repeated, "--as-many-as-fit")
    assert code == 0, err
    assert (out.count("CONFIRMED"), err.count("not booked")) == (1, 3)

    code, _, err = await type_in(*wish, "--repeat", "FREQ=YEARLY;COUNT=4")
    assert code == 1
    assert "FREQ" in err


async def test_busy_time_that_is_imported_closes_slots_and_a_damaged_file_names_its_line(
    type_in, tmp_path
):
    day = (await list_slots(type_in))[-1]["start"][:10]
    file = tmp_path / "holiday.ics"
    file.write_text(HOLIDAY.format(first=day.replace("-", ""), end="20991231"))
    code, out, err = await type_in("import-busy", str(file), "--calendar", "chair-1")
    assert code == 0, err
    assert "1 busy interval is on chair-1" in out
    left = {slot["calendar"] for slot in await list_slots(type_in) if slot["start"][:10] == day}
    assert left == {"businesses/salon/calendars/chair-2"}

    file.write_text(HOLIDAY.format(first="2026-13-99", end="20991231"))
    code, out, err = await type_in("import-busy", str(file), "--calendar", "chair-1")
    assert code == 1
    assert "line 7" in err


async def test_a_key_that_is_made_may_do_what_a_chatbot_does_until_it_is_revoked(type_in):
    code, out, err = await type_in("keys", "create", "salon", "--name", "chat")
    assert code == 0, err
    key = out.strip()
    slot = (await list_slots(type_in))[-1]
    code, out, err = await type_in("book", "cut", slot["start"], "--api-key", key, "--json")
    assert code == 0, err
    name = json.loads(out)["name"]
    code, out, err = await type_in("cancel", name, "--api-key", key)
    assert code == 0, err
    code, out, err = await type_in("letters", "--api-key", key)
    assert code == 1
    assert "scope" in err
    code, out, err = await type_in("keys", "revoke", key.split("_")[1])
    assert code == 0, err


async def test_a_mistake_is_told_in_a_sentence(type_in):
    code, _, err = await type_in("slots", "no-such-type")
    assert code == 1
    assert "Traceback" not in err
    code, _, err = await type_in("slots", "No such type")
    assert code == 1
    assert "[a-z0-9]" in err
    code, _, err = await type_in("book", "cut", "tomorrow")
    assert code == 2
    assert "2030-01-07T09:00" in err


async def test_a_time_in_words_is_told_back_or_refused_with_the_words_that_were_not_read(type_in):
    code, out, err = await type_in("when", "tomorrow at 10", "--zone", "UTC", "--json")
    assert code == 0, err
    (reading,) = json.loads(out)
    assert reading["pick"] == "AT"
    assert reading["windows"][0]["start"].endswith("T10:00:00+00:00")

    code, out, err = await type_in("when", "tomorrow with gusto", "--zone", "UTC")
    assert (code, out) == (1, "")
    assert "gusto" in err
    assert "Traceback" not in err
