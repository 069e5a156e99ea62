"""Which calendar takes an appointment, and what is offered for a lost slot."""

from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.domain.availability import (
    ClaimBook,
    Offer,
    facts_window,
    judge,
    open_slots,
    pick_calendar,
    rank_alternatives,
)
from service.domain.claim import ClaimKind
from service.domain.errors import (
    CapReached,
    DomainError,
    ResourceNotFound,
    SlotClosed,
    SlotOffGrid,
    SlotTaken,
)
from service.domain.interval import Interval
from service.domain.slot import Slot, SlotKey, SlotQuery
from tests.builders import (
    MONDAY,
    NOW,
    a_calendar,
    a_catalog,
    a_claim,
    a_hold,
    a_schedule,
    a_type,
    an_offer,
    at,
    hours,
    minutes,
    wall,
)
from tests.domain.strategies import SLOW, cases

HALF_HOUR = minutes(30)
TEAM = ("anna", "ben", "cleo")
A_DAY = timedelta(days=1)


def team_offer(*claims, **changes):
    return an_offer(
        a_catalog(
            types=[a_type(any_of=TEAM, **changes)],
            calendars=[a_calendar(each) for each in TEAM],
        ),
        claims,
    )


def picked(offer, start="12:00", **changes):
    return pick_calendar(offer, "visit", at(start), HALF_HOUR, NOW, **changes)


def on(calendar_id, start, day=MONDAY, **changes):
    return a_claim(at(start, day), calendar_id=calendar_id, **changes)


def test_the_calendar_with_the_fewest_bookings_that_day_is_picked():
    offer = team_offer(on("anna", "09:00"), on("anna", "09:30"), on("ben", "16:00"))
    assert picked(offer) == "cleo"
    offer.claims.add(on("cleo", "09:00"))
    offer.claims.add(on("cleo", "10:00"))
    assert picked(offer) == "ben"


def test_among_those_with_as_few_the_one_that_has_been_idle_for_longest_is_picked():
    offer = team_offer(on("anna", "09:00"), on("ben", "11:30"), on("cleo", "10:00"))
    assert picked(offer) == "anna"
    offer.claims.add(on("anna", "11:00", MONDAY - A_DAY))
    assert picked(offer) == "anna"


def test_a_calendar_without_an_appointment_for_a_week_is_as_idle_as_one_that_never_had_any():
    offer = team_offer(on("anna", "12:00", MONDAY - 7 * A_DAY), on("cleo", "09:00"))
    assert picked(offer, "12:30") == "anna"
    assert picked(offer, "12:00") == "ben"


def test_among_equals_the_first_that_the_type_names_is_picked():
    assert picked(team_offer()) == "anna"


def test_what_has_expired_is_ones_own_or_is_no_booking_does_not_count():
    offer = team_offer(
        on("cleo", "09:00"),
        on("ben", "09:00"),
        a_hold(at("09:00"), expires_at=NOW),
        a_hold(at("09:30"), holder_key="me"),
        on("anna", "11:00", kind=ClaimKind.BUSY),
    )
    assert picked(offer, holder_key="me") == "anna"
    assert picked(offer) == "ben"


def test_a_calendar_that_is_taken_is_not_picked():
    offer = team_offer(on("anna", "12:00"), on("ben", "09:00"), on("cleo", "09:00"))
    assert picked(offer) == "ben"


def test_where_none_is_open_the_refusal_that_was_nearest_to_success_is_told():
    def told(offer, start="12:00"):
        with pytest.raises(DomainError) as refused:
            picked(offer, start)
        return type(refused.value)

    late = a_schedule(wall("12:10", "17:00"), schedule_id="late")
    shut = a_schedule(weekdays=(), schedule_id="shut")
    catalog = a_catalog(
        types=[a_type(any_of=TEAM, day_cap=1)],
        calendars=[
            a_calendar("anna"),
            a_calendar("ben", schedule_id="late"),
            a_calendar("cleo", schedule_id="shut"),
        ],
        schedules=[a_schedule(), late, shut],
    )
    offer = an_offer(catalog, [on("anna", "12:00")])
    assert told(offer) is SlotTaken
    assert told(offer, "13:00") is CapReached
    assert told(offer, "12:15") is SlotOffGrid
    assert told(offer, "08:00") is SlotClosed


def test_a_type_that_does_not_exist_has_no_calendar():
    with pytest.raises(ResourceNotFound):
        pick_calendar(team_offer(), "nothing", at("12:00"), HALF_HOUR, NOW)


def test_picked_again_and_again_bookings_are_spread_evenly():
    offer = team_offer()
    for number in range(30):
        start = at("09:00") + (number // 2) * HALF_HOUR
        calendar_id = pick_calendar(offer, "visit", start, HALF_HOUR, NOW)
        offer.claims.add(a_claim(start, calendar_id=calendar_id))
    counts = [len(offer.claims.overlapping(each, at("00:00"), at("23:59"))) for each in TEAM]
    assert counts == [10, 10, 10]


@SLOW
@given(cases(), st.data())
def test_a_picked_calendar_is_open_and_there_is_one_where_any_is(case, data):
    type_ = data.draw(st.sampled_from(list(case.catalog.types.values())))
    query = SlotQuery(
        business_id="demo",
        window=case.window,
        type_ids=(type_.type_id,),
        holder_key=case.holder_key,
    )
    shown = open_slots(case.offer, query, case.now)
    assume(shown)
    start = data.draw(st.sampled_from(shown)).key.start
    rest = (start, type_.durations[0], case.now)
    picked_id = pick_calendar(case.offer, type_.type_id, *rest, holder_key=case.holder_key)
    picked_verdict = judge(case.offer, type_.type_id, picked_id, *rest, holder_key=case.holder_key)
    assert picked_verdict.refusal is None
    facts = {}
    for primary in type_.primary_calendar_ids:
        window = facts_window(
            case.catalog, type_.type_id, primary, start, type_.durations[0], picking=True
        )
        for each in type_.calendar_ids_for(primary):
            for claim in case.offer.claims.overlapping(each, window.start, window.end):
                facts[claim.claim_id] = claim
    loaded = Offer(case.catalog, case.offer.hours, ClaimBook(facts.values()))
    again = pick_calendar(loaded, type_.type_id, *rest, holder_key=case.holder_key)
    assert again == picked_id


def test_a_pick_needs_the_claims_of_the_week_before():
    catalog = team_offer().catalog
    noon = at("12:00")
    window = facts_window(catalog, "visit", "anna", noon, HALF_HOUR, picking=True)
    assert window == Interval(noon - 7 * A_DAY, at("00:00", MONDAY + A_DAY))
    window = facts_window(catalog, "visit", "anna", noon, HALF_HOUR)
    assert window == Interval(noon, at("12:30"))


def slot(start, calendar_id="anna"):
    return Slot(SlotKey(start, "visit", calendar_id, start + HALF_HOUR), 1)


WANTED = slot(at("12:00")).key


def test_alternatives_are_that_day_then_that_calendar_then_others_each_the_nearest_first():
    that_day = [slot(at(each)) for each in ("11:30", "13:00", "09:00", "23:30")]
    that_calendar = [
        slot(at("18:00", MONDAY - A_DAY)),
        slot(at("17:00", MONDAY + A_DAY)),
        slot(at("12:00", MONDAY + 3 * A_DAY)),
    ]
    others = [
        slot(at("12:00"), "cleo"),
        slot(at("12:30"), "ben"),
        slot(at("12:00", MONDAY + A_DAY), "ben"),
    ]
    ranked = [*that_day, *that_calendar, *others]
    for shuffled in (ranked[::-1], sorted(ranked), ranked[5:] + ranked[:5]):
        assert rank_alternatives(shuffled, WANTED, "UTC") == ranked
        assert rank_alternatives(shuffled, WANTED, "UTC", limit=3) == ranked[:3]


def test_of_two_that_are_as_near_the_earlier_is_offered_first():
    pair = [slot(at("11:30")), slot(at("12:30"))]
    assert rank_alternatives(pair[::-1], WANTED, "UTC") == pair


def test_the_day_of_alternatives_is_the_civil_day_of_the_zone():
    near, same_day = slot(at("15:00")), slot(at("02:00"))
    assert rank_alternatives([near, same_day], WANTED, "UTC") == [near, same_day]
    # In Tokyo, 15:00 UTC is the next day.
    assert rank_alternatives([near, same_day], WANTED, "Asia/Tokyo") == [same_day, near]


def test_a_wish_for_any_calendar_has_all_of_them_as_its_own():
    wanted = WANTED._replace(calendar_id="")
    here, there = slot(at("13:00"), "anna"), slot(at("12:30"), "ben")
    assert rank_alternatives([here, there], wanted, "UTC") == [there, here]
    assert rank_alternatives([here, there], WANTED, "UTC") == [here, there]


def test_no_more_alternatives_are_offered_than_ten():
    many = [slot(at("00:00") + hours(number)) for number in range(24)]
    assert len(rank_alternatives(many, WANTED, "UTC")) == 10


def test_alternatives_of_a_window_of_slots_are_some_of_them():
    offer = team_offer(on("anna", "12:00"))
    window = Interval(at("00:00"), at("00:00") + 3 * A_DAY)
    shown = open_slots(offer, SlotQuery(business_id="demo", window=window), NOW)
    ranked = rank_alternatives(shown, WANTED, "UTC")
    assert ranked[:2] == [slot(at("11:30")), slot(at("12:30"))]
    assert set(ranked) <= set(shown)
