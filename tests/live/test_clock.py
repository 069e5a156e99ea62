"""The database's clock, between two readings of it."""

from datetime import timedelta

from service.live.clock import UNPROVED_MAX, DatabaseClock
from tests.builders import NOW


class FakeMonotonic:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


def second(number):
    return timedelta(seconds=number)


class Reading:
    """A clock with a database whose clock is `NOW` at first, and may be stepped."""

    def __init__(self):
        self.monotonic = FakeMonotonic()
        self.clock = DatabaseClock(self.monotonic)
        self.step = second(0)
        self.set_backs = 0
        self.clock.when_set_back(self.was_set_back)
        self.read()

    def was_set_back(self):
        self.set_backs += 1

    @property
    def true_now(self):
        return NOW + second(self.monotonic.seconds - 1000) + self.step

    def read(self, way_there=0.0, way_back=0.0):
        """Read the database's clock, with so many seconds on the way."""
        asked_at = self.clock.asking()
        self.monotonic.seconds += way_there
        as_of = self.true_now
        self.monotonic.seconds += way_back
        return self.clock.observe(as_of, asked_at)


def test_time_goes_on_between_readings():
    reading = Reading()
    reading.monotonic.seconds += 2.5

    assert reading.clock.now() == NOW + second(2.5)
    assert reading.clock.seconds_until(NOW + second(4)) == 1.5


def test_an_answer_that_came_late_does_not_set_the_clock_back():
    reading = Reading()
    for _ in range(50):
        assert reading.read(way_back=4)

    assert reading.set_backs == 0
    assert second(0) <= reading.true_now - reading.clock.now() <= second(4)


def test_answers_that_come_late_for_long_are_no_step_back():
    reading = Reading()
    for _ in range(20):
        reading.read()
        reading.monotonic.seconds += 1
    for _ in range(40):
        before = reading.clock.now()
        assert reading.read(way_back=1.5)
        assert reading.clock.now() > before

    assert reading.set_backs == 0


def test_an_answer_that_came_sooner_is_nearer_to_the_truth():
    reading = Reading()
    reading.clock = DatabaseClock(reading.monotonic)
    reading.read(way_back=0.5)
    assert reading.clock.now() == reading.true_now - second(0.5)
    reading.read(way_there=3, way_back=0.1)

    assert reading.clock.now() == reading.true_now - second(0.1)


def test_a_small_step_back_is_waited_out():
    reading = Reading()
    before = reading.clock.now()
    reading.step -= second(0.5)
    reading.read()

    assert reading.clock.now() == before
    reading.monotonic.seconds += 2
    assert reading.clock.now() == reading.true_now
    assert reading.set_backs == 0


def test_a_clock_that_was_set_back_is_followed_at_the_first_reading():
    reading = Reading()
    for _ in range(20):
        reading.read(way_there=0.01, way_back=0.01)
        reading.clock.now()
    reading.step -= second(3600)
    reading.read(way_there=0.01, way_back=0.01)

    assert second(0) <= reading.true_now - reading.clock.now() <= second(0.02)
    assert reading.set_backs == 1


def test_a_clock_that_was_set_forward_is_followed_at_the_first_reading():
    reading = Reading()
    reading.step += second(3600)
    reading.read()

    assert reading.clock.now() == reading.true_now
    assert reading.set_backs == 0


def test_a_late_answer_from_before_a_step_back_does_not_set_the_clock_forward_again():
    reading = Reading()
    asked_at, taken = reading.clock.asking(), reading.true_now
    reading.monotonic.seconds += 1
    reading.step -= second(60)
    reading.read()
    reading.monotonic.seconds += 1

    assert not reading.clock.observe(taken, asked_at)
    assert reading.clock.now() == reading.true_now
    assert reading.set_backs == 1


def test_a_late_answer_from_before_a_step_forward_does_not_set_the_clock_back_again():
    reading = Reading()
    asked_at, taken = reading.clock.asking(), reading.true_now
    reading.monotonic.seconds += 1
    reading.step += second(60)
    reading.read()

    assert not reading.clock.observe(taken, asked_at)
    assert reading.clock.now() == reading.true_now
    assert reading.set_backs == 0


def test_clocks_that_drift_apart_are_no_step():
    reading = Reading()
    for _ in range(1000):
        reading.step -= second(0.0005)
        reading.monotonic.seconds += 1
        assert reading.read(way_there=0.0001, way_back=0.0001)

        assert abs(reading.clock.now() - reading.true_now) < second(0.002)
    assert reading.set_backs == 0


def test_w5_what_was_proved_long_ago_is_said_of_then():
    reading = Reading()
    reading.monotonic.seconds += 60

    assert reading.clock.now_proved(NOW) == NOW + UNPROVED_MAX
    assert reading.clock.now_proved(reading.true_now) == reading.true_now
