"""The sums of the load tester."""

from array import array

import pytest

from loadtest.comparison import compared, summaries
from loadtest.figures import latency, percentile, ratios, spread
from loadtest.grid import Cursor, Grid, Place, split
from loadtest.measures import Round, Side, per_second, span_of
from loadtest.options import BadOption, Options, Scenario, is_loopback
from loadtest.scenarios import shares

GRID = Grid(business="b", calendars=("c0", "c1"), first_start=86_400, days=3)
SECOND = 1_000_000_000


def a_round(scenario, side, number, rate):
    return Round(scenario=scenario, side=side, number=number, per_second=rate)


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 2), (75, 3), (76, 4), (100, 4)])
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(percent, value):
    assert percentile([1, 2, 3, 4], percent) == value


def test_the_99th_of_a_hundred_is_the_one_before_the_last():
    assert percentile(range(1, 101), 99) == 99


def test_latencies_are_told_in_milliseconds():
    found = latency([3_000_000, 1_000_000, 2_000_000])

    assert found is not None
    assert (found.count, found.p50_ms, found.max_ms) == (3, 2.0, 3.0)


def test_of_nothing_there_is_no_latency_and_no_spread():
    assert latency([]) is None
    assert spread([]) is None


def test_a_spread_is_the_median_and_how_far_the_rounds_lie_apart():
    found = spread([90.0, 120.0, 100.0])

    assert found is not None
    assert (found.median, found.min, found.max) == (100.0, 90.0, 120.0)
    assert found.noise == pytest.approx(0.3)


def test_a_ratio_is_made_of_the_two_sides_of_one_round():
    assert ratios([50, 30], [100, 120]) == [0.5, 0.25]
    assert ratios([50], [0]) == []


def test_the_service_is_compared_with_what_ran_in_the_same_round():
    rounds = [
        a_round(Scenario.UNARY, Side.ECHO, 1, 1000),
        a_round(Scenario.UNARY, Side.SERVICE, 1, 500),
        a_round(None, Side.PGBENCH, 1, 250),
        a_round(Scenario.UNARY, Side.ECHO, 2, 2000),
        a_round(Scenario.UNARY, Side.SERVICE, 2, 800),
        a_round(None, Side.PGBENCH, 2, 400),
    ]

    found = {ratio.what: ratio.spread for ratio in compared(rounds)}

    echo = found["Book, unary: answers per second, of the bare echo"]
    assert (echo.median, echo.min, echo.max) == (0.45, 0.4, 0.5)
    assert found["Book, unary: answers per second, of pgbench"].median == 2.0
    assert [summary.side for summary in summaries(rounds)] == ["echo", "service", "pgbench"]


def test_figures_are_taken_after_settling_and_before_running_out():
    span = span_of(10 * SECOND, 1, 5, last_ns=20 * SECOND)

    answered = array("q", [10 * SECOND, 12 * SECOND, 14 * SECOND, 15 * SECOND])
    assert per_second(answered, span) == 0.5


def test_a_round_that_used_up_its_slots_ends_with_its_last_answer():
    span = span_of(0, 1, 5, last_ns=3 * SECOND)

    assert per_second(array("q", [2 * SECOND, 3 * SECOND]), span) == pytest.approx(1.0)


def test_the_slots_of_a_grid_are_all_different_and_spread_over_its_calendars():
    places = [GRID.place(index) for index in range(len(GRID))]

    assert len(set(places)) == len(places) == 2 * 3 * 96
    assert places[:3] == [Place("c0", 86_400), Place("c1", 86_400), Place("c0", 87_300)]


def test_no_slot_is_handed_out_twice_and_none_beyond_the_grid():
    cursor = Cursor(GRID)

    assert [*cursor.take(2), *cursor.take(2)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="grid has 576 slots"):
        cursor.take(573)


def test_slots_that_were_not_reached_are_handed_out_later():
    cursor = Cursor(GRID)
    cursor.take(100)

    cursor.give_back(7)

    assert cursor.take(1) == range(7, 8)


def test_a_watch_begins_on_a_day_of_its_own():
    cursor = Cursor(GRID)
    cursor.take(3)

    assert cursor.skip_to_day() == 1
    assert GRID.place(cursor.take(1)[0]).start == 2 * 86_400


def test_work_is_dealt_out_whole_and_evenly():
    assert sorted(index for part in split(range(3, 10), 3) for index in part) == list(range(3, 10))
    assert shares(10, 3) == [4, 3, 3]
    assert shares(2, 8) == [1, 1]


@pytest.mark.parametrize(
    "target", ["localhost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:x", "ipv4:127.0.0.1:1"]
)
def test_this_machine_may_be_tested(target):
    assert is_loopback(target)
    assert Options(target=target, api_key="k").target == target


@pytest.mark.parametrize("target", ["10.0.0.1:1", "example.com:443", "localhost.example.com:1", ""])
def test_another_machine_is_tested_only_if_that_is_allowed(target):
    with pytest.raises(BadOption, match="not this machine"):
        Options(target=target, api_key="k")

    assert Options(target=target, api_key="k", allow_remote=True).target == target


@pytest.mark.parametrize(
    "wrong",
    [
        {"rounds": 0},
        {"seconds": 601},
        {"settle_seconds": 5.0},
        {"scenarios": ()},
        {"watch_rate": 3000.0},
        {"rate": 0.0},
    ],
)
def test_a_run_is_bounded_in_time_and_count(wrong):
    with pytest.raises(BadOption):
        Options(target="localhost:1", api_key="k", **wrong)
