"""Series: what is booked of an appointment that recurs, and what is not, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import needs
from service.domain.availability import facts_window
from service.domain.booking import BookingStatus, Customer, HoldStatus
from service.domain.commands import BookSeries, HoldWish, SeriesMode
from service.domain.decisions import decide
from service.domain.errors import (
    BeyondHorizon,
    CapReached,
    InvalidRequest,
    ResourceNotFound,
    SeriesRefused,
    SlotClosed,
    SlotOffGrid,
    SlotTaken,
)
from service.domain.ids import holder_key
from service.domain.interval import Interval
from service.domain.recurrence import OCCURRENCES_MAX, read_recurrence
from tests.builders import (
    MONDAY,
    a_calendar,
    a_catalog,
    a_claim,
    a_closure,
    a_schedule,
    a_type,
    at,
    hours,
    minutes,
    wall,
)
from tests.domain.desk import PRINCIPAL, Desk, a_wish
from tests.domain.strategies import QUICK

ALL, MANY = SeriesMode.ALL_OR_NONE, SeriesMode.AS_MANY_AS_FIT
WEEK, DAY = timedelta(weeks=1), timedelta(days=1)
TEN = at("10:00")
TEAM = ("anna", "ben", "carl")


def a_series(desk, rule="FREQ=WEEKLY;COUNT=4", *, start=TEN, mode=ALL, holder=None, **slot):
    return BookSeries(
        principal_id=PRINCIPAL,
        holder_key=None if holder is None else holder_key(PRINCIPAL, holder),
        series_id=desk.new_id(),
        booking_ids=tuple(desk.new_id() for _ in range(OCCURRENCES_MAX)),
        first=a_wish(start, **slot),
        recurrence=read_recurrence(rule),
        mode=mode,
        customer=Customer(display_name="Eve"),
        fields={"note": "window seat"},
    )


def book(desk, *args, **options):
    return decide(desk.ledger, a_series(desk, *args, **options))


def a_team_desk(**changes):
    types = [a_type(any_of=TEAM, **changes)]
    return Desk(a_catalog(types=types, calendars=[a_calendar(each) for each in TEAM]))


def starts(decision):
    return [booking.appointment.start for booking in decision.bookings]


def refusals(decision):
    return {each.start: type(each.refusal) for each in decision.occurrences if each.refusal}


def calendars(decision):
    return [booking.calendar_ids[0] for booking in decision.bookings]


class TestAllOrNone:
    def test_each_occurrence_is_a_booking_of_its_own_and_all_name_the_series(self):
        desk = Desk()
        series = a_series(desk)

        decision = decide(desk.ledger, series)

        assert starts(decision) == [TEN, TEN + WEEK, TEN + 2 * WEEK, TEN + 3 * WEEK]
        assert len({booking.booking_id for booking in decision.bookings}) == 4
        assert {booking.series_id for booking in decision.bookings} == {series.series_id}
        assert {booking.version for booking in decision.bookings} == {1}
        assert all(booking.fields == {"note": "window seat"} for booking in decision.bookings)
        assert [each.booking for each in decision.occurrences] == list(decision.bookings)
        assert {claim.owner_id for claim in desk.claims} == {
            str(booking.booking_id) for booking in decision.bookings
        }

    def test_one_that_does_not_fit_refuses_all_and_nothing_has_changed(self):
        desk = Desk()
        desk.book(TEN + 2 * WEEK)
        before = desk.state()

        with pytest.raises(SeriesRefused) as refused:
            book(desk)

        assert desk.state() == before
        assert refused.value.metadata == {"occurrences": "4", "refused": "1"}
        assert [(start, type(why)) for start, why in refused.value.occurrences] == [
            (TEN, type(None)),
            (TEN + WEEK, type(None)),
            (TEN + 2 * WEEK, SlotTaken),
            (TEN + 3 * WEEK, type(None)),
        ]

    def test_each_refusal_is_told_with_its_own_reason(self):
        closures = [a_closure(first_date=MONDAY + WEEK, last_date=MONDAY + WEEK)]
        desk = Desk(a_catalog(types=[a_type(horizon=timedelta(days=20))], closures=closures))
        desk.book(TEN + 2 * WEEK)

        with pytest.raises(SeriesRefused) as refused:
            book(desk)

        assert [type(why) for _, why in refused.value.occurrences] == [
            type(None),
            SlotClosed,
            SlotTaken,
            BeyondHorizon,
        ]

    def test_its_own_occurrences_count_for_the_caps_of_the_type(self):
        desk = Desk(a_catalog(types=[a_type(week_cap=2)]))

        with pytest.raises(SeriesRefused) as refused:
            book(desk, "FREQ=DAILY;COUNT=3")

        assert [type(why) for _, why in refused.value.occurrences] == [
            type(None),
            type(None),
            CapReached,
        ]

    def test_its_own_occurrences_stand_in_each_others_way(self):
        always = a_schedule(wall("00:00", "24:00"), weekdays=range(7))
        desk = Desk(
            a_catalog(
                types=[a_type(durations=(hours(24),), buffer_after=hours(1))], schedules=[always]
            )
        )

        decision = book(desk, "FREQ=DAILY;COUNT=4", mode=MANY, start=at("00:00"))

        assert starts(decision) == [at("00:00"), at("00:00") + 2 * DAY]
        assert set(refusals(decision).values()) == {SlotTaken}

    def test_a_type_that_needs_approval_gives_pending_bookings(self):
        desk = Desk(a_catalog(types=[a_type(requires_approval=True)]))

        decision = book(desk)

        assert {booking.status for booking in decision.bookings} == {BookingStatus.PENDING}

    def test_a_place_in_a_group_is_taken_each_time(self):
        desk = Desk(a_catalog(types=[a_type(capacity=2)]))

        book(desk)
        book(desk)

        with pytest.raises(SeriesRefused) as refused:
            book(desk)
        assert refused.value.metadata["refused"] == "4"


class TestAsManyAsFit:
    def test_what_fits_is_booked_and_the_rest_is_told_with_its_reason(self):
        desk = Desk(
            a_catalog(closures=[a_closure(first_date=MONDAY + WEEK, last_date=MONDAY + WEEK)])
        )
        desk.book(TEN + 2 * WEEK)

        decision = book(desk, mode=MANY)

        assert starts(decision) == [TEN, TEN + 3 * WEEK]
        assert refusals(decision) == {TEN + WEEK: SlotClosed, TEN + 2 * WEEK: SlotTaken}
        assert [each.start for each in decision.occurrences] == [TEN + n * WEEK for n in range(4)]

    def test_where_nothing_fits_it_is_refused_and_nothing_has_changed(self):
        desk = Desk()
        before = desk.state()

        with pytest.raises(SeriesRefused) as refused:
            book(desk, mode=MANY, start=at("18:00"))

        assert desk.state() == before
        assert refused.value.metadata == {"occurrences": "4", "refused": "4"}

    def test_a_start_off_the_grid_is_one_that_does_not_fit(self):
        desk = Desk()

        with pytest.raises(SeriesRefused) as refused:
            book(desk, mode=MANY, start=at("10:10"))

        assert {type(why) for _, why in refused.value.occurrences} == {SlotOffGrid}


class TestAnyCalendar:
    def test_all_are_on_the_first_calendar_that_takes_all(self):
        desk = a_team_desk()
        desk.book(TEN + WEEK, calendar_id="anna")

        assert calendars(book(desk, calendar_id=None)) == ["ben"] * 4

    def test_it_begins_with_the_calendar_that_book_would_choose_for_the_first(self):
        desk = a_team_desk()
        desk.book(at("14:00"), calendar_id="anna")
        desk.book(at("14:00"), calendar_id="ben")

        assert calendars(book(desk, calendar_id=None)) == ["carl"] * 4

    @pytest.mark.parametrize("mode", SeriesMode)
    def test_where_none_takes_all_it_stays_with_the_calendar_that_has_most_of_it(self, mode):
        desk = a_team_desk()
        for number, calendar_id in [(0, "anna"), (1, "ben"), (2, "ben"), (1, "carl")]:
            desk.book(TEN + number * WEEK, calendar_id=calendar_id)

        decision = book(desk, calendar_id=None, mode=mode)

        assert starts(decision) == [TEN + n * WEEK for n in range(4)]
        assert calendars(decision) == ["ben", "anna", "anna", "anna"]
        assert not refusals(decision)

    def test_an_occurrence_that_no_calendar_takes_refuses_all_or_is_told(self):
        desk = a_team_desk()
        for calendar_id in TEAM:
            desk.book(TEN, calendar_id=calendar_id)
        before = desk.state()

        with pytest.raises(SeriesRefused) as refused:
            book(desk, calendar_id=None)
        assert desk.state() == before
        assert refused.value.metadata["refused"] == "1"

        decision = book(desk, calendar_id=None, mode=MANY)
        assert starts(decision) == [TEN + WEEK, TEN + 2 * WEEK, TEN + 3 * WEEK]
        assert refusals(decision) == {TEN: SlotTaken}

    def test_the_calendars_that_it_needs_as_well_are_taken_each_time(self):
        types = [
            a_type(any_of=("anna", "ben"), all_of=("room",)),
            a_type("clean", any_of=("room",)),
        ]
        desk = Desk(
            a_catalog(types=types, calendars=[a_calendar(each) for each in ("anna", "ben", "room")])
        )
        desk.book(TEN + WEEK, type_id="clean", calendar_id="room")

        decision = book(desk, calendar_id=None, mode=MANY)

        assert refusals(decision) == {TEN + WEEK: SlotTaken}
        assert {booking.calendar_ids[1] for booking in decision.bookings} == {"room"}


class TestTime:
    def test_the_wall_clock_is_that_of_the_calendar(self):
        berlin = a_calendar(zone="Europe/Berlin")
        desk = Desk(a_catalog(calendars=[berlin]))
        # Ten o'clock in Berlin, on the Mondays before and after clocks go back.
        before, after = (
            datetime(2030, 10, day, hour, tzinfo=UTC) for day, hour in ((21, 8), (28, 9))
        )

        decision = book(desk, "FREQ=WEEKLY;COUNT=2", start=before)

        assert starts(decision) == [before, after]
        assert {booking.zone for booking in decision.bookings} == {"Europe/Berlin"}

    def test_where_any_calendar_will_do_it_is_that_of_the_types_first(self):
        zones = {"anna": "Europe/Berlin", "ben": "UTC", "carl": "UTC"}
        always = a_schedule(wall("00:00", "24:00"), weekdays=range(7))
        desk = Desk(
            a_catalog(
                types=[a_type(any_of=TEAM)],
                calendars=[a_calendar(each, zone=zone) for each, zone in zones.items()],
                schedules=[always],
            )
        )
        before, after = (
            datetime(2030, 10, day, hour, tzinfo=UTC) for day, hour in ((21, 8), (28, 9))
        )
        desk.book(before, calendar_id="anna")

        decision = book(desk, "FREQ=WEEKLY;COUNT=2", start=before, calendar_id=None)

        assert starts(decision) == [before, after]
        assert "anna" not in calendars(decision)

    def test_a_wall_time_that_is_skipped_is_booked_at_the_end_of_the_gap(self):
        always = a_schedule(wall("00:00", "24:00"), weekdays=range(7))
        desk = Desk(a_catalog(calendars=[a_calendar(zone="Europe/Berlin")], schedules=[always]))
        saturday = datetime(2031, 3, 29, 1, 30, tzinfo=UTC)
        desk.ledger.now = saturday - DAY

        decision = book(desk, "FREQ=DAILY;COUNT=3", start=saturday)

        assert [f"{each:%d %H:%M}" for each in starts(decision)] == [
            "29 01:30",
            "30 01:00",
            "31 00:30",
        ]


class TestHolds:
    def test_the_holders_own_holds_do_not_stand_in_the_way_and_are_used_up(self):
        desk = Desk()
        hold = desk.hold(TEN + WEEK, holder="eve")

        decision = book(desk, holder="eve")

        assert len(decision.bookings) == 4
        assert desk.ledger.holds[hold.hold_id].status is HoldStatus.RELEASED
        assert {claim.owner_id for claim in decision.removed} == {str(hold.hold_id)}

    def test_a_refused_series_leaves_the_holders_own_holds(self):
        desk = Desk()
        hold = desk.hold(TEN, holder="eve")
        desk.book(TEN + WEEK)
        before = desk.state()

        with pytest.raises(SeriesRefused):
            book(desk, holder="eve")

        assert desk.state() == before
        assert desk.book_all(HoldWish(hold_id=hold.hold_id))

    def test_somebody_elses_hold_stands_in_the_way(self):
        desk = Desk()
        desk.hold(TEN + WEEK, holder="mallory")

        assert refusals(book(desk, mode=MANY, holder="eve")) == {TEN + WEEK: SlotTaken}


class TestWhatNoOccurrenceCanMend:
    @pytest.mark.parametrize(
        ("slot", "field"),
        [
            ({"duration": minutes(31)}, "slot.duration"),
            ({"calendar_id": "ben"}, "slot.calendar"),
        ],
    )
    def test_a_slot_that_there_is_not_refuses_the_request(self, slot, field):
        calendars_ = [a_calendar(each) for each in ("anna", "ben")]
        desk = Desk(a_catalog(calendars=calendars_))
        before = desk.state()

        with pytest.raises(InvalidRequest) as refused:
            book(desk, mode=MANY, **slot)

        assert refused.value.field == field
        assert desk.state() == before

    @pytest.mark.parametrize("slot", [{"type_id": "massage"}, {"calendar_id": "zoe"}])
    def test_what_does_not_exist_is_not_found(self, slot):
        with pytest.raises(ResourceNotFound):
            book(Desk(), mode=MANY, **slot)

    def test_a_rule_that_does_not_fit_the_first_refuses_the_request(self):
        with pytest.raises(InvalidRequest) as refused:
            book(Desk(), "FREQ=WEEKLY;BYDAY=TU;COUNT=2", mode=MANY)

        assert refused.value.field == "recurrence"


class TestNeeds:
    def test_the_time_around_each_occurrence_is_needed_and_no_more(self):
        desk = Desk()
        windows = needs.windows(desk.ledger, a_series(desk))

        catalog = desk.ledger.offer.catalog
        assert windows == [
            ("anna", facts_window(catalog, "visit", "anna", TEN + n * WEEK, minutes(30)))
            for n in range(4)
        ]

    def test_of_any_calendar_all_are_needed_and_who_is_idle_only_for_the_first(self):
        desk = a_team_desk()

        windows = needs.windows(desk.ledger, a_series(desk, calendar_id=None))

        lengths = {each.start: [] for _, each in windows}
        for calendar_id, each in windows:
            lengths[each.start].append((calendar_id, each.end - each.start))
        first, *others = (dict(lengths[start]) for start in sorted(lengths))
        assert set(first) == set(TEAM)
        assert min(first.values()) > WEEK
        assert others == [dict.fromkeys(TEAM, minutes(30))] * 3

    @pytest.mark.parametrize(
        "changes",
        [
            {"type_id": "massage"},
            {"calendar_id": "zoe"},
            {"rule": "FREQ=WEEKLY;BYDAY=TU;COUNT=2"},
            {"start": datetime(1960, 1, 1, tzinfo=UTC)},
        ],
    )
    def test_of_one_that_is_refused_anyway_nothing_is_needed(self, changes):
        desk = Desk()

        assert needs.windows(desk.ledger, a_series(desk, **changes)) == []

    def test_own_holds_around_it_are_needed_in_full(self):
        desk = Desk()
        hold = desk.hold(TEN + WEEK, holder="eve")
        desk.ledger.holds.clear()

        wanted = needs.holds_that_may_give_way(desk.ledger, a_series(desk, holder="eve"))

        assert list(wanted) == [hold.hold_id]


def tried(desk, *args, **options):
    try:
        return book(desk, *args, **options), ()
    except SeriesRefused as refused:
        return None, refused.occurrences


busy_times = st.sets(st.tuples(st.integers(0, 7), st.sampled_from(TEAM)), max_size=24)


@QUICK
@given(busy_times, st.sampled_from(SeriesMode), st.sampled_from([None, *TEAM]))
def test_a_series_is_booked_as_its_occurrences_would_be_one_by_one(busy, mode, calendar_id):
    desk = a_team_desk()
    desk.ledger.now = datetime.combine(date(2030, 5, 31), datetime.min.time(), UTC)
    for week, each in busy:
        desk.claims.add(a_claim(TEN + week * WEEK, calendar_id=each))
    allowed = TEAM if calendar_id is None else (calendar_id,)
    free = {week for week in range(8) if any((week, each) not in busy for each in allowed)}
    before = desk.state()

    decision, report = tried(desk, "FREQ=WEEKLY;COUNT=8", mode=mode, calendar_id=calendar_id)

    if decision is None:
        assert desk.state() == before
        assert not free if mode is MANY else len(free) < 8
        fitting = {start for start, why in report if why is None}
        assert fitting == {TEN + week * WEEK for week in free}
        return

    assert starts(decision) == [TEN + week * WEEK for week in sorted(free)]
    assert mode is MANY or len(free) == 8
    taken = {(each.appointment.start, each.calendar_ids[0]) for each in decision.bookings}
    assert taken.isdisjoint({(TEN + week * WEEK, each) for week, each in busy})
    takes_all = {each for each in allowed if all((week, each) not in busy for week in range(8))}
    if takes_all:
        assert set(calendars(decision)) <= takes_all
        assert len(set(calendars(decision))) == 1


@QUICK
@given(
    busy_times,
    st.sampled_from(SeriesMode),
    st.sampled_from([None, "anna"]),
    st.sampled_from([{}, {"day_cap": 1}, {"week_cap": 2}, {"buffer_after": minutes(40)}]),
)
def test_what_it_needs_is_enough_to_decide_it(busy, mode, calendar_id, rules):
    desks = [a_team_desk(**rules) for _ in range(2)]
    rule = "FREQ=DAILY;INTERVAL=3;COUNT=8"
    windows = needs.windows(desks[0].ledger, a_series(desks[0], rule, calendar_id=calendar_id))
    for number, each in busy:
        claim = a_claim(TEN + number * 3 * DAY + minutes(60) * (number % 2), calendar_id=each)
        desks[0].claims.add(claim)
        taken = Interval(claim.start, claim.end)
        if any(each == id_ and taken.overlaps(window) for id_, window in windows):
            desks[1].claims.add(claim)

    (knows_all, told_all), (knows_some, told_some) = (
        tried(desk, rule, mode=mode, calendar_id=calendar_id) for desk in desks
    )

    assert [type(why) for _, why in told_all] == [type(why) for _, why in told_some]
    assert (knows_all is None) == (knows_some is None)
    if knows_all is not None and knows_some is not None:
        assert starts(knows_all) == starts(knows_some)
        assert calendars(knows_all) == calendars(knows_some)
        assert refusals(knows_all) == refusals(knows_some)
