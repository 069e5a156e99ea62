"""B1: at every moment, the claims on a calendar fit its capacity."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from service.domain.availability import judge, open_slots
from service.domain.claim import ClaimKind
from service.domain.interval import Interval
from service.domain.slot import SlotQuery
from tests.builders import an_offer, minutes
from tests.domain.strategies import SLOW, cases, claims_of_slot


def shown_now(case, offer):
    query = SlotQuery(business_id="demo", window=case.window)
    return {slot.key: slot.seats_left for slot in open_slots(offer, query, case.now)}


def fit(claims, catalog):
    """Whether all live claims fit: alone, or side by side on seats of one slot that exist."""
    return all(
        one.end <= other.start
        or other.end <= one.start
        or (
            one.seat is not None
            and other.seat is not None
            and one.seat != other.seat
            and max(one.seat, other.seat) < catalog.types[one.type_id].capacity
            and (one.type_id, one.appointment) == (other.type_id, other.appointment)
        )
        for one, other in combinations(claims, 2)
        if one.calendar_id == other.calendar_id
    )


@SLOW
@given(cases(), st.data())
def test_b1_whatever_is_booked_of_what_is_shown_fits_and_a_booked_slot_is_never_offered_again(
    case, data
):
    offer = an_offer(case.catalog)
    for _ in range(8):
        shown = shown_now(case, offer)
        if not shown:
            break
        key = data.draw(st.sampled_from(sorted(shown)))
        question = (key.type_id, key.calendar_id, key.start, key.end - key.start)
        verdict = judge(offer, *question, case.now)
        assert verdict.seats_left == shown[key]
        is_hold = data.draw(st.booleans())
        hold = {"kind": ClaimKind.HOLD, "expires_at": case.now + minutes(5), "holder_key": "you"}
        for claim in claims_of_slot(
            offer,
            key.type_id,
            key.calendar_id,
            Interval(key.start, key.end),
            seat=verdict.seat,
            **(hold if is_hold else {}),
        ):
            offer.claims.add(claim)
        assert fit(list(offer.claims), case.catalog)
        again = shown_now(case, offer)
        assert again.get(key, 0) == shown[key] - 1
        assert set(again) <= set(shown)
        assert all(left <= shown[each] for each, left in again.items())


@SLOW
@given(cases(), st.data())
def test_a_slot_that_is_given_back_is_offered_as_before(case, data):
    offer = an_offer(case.catalog)
    before = shown_now(case, offer)
    if not before:
        return
    key = data.draw(st.sampled_from(sorted(before)))
    seat = judge(offer, key.type_id, key.calendar_id, key.start, key.end - key.start, case.now).seat
    appointment = Interval(key.start, key.end)
    claims = claims_of_slot(offer, key.type_id, key.calendar_id, appointment, seat=seat)
    for claim in claims:
        offer.claims.add(claim)
    owner_id = claims[0].owner_id
    moved = judge(
        offer,
        key.type_id,
        key.calendar_id,
        key.start,
        key.end - key.start,
        case.now,
        ignore_owner_id=owner_id,
    )
    assert (moved.seats_left, moved.seat) == (before[key], seat)
    for claim in claims:
        offer.claims.remove(claim.claim_id)
    assert shown_now(case, offer) == before
