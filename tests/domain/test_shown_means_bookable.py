"""B5: list, watch, hold, book and explain use one evaluator, and it is right."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice

from hypothesis import assume, given
from hypothesis import strategies as st

from service.domain.availability import (
    ClaimBook,
    Hours,
    ListDays,
    Offer,
    Rule,
    day_facts_window,
    day_slots,
    explain,
    facts_window,
    iterate_open_slots,
    judge,
    list_facts,
    open_slots,
    slot_facts,
)
from service.domain.claim import ClaimKind
from service.domain.errors import (
    BeyondHorizon,
    CapReached,
    NoticeTooShort,
    SlotClosed,
    SlotOffGrid,
    SlotTaken,
)
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from tests.builders import NOW, a_catalog, a_claim, a_type, an_offer, minutes
from tests.domain.oracle import Oracle
from tests.domain.strategies import DAY, SLOW, TICK, cases

INSTANT = timedelta.resolution


def query_of(case, **changes):
    return SlotQuery(business_id="demo", window=case.window, holder_key=case.holder_key, **changes)


@SLOW
@given(cases(), st.booleans())
def test_what_is_shown_is_what_a_second_evaluator_finds(case, is_long):
    duration = case.catalog.types["visit"].durations[is_long]
    query = query_of(case, duration=duration)
    shown = open_slots(case.offer, query, case.now)
    oracle = Oracle(case.catalog, case.claims, case.window.start, TICK)
    window = (case.window.start, case.window.end)
    expected = [
        slot
        for type_, calendar_id in case.pairs()
        if duration in type_.durations
        for slot in oracle.slots(type_, calendar_id, window, duration, case.now, case.holder_key)
    ]
    assert shown == sorted(expected)
    assert shown == list(iterate_open_slots(case.offer, query, case.now))


@SLOW
@given(cases())
def test_b5_shown_means_bookable_and_all_that_is_bookable_is_shown(case):
    shown = {slot.key: slot.seats_left for slot in open_slots(case.offer, query_of(case), case.now)}
    bookable = {}
    for type_, calendar_id in case.pairs():
        duration = type_.durations[0]
        for start in case.ticks():
            verdict = judge(
                case.offer,
                type_.type_id,
                calendar_id,
                start,
                duration,
                case.now,
                holder_key=case.holder_key,
            )
            assert (verdict.refusal is None) == (verdict.seats_left > 0)
            if verdict.refusal is None:
                bookable[start, type_.type_id, calendar_id, start + duration] = verdict.seats_left
    assert shown == bookable


@SLOW
@given(cases())
def test_an_explanation_passes_every_rule_if_and_only_if_the_slot_can_be_booked(case):
    for type_, calendar_id in case.pairs():
        question = (type_.type_id, calendar_id)
        for start in case.ticks()[::11]:
            rest = (start, type_.durations[0], case.now)
            refusal = judge(case.offer, *question, *rest, holder_key=case.holder_key).refusal
            verdicts = explain(case.offer, *question, *rest, holder_key=case.holder_key)
            failed = [verdict.rule for verdict in verdicts if not verdict.passed]
            if refusal is None:
                assert failed == []
            else:
                assert failed[0] in RULES_OF[type(refusal)]


RULES_OF = {
    SlotClosed: {Rule.HOURS},
    SlotOffGrid: {Rule.GRID},
    NoticeTooShort: {Rule.NOTICE},
    BeyondHorizon: {Rule.HORIZON},
    SlotTaken: {Rule.FREE},
    CapReached: {Rule.DAY_CAP, Rule.WEEK_CAP},
}


@SLOW
@given(cases(), st.data())
def test_a_query_for_some_types_and_calendars_shows_the_part_of_all_that_is_theirs(case, data):
    everything = open_slots(case.offer, query_of(case), case.now)
    type_ids = data.draw(st.sets(st.sampled_from(["visit", "class"])))
    calendar_ids = data.draw(st.sets(st.sampled_from(["anna", "ben", "room"])))
    some = query_of(case, type_ids=tuple(type_ids), calendar_ids=tuple(calendar_ids))
    assert open_slots(case.offer, some, case.now) == [
        slot
        for slot in everything
        if (not type_ids or slot.key.type_id in type_ids)
        and (not calendar_ids or slot.key.calendar_id in calendar_ids)
    ]


@SLOW
@given(cases(), st.integers(0, 200), st.sampled_from([2 * DAY, timedelta(hours=7)]))
def test_a_list_or_a_page_of_it_stays_true_until_it_says(case, page_size, length):
    window = Interval(case.window.start, case.window.start + length)
    query = replace(query_of(case), window=window)
    until, page = page_at(case, query, case.now, page_size)
    events = {
        *(claim.expires_at for claim in case.claims if claim.expires_at is not None),
        *(start - type_.minimum_notice for type_, _ in case.pairs() for start in case.ticks()),
        *(start - type_.horizon for type_, _ in case.pairs() for start in case.ticks()),
    }
    around = {event + off for event in events for off in (-INSTANT, timedelta(), INSTANT)}
    for later in sorted(around | {case.now}):
        if later >= case.now and (until is None or later < until):
            assert page_at(case, query, later, page_size)[1] == page


def test_a_list_up_to_the_horizon_is_true_until_a_hold_beyond_it_expires():
    day = NOW.replace(hour=0) + 2 * DAY
    type_ = a_type(horizon=2 * DAY)
    hold = a_claim(
        day.replace(hour=10),
        kind=ClaimKind.HOLD,
        expires_at=day.replace(hour=9, minute=50) - 2 * DAY,
        holder_key="eve",
    )
    offer = an_offer(a_catalog(types=[type_]), [hold])
    now = day.replace(hour=9, minute=45) - 2 * DAY
    query = SlotQuery(business_id="demo", window=Interval(day.replace(hour=10), day + DAY))

    def days_of_all(type_id, calendar_id, day, duration):
        return day_slots(offer, type_id, calendar_id, day, duration, now)

    days = ListDays(days_of_all)
    slots = list(iterate_open_slots(offer, query, now, days=days))

    assert slots == []
    assert days.list_valid_until(offer, query, now, slots) == hold.expires_at


def page_at(case, query, now, page_size):
    """Return until when a page stays true, and the page."""
    days = ListDays(partial(days_of, case, now))
    slots = list(islice(iterate_open_slots(case.offer, query, now, days=days), page_size))
    return days.list_valid_until(case.offer, query, now, slots), slots


def days_of(case, now, type_id, calendar_id, day, duration):
    holder_key = case.holder_key
    return day_slots(case.offer, type_id, calendar_id, day, duration, now, holder_key=holder_key)


@SLOW
@given(cases())
def test_a_days_slots_stay_true_until_a_hold_expires(case):
    day = case.offer.hours.day_of("anna", case.window.start + DAY / 2)
    for type_, calendar_id in case.pairs():
        question = (case.offer, type_.type_id, calendar_id, day, type_.durations[0])
        slots, valid_until = day_slots(*question, case.now, holder_key=case.holder_key)
        later = valid_until - timedelta.resolution if valid_until else case.now + 300 * DAY
        assert later >= case.now
        assert day_slots(*question, later, holder_key=case.holder_key).slots == slots


@SLOW
@given(cases(), st.data())
def test_a_decision_needs_no_claims_but_those_in_its_window_of_facts(case, data):
    type_, calendar_id = data.draw(st.sampled_from(case.pairs()))
    starts = case.offer.hours.starts(
        type_.type_id,
        calendar_id,
        type_.durations[0],
        case.offer.hours.day_of(calendar_id, case.window.start + DAY / 2),
    )
    assume(starts)
    question = (type_.type_id, calendar_id, data.draw(st.sampled_from(starts)), type_.durations[0])
    loaded = _with_claims_in(case, facts_window(case.catalog, *question), type_, calendar_id)
    verdicts = [
        judge(offer, *question, case.now, holder_key=case.holder_key)
        for offer in (case.offer, loaded)
    ]
    assert _told(verdicts[0]) == _told(verdicts[1])


@SLOW
@given(cases())
def test_a_days_slots_need_no_claims_but_those_in_their_window_of_facts(case):
    for type_, calendar_id in case.pairs():
        day = case.offer.hours.day_of(calendar_id, case.window.start + DAY / 2)
        question = (type_.type_id, calendar_id, day, type_.durations[0])
        window = day_facts_window(case.catalog, *question)
        loaded = _with_claims_in(case, window, type_, calendar_id)
        assert day_slots(case.offer, *question, case.now) == day_slots(loaded, *question, case.now)


@SLOW
@given(cases(), st.booleans())
def test_a_list_needs_no_claims_but_those_in_its_windows_of_facts(case, is_long):
    duration = case.catalog.types["visit"].durations[is_long]
    query = query_of(case, duration=duration)
    loaded = _with_facts(case, list_facts(case.catalog, query, case.now))
    assert open_slots(loaded, query, case.now) == open_slots(case.offer, query, case.now)


@SLOW
@given(cases())
def test_an_explanation_needs_no_claims_but_those_in_its_windows_of_facts(case):
    for type_, calendar_id in case.pairs():
        for start in case.ticks()[::23]:
            question = (type_.type_id, calendar_id, start, type_.durations[0])
            loaded = _with_facts(case, slot_facts(case.catalog, *question))
            told, expected = (
                explain(offer, *question, case.now, holder_key=case.holder_key)
                for offer in (loaded, case.offer)
            )
            assert told == expected


def test_what_is_not_offered_needs_no_claims():
    catalog = a_catalog()
    assert not list(slot_facts(catalog, "nothing", "anna", NOW, minutes(30)))
    assert not list(slot_facts(catalog, "visit", "nobody", NOW, minutes(30)))


def _with_facts(case, windows):
    facts = {
        claim.claim_id: claim
        for calendar_id, window in windows
        for claim in case.offer.claims.overlapping(calendar_id, window.start, window.end)
    }
    return Offer(case.catalog, Hours(case.catalog), ClaimBook(facts.values()))


def _with_claims_in(case, window, type_, calendar_id):
    facts = [
        claim
        for each in type_.calendar_ids_for(calendar_id)
        for claim in case.offer.claims.overlapping(each, window.start, window.end)
    ]
    return Offer(case.catalog, case.offer.hours, ClaimBook(facts))


def _told(verdict):
    return verdict.seats_left, verdict.seat, type(verdict.refusal)
