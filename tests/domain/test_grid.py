"""The rules on which booking systems differ; ours, one test each."""

from datetime import UTC, date, datetime, timedelta

import pytest

from service.domain.availability import day_slots, judge, open_slots
from service.domain.errors import BeyondHorizon, NoticeTooShort, SlotClosed, SlotOffGrid, SlotTaken
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from tests.builders import (
    MONDAY,
    NOW,
    a_calendar,
    a_catalog,
    a_claim,
    a_closure,
    a_schedule,
    a_type,
    an_offer,
    at,
    hours,
    minutes,
    wall,
)

TUESDAY = MONDAY + timedelta(days=1)


def offer_with(schedule, *, claims=(), closures=(), zone="UTC", **changes):
    catalog = a_catalog(
        types=[a_type(**changes)],
        schedules=[schedule],
        calendars=[a_calendar(zone=zone)],
        closures=closures,
    )
    return an_offer(catalog, claims)


def starts(offer, first=MONDAY, days=1, now=NOW):
    window = Interval(at("00:00", first), at("00:00", first + timedelta(days=days)))
    query = SlotQuery(business_id="demo", window=window)
    return [f"{slot.key.start:%H:%M}" for slot in open_slots(offer, query, now)]


def refusal(offer, start, now=NOW):
    duration = offer.catalog.types["visit"].durations[0]
    return type(judge(offer, "visit", "anna", start, duration, now).refusal)


def test_hours_may_end_at_midnight():
    offer = offer_with(a_schedule(wall("23:00", "24:00")))
    assert starts(offer) == ["23:00", "23:30"]


def test_hours_may_end_after_midnight():
    offer = offer_with(a_schedule(wall("23:00", "00:30"), weekdays=[0]))
    assert starts(offer, days=2) == ["23:00", "23:30", "00:00"]


def test_hours_that_touch_at_midnight_are_one():
    schedule = a_schedule(
        weekly={0: (wall("23:10", "24:00"),), 1: (wall("00:00", "01:00"),)},
    )
    assert starts(offer_with(schedule), days=2) == ["23:10", "23:40", "00:10"]


def test_hours_that_touch_or_overlap_are_one_and_the_grid_runs_on():
    touching = offer_with(a_schedule(wall("09:10", "10:00"), wall("10:00", "11:00")))
    overlapping = offer_with(a_schedule(wall("09:10", "10:30"), wall("10:00", "11:00")))
    assert starts(touching) == starts(overlapping) == ["09:10", "09:40", "10:10"]


def test_the_grid_counts_from_the_start_of_each_opening_interval():
    offer = offer_with(a_schedule(wall("09:05", "10:10"), wall("14:20", "15:30")))
    assert starts(offer) == ["09:05", "09:35", "14:20", "14:50"]


def test_the_grid_does_not_restart_after_busy_time():
    offer = offer_with(
        a_schedule(wall("09:00", "11:00")), claims=[a_claim(at("09:30"), at("09:40"))]
    )
    assert starts(offer) == ["09:00", "10:00", "10:30"]


def test_the_grid_does_not_restart_at_the_notice():
    offer = offer_with(a_schedule(wall("09:00", "11:00")), minimum_notice=hours(1))
    assert starts(offer, now=at("08:40")) == ["10:00", "10:30"]


def test_a_closure_closes_what_it_overlaps_and_does_not_shift_the_grid():
    closure = a_closure(interval=Interval(at("09:20"), at("09:50")))
    offer = offer_with(a_schedule(wall("09:00", "11:00")), closures=[closure])
    assert starts(offer) == ["10:00", "10:30"]
    assert refusal(offer, at("09:30")) is SlotClosed


def test_a_closure_that_touches_a_slot_does_not_close_it():
    closure = a_closure(interval=Interval(at("09:30"), at("10:00")))
    offer = offer_with(a_schedule(wall("09:00", "11:00")), closures=[closure])
    assert starts(offer) == ["09:00", "10:00", "10:30"]


def test_a_closure_by_dates_is_whole_days_of_each_calendars_own_zone():
    calendars = [a_calendar("anna", zone="Asia/Tokyo"), a_calendar("ben", zone="America/New_York")]
    catalog = a_catalog(
        types=[a_type(any_of=("anna", "ben"), durations=(hours(1),), slot_step=hours(1))],
        calendars=calendars,
        schedules=[a_schedule(wall("00:00", "24:00"), weekdays=range(6))],
        closures=[a_closure(first_date=TUESDAY, last_date=TUESDAY)],
    )
    window = Interval(at("00:00"), at("00:00", MONDAY + timedelta(days=4)))
    query = SlotQuery(business_id="demo", window=window)
    shown = {
        (slot.key.calendar_id, slot.key.start) for slot in open_slots(an_offer(catalog), query, NOW)
    }
    for calendar_id, closes, opens in (
        ("anna", at("15:00", MONDAY), at("15:00", TUESDAY)),
        ("ben", at("04:00", TUESDAY), at("04:00", TUESDAY + timedelta(days=1))),
    ):
        assert (calendar_id, closes - hours(1)) in shown
        assert (calendar_id, closes) not in shown
        assert (calendar_id, opens - hours(1)) not in shown
        assert (calendar_id, opens) in shown


def test_an_exception_replaces_the_hours_of_its_weekday():
    schedule = a_schedule(exceptions={MONDAY: (wall("12:00", "13:00"),), TUESDAY: ()})
    assert starts(offer_with(schedule), days=2) == ["12:00", "12:30"]


def test_the_appointment_lies_within_the_hours_and_its_buffers_may_hang_over():
    offer = offer_with(
        a_schedule(wall("09:00", "10:00")), buffer_before=minutes(20), buffer_after=minutes(20)
    )
    assert starts(offer) == ["09:00", "09:30"]
    longer = offer_with(a_schedule(wall("09:00", "10:00")), durations=(minutes(40),))
    assert starts(longer) == ["09:00"]
    assert refusal(longer, at("09:30")) is SlotClosed


def test_the_buffers_of_neighbours_add_up():
    def left(before, after):
        offer = offer_with(
            a_schedule(wall("09:00", "12:00")),
            claims=[
                a_claim(at("10:00"), at("10:40"), appointment=Interval(at("10:10"), at("10:30")))
            ],
            buffer_before=before,
            buffer_after=after,
            slot_step=minutes(10),
        )
        return starts(offer)

    assert left(minutes(0), minutes(0)) == [
        *["09:00", "09:10", "09:20", "09:30"],
        *["10:40", "10:50", "11:00", "11:10", "11:20", "11:30"],
    ]
    assert left(minutes(20), minutes(10)) == [
        *["09:00", "09:10", "09:20"],
        *["11:00", "11:10", "11:20", "11:30"],
    ]


def test_busy_time_that_touches_an_end_is_no_conflict():
    offer = offer_with(
        a_schedule(wall("09:00", "11:00")),
        claims=[a_claim(at("08:00"), at("09:30")), a_claim(at("10:00"), at("10:30"))],
    )
    assert starts(offer) == ["09:30", "10:30"]


def test_a_start_is_offered_at_exactly_the_notice_and_at_exactly_the_horizon():
    offer = offer_with(a_schedule(), minimum_notice=hours(2), horizon=hours(4))
    assert starts(offer, now=at("08:00")) == ["10:00", "10:30", "11:00", "11:30", "12:00"]
    instant = timedelta(microseconds=1)
    assert refusal(offer, at("10:00"), now=at("08:00") + instant) is NoticeTooShort
    assert refusal(offer, at("12:00"), now=at("08:00") - instant) is BeyondHorizon


def test_the_end_of_the_window_is_excluded_and_a_slot_may_end_after_it():
    offer = offer_with(a_schedule())
    window = Interval(at("09:00"), at("10:00") + timedelta(microseconds=1))
    for query_window, count in ((window, 3), (Interval(at("09:00"), at("10:00")), 2)):
        query = SlotQuery(business_id="demo", window=query_window)
        assert len(open_slots(offer, query, NOW)) == count


def test_starts_are_counted_in_elapsed_minutes_over_a_change_of_clocks():
    spring = date(2030, 3, 31)
    schedule = a_schedule(weekdays=(), exceptions={spring: (wall("00:30", "04:00"),)})
    offer = offer_with(
        schedule, zone="Europe/Berlin", slot_step=minutes(45), durations=(minutes(30),)
    )
    now = datetime(2030, 3, 1, tzinfo=UTC)
    found = day_slots(offer, "visit", "anna", spring, minutes(30), now).slots
    # 00:30, 01:15, then 03:00 by the clock, which skips from 02:00 to 03:00.
    assert [f"{slot.key.start:%H:%M}" for slot in found] == ["23:30", "00:15", "01:00"]


def test_the_second_pass_of_a_repeated_hour_is_not_on_the_grid():
    autumn = date(2030, 10, 27)
    schedule = a_schedule(weekdays=(), exceptions={autumn: (wall("01:30", "04:00"),)})
    offer = offer_with(schedule, zone="Europe/Berlin")
    now = datetime(2030, 10, 1, tzinfo=UTC)
    found = day_slots(offer, "visit", "anna", autumn, minutes(30), now).slots
    # 01:30, 02:00 and 02:30 for the first time, 03:00, 03:30.
    assert [f"{slot.key.start:%H:%M}" for slot in found] == [
        *["23:30", "00:00", "00:30", "02:00", "02:30"]
    ]
    second = datetime(2030, 10, 27, 1, 0, tzinfo=UTC)
    assert refusal(offer, second, now=now) is SlotOffGrid


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Santiago"])
def test_hours_that_never_close_are_counted_from_each_monday_and_run_on_over_it(zone):
    always = a_schedule(wall("00:00", "24:00"), weekdays=range(7))
    offer = offer_with(
        always, zone=zone, slot_step=minutes(50), durations=(hours(3),), horizon=timedelta(days=900)
    )
    for week in range(60):
        monday = MONDAY + timedelta(weeks=week)
        begin = offer.hours.day_span("anna", monday).start
        sunday_slots, monday_slots = (
            day_slots(offer, "visit", "anna", day, hours(3), NOW).slots
            for day in (monday - timedelta(days=1), monday)
        )
        assert monday_slots[0].key.start == begin
        assert timedelta() < begin - sunday_slots[-1].key.start <= minutes(50)


def test_hours_with_a_gap_are_one_from_gap_to_gap_over_monday():
    schedule = a_schedule(
        weekly={
            5: (wall("09:05", "24:00"),),
            6: (wall("00:00", "24:00"),),
            0: (wall("00:00", "12:00"),),
        }
    )
    offer = offer_with(schedule, slot_step=hours(5), durations=(hours(1),))
    # 09:05, 14:05, 19:05 on Saturday, 00:05 … 20:05 on Sunday, then Monday.
    assert starts(offer, now=NOW - timedelta(days=2)) == ["01:05", "06:05"]


def test_what_is_closed_off_the_grid_and_taken_is_told_apart():
    offer = offer_with(a_schedule(), claims=[a_claim(at("10:00"))])
    assert refusal(offer, at("08:30")) is SlotClosed
    assert refusal(offer, at("17:00")) is SlotClosed
    assert refusal(offer, at("16:45")) is SlotClosed
    assert refusal(offer, at("09:10")) is SlotOffGrid
    assert refusal(offer, at("09:30") + timedelta(microseconds=1)) is SlotOffGrid
    assert refusal(offer, at("10:00")) is SlotTaken
    assert refusal(offer, at("09:30")) is type(None)


@pytest.mark.parametrize("year", [1, 1969, 9500, 9999])
def test_far_from_all_civil_time_everything_is_closed(year):
    offer = offer_with(a_schedule(wall("00:00", "24:00"), weekdays=range(7)))
    start = datetime(year, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert refusal(offer, start) is SlotClosed
    query = SlotQuery(business_id="demo", window=Interval(start - timedelta(seconds=1), start))
    assert open_slots(offer, query, NOW) == []
