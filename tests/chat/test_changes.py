"""What is changed once it is booked: which appointment, to which day, and what only asks of it."""

from typing import Any

import pytest

from slotcast_chat.assistant.listening import minutes_said, name_answered, name_told
from slotcast_chat.assistant.state import Answer, Question
from slotcast_chat.assistant.time_words import clock_of
from tests.chat.dialogues import (
    SERVICES,
    ZONE,
    Dialogue,
    booked,
    held,
    is_call,
    refused,
    text_of,
    times,
    words,
)

SECOND_ID = "00000000-0000-4000-8000-0000000000cc"
FIRST_ID = "00000000-0000-4000-8000-00000000000b"
THREE_PEOPLE = [
    {"person": "anna", "name": "Anna"},
    {"person": "ben", "name": "Ben"},
    {"person": "cleo", "name": "Cleo"},
]


def colouring(clock="14:00"):
    when = f"Thursday 10 December 2026, {clock} to 15:30 ({ZONE}, UTC+01:00)"
    values = {"booking": SECOND_ID, "service": "Colouring", "time_in_words": when}
    return Answer({**booked(clock).content, **values})


def with_two_booked():
    """A haircut on Tuesday 1 December at 10:00, then a colouring on the 10th at 14:00."""
    talk = Dialogue()
    talk.until_booked()
    talk.says("And also book a colouring on 10 December at 14:00")
    talk.tool(times("14:00"))
    talk.tool(held("14:00", number=2))
    talk.says("Yes")
    talk.tool(colouring())
    assert len(talk.state.all_booked) == 2
    return talk


def all_of(*bookings):
    return Answer({"bookings": [each.content for each in bookings], "more": False})


@pytest.mark.parametrize(
    ("message", "when"),
    [
        ("move it to 11:30", "1 December 2026 11:30"),
        ("move it to the afternoon", "1 December 2026 afternoon"),
        ("can I come at 15:00 instead?", "1 December 2026 at 15:00"),
        ("move it to the one at 14:30", "1 December 2026 at 14:30"),
        ("move my 10:00 to 11:00", "1 December 2026 11:00"),
        ("move it to Friday at 11:00", "Friday at 11:00"),
        ("move it from Tuesday to Friday at 11:00", "Friday at 11:00"),
        ("move it to tomorrow", "tomorrow"),
        ("move it an hour later", "1 December 2026 at 11:00"),
        ("half an hour earlier, please", "1 December 2026 at 09:30"),
        ("can you move it 15 minutes later?", "1 December 2026 at 10:15"),
    ],
)
def test_a_move_that_names_an_hour_only_is_on_the_day_of_the_appointment(message, when):
    talk = Dialogue()
    talk.until_booked()

    found = talk.says(message)

    assert is_call(found, "find_times")
    assert found.arguments["when"] == when


def test_a_move_of_an_appointment_that_is_looked_up_is_on_its_day_too():
    talk = Dialogue()
    talk.says("move it to 11:30")
    talk.tool(SERVICES)

    assert talk.tool(all_of(booked("10:00"))).arguments["when"] == "1 December 2026 11:30"


def test_another_hour_while_it_is_moved_is_on_the_day_it_is_moved_to():
    talk = Dialogue()
    talk.until_booked()
    talk.says("move it to 3 December")
    talk.tool(times("11:00", "12:00", date="2026-12-03"))

    assert talk.says("at 15:00 rather").arguments["when"] == "2026-12-03 at 15:00"


def test_an_hour_later_is_reckoned_from_what_is_held_while_it_is_moved():
    talk = Dialogue()
    talk.until_booked()
    talk.says("move it to 12:00")
    talk.tool(times("12:00"))
    talk.tool(held("12:00", number=2))

    assert talk.says("an hour later, please").arguments["when"] == "2026-12-01 at 13:00"


def test_an_hour_that_one_cannot_come_at_is_not_moved_to():
    talk = Dialogue()
    talk.until_booked()

    assert "When" in text_of(talk.says("I can't make it at 10"))
    talk = Dialogue()
    talk.until_booked()
    found = talk.says("I can't make it at 10, can I come at 12:00?")

    assert found.arguments["when"] == "1 December 2026 at 12:00"


@pytest.mark.parametrize(
    "message",
    [
        "another haircut on Wednesday at 16:00",
        "I'd like to book another haircut on 16 December at 16:00",
        "now a haircut for my wife on 16 December at 16:00",
        "another one on 16 December at 16:00",
        "book a haircut on 16 December at 16:00 too",
    ],
)
def test_another_one_is_not_the_first_one_moved(message):
    talk = Dialogue()
    talk.until_booked()

    found = talk.says(message)
    talk.tool(times("16:00"))
    asked = text_of(talk.tool(held("16:00", number=2)))

    assert found.arguments["service"] == "haircut"
    assert asked.endswith("Shall I book it?")
    assert is_call(talk.says("Yes"), "book")


@pytest.mark.parametrize(
    "message", ["the haircut at another time, on Friday at 16:00", "the haircut on Friday at 16:00"]
)
def test_another_time_for_it_is_still_a_move(message):
    talk = Dialogue()
    talk.until_booked()
    talk.says(message)
    talk.tool(times("16:00"))

    assert "Shall I move" in text_of(talk.tool(held("16:00", number=2)))


@pytest.mark.parametrize(
    ("message", "service"),
    [
        ("cancel my haircut", "Haircut"),
        ("cancel my colouring", "Colouring"),
        ("cancel the other one", "Haircut"),
        ("cancel the one on 10 December", "Colouring"),
        ("cancel the one on 1 December", "Haircut"),
        ("please cancel my appointment on Tuesday", "Haircut"),
        ("cancel the 10:00", "Haircut"),
        ("cancel it", "Colouring"),
    ],
)
def test_of_two_bookings_the_one_that_is_named_is_cancelled(message, service):
    talk = with_two_booked()

    assert service in text_of(talk.says(message))
    cancel = talk.says("Yes")

    assert is_call(cancel, "cancel")
    assert cancel.arguments["booking"] == (FIRST_ID if service == "Haircut" else SECOND_ID)


def test_a_haircut_is_moved_where_the_haircut_is_named():
    talk = with_two_booked()

    found = talk.says("move my haircut to Friday at 11:00")
    talk.tool(times("11:00"))
    talk.tool(held("11:00", number=3))
    moved = talk.says("Yes")

    assert found.arguments["service"] == "haircut"
    assert moved.arguments["booking"] == FIRST_ID


def test_the_first_of_two_is_moved_where_it_is_named_with_instead():
    talk = with_two_booked()

    found = talk.says("the haircut at 12:00 instead")

    assert (found.arguments["service"], found.arguments["when"]) == (
        "haircut",
        "1 December 2026 at 12:00",
    )


def test_another_one_at_an_hour_is_on_the_day_that_was_spoken_of():
    talk = Dialogue()
    talk.until_booked()

    found = talk.says("also a haircut for my son at 11:00")

    assert found.arguments["when"] == "1 December 2026 at 11:00"


@pytest.mark.parametrize(
    "message", ["no, the haircut!", "the other one", "cancel the one on 1 December", "the haircut"]
)
def test_where_it_is_asked_about_the_wrong_one_the_other_can_be_named(message):
    talk = with_two_booked()
    assert "Colouring" in text_of(talk.says("cancel it"))

    assert "Haircut" in text_of(talk.says(message))
    assert talk.says("Yes").arguments["booking"] == FIRST_ID


def test_one_that_is_not_known_here_is_looked_up_and_named():
    talk = Dialogue()
    talk.until_booked()

    assert is_call(talk.says("cancel my colouring"), "get_booking")
    assert "Colouring" in text_of(talk.tool(all_of(colouring(), booked("10:00"))))
    assert talk.says("Yes").arguments["booking"] == SECOND_ID


def test_one_that_there_is_not_is_said_so_before_another_is_asked_about():
    talk = Dialogue()
    talk.until_booked()
    talk.says("cancel my colouring")

    told = text_of(talk.tool(all_of(booked("10:00"))))

    assert told.startswith("I know of no such appointment here.")


@pytest.mark.parametrize(
    "message", ["is it at 16:00?", "do I need to come at 15:30?", "Is my appointment on Friday?"]
)
def test_a_question_about_the_appointment_tells_how_it_stands_and_moves_nothing(message):
    talk = Dialogue()
    talk.until_booked()

    assert is_call(talk.says(message), "get_booking")
    assert words("10:00") in text_of(talk.tool(all_of(booked("10:00"))))
    assert talk.state.held is None


@pytest.mark.parametrize(
    "message",
    [
        "is parking free on Monday?",
        "can I cancel until the day before?",
        "what if I cancel on the day?",
    ],
)
def test_a_question_about_something_else_moves_and_cancels_nothing(message):
    talk = Dialogue()
    talk.until_booked()

    assert "I cannot tell you that" in text_of(talk.says(message))
    assert talk.state.question is not Question.CANCEL


@pytest.mark.parametrize("message", ["is Friday at 11:00 free?", "could it be Friday at 11:00?"])
def test_a_question_for_another_time_looks_for_it(message):
    talk = Dialogue()
    talk.until_booked()

    assert is_call(talk.says(message), "find_times")


def test_what_is_booked_may_be_asked_while_it_is_moved_and_the_move_goes_on():
    talk = Dialogue()
    talk.until_booked()
    talk.says("move it to Friday at 11:00")
    talk.tool(times("11:00"))
    asked = text_of(talk.tool(held("11:00", number=2)))

    talk.says("what have I booked?")
    told = text_of(talk.tool(all_of(booked("10:00"))))

    assert told.startswith("Haircut with Anna")
    assert told.endswith(asked)
    assert is_call(talk.says("Yes"), "reschedule")


def test_what_is_booked_may_be_asked_at_the_question_whether_to_cancel():
    talk = Dialogue()
    talk.until_booked()
    talk.says("cancel it")

    assert is_call(talk.says("what have I booked?"), "get_booking")
    told = text_of(talk.tool(all_of(booked("10:00"))))

    assert told.startswith("Haircut with Anna")
    assert "Shall I cancel this appointment?" in told
    assert is_call(talk.says("Yes"), "cancel")


def test_whose_an_id_is_may_be_asked_and_nothing_is_cancelled():
    talk = Dialogue()
    talk.says("cancel my appointment")
    talk.tool(SERVICES)
    talk.tool(all_of())

    talk.says(f"who booked {FIRST_ID}?")
    told = text_of(talk.tool(booked("10:00")))

    assert told.startswith("Haircut with Anna")
    assert "Shall I cancel" not in told


def test_what_is_looked_up_is_only_told_and_a_later_move_is_one():
    talk = Dialogue()
    talk.until_booked()
    talk.says("what have I booked?")
    talk.tool(refused("UNAVAILABLE"))

    talk.says(f"move {FIRST_ID} to Friday at 11:00")

    assert is_call(talk.tool(booked("10:00")), "find_times")


@pytest.mark.parametrize(
    ("message", "person"),
    [
        ("haircut tomorrow but not with Anna", "ben"),
        ("haircut tomorrow, sorry not Anna but Ben", "ben"),
        ("haircut tomorrow, anyone except Ben", "anna"),
        ("haircut tomorrow, I don't want Anna", "ben"),
        ("haircut tomorrow with Ben, not Anna", "ben"),
        ("haircut tomorrow with Anna", "anna"),
    ],
)
def test_who_is_not_wanted_is_not_looked_for(message, person):
    talk = Dialogue()
    talk.says(message)

    assert talk.tool(SERVICES).arguments["person"] == person


def test_where_several_are_left_it_is_asked_which():
    talk = Dialogue()
    talk.says("haircut tomorrow but not with Anna")
    listed: Any = SERVICES["services"]

    asked = talk.tool({**SERVICES, "services": [{**listed[0], "people": THREE_PEOPLE}]})

    assert text_of(asked) == "With whom should it be then: Ben or Cleo?"
    found = talk.says("Cleo")
    assert (found.arguments["person"], found.arguments["when"]) == ("cleo", "tomorrow")


@pytest.mark.parametrize("minutes", [45, 90])
def test_a_length_that_there_is_not_is_said_so(minutes):
    talk = Dialogue()
    talk.says(f"haircut for {minutes} minutes tomorrow at 14:00")

    asked = text_of(talk.tool(SERVICES))

    assert asked.startswith(f"It cannot be {minutes} minutes long. Haircut: 30 or 60 minutes.")
    found = talk.says("60 minutes")
    assert (found.arguments["minutes"], found.arguments["when"]) == (60, "tomorrow at 14:00")
    assert minutes_said("15 minutes later") == 0


@pytest.mark.parametrize("message", ["yes", "Yes please", "ok", "book it"])
def test_a_yes_is_no_name(message):
    talk = Dialogue()
    talk.until_held()

    assert "name" in text_of(talk.says(message))
    assert not talk.state.name


def test_a_city_that_is_told_where_the_name_was_asked_is_no_name():
    talk = Dialogue()
    talk.until_held()

    found = talk.says("I'm in London actually")

    assert found.arguments["time_zone"] == "Europe/London"
    assert not talk.state.name


def test_a_name_before_an_address_is_heard_in_the_first_message():
    assert name_told("I'm Bob, bob@example.com. A haircut tomorrow")[0] == "Bob"
    assert name_told("This is Ada Lovelace and my email is ada@example.com")[0] == "Ada Lovelace"
    assert name_told("I'm Late, a haircut tomorrow")[0] == ""
    talk = Dialogue()
    talk.until_held("I'm Bob, bob@example.com. A haircut tomorrow at 10:00")

    assert (talk.state.name, talk.state.email) == ("Bob", "bob@example.com")


def test_what_is_polite_in_the_answer_is_no_part_of_the_name():
    assert name_answered("this is Bob speaking, bob@example.com, thanks") == "Bob"
    assert name_answered("Lovelace, Ada") == "Lovelace, Ada"


@pytest.mark.parametrize(
    ("text", "clocks"),
    [
        ("10.12. at 9", ("09:00", "21:00")),
        ("4.1.2027 at 10", ("10:00", "22:00")),
        ("10.12.", ()),
        ("11/12 at 10:00", ("10:00",)),
        ("2026-12-01T10:00", ("10:00",)),
        ("at 10.30.", ("10:30",)),
    ],
)
def test_a_date_is_no_clock_time(text, clocks):
    assert clock_of(text) == clocks
