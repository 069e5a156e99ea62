"""What is right is not accused, however it is mixed; and the model agrees with the domain."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.robustness.checker.judge import examine
from tests.robustness.checker.plays import STEPS, Play, long_play


@given(st.lists(STEPS, min_size=5, max_size=50))
@settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_whatever_the_domain_decides_and_shows_breaks_no_promise(steps):
    play = Play()

    for step in steps:
        play.do(step)

    assert examine(*play.end()).violations == []


@pytest.mark.parametrize("sets_the_clock", [False, True])
def test_however_long_it_goes_on_and_whatever_the_clock_no_promise_is_broken(sets_the_clock):
    for seed in range(60):
        history, witness = long_play(seed, sets_the_clock=sets_the_clock)

        assert examine(history, witness).violations == [], seed
