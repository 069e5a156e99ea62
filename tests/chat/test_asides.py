"""What people say beside the matter is answered, and what was asked is asked again."""

import pytest

from slotcast_chat.assistant.asides import Aside, aside_of
from slotcast_chat.assistant.state import Question
from tests.chat.dialogues import SERVICES, Dialogue, held, is_call, text_of, times, words

PHONE = SERVICES["phone"]


@pytest.mark.parametrize(
    ("message", "aside"),
    [
        ("thanks, that's great!", Aside.THANKS),
        ("brilliant, thank you so much!", Aside.THANKS),
        ("Hello", Aside.GREETING),
        ("Good morning!", Aside.GREETING),
        ("hi there, how are you?", Aside.GREETING),
        ("help", Aside.HELP),
        ("What can you do?", Aside.HELP),
        ("bye", Aside.GOODBYE),
        ("have a nice day", Aside.GOODBYE),
        ("\U0001f44d\u2728", Aside.SIGNS),
        ("who are you?", Aside.WHO),
        ("Are you a robot?", Aside.WHO),
        ("can I speak to a human", Aside.HUMAN),
        ("who is there?", Aside.PEOPLE),
        ("Who is it with?", Aside.PEOPLE),
        ("how long is it held?", Aside.HELD),
        ("How much is it?", Aside.PRICE),
        ("how long does it take?", Aside.LENGTH),
        ("where are you?", Aside.PLACE),
        ("when do you open?", Aside.HOURS),
        ("You are useless, this is ridiculous!!!", Aside.ANGER),
        ("a haircut tomorrow at 10", None),
        ("yes please", None),
        ("Ada Lovelace", None),
        ("x" * 300 + " thanks", None),
    ],
)
def test_what_is_said_beside_the_matter_is_told_from_the_matter(message, aside):
    assert aside_of(message) is aside


ASIDES = [
    ("how much is it?", "45.00 EUR"),
    ("who is it with?", "It is with Anna."),
    ("is it still held?", f"I hold it until {words('09:05')}, and no longer."),
    ("how long does it take?", "30 or 60 minutes"),
    ("where are you?", PHONE),
    ("can I talk to a person?", PHONE),
    ("what are your opening hours?", "name a day"),
    ("are you a bot?", "I am a program"),
    ("help", "hold it for you"),
    ("do you take cards?", "I cannot tell you that"),
    ("hello", "Hello!"),
    ("thank you!", "You are welcome."),
    ("\U0001f44d", "only read words"),
    ("", "did not hear anything"),
]


@pytest.mark.parametrize(("message", "told"), ASIDES)
def test_whoever_is_asked_for_a_name_may_ask_back_and_it_is_no_name(message, told):
    talk = Dialogue()
    talk.until_held()

    answer = text_of(talk.says(message))

    assert told in answer
    assert answer.endswith("What is your name?")
    assert talk.state.name == ""
    assert "Ada" in text_of(talk.says("Ada, ada@example.com"))


@pytest.mark.parametrize(("message", "told"), [*ASIDES[:13], ("this is ridiculous", "I am sorry")])
def test_before_the_yes_the_same_is_asked_again_and_nothing_is_booked(message, told):
    talk = Dialogue()
    asked = text_of(talk.until_summed_up())

    answer = text_of(talk.says(message))

    assert told in answer
    assert answer.endswith(asked)
    assert is_call(talk.says("Yes"), "book")


def test_while_choosing_the_offered_times_are_told_again_and_can_be_chosen():
    talk = Dialogue()
    talk.says("A haircut tomorrow")
    talk.tool(SERVICES)
    talk.tool(times("10:00", "11:00"))

    again = talk.says("how much is it?")

    assert text_of(again).startswith("Haircut: 45.00 EUR.")
    assert len(again.offers) == 2
    assert is_call(talk.says("the second"), "hold_time")


def test_a_price_is_told_of_each_and_one_that_is_not_known_is_not_made_up():
    talk = Dialogue()
    talk.says("what are the prices?")

    told = text_of(talk.tool(SERVICES))

    assert "Haircut: 45.00 EUR." in told
    assert "Colouring: I do not know the price." in told


def test_after_the_booking_thanks_are_thanks_and_a_yes_is_no_wish():
    talk = Dialogue()
    talk.until_booked()

    assert text_of(talk.says("thanks, that's great!")) == "You are welcome."
    assert text_of(talk.says("yes")).startswith("All right.")
    assert "did not understand" in text_of(talk.says("blue elephants"))
    assert text_of(talk.says("bye")) == "Goodbye!"
    assert talk.state.booked is not None


def test_who_leaves_while_something_is_held_is_told_that_it_is_not_booked():
    talk = Dialogue()
    talk.until_summed_up()

    told = text_of(talk.says("bye"))

    assert "Nothing more is booked." in told
    assert words("09:05") in told


def test_who_is_angry_is_told_whom_to_call():
    talk = Dialogue()
    talk.says("I have been waiting forever, you are useless!!!")

    assert PHONE in text_of(talk.tool(SERVICES))
    assert talk.state.question is Question.NOTHING


def test_a_long_message_is_cut_and_says_no_more_than_its_beginning():
    talk = Dialogue()
    talk.says("A haircut tomorrow at 10:00 " + "please " * 5000)

    found = talk.tool(SERVICES)

    assert found.arguments["when"] == "tomorrow at 10:00"
    assert is_call(talk.tool(times("10:00")), "hold_time")
    assert held("10:00")["hold"]
