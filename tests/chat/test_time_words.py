"""Which words of a message say when: they are handed to the server as they are."""

import pytest

from slotcast_chat.assistant.time_words import clock_of, names_a_day, names_an_hour, time_words


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("I'd like a haircut next Tuesday afternoon, please", "next Tuesday afternoon"),
        ("Could I come in two weeks?", "in two weeks"),
        ("tomorrow after 5", "tomorrow after 5"),
        ("the first slot after lunch on Friday", "the first slot after lunch on Friday"),
        ("haircut with Anna on 2026-12-01 at 10:30", "on 2026-12-01 at 10:30"),
        ("for 2 people at 3pm", "at 3pm"),
        ("half past ten please", "half past ten"),
        ("31 June", "31 June"),
        ("between 2 and 4 on Monday", "between 2 and 4 on Monday"),
        ("Friday or Saturday morning", "Friday or Saturday morning"),
        ("no, the day after tomorrow", "the day after tomorrow"),
        ("on the 3rd of December, before 11", "on the 3rd of December, before 11"),
        ("tomorrow, for a haircut, after 5", "tomorrow after 5"),
        ("the second", ""),
        ("My dog has two tails", ""),
        ("Yes, please.", ""),
        ("", ""),
    ],
)
def test_of_a_message_the_words_that_say_when_are_taken(message, words):
    assert time_words(message) == words


@pytest.mark.parametrize(
    ("words", "clocks"),
    [
        ("at 10:30", ("10:30",)),
        ("at 2.30 pm", ("14:30",)),
        ("12 am", ("00:00",)),
        ("12pm", ("12:00",)),
        ("half past ten", ("10:30", "22:30")),
        ("quarter to nine", ("08:45", "20:45")),
        ("at 3", ("03:00", "15:00")),
        ("3 o'clock", ("03:00", "15:00")),
        ("at noon", ()),
        ("in the afternoon", ()),
    ],
)
def test_a_clock_time_without_its_half_of_the_day_may_be_either(words, clocks):
    assert clock_of(words) == clocks


def test_words_for_a_day_are_told_from_words_for_an_hour():
    assert names_a_day("on Friday")
    assert names_a_day("the 3rd")
    assert not names_a_day("at 10:30")
    assert names_an_hour("in the morning")
    assert not names_an_hour("on Friday")
