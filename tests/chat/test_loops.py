"""What is not understood leads on: the same is not asked for ever, and nothing said is lost."""

import pytest

from slotcast_chat.assistant.assistant import Assistant
from slotcast_chat.assistant.state import Answer, Goal, Question
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
)
from tests.chat.test_repeating import Scripted


def at_the_address():
    """A time is held, the name is known, and the address is asked for."""
    talk = Dialogue()
    talk.until_held()
    assert "e-mail" in text_of(talk.says("Ada Lovelace"))
    assert talk.state.question is Question.EMAIL
    return talk


def at_four_offers():
    talk = Dialogue()
    talk.says("A haircut tomorrow")
    talk.tool(SERVICES)
    talk.tool(times("10:00", "10:30", "11:00", "11:30", people=("anna", "ben")))
    return talk


def at_two_readings():
    talk = Dialogue()
    talk.says("A haircut on 1/2")
    talk.tool(SERVICES)
    talk.tool(times("10:00", readings=2))
    assert talk.state.question is Question.READING
    return talk


async def assistant_at(talk, *messages, answers=()):
    assistant = Assistant(Scripted(*answers), "chat-1", ZONE)
    assistant.state = talk.state
    return assistant, [(await assistant.answer(message)).text for message in messages]


def test_a_name_that_is_put_right_at_the_address_is_noted():
    talk = at_the_address()

    asked = text_of(talk.says("sorry my name is Robert"))

    assert "I have noted that." in asked
    assert "e-mail" in asked
    assert 'For "Robert", r@example.com.' in text_of(talk.says("r@example.com"))


@pytest.mark.parametrize("asked_for", [Question.NAME, Question.EMAIL])
@pytest.mark.parametrize("message", ["I changed my mind", "go back", "I've changed my mind, sorry"])
def test_who_goes_back_at_the_name_or_address_is_asked_what_to_change(asked_for, message):
    talk = at_the_address()
    if asked_for is Question.NAME:
        talk = Dialogue()
        talk.until_held()

    assert "What shall I change" in text_of(talk.says(message))
    assert talk.state.question is Question.WHEN
    assert talk.says("at 11:00").arguments["when"] == "2026-12-01 at 11:00"


def test_who_takes_it_back_at_the_yes_is_asked_what_to_change():
    talk = Dialogue()
    talk.until_summed_up()

    assert "What shall I change" in text_of(talk.says("I changed my mind"))


@pytest.mark.parametrize("message", ["stop it", "stop it please", "no, stop"])
def test_who_says_stop_at_the_address_has_it_ended(message):
    talk = at_the_address()

    assert "nothing is booked" in text_of(talk.says(message))
    assert talk.state.held is None


@pytest.mark.parametrize("message", ["I want Ben", "with Ben please", "I'd rather see Ben"])
def test_somebody_else_may_be_wanted_at_the_name_or_the_address(message):
    named = Dialogue()
    named.until_held()
    for talk in (named, at_the_address()):
        found = talk.says(message)

        assert is_call(found, "find_times")
        assert found.arguments["person"] == "ben"


def test_somebody_called_as_a_stylist_is_a_person_and_no_change():
    talk = Dialogue()
    talk.until_held()
    talk.says("Ben")

    assert talk.state.name == "Ben"
    assert "no e-mail address" in text_of(talk.says("ben at example"))


def test_the_day_stays_known_when_a_later_word_is_not_understood():
    talk = Dialogue()
    talk.says("A haircut tomorrow morning")
    talk.tool(SERVICES)
    talk.tool(times("10:00", "10:30"))
    talk.says("actually the week of the day")
    talk.tool(refused("TIME_NOT_UNDERSTOOD"))

    assert talk.says("no, rather afternoon").arguments["when"] == "2026-12-01 afternoon"


def test_words_that_are_reckoned_from_now_are_of_no_day_that_was_spoken_of():
    talk = at_four_offers()

    assert talk.says("in two hours").arguments["when"] == "in two hours"


def test_the_day_is_not_kept_for_another_appointment():
    talk = Dialogue()
    talk.until_summed_up()
    assert talk.state.day == "2026-12-01"
    talk.says("Yes")
    talk.tool(booked("10:00"))

    assert talk.state.day == ""


@pytest.mark.parametrize(
    "message",
    [
        "whichever",
        "any of them",
        "I don't mind",
        "you choose",
        "it doesn\u2019t matter",
        "any is fine",
    ],
)
def test_who_takes_any_of_the_offers_has_the_first_held_and_nothing_booked(message):
    talk = at_four_offers()

    taken = talk.says(message)

    assert is_call(taken, "hold_time")
    assert "T10:00" in taken.arguments["time"]


def test_any_day_or_anyone_is_not_any_of_the_offers():
    assert at_four_offers().says("any time on Friday").tool == "find_times"
    assert not is_call(at_four_offers().says("I don't mind who"), "hold_time")


def test_an_ok_to_four_offers_is_asked_which():
    talk = at_four_offers()

    asked = talk.says("ok")

    assert "Please say which one" in text_of(asked)
    assert len(asked.offers) == 4


@pytest.mark.parametrize(
    ("message", "when"),
    [
        ("not too early", "2026-12-01 after 11:30"),
        ("not so early please", "2026-12-01 after 11:30"),
        ("that is too early", "2026-12-01 after 11:30"),
        ("too late", "2026-12-01 before 10:00"),
        ("a bit later", "2026-12-01 after 11:30"),
        ("something earlier please", "2026-12-01 before 10:00"),
    ],
)
def test_earlier_and_later_look_beside_the_offers(message, when):
    found = at_four_offers().says(message)

    assert found.arguments["when"] == when


def test_a_person_who_is_named_at_the_offers_is_looked_for():
    found = at_four_offers().says("with Ben")

    assert is_call(found, "find_times")
    assert found.arguments["person"] == "ben"


@pytest.mark.parametrize("at", [at_four_offers, at_two_readings])
def test_who_says_a_name_instead_of_choosing_has_it_noted(at):
    talk = at()

    assert text_of(talk.says("my name is Ada Lovelace")).startswith("I have noted that.")
    assert talk.state.name == "Ada Lovelace"


def test_what_was_offered_is_told_again_as_what_was_open_then():
    talk = at_four_offers()

    assert "open when I looked" in text_of(talk.says("hmm let me think"))


def test_no_to_two_readings_asks_for_the_day():
    talk = at_two_readings()

    assert "Which day do you mean" in text_of(talk.says("no"))
    assert talk.says("3 December at 10:00").arguments["when"] == "3 December at 10:00"


def test_a_number_that_one_meant_is_the_reading_that_has_it_or_the_hour():
    assert "reading 2" in at_two_readings().state.readings[1].words
    meant = at_two_readings()
    meant.says("no I meant 2")
    assert [each.number for each in meant.state.readings] == [2]

    assert at_two_readings().says("no I meant 11").arguments["when"].endswith("at 11")


@pytest.mark.parametrize(
    ("message", "when"),
    [
        ("earlier", "2026-12-01 before 10:00"),
        ("later", "2026-12-01 after 11:30"),
        ("more", "2026-12-01 after 11:30"),
    ],
)
def test_none_of_these_and_then_later_or_earlier_is_beside_them(message, when):
    talk = at_four_offers()
    assert "When would suit you better" in text_of(talk.says("none of these"))

    assert talk.says(message).arguments["when"] == when


@pytest.mark.parametrize(
    ("message", "when"),
    [
        ("make it an hour later", "2026-12-01 at 11:00"),
        ("half an hour earlier please", "2026-12-01 at 09:30"),
        ("could I come 15 minutes later?", "2026-12-01 at 10:15"),
        ("later", "2026-12-01 after 10:00"),
    ],
)
def test_an_hour_later_is_reckoned_from_what_is_held(message, when):
    talk = Dialogue()
    talk.until_summed_up()

    found = talk.says(message)

    assert is_call(found, "find_times")
    assert found.arguments["when"] == when


def test_an_hour_later_at_the_name_or_address_is_neither():
    talk = Dialogue()
    talk.until_held()
    for each in (talk, at_the_address()):
        assert each.says("an hour later please").arguments["when"] == "2026-12-01 at 11:00"


def test_who_would_wait_for_what_is_open_is_told_why_it_is_held_instead():
    talk = Dialogue()
    talk.until_summed_up()
    talk.says("put me on the waitlist for 21 December")
    talk.tool(times())
    told = talk.tool({"held": held("11:00", number=2)})

    assert "nothing to wait for" in text_of(told)
    assert text_of(told).endswith("Shall I book it?")
    again = text_of(talk.says("no, I want to be on the waitlist"))
    assert "nothing to wait for" in again
    assert talk.state.goal is Goal.BOOK
    assert is_call(talk.says("Yes"), "book")


@pytest.mark.parametrize(
    "message",
    [
        "do you speak German?",
        "Ich m\u00f6chte einen Termin am Freitag um 10:00",
        "Quiero una cita para ma\u00f1ana",
        "je voudrais un rendez-vous",
        "hola",
    ],
)
def test_who_speaks_another_language_is_told_that_only_english_is_understood(message):
    talk = Dialogue()
    action = talk.says(message)
    action = talk.tool(SERVICES) if is_call(action, "list_services") else action

    assert "only understand English" in text_of(action)


@pytest.mark.parametrize("at", [at_four_offers, at_the_address])
def test_a_name_of_another_language_is_a_name(at):
    talk = Dialogue()
    talk.until_held()
    talk.says("Domingo Martes, domingo-martes@example.com")
    assert talk.state.name == "Domingo Martes"

    told = at()
    told.says("my name is Domingo Martes")
    assert told.state.name == "Domingo Martes"


def test_a_time_beside_the_question_for_a_language_is_looked_for():
    talk = Dialogue()
    talk.says("can you do German? else a haircut tomorrow at 10:00")

    assert is_call(talk.tool(SERVICES), "find_times")


def test_a_hold_that_may_have_lapsed_is_not_told_to_stand():
    talk = Dialogue()
    talk.until_summed_up()

    assert "and no longer" in text_of(talk.says("is it still held?"))


def test_a_day_that_has_passed_is_told_as_passed():
    talk = Dialogue()
    talk.says("A haircut yesterday")
    found = talk.tool(SERVICES)

    assert found.arguments["when"] == "yesterday"
    assert "has passed" in text_of(talk.tool(refused("TIME_HAS_PASSED")))


async def test_what_is_said_a_second_time_has_a_way_out_before_it():
    _, (first, second, third) = await assistant_at(
        at_the_address(), "ada at example", "ada at example", "ada"
    )

    assert first.startswith("That is no e-mail address")
    assert second.endswith(first)
    assert "Say no to go on without an address" in second
    assert "a form to fill in" in second
    assert "call +49 30 1" in second
    assert third == second


async def test_a_form_that_there_is_not_is_no_way_out():
    talk = Dialogue()
    talk.until_summed_up()
    talk.says("form please")
    talk.tool(refused("FORM_ADDRESS_UNKNOWN"))
    assert talk.state.question is Question.BOOK

    _, (_, again) = await assistant_at(talk, "blue", "blue")

    assert "Say yes for it" in again
    assert "form" not in again
    assert again.endswith("Shall I book it?")


async def test_a_list_that_is_told_again_and_again_has_a_way_out():
    _, said = await assistant_at(at_four_offers(), "hmm", "blue", "green")

    assert "Say its number" in said[-1]
    assert said[-1].endswith("Which one shall I hold for you?")


async def test_other_words_have_no_way_out_before_them():
    lost = Answer({"reason": "TIME_NOT_UNDERSTOOD", "message": "No"}, is_refusal=True)
    _, said = await assistant_at(
        at_four_offers(), "how much is it?", "hmm", "the week of the day", answers=(lost,)
    )

    assert not any("or say stop" in each for each in said)
