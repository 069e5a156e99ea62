"""Whatever is said: it ends soon, in readings that can be used or in a refusal that says why."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.domain.errors import (
    DateDoesNotExist,
    InvalidRequest,
    TimeHasPassed,
    TimeNotUnderstood,
)
from service.domain.spoken_time import Pick, resolve
from service.domain.spoken_time.english import ENGLISH
from service.domain.spoken_time.german import GERMAN
from service.domain.spoken_time.spanish import SPANISH

LIST_MAX = timedelta(days=62)
READINGS_MAX, WINDOWS_MAX = 5, 62
"""As the protos promise."""
ZONES = [
    "Africa/Cairo",
    "America/New_York",
    "America/Santiago",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "UTC",
]
SECONDS_MAX = 5
"""Of a text: a hundred times what the slowest takes, so that no machine is too slow."""


def phrases_of(language):
    tables = ({0: table} if isinstance(table, str) else table for table in language.words.values())
    return sorted(
        {phrase for table in tables for row in table.values() for phrase in row.split("|")}
    )


def said_in(language):
    numbers = st.integers(0, 32).map(str)
    signs = st.sampled_from([":", ".", "/", "-", "12/3", "14:30", "3.12.", "2026-12-24", "5pm"])
    words = st.one_of(st.sampled_from(phrases_of(language)), numbers, signs)
    return st.lists(words, min_size=1, max_size=9).map(lambda said: " ".join(said)[:200])


spoken = st.one_of(said_in(ENGLISH), said_in(GERMAN), said_in(SPANISH))
nows = st.timedeltas(timedelta(), timedelta(days=20 * 365)).map(
    lambda since: datetime(2020, 1, 1, tzinfo=UTC) + since
)


def read(text, now, zone):
    """Return the readings, or none where the words are refused with a reason."""
    try:
        return resolve(text, now=now, zone=zone)
    except (DateDoesNotExist, TimeHasPassed, TimeNotUnderstood) as refusal:
        field, told = refusal.metadata.values()
        if field == "text" and (told or not text.strip()):
            return ()
        raise


@settings(max_examples=200, deadline=None)
@given(text=spoken, now=nows, zone=st.sampled_from(ZONES))
@example(text="tomorrow", now=datetime(2026, 10, 24, 22, 30, tzinfo=UTC), zone="Europe/Berlin")
@example(text="any time", now=datetime(2026, 9, 1, tzinfo=UTC), zone="America/Santiago")
@example(text="before christmas", now=datetime(2026, 1, 1, tzinfo=UTC), zone="Europe/Berlin")
def test_windows_are_to_come_in_order_apart_and_short_enough_to_list(text, now, zone):
    readings = read(text, now, zone)

    assert len(readings) <= READINGS_MAX
    assert len({(reading.windows, reading.pick) for reading in readings}) == len(readings)
    for reading in readings:
        windows = reading.windows
        assert 1 <= len(windows) <= WINDOWS_MAX
        assert windows[0].start >= now
        assert all(window.start < window.end <= window.start + LIST_MAX for window in windows)
        assert all(before.end <= after.start for before, after in pairwise(windows))
        assert f"({zone}, UTC" in reading.words


@settings(max_examples=60, deadline=None)
@given(text=spoken, now=nows, zone=st.sampled_from(ZONES))
def test_the_same_words_at_the_same_instant_are_read_the_same(text, now, zone):
    assert read(text, now, zone) == read(f"  {text.upper()} ", now, zone)


@settings(max_examples=200, deadline=None)
@given(text=st.text(min_size=1, max_size=200), now=nows, zone=st.sampled_from(ZONES))
def test_any_text_is_read_or_refused_with_a_reason(text, now, zone):
    read(text, now, zone)


@settings(max_examples=60, deadline=None)
@given(word=st.from_regex(r"[bcdfgjkqxz]{5,12}", fullmatch=True), place=st.integers(0, 4))
def test_a_word_that_no_language_has_is_never_passed_over(word, place):
    words = ["on", "Friday", "at", "10"]
    text = " ".join([*words[:place], word, *words[place:]])

    with pytest.raises(TimeNotUnderstood) as refused:
        resolve(text, now=datetime(2026, 12, 1, tzinfo=UTC), zone="Europe/Berlin")

    assert refused.value.metadata["unread"] == word


HOSTILE = [
    "in 2 weeks ",
    "a week from ",
    "el 5 a ",
    "de 10 a 12 ",
    "3 to 5 to ",
    "the first monday of ",
    "monday or ",
    "from monday to ",
    "not ",
    "a ",
    "1/",
    "1-",
    "9",
    "week ",
    "(((",
    "5 nach halb ",
    "\u0301",
    "\ufdfa",
    "\U0001f600",
    "\x00",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_text_made_to_be_read_in_many_ways_takes_no_long_time(piece):
    text = (piece * 200)[:200].strip() or "x"
    begun = time.process_time()

    read(text, datetime(2026, 12, 1, tzinfo=UTC), "Europe/Berlin")

    assert time.process_time() - begun < SECONDS_MAX


def test_an_hour_alone_is_the_next_such_hour_also_over_midnight():
    now = datetime(2026, 12, 1, 22, 59, tzinfo=UTC)

    (reading,) = resolve("at 10:00", now=now, zone="Europe/Berlin")

    assert reading.windows[0].start == datetime(2026, 12, 2, 9, tzinfo=UTC)
    assert reading.pick is Pick.AT


@pytest.mark.parametrize(
    ("zone", "language", "field"),
    [("Mars/Olympus", "en", "time_zone"), ("", "en", "time_zone"), ("UTC", "fr", "language")],
)
def test_an_unknown_zone_or_language_is_refused_and_not_guessed(zone, language, field):
    with pytest.raises(InvalidRequest) as refused:
        resolve("tomorrow", now=datetime(2026, 12, 1, tzinfo=UTC), zone=zone, language=language)

    assert refused.value.field == field


@pytest.mark.parametrize("language", [ENGLISH, GERMAN, SPANISH], ids=lambda each: each.code)
def test_every_part_of_the_day_of_a_language_lies_within_what_is_said_with_it(language):
    for part in language.parts:
        assert 0 <= part.start < part.end <= 1440
        assert part.first <= part.start
        assert part.end <= part.last
