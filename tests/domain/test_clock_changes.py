"""Every change of clocks of forty zones, from 2020 to 2035, against a second evaluator."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from service.domain.availability import Hours, open_slots
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from tests.builders import (
    a_calendar,
    a_catalog,
    a_claim,
    a_schedule,
    a_type,
    an_offer,
    minutes,
    wall,
)
from tests.domain.oracle import DAY, WallClock, grid, lasts, open_ticks, transitions

ZONES = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Africa/Juba",
    "Africa/Lagos",
    "America/Asuncion",
    "America/Chihuahua",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Macquarie",
    "Antarctica/Troll",
    "Asia/Almaty",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Chisinau",
    "Europe/Dublin",
    "Europe/Volgograd",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Pacific/Fiji",
    "Pacific/Kiritimati",
    "Pacific/Norfolk",
]

HOURS_OF_ALL_KINDS = {
    "nine to five": ((wall("09:00", "17:00"),), minutes(30)),
    "all night": ((wall("22:00", "06:00"),), minutes(30)),
    "small hours": ((wall("00:15", "01:45"), wall("02:15", "03:30")), minutes(15)),
    "the whole day": ((wall("00:00", "24:00"),), minutes(20)),
    "around midnight": ((wall("23:30", "00:30"), wall("00:30", "02:30")), minutes(10)),
}


def offer_on(zone, day, intervals, step, duration):
    """Open on one date only, so that no other day explains what is seen."""
    return an_offer(
        a_catalog(
            types=[a_type(slot_step=step, durations=(duration,))],
            calendars=[a_calendar(zone=zone)],
            schedules=[a_schedule(weekdays=(), exceptions={day: intervals})],
        )
    )


def starts_around(offer, clock):
    window = Interval(clock.instants[0], clock.instants[-1])
    now = clock.instants[0] - DAY
    query = SlotQuery(business_id="demo", window=window)
    return [slot.key.start for slot in open_slots(offer, query, now)]


@pytest.fixture(scope="module", params=ZONES)
def clocks_and_days(request):
    """For each change of a zone's clocks, what they show then, and that day or the one before."""
    zone = request.param
    changes = transitions(zone, 2020, 2035) or [datetime(2024, 2, 29, 12, tzinfo=UTC)]
    # Only Casey changes its clocks at one minute past midnight.
    tick = minutes(5) if all(change.minute % 5 == 0 for change in changes) else minutes(1)
    found = []
    for change in changes:
        clock = WallClock(zone, change - 2 * DAY, change + 2 * DAY, tick)
        changed = clock.shown[clock.instants.index(change)].date()
        found += [(zone, clock, changed - DAY), (zone, clock, changed)]
    return found


def test_on_every_change_of_clocks_the_slots_are_those_that_a_watch_on_the_wall_gives(
    clocks_and_days,
):
    for zone, clock, day in clocks_and_days:
        for name, (intervals, step) in HOURS_OF_ALL_KINDS.items():
            offer = offer_on(zone, day, intervals, step, minutes(25))
            is_open = open_ticks(offer.catalog.schedules["office"], clock)
            expected = [
                clock.instants[number]
                for number in grid(is_open, clock, step)
                if lasts(is_open, number, minutes(25) // clock.tick)
            ]
            assert starts_around(offer, clock) == expected, (zone, day, name)


def test_a_skipped_wall_time_is_never_offered_and_a_repeated_one_once_and_first(clocks_and_days):
    for zone, clock, day in clocks_and_days:
        offer = offer_on(zone, day, (wall("00:00", "24:00"),), minutes(15), minutes(15))
        shown = dict(zip(clock.instants, clock.shown, strict=True))
        starts = starts_around(offer, clock)
        walls = [shown[start] for start in starts]
        seen = set(clock.shown)
        # All clocks change by whole quarters of an hour, so the grid stays on them.
        quarters = (datetime.combine(day, time()) + number * minutes(15) for number in range(96))
        assert walls == [quarter for quarter in quarters if quarter in seen]
        assert starts == [clock.instants[clock.first_showing(each)] for each in walls]


def test_nine_to_five_is_nine_to_five_by_the_clock_on_every_day_of_change(clocks_and_days):
    for zone, clock, day in clocks_and_days:
        offer = offer_on(zone, day, (wall("09:00", "17:00"),), minutes(30), minutes(30))
        first, last = clock.instants[0], clock.instants[-1]
        (opening,) = Hours(offer.catalog).open_intervals("anna", first, last)
        shown = dict(zip(clock.instants, clock.shown, strict=True))
        assert shown[opening.start] == datetime.combine(day, time(9))
        assert shown[opening.end] == datetime.combine(day, time(17))


def test_the_zones_change_their_clocks_in_every_way_there_is():
    shifts = {
        after - before
        for zone in ZONES
        for change in transitions(zone, 2020, 2035)
        for clock in [WallClock(zone, change - minutes(1), change + minutes(1))]
        for before, after in [clock.shown]
    }
    jumps = {shift - minutes(1) for shift in shifts}
    assert len(ZONES) == 40
    assert {minutes(30), minutes(60), minutes(120)} <= jumps
    assert {minutes(-30), minutes(-60), minutes(-120)} <= jumps
    assert sum(len(transitions(zone, 2020, 2035)) for zone in ZONES) > 600


def test_a_midnight_that_is_skipped_begins_the_day_after_the_gap():
    hours = (wall("00:00", "02:00"),)
    offer = offer_on("Asia/Beirut", date(2026, 3, 29), hours, minutes(30), minutes(30))
    first = datetime(2026, 3, 28, tzinfo=UTC)
    clock = WallClock("Asia/Beirut", first, first + 2 * DAY)
    midnight = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    assert starts_around(offer, clock) == [midnight, midnight + minutes(30)]


def test_a_change_of_a_zones_rules_does_not_move_a_booking():
    berlin = a_catalog(calendars=[a_calendar(zone="Europe/Berlin")])
    helsinki = a_catalog(calendars=[a_calendar(zone="Europe/Helsinki")])
    start = datetime(2030, 6, 4, 8, 0, tzinfo=UTC)
    claim = a_claim(start)
    query = SlotQuery(business_id="demo", window=Interval(start - DAY / 2, start + DAY / 2))
    for catalog, opens in ((berlin, 7), (helsinki, 6)):
        free = [slot.key.start for slot in open_slots(an_offer(catalog), query, start - 2 * DAY)]
        offer = an_offer(catalog, [claim])
        left = [slot.key.start for slot in open_slots(offer, query, start - 2 * DAY)]
        assert free[0].hour == opens
        assert len(free) == 16
        assert left == [each for each in free if each != start]
        assert offer.claims.overlapping("anna", start, start + timedelta(minutes=30)) == [claim]
