"""An answer was lost: what is said next is taken up, and it is learned whether it was done."""

import pytest

from slotcast_chat.assistant.assistant import Assistant
from slotcast_chat.assistant.state import Answer, Question
from slotcast_chat.tools import TRIES_MAX, AnswerLost
from tests.chat.dialogues import (
    ZONE,
    Dialogue,
    booked,
    held,
    refused,
    times,
)

LOST = [AnswerLost("It is lost.")] * TRIES_MAX
NOES = [
    "No! Stop, do not book it!",
    "stop",
    "wait",
    "ok no",
    "cancel it",
    "I don\u2019t want it any more",
]


class Scripted:
    """Tools that answer what the test wrote, one after the other."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    async def call(self, tool, arguments):
        self.calls.append((tool, arguments))
        answer = self.answers.pop(0)
        if isinstance(answer, AnswerLost):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(answer)

    def called(self):
        return [tool for tool, _ in self.calls]


async def talk(*answers, says):
    """Talk until the sum-up, then say the rest; return the tools, the assistant, what it said."""
    summed_up = Dialogue()
    summed_up.until_summed_up()
    tools = Scripted(*answers)
    assistant = Assistant(tools, "chat-1", ZONE)
    assistant.state = summed_up.state
    return tools, assistant, [await assistant.answer(message) for message in says]


@pytest.mark.parametrize("no", NOES)
async def test_who_says_no_meanwhile_is_told_of_the_booking_and_asked_whether_to_cancel(no):
    answers = (*LOST, booked("10:00"), booked("10:00", 2, "CANCELLED"))

    tools, _, said = await talk(*answers, says=("Yes", no, "Yes, cancel it."))

    assert tools.called() == ["book"] * (TRIES_MAX + 1) + ["cancel"]
    assert len({str(arguments) for _, arguments in tools.calls[:-1]}) == 1
    assert said[1].text.startswith("Booked: ")
    assert said[1].text.endswith("Shall I cancel this appointment?")
    assert said[1].booked is not None
    assert said[2].text.startswith("Cancelled")


@pytest.mark.parametrize("no", NOES)
@pytest.mark.parametrize("reason", ["HOLD_ENDED", "SLOT_TAKEN", "CONSENT_MISMATCH"])
async def test_who_says_no_meanwhile_is_not_booked_anew_where_it_was_not_done(no, reason):
    tools, assistant, said = await talk(*LOST, refused(reason), says=("Yes", no))

    assert set(tools.called()) == {"book"}
    assert said[1].text.endswith("free again by itself.") or "not booked" in said[1].text
    assert assistant.state.question is Question.NOTHING
    assert assistant.state.held is None


async def test_a_change_of_mind_meanwhile_moves_what_was_booked_after_it_is_told():
    answers = (*LOST, booked("10:00"), times("11:00"), held("11:00", number=2))

    tools, _, said = await talk(*answers, says=("Yes", "No, rather Friday at 11:00"))

    assert tools.called()[TRIES_MAX:] == ["book", "find_times", "hold_time"]
    assert said[1].text.startswith("Booked: ")
    assert said[1].text.endswith("Shall I move your appointment to it?")


async def test_who_only_asks_is_told_and_a_yes_is_no_yes_to_what_was_not_shown_yet():
    dearer = {**held("10:00")["to_confirm"], "price": "50.00 EUR"}

    done = await talk(*LOST, booked("10:00"), says=("Yes", "Is it done now?"))
    changed = refused("CONSENT_MISMATCH", to_confirm=dearer)
    tools, _, said = await talk(*LOST, changed, says=("Yes", "yes, please"))

    assert done[2][1].text.startswith("Booked: ")
    assert "Shall I cancel" not in done[2][1].text
    assert tools.called() == ["book"] * (TRIES_MAX + 1)
    assert "50.00 EUR" in said[1].text


@pytest.mark.parametrize("status", ["CONFIRMED", "CANCELLED"])
async def test_a_cancellation_one_says_no_to_meanwhile_is_looked_up_and_not_tried_again(status):
    answers = (booked("10:00"), *LOST, booked("10:00", status=status))
    says = ("Yes", "Cancel my appointment", "Yes", "No wait, keep it!")

    tools, _, said = await talk(*answers, says=says)

    assert tools.called() == ["book", *["cancel"] * TRIES_MAX, "get_booking"]
    assert status.lower() in said[3].text


async def test_a_chip_that_is_clicked_meanwhile_is_not_held_beside_what_may_be_booked():
    tools, assistant, _ = await talk(*LOST, booked("10:00"), says=("Yes",))

    told = await assistant.pick("haircut|anna|2026-12-01T11:00+01:00|30")

    assert told.text.startswith("Booked: ")
    assert set(tools.called()) == {"book"}


async def test_it_stays_unknown_as_long_as_no_answer_comes():
    _, _, said = await talk(*LOST, *LOST, booked("10:00"), says=("Yes", "No!", "No!"))

    assert "do not know" in said[1].text
    assert said[2].text.endswith("Shall I cancel this appointment?")
