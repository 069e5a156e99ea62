"""Turns of real talk: corrections, two at once, other zones, giving up, and what was booked."""

import pytest

from slotcast_chat.assistant.places import zone_named
from slotcast_chat.assistant.state import Answer, Question
from slotcast_chat.assistant.time_words import time_words
from tests.chat.dialogues import (
    SERVICES,
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


def line(clock, booking="00000000-0000-4000-8000-00000000000b", status="CONFIRMED"):
    return {**booked(clock, status=status).content, "booking": booking}


def all_of(*lines):
    return Answer({"bookings": list(lines), "more": False})


def found_for(message):
    talk = Dialogue()
    talk.says(message)
    return talk.tool(SERVICES)


@pytest.mark.parametrize(
    ("message", "when"),
    [
        ("a haircut on 11/12", "on 11/12"),
        ("a haircut on 11/12 at 10:00", "on 11/12 at 10:00"),
        ("a haircut on 11/12/2026", "on 11/12/2026"),
        ("Good morning! A haircut tomorrow, please", "tomorrow"),
        ("a haircut tomorrow. Have a nice day!", "tomorrow"),
        ("a haircut in the morning", "in the morning"),
    ],
)
def test_the_words_for_a_time_go_to_the_server_as_they_are_and_greetings_do_not(message, when):
    assert found_for(message).arguments["when"] == when


def test_good_morning_names_no_time():
    assert not time_words("Good morning")
    assert not time_words("have a great weekend!")
    assert time_words("Tuesday morning is good") == "Tuesday morning"


@pytest.mark.parametrize(
    ("message", "zone", "when"),
    [
        ("a haircut tomorrow at 4pm London time", "Europe/London", "tomorrow at 4pm"),
        ("a haircut tomorrow at 10:00 New York time", "America/New_York", "tomorrow at 10:00"),
        ("Tokyo time 18:00 tomorrow, a haircut", "Asia/Tokyo", "18:00 tomorrow"),
    ],
)
def test_a_time_of_another_city_is_of_that_zone(message, zone, when):
    found = found_for(message)

    assert (found.arguments["time_zone"], found.arguments["when"]) == (zone, when)


@pytest.mark.parametrize("letters", ["EST", "CET", "UTC+2", "GMT"])
def test_letters_for_a_zone_are_asked_about_and_never_read_as_the_zone_of_the_browser(letters):
    asked = found_for(f"a haircut tomorrow at 4pm {letters}")

    assert "Which city's time" in text_of(asked)


def test_after_the_city_is_told_the_time_is_looked_for_in_its_zone():
    talk = Dialogue()
    talk.says("a haircut tomorrow at 4pm EST")
    talk.tool(SERVICES)

    found = talk.says("New York")

    assert found.arguments["time_zone"] == "America/New_York"
    assert found.arguments["when"] == "tomorrow at 4pm"
    assert zone_named("in no time")[0] == ""


@pytest.mark.parametrize(
    "message",
    ["No wait, Friday at 11", "no, I meant Friday at 11", "Friday at 11", "sorry, Friday at 11"],
)
@pytest.mark.parametrize("answers", [(), ("Ada",), ("Ada", "no")])
def test_a_correction_is_one_whatever_was_asked(message, answers):
    talk = Dialogue()
    talk.until_held()
    for answer in answers:
        talk.says(answer)

    found = talk.says(message)

    assert is_call(found, "find_times")
    assert "Friday at 11" in found.arguments["when"]
    assert talk.state.name == ("Ada" if answers else "")


@pytest.mark.parametrize("name", ["May", "April", "June Summer", "Tuesday Weld", "Noah Friday"])
def test_a_name_that_is_a_month_or_a_day_is_a_name(name):
    talk = Dialogue()
    talk.until_held()
    talk.says(name)

    assert talk.state.name == name


def test_with_whom_is_remembered_until_the_service_is_known():
    talk = Dialogue()
    talk.says("is Ben free tomorrow?")

    assert "What would you like to book" in text_of(talk.tool(SERVICES))
    found = talk.says("a haircut")

    assert found.arguments["person"] == "ben"
    assert found.arguments["when"] == "tomorrow"


def test_of_two_services_it_is_asked_which_comes_first():
    talk = Dialogue()
    talk.says("a haircut and a colouring tomorrow at 10:00")

    assert "Which one first: Haircut or Colouring?" in text_of(talk.tool(SERVICES))
    found = talk.says("the haircut")

    assert (found.arguments["service"], found.arguments["when"]) == ("haircut", "tomorrow at 10:00")


@pytest.mark.parametrize("message", ["forget it", "never mind", "Never mind, leave it."])
def test_who_gives_up_is_told_until_when_it_stays_held(message):
    talk = Dialogue()
    talk.until_summed_up()

    told = text_of(talk.says(message))

    assert told.startswith("All right, nothing is booked.")
    assert words("09:05") in told


def test_who_gives_up_a_move_keeps_the_appointment_and_is_told_so():
    talk = Dialogue()
    talk.until_booked()
    talk.says("Move it to Friday at 11:00")
    talk.tool(times("11:00"))
    talk.tool(held("11:00"))

    told = text_of(talk.says("never mind"))

    assert "It stays as it is" in told
    assert "nothing is booked" not in told
    assert talk.state.booked is not None


def test_what_was_booked_is_asked_of_the_service():
    talk = Dialogue()
    talk.until_booked()

    asked = talk.says("what did I book?")

    assert is_call(asked, "get_booking")
    assert asked.arguments == {"conversation": "chat-1", "time_zone": "Europe/Berlin"}
    told = text_of(talk.tool(all_of(line("10:00"), line("12:00", SECOND_ID))))
    assert words("10:00") in told
    assert words("12:00") in told


@pytest.mark.parametrize("status", ["CANCELLED", ""])
def test_where_nothing_is_booked_it_is_said_and_not_made_up(status):
    talk = Dialogue()
    talk.says("what did I book?")
    talk.tool(SERVICES)

    told = text_of(talk.tool(all_of(*([line("10:00", status=status)] if status else []))))

    assert "Nothing is booked in this conversation now." in told
    assert status.lower() in told
    assert is_call(talk.says("Then a haircut tomorrow"), "find_times")


def test_what_the_form_has_booked_can_be_cancelled_though_the_chat_did_not_book_it():
    talk = Dialogue()
    talk.says("cancel my appointment")

    assert is_call(talk.tool(SERVICES), "get_booking")
    assert "Shall I cancel" in text_of(talk.tool(all_of(line("10:00"))))
    cancel = talk.says("Yes")

    assert is_call(cancel, "cancel")
    assert cancel.arguments["booking"].endswith("b")


def test_a_second_one_at_the_same_time_is_asked_about_and_booked_as_another_after_a_yes():
    talk = Dialogue()
    talk.until_booked()

    assert "Shall I look for a second one" in text_of(talk.says("can I have two?"))
    found = talk.says("Yes")
    assert is_call(found, "find_times")
    assert found.arguments["when"] == "1 December 2026 at 10:00"
    talk.tool(times("10:00", people=("ben",)))
    summed_up = text_of(talk.tool(held("10:00", number=2)))
    book = talk.says("Yes")

    assert f"a second appointment, beside {words('10:00')}" in summed_up
    assert book.arguments["another"] is True
    talk.tool(Answer(line("10:00", SECOND_ID)))
    assert [each.booking[-1] for each in talk.state.all_booked] == ["b", "c"]


def test_the_first_booking_and_one_after_a_no_to_a_second_are_not_another():
    talk = Dialogue()
    talk.until_summed_up()

    assert "another" not in talk.says("Yes").arguments
    talk.tool(booked("10:00"))
    talk.says("can I have two?")

    assert "stays at the one" in text_of(talk.says("no"))


def test_who_wants_two_from_the_start_is_asked_about_the_second_once_the_first_is_booked():
    talk = Dialogue()
    talk.until_held("Two haircuts tomorrow at 10:00")
    talk.says("Ada, ada@example.com")
    talk.says("Yes")

    told = talk.tool(booked("10:00"))

    assert text_of(told).endswith("Shall I look for a second one at the same time?")
    assert talk.state.question is Question.SECOND
    assert is_call(talk.says("yes please"), "find_times")


def test_whoever_has_no_address_is_not_put_on_the_waitlist_and_is_told_why():
    talk = Dialogue()
    talk.says("A haircut tomorrow")
    talk.tool(SERVICES)
    talk.tool(times())
    talk.says("Put me on the waiting list")
    talk.says("Ada")

    told = text_of(talk.says("no"))

    assert "it tells you by e-mail" in told
    assert talk.state.question is Question.WHEN


def test_what_the_conversation_has_booked_already_may_be_booked_beside_it_when_asked_for():
    talk = Dialogue()
    talk.until_summed_up()
    talk.says("Yes")

    told = text_of(talk.tool(refused("ALREADY_BOOKED", message="It is booked.")))

    assert told.startswith("It is booked. I do not book it a second time, unless")


def test_what_is_said_of_a_day_in_a_goodbye_moves_nothing():
    talk = Dialogue()
    talk.until_booked()

    assert text_of(talk.says("see you tomorrow")) == "Goodbye!"
    assert text_of(talk.says("See you on Tuesday, thanks!")) == "Goodbye!"


def test_what_is_no_number_chooses_nothing():
    talk = Dialogue()
    talk.says("A haircut tomorrow")
    talk.tool(SERVICES)
    talk.tool(times("10:00", "11:00"))

    assert "did not understand" in text_of(talk.says("the cheapest one"))
    assert is_call(talk.says("the first one"), "hold_time")


@pytest.mark.parametrize("answer", ["I don't want to give it", "I'd rather not", "no", "skip"])
def test_who_does_not_want_to_give_an_address_need_not(answer):
    talk = Dialogue()
    talk.until_held()
    talk.says("Ada")

    assert text_of(talk.says(answer)).endswith("Shall I book it?")


def test_who_asks_how_to_cancel_is_told_and_nothing_is_cancelled():
    talk = Dialogue()
    talk.until_summed_up()

    assert "move or cancel" in text_of(talk.says("How do I cancel?"))
    assert is_call(talk.says("Yes"), "book")


def test_what_the_held_time_is_elsewhere_is_the_same_instant_and_no_other_time():
    talk = Dialogue()
    talk.until_summed_up()

    told = talk.says("What time is that in London?")

    assert is_call(told, "hold_time")
    assert told.arguments["time"] == "haircut|anna|2026-12-01T10:00+01:00|30"
    assert told.arguments["time_zone"] == "Europe/London"


def test_before_the_yes_it_is_said_that_nothing_is_booked_yet():
    talk = Dialogue()
    asked = text_of(talk.until_summed_up())

    told = text_of(talk.says("When is my appointment?"))

    assert told.startswith("Nothing is booked yet.")
    assert told.endswith(asked)


def test_whoever_asks_while_the_form_has_not_booked_is_told_so_and_else_what_it_booked():
    talk = Dialogue()
    talk.until_held("My name is Ada. A haircut tomorrow at 10:00")
    talk.says("I'd rather fill in a form")
    talk.tool({**held("10:00"), "link": "https://example.com/book/#ticket"})

    assert is_call(talk.says("What did I book?"), "get_booking")
    assert "has not booked it yet" in text_of(talk.tool(all_of()))
    talk.says("What did I book?")

    assert "confirmed" in text_of(talk.tool(all_of(line("10:00"))))
    assert talk.state.booked is not None
