"""Why a slot can or cannot be booked, in sentences that name nobody."""

from datetime import UTC, datetime

import pytest

from service.domain.availability import Rule, explain
from service.domain.claim import ClaimKind
from service.domain.errors import InvalidRequest, ResourceNotFound
from tests.builders import (
    MONDAY,
    NOW,
    a_calendar,
    a_catalog,
    a_claim,
    a_closure,
    a_type,
    an_offer,
    at,
    minutes,
)

HALF_HOUR = minutes(30)


def failed(offer, start):
    return [
        (verdict.rule, verdict.calendar_id, verdict.explanation)
        for verdict in explain(offer, "visit", "anna", start, HALF_HOUR, NOW)
        if not verdict.passed
    ]


def with_room(**changes):
    return a_catalog(
        types=[a_type(all_of=("room",), any_of=("anna",), **changes)],
        calendars=[a_calendar(zone="Europe/Berlin"), a_calendar("room")],
    )


def test_every_rule_is_told_in_the_order_in_which_it_is_asked():
    verdicts = explain(an_offer(with_room()), "visit", "anna", at("10:00"), HALF_HOUR, NOW)
    assert [(verdict.rule, verdict.calendar_id) for verdict in verdicts] == [
        (Rule.HOURS, "anna"),
        (Rule.HOURS, "room"),
        (Rule.GRID, "anna"),
        (Rule.NOTICE, "anna"),
        (Rule.HORIZON, "anna"),
        (Rule.FREE, "anna"),
        (Rule.FREE, "room"),
        (Rule.DAY_CAP, "anna"),
        (Rule.WEEK_CAP, "anna"),
    ]
    assert all(verdict.passed for verdict in verdicts)


def test_what_closes_it_is_told_in_the_time_of_its_calendar():
    offer = an_offer(with_room())
    assert failed(offer, at("15:30")) == [
        (
            Rule.HOURS,
            "anna",
            "That day it is open from 2030-06-03 09:00 to 2030-06-03 17:00 (Europe/Berlin).",
        ),
        (
            Rule.GRID,
            "anna",
            "Starts are counted every 30 minutes from the start of the opening hours.",
        ),
    ]
    closed = an_offer(a_catalog(closures=[a_closure(display_name="Surgery of Dr Mayer")]))
    assert failed(closed, at("10:00")) == [(Rule.HOURS, "anna", "A closure covers it.")]
    sunday = at("10:00", MONDAY.replace(day=2))
    assert failed(an_offer(), sunday)[0] == (Rule.HOURS, "anna", "Closed that day.")


def test_what_takes_it_is_told_with_its_buffers_and_without_whose_it_is():
    claim = a_claim(at("09:50"), at("10:40"), calendar_id="room", owner_id="secret")
    assert failed(an_offer(with_room(), [claim]), at("10:00")) == [
        (Rule.FREE, "room", "Taken from 2030-06-03 09:50 to 2030-06-03 10:40.")
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_where_busy_times_overlap_it_is_told_when_the_last_of_them_ends(order):
    claims = [
        a_claim(at("09:50"), at("10:40"), kind=ClaimKind.BUSY),
        a_claim(at("09:50"), at("10:10"), kind=ClaimKind.BUSY),
    ]
    assert failed(an_offer(claims=claims[::order]), at("10:00")) == [
        (Rule.FREE, "anna", "Taken from 2030-06-03 09:50 to 2030-06-03 10:40.")
    ]


def test_a_full_group_and_a_cap_tell_their_numbers():
    catalog = a_catalog(types=[a_type(capacity=2, day_cap=1)])
    offer = an_offer(catalog, [a_claim(at("10:00"), seat=seat) for seat in (0, 1)])
    assert failed(offer, at("10:00")) == [(Rule.FREE, "anna", "Places left: 0 of 2.")]
    assert failed(offer, at("11:00")) == [
        (Rule.DAY_CAP, "anna", "Appointments there: 1; the cap is 1.")
    ]


def test_far_from_all_civil_time_it_is_closed():
    (verdict,) = explain(
        an_offer(), "visit", "anna", datetime(9999, 12, 31, tzinfo=UTC), HALF_HOUR, NOW
    )
    assert (verdict.rule, verdict.passed) == (Rule.HOURS, False)


def test_there_is_nothing_to_explain_about_what_does_not_exist():
    with pytest.raises(ResourceNotFound):
        explain(an_offer(), "nothing", "anna", at("10:00"), HALF_HOUR, NOW)
    with pytest.raises(InvalidRequest):
        explain(an_offer(), "visit", "anna", at("10:00"), minutes(31), NOW)
