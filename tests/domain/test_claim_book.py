"""The book of claims, against a plain list of them."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from service.domain.availability import ClaimBook
from service.domain.claim import Claim, ClaimKind
from service.domain.interval import Interval
from tests.builders import NOW, a_claim, a_hold, at, hours, minutes
from tests.domain.strategies import QUICK

UTC_MINUTES = st.integers(-4 * 1440, 4 * 1440)
LENGTHS = st.sampled_from([1, 30, 60, 600, 1439, 1440, 1441, 3000, 4320])


@st.composite
def claims(draw, number):
    start = NOW + minutes(draw(UTC_MINUTES))
    end = start + minutes(draw(LENGTHS))
    common = {
        "claim_id": UUID(int=number),
        "calendar_id": draw(st.sampled_from(["anna", "ben"])),
        "seat": draw(st.sampled_from([None, number])),
    }
    if draw(st.booleans()):
        return a_hold(start, end, holder_key=draw(st.sampled_from(["x", "y"])), **common)
    if draw(st.booleans()):
        return a_claim(start, end, kind=ClaimKind.BUSY, **common)
    return a_claim(start, end, **common)


@st.composite
def histories(draw):
    """Claims put and removed, some twice, some in place of one of the same id."""
    steps = []
    for _ in range(draw(st.integers(0, 25))):
        number = draw(st.integers(1, 12))
        steps.append(draw(st.one_of(st.just(UUID(int=number)), claims(number))))
    return steps


@QUICK
@given(histories(), st.sampled_from(["anna", "ben", "nobody"]), UTC_MINUTES, LENGTHS)
def test_a_book_finds_the_claims_that_a_plain_list_finds(steps, calendar_id, first, length):
    book = ClaimBook()
    plain: dict[UUID, Claim] = {}
    for step in steps:
        if isinstance(step, UUID):
            assert book.remove(step) == plain.pop(step, None)
        else:
            book.add(step)
            plain[step.claim_id] = step
    start = NOW + minutes(first)
    end = start + minutes(length)
    expected = [
        claim
        for claim in plain.values()
        if claim.calendar_id == calendar_id and claim.start < end and start < claim.end
    ]
    found = book.overlapping(calendar_id, start, end)
    assert [claim.start for claim in found] == sorted(claim.start for claim in found)
    assert sorted(found, key=id) == sorted(expected, key=id)
    assert len(book) == len(plain)
    assert {claim.claim_id for claim in book} == set(plain)
    assert all(book.get(claim_id) is claim for claim_id, claim in plain.items())
    for key in ("x", "y"):
        held = {claim.claim_id for claim in plain.values() if claim.holder_key == key}
        assert {claim.claim_id for claim in book.holds_of(key)} == held


def test_a_seat_that_moves_from_a_dead_hold_to_a_booking_stays_with_the_booking():
    hold = a_hold(at("10:00"), seat=0)
    booking = a_claim(at("10:00"), seat=0)
    book = ClaimBook([hold, booking])
    assert book.remove(hold.claim_id) is hold
    assert book.overlapping("anna", at("10:00"), at("10:30")) == [booking]


def test_a_claim_put_again_replaces_the_one_before():
    hold = a_hold(at("10:00"))
    renewed = replace(hold, expires_at=NOW + hours(1))
    book = ClaimBook([hold, renewed])
    assert len(book) == 1
    assert book.overlapping("anna", at("10:00"), at("10:30")) == [renewed]
    assert book.holds_of("somebody") == [renewed]


def test_claims_that_touch_are_not_found():
    book = ClaimBook([a_claim(at("10:00"), at("11:00"))])
    assert book.overlapping("anna", at("09:00"), at("10:00")) == []
    assert book.overlapping("anna", at("11:00"), at("12:00")) == []
    assert len(book.overlapping("anna", at("10:59"), at("11:00"))) == 1


def test_the_places_of_a_group_are_one_entry():
    places = [a_claim(at("10:00"), seat=seat) for seat in range(50)]
    other = a_claim(at("10:00"), seat=0, appointment=Interval(at("10:00"), at("10:15")))
    book = ClaimBook([*places, other])
    assert len(book.entries("anna", at("10:00"), at("10:30"))) == 2
    assert len(book.overlapping("anna", at("10:00"), at("10:30"))) == 51


def test_a_question_looks_at_its_own_days_only():
    book = ClaimBook(a_claim(NOW + timedelta(days=day)) for day in range(-500, 500))
    (found,) = book.overlapping("anna", NOW, NOW + minutes(1))
    assert found.start == NOW


@QUICK
@given(histories(), st.lists(st.integers(1, 12).flatmap(claims)))
def test_a_calendar_that_is_replaced_is_as_if_it_had_always_been_so(steps, renewed):
    book, other = ClaimBook(), ClaimBook()
    for step in steps:
        if isinstance(step, Claim):
            book.add(step)
    for claim in renewed:
        # Other ids: a claim does not move to another calendar.
        other.add(replace(claim, calendar_id="anna", claim_id=UUID(int=claim.claim_id.int + 100)))
    expected = ClaimBook([*(claim for claim in book if claim.calendar_id != "anna"), *other])

    book.replace_calendar("anna", other)

    everything = (NOW - hours(24 * 9), NOW + hours(24 * 9))
    assert set(book) == set(expected)
    for calendar_id in ("anna", "ben"):
        found, wanted = (each.overlapping(calendar_id, *everything) for each in (book, expected))
        assert sorted(found, key=_by_id) == sorted(wanted, key=_by_id)
    for holder_key in ("x", "y"):
        held, wanted = (each.holds_of(holder_key) for each in (book, expected))
        assert sorted(held, key=_by_id) == sorted(wanted, key=_by_id)
    for claim in list(book):
        assert book.remove(claim.claim_id) == claim
    assert not book.overlapping("anna", *everything)


def _by_id(claim):
    return claim.claim_id
