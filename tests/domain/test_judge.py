"""What one verdict says, rule by rule."""

from datetime import timedelta

import pytest

from service.domain.availability import day_slots, judge, open_slots
from service.domain.claim import ClaimKind
from service.domain.errors import (
    BeyondHorizon,
    CapReached,
    InvalidRequest,
    NoticeTooShort,
    ResourceNotFound,
    SlotClosed,
    SlotTaken,
)
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from tests.builders import (
    MONDAY,
    NOW,
    a_calendar,
    a_catalog,
    a_claim,
    a_hold,
    a_type,
    an_offer,
    at,
    minutes,
)

TEN = at("10:00")
HALF_HOUR = minutes(30)


def verdict(offer, start=TEN, now=NOW, calendar_id="anna", **changes):
    return judge(offer, "visit", calendar_id, start, HALF_HOUR, now, **changes)


def refusal(offer, start=TEN, now=NOW, **changes):
    return type(verdict(offer, start, now, **changes).refusal)


def starts(offer, holder_key=None):
    slots = day_slots(offer, "visit", "anna", MONDAY, HALF_HOUR, NOW, holder_key=holder_key).slots
    return {slot.key.start: slot.seats_left for slot in slots}


def test_a_free_slot_of_one_has_one_seat_and_takes_the_calendar_alone():
    assert verdict(an_offer()) == (1, None, None)


def test_what_is_asked_first_is_told_first():
    catalog = a_catalog(types=[a_type(horizon=timedelta(days=1), day_cap=1)])
    offer = an_offer(catalog, [a_claim(at("10:00")), a_claim(at("18:00"))])
    assert refusal(offer, at("18:00")) is SlotClosed
    assert refusal(offer, now=at("10:01")) is NoticeTooShort
    assert refusal(offer) is BeyondHorizon
    assert refusal(offer, now=at("09:00")) is SlotTaken
    assert refusal(offer, at("11:00"), now=at("09:00")) is CapReached


def test_what_does_not_exist_is_told_apart_from_what_does_not_belong_together():
    catalog = a_catalog(calendars=[a_calendar(), a_calendar("ben")])
    offer = an_offer(catalog)
    unknown_type = judge(offer, "nothing", "anna", TEN, HALF_HOUR, NOW).refusal
    assert isinstance(unknown_type, ResourceNotFound)
    assert unknown_type.metadata["name"] == "businesses/demo/appointmentTypes/nothing"
    unknown_calendar = verdict(offer, calendar_id="nobody").refusal
    assert isinstance(unknown_calendar, ResourceNotFound)
    assert unknown_calendar.metadata["name"] == "businesses/demo/calendars/nobody"
    for refused in (
        verdict(offer, calendar_id="ben").refusal,
        judge(offer, "visit", "anna", TEN, minutes(31), NOW).refusal,
    ):
        assert isinstance(refused, InvalidRequest)


@pytest.mark.parametrize("changes", [{"type_ids": ("nothing",)}, {"calendar_ids": ("nobody",)}])
def test_a_query_for_what_does_not_exist_is_refused(changes):
    query = SlotQuery(business_id="demo", window=Interval(TEN, at("12:00")), **changes)
    with pytest.raises(ResourceNotFound):
        open_slots(an_offer(), query, NOW)


def test_a_query_for_a_duration_shows_the_types_that_have_it():
    types = [a_type("short"), a_type("long", durations=(minutes(60), HALF_HOUR))]
    offer = an_offer(a_catalog(types=types))

    def shown(duration):
        window = Interval(TEN, at("10:01"))
        query = SlotQuery(business_id="demo", window=window, duration=duration)
        return [
            (slot.key.type_id, slot.key.end - slot.key.start)
            for slot in open_slots(offer, query, NOW)
        ]

    assert shown(None) == [("long", minutes(60)), ("short", HALF_HOUR)]
    assert shown(HALF_HOUR) == [("long", HALF_HOUR), ("short", HALF_HOUR)]
    assert shown(minutes(60)) == [("long", minutes(60))]
    assert shown(minutes(45)) == []


def test_each_duration_has_starts_of_its_own():
    offer = an_offer(a_catalog(types=[a_type(durations=(HALF_HOUR, minutes(90)))]))
    for duration, last in ((HALF_HOUR, at("16:30")), (minutes(90), at("15:30"))):
        slots = day_slots(offer, "visit", "anna", MONDAY, duration, NOW).slots
        assert slots[-1].key.start == last
        assert judge(offer, "visit", "anna", last, duration, NOW).refusal is None


def test_a_hold_counts_until_and_not_at_the_instant_it_expires():
    offer = an_offer(claims=[a_hold(TEN, expires_at=NOW)])
    assert refusal(offer, now=NOW - timedelta.resolution) is SlotTaken
    assert refusal(offer, now=NOW) is type(None)


def test_ones_own_hold_never_hides_the_slot_from_its_owner():
    offer = an_offer(a_catalog(types=[a_type(day_cap=1)]), [a_hold(TEN, holder_key="me")])
    assert refusal(offer, holder_key="me") is type(None)
    assert refusal(offer, holder_key="you") is SlotTaken
    assert refusal(offer) is SlotTaken
    assert len(starts(offer, "me")) == 16
    assert len(starts(offer, "you")) == 0


def test_ones_own_booking_does_hide_the_slot():
    offer = an_offer(claims=[a_claim(TEN, holder_key="me")])
    assert refusal(offer, holder_key="me") is SlotTaken


def test_a_booking_that_is_moved_is_not_in_its_own_way():
    offer = an_offer(claims=[a_claim(TEN, at("11:00"), owner_id="moved")])
    assert refusal(offer, at("10:30")) is SlotTaken
    assert refusal(offer, at("10:30"), ignore_owner_id="moved") is type(None)


def test_a_group_shares_its_slot_seat_by_seat_until_it_is_full():
    offer = an_offer(a_catalog(types=[a_type(capacity=3)]))
    for seat in range(3):
        assert verdict(offer) == (3 - seat, seat, None)
        assert starts(offer)[TEN] == 3 - seat
        offer.claims.add(a_claim(TEN, seat=seat))
    assert refusal(offer) is SlotTaken
    assert TEN not in starts(offer)


def test_the_lowest_seat_that_is_free_is_taken():
    offer = an_offer(a_catalog(types=[a_type(capacity=5)]))
    for seat in (0, 1, 3):
        offer.claims.add(a_claim(TEN, seat=seat))
    assert verdict(offer) == (2, 2, None)


def test_a_group_needs_the_same_seat_on_all_its_calendars():
    catalog = a_catalog(
        types=[a_type(capacity=2, all_of=("anna", "room"))],
        calendars=[a_calendar(), a_calendar("room")],
    )
    offer = an_offer(catalog, [a_claim(TEN, seat=0)])
    assert verdict(offer) == (1, 1, None)
    offer.claims.add(a_claim(TEN, seat=1, calendar_id="room"))
    assert refusal(offer) is SlotTaken


@pytest.mark.parametrize(
    "claim",
    [
        a_claim(TEN, seat=0, type_id="other"),
        a_claim(TEN, at("10:35"), seat=0),
        a_claim(at("10:15"), seat=0),
        a_claim(TEN),
        a_claim(TEN, kind=ClaimKind.BUSY),
    ],
)
def test_only_the_same_slot_of_the_same_type_is_shared(claim):
    offer = an_offer(a_catalog(types=[a_type(capacity=2)]), [claim])
    assert refusal(offer) is SlotTaken


def test_a_group_that_became_smaller_takes_no_more_than_it_is_now():
    offer = an_offer(a_catalog(types=[a_type(capacity=2)]))
    for seat in (3, 4):
        offer.claims.add(a_claim(TEN, seat=seat))
    assert refusal(offer) is SlotTaken
    offer.claims.remove(next(iter(offer.claims)).claim_id)
    assert verdict(offer) == (1, 0, None)


def test_a_type_that_is_no_group_any_more_does_not_share():
    assert refusal(an_offer(claims=[a_claim(TEN, seat=0)])) is SlotTaken


def test_a_group_counts_once_towards_a_cap_and_can_still_be_joined():
    catalog = a_catalog(types=[a_type(capacity=3, day_cap=1)])
    offer = an_offer(catalog, [a_claim(TEN, seat=seat) for seat in (0, 1)])
    assert starts(offer) == {TEN: 1}
    assert refusal(offer, at("11:00")) is CapReached


def test_a_cap_counts_the_appointments_of_its_type_on_its_calendar_that_start_that_day():
    calendars = [a_calendar(zone="Asia/Tokyo"), a_calendar("ben")]
    catalog = a_catalog(types=[a_type(day_cap=2), a_type("other")], calendars=calendars)
    # 15:00 UTC is midnight in Tokyo.
    day = at("15:00", MONDAY - timedelta(days=1))
    counting = [a_claim(day), a_claim(day + timedelta(hours=23, minutes=30))]
    others = [
        a_claim(day - minutes(5), day + minutes(5)),
        a_claim(day + timedelta(days=1)),
        a_claim(day + minutes(60), type_id="other"),
        a_claim(day + minutes(90), calendar_id="ben"),
        a_hold(day + minutes(120), expires_at=NOW),
        a_claim(day + minutes(150), kind=ClaimKind.BUSY),
    ]
    start = at("03:00")
    assert refusal(an_offer(catalog, [*counting, *others]), start) is CapReached
    assert refusal(an_offer(catalog, [counting[0], *others]), start) is type(None)
    assert refusal(an_offer(catalog, [counting[1], *others]), start) is type(None)


def test_a_weeks_cap_counts_from_monday_to_sunday():
    offer = an_offer(a_catalog(types=[a_type(week_cap=1)]))
    sunday = a_claim(at("20:00", MONDAY + timedelta(days=6)))
    assert refusal(offer) is type(None)
    offer.claims.add(sunday)
    assert refusal(offer) is CapReached
    assert refusal(offer, at("10:00", MONDAY + timedelta(days=7))) is type(None)


def test_all_of_the_calendars_must_be_open_and_free():
    catalog = a_catalog(
        types=[a_type(all_of=("room",), any_of=("anna", "ben"))],
        calendars=[a_calendar(each) for each in ("anna", "ben", "room")],
    )
    offer = an_offer(catalog, [a_claim(TEN, calendar_id="room"), a_claim(at("11:00"))])
    assert refusal(offer) is SlotTaken
    assert refusal(offer, calendar_id="ben") is SlotTaken
    assert refusal(offer, at("11:00")) is SlotTaken
    assert refusal(offer, at("11:00"), calendar_id="ben") is type(None)


def test_a_days_slots_are_good_until_its_first_live_hold_expires():
    claims = [
        a_hold(TEN, expires_at=NOW + minutes(3)),
        a_hold(at("11:00"), expires_at=NOW + minutes(2)),
        a_hold(at("12:00"), expires_at=NOW + minutes(1), holder_key="me"),
        a_hold(at("13:00"), expires_at=NOW - minutes(1)),
    ]
    question = (an_offer(claims=claims), "visit", "anna", MONDAY, HALF_HOUR, NOW)
    assert day_slots(*question).valid_until == NOW + minutes(1)
    assert day_slots(*question, holder_key="me").valid_until == NOW + minutes(2)
    assert day_slots(an_offer(), *question[1:]).valid_until is None


def test_a_days_slots_are_good_until_a_hold_that_a_cap_counts_expires():
    offer = an_offer(
        a_catalog(types=[a_type(week_cap=1)]),
        [a_hold(at("10:00", MONDAY + timedelta(days=3)), expires_at=NOW + minutes(3))],
    )
    question = (offer, "visit", "anna", MONDAY, HALF_HOUR)
    assert day_slots(*question, NOW) == ((), NOW + minutes(3))
    slots, valid_until = day_slots(*question, NOW + minutes(3))
    assert len(slots) == 16
    assert valid_until is None
