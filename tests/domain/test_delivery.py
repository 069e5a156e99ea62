"""How long what failed waits until it is tried again: longer each time, within bounds."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.domain.delivery import (
    ATTEMPTS_MAX,
    PATIENCE,
    RETRY_DELAY_FIRST,
    RETRY_DELAY_MAX,
    Channel,
    retry_delay,
)

CHANCES = st.floats(min_value=0.0, max_value=1.0, exclude_max=True)
ATTEMPTS = st.integers(min_value=1, max_value=10_000)


def test_each_pause_is_twice_as_long_until_it_is_as_long_as_any():
    pauses = [retry_delay(attempts, 0.5) for attempts in range(1, 12)]

    assert [pause.total_seconds() for pause in pauses] == [
        *(4, 8, 16, 32, 64, 128, 256, 512),
        *(900, 900, 900),
    ]


@given(ATTEMPTS, CHANCES)
def test_a_pause_has_bounds(attempts, chance):
    pause = retry_delay(attempts, chance)

    assert 0.75 * RETRY_DELAY_FIRST <= pause <= 1.25 * RETRY_DELAY_MAX


@given(ATTEMPTS)
def test_what_fails_at_one_time_is_not_tried_again_at_one_time(attempts):
    assert retry_delay(attempts, 0.0) < retry_delay(attempts, 0.5) < retry_delay(attempts, 0.99)


def test_what_the_receiver_asked_for_counts_where_it_is_longer_and_is_as_bounded():
    assert retry_delay(1, 0.0, timedelta(seconds=60)) == timedelta(seconds=60)
    assert retry_delay(1, 0.5, timedelta(seconds=60)) > timedelta(seconds=60)
    assert retry_delay(6, 0.5, timedelta(seconds=60)) == timedelta(seconds=128)
    assert RETRY_DELAY_MAX < retry_delay(1, 0.5, timedelta(days=9)) < 1.25 * RETRY_DELAY_MAX


def test_no_delivery_is_tried_so_often_that_its_attempts_run_out_before_its_time():
    """The count of attempts stops what ends every process; it cuts nobody's time short."""
    for channel in Channel:
        spent, attempts = timedelta(), 1
        while spent < PATIENCE[channel]:
            spent += retry_delay(attempts, 0.0)
            attempts += 1
        assert attempts < ATTEMPTS_MAX
