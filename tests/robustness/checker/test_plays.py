"""What is right is not accused, however it is mixed; and the model agrees with the domain."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.robustness.checker.judge import examine
from tests.robustness.checker.plays import STEPS, Play


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
