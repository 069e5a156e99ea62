"""The database's clock, between two readings of it."""

from datetime import timedelta

from service.live.clock import READINGS_KEPT_MAX, DatabaseClock
from tests.builders import NOW


class FakeMonotonic:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


def second(number):
    return timedelta(seconds=number)


def a_clock():
    monotonic = FakeMonotonic()
    clock = DatabaseClock(monotonic)
    clock.observe(NOW)
    return clock, monotonic


def test_time_goes_on_between_readings():
    clock, monotonic = a_clock()
    monotonic.seconds += 2.5

    assert clock.now() == NOW + second(2.5)
    assert clock.seconds_until(NOW + second(4)) == 1.5


def test_an_answer_that_came_late_does_not_set_the_clock_back():
    clock, monotonic = a_clock()
    monotonic.seconds += 10
    clock.observe(NOW + second(9))

    assert clock.now() == NOW + second(10)


def test_an_answer_that_came_sooner_is_nearer_to_the_truth():
    clock, monotonic = a_clock()
    monotonic.seconds += 10
    clock.observe(NOW + second(10.2))

    assert clock.now() == NOW + second(10.2)


def test_a_small_step_back_is_waited_out():
    clock, monotonic = a_clock()
    clock.now()
    for _ in range(READINGS_KEPT_MAX):
        clock.observe(NOW - second(0.5))

    assert clock.now() == NOW
    monotonic.seconds += 1
    assert clock.now() == NOW + second(0.5)


def test_a_database_whose_clock_was_set_back_is_followed():
    clock, _ = a_clock()
    clock.now()
    for _ in range(READINGS_KEPT_MAX):
        clock.observe(NOW - second(3600))

    assert clock.now() == NOW - second(3600)
