"""The waitlist: what is freed is offered, in the order in which people joined."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.availability import open_slots
from service.domain.booking import BookingEvent, HoldStatus
from service.domain.change import ChangeKind
from service.domain.commands import HoldWish
from service.domain.errors import (
    HoldEnded,
    HoldLifetimeReached,
    InvalidRequest,
    ResourceNotFound,
    SlotTaken,
    TooManyHolds,
    TooManyWaiting,
    WaitingEnded,
)
from service.domain.interval import Interval
from service.domain.looking import find_open
from service.domain.slot import SlotQuery
from service.domain.waitlist import (
    ALL_WAITING,
    OFFER_GRACE,
    OFFERS_MAX,
    UNTOLD_OFFERS_MAX,
    UNTOLD_REST_FIRST,
    UNTOLD_REST_MAX,
    EntryStatus,
    Freed,
)
from tests.builders import (
    MONDAY,
    a_calendar,
    a_catalog,
    a_closure,
    a_type,
    at,
    hours,
    minutes,
)
from tests.domain.desk import PRINCIPAL, Desk, a_wish

DAY = (at("00:00"), at("23:59"))
MINUTE = minutes(1)
OFFER = a_type().offer_duration
LATER = at("10:00") + timedelta(days=21)


def a_desk(*types, calendar_ids=("anna",), **business) -> Desk:
    calendars = [a_calendar(each) for each in calendar_ids]
    return Desk(a_catalog(types=types or (a_type(),), calendars=calendars, **business))


def freed(start, end=None, calendar_id="anna") -> Freed:
    return Freed(calendar_id=calendar_id, span=Interval(start, end or start + minutes(30)))


def starts(desk, type_id="visit"):
    """Return the starts of MONDAY that are open for somebody who holds nothing."""
    query = SlotQuery(business_id="demo", window=Interval(*DAY), type_ids=(type_id,))
    return [slot.key.start for slot in open_slots(desk.ledger.offer, query, desk.now)]


def fill(desk, calendar_id="anna", type_id="visit", until="17:00"):
    """Book all of MONDAY on a calendar, in half hours."""
    start, bookings = at("09:00"), []
    while start < at(until):
        bookings.append(desk.book(start, calendar_id=calendar_id, type_id=type_id))
        start += minutes(30)
    return bookings


# What frees


def freeing_commands():
    def cancelled(desk):
        booking = desk.book(at("10:00"))
        return lambda: desk.cancel(booking)

    def declined(desk):
        booking = desk.book(at("10:00"), type_id="consult")
        return lambda: desk.change(booking, BookingEvent.DECLINE)

    def moved(desk):
        booking = desk.book(at("10:00"))
        return lambda: desk.move(booking, a_wish(at("15:00")))

    def released(desk):
        hold = desk.hold(at("10:00"))
        return lambda: desk.release(hold)

    def held_anew_a_little_later(desk):
        desk.hold(at("10:00"), type_id="long", holder="mallory")
        return lambda: desk.hold(at("10:30"), holder="mallory")

    def booked_a_part_of_what_was_held(desk):
        desk.hold(at("10:00"), type_id="long", holder="mallory")
        return lambda: desk.book(at("10:30"), holder="mallory")

    return [
        cancelled,
        declined,
        moved,
        released,
        held_anew_a_little_later,
        booked_a_part_of_what_was_held,
    ]


@pytest.mark.parametrize("prepare", freeing_commands(), ids=lambda each: each.__name__)
def test_what_a_decision_frees_it_offers_to_the_first_who_waits_for_it(prepare):
    desk = a_desk(
        a_type(),
        a_type("long", durations=(minutes(60),)),
        a_type("consult", requires_approval=True),
    )
    free = prepare(desk)
    entry = desk.join((at("10:00"), at("10:30")))
    assert entry.status is EntryStatus.WAITING

    free()

    entry, hold = desk.entry(entry), desk.offered(entry)
    assert entry.status is EntryStatus.OFFERED
    assert (hold.appointment.start, hold.status) == (at("10:00"), HoldStatus.LIVE)
    assert hold.entry_id == entry.entry_id
    assert at("10:00") not in starts(desk)


def test_an_offer_is_a_hold_of_who_waits_that_outlasts_what_they_are_told_by_a_minute():
    desk = a_desk(a_type(offer_duration=minutes(20)))
    booking = desk.book(at("10:00"))
    entry = desk.join(DAY, holder="wendy")

    desk.cancel(booking)

    entry, hold = desk.entry(entry), desk.offered(entry)
    assert entry.offer_expires_at == desk.now + minutes(20)
    assert hold.expires_at == desk.now + minutes(20) + OFFER_GRACE
    assert (hold.principal_id, hold.holder, hold.holder_key) == (
        PRINCIPAL,
        "wendy",
        entry.holder_key,
    )
    assert [claim.expires_at for claim in desk.claims] == [hold.expires_at]


def test_an_offer_ends_when_the_slot_begins():
    desk = a_desk(a_type(offer_duration=hours(2)))
    booking = desk.book(at("10:00"))
    entry = desk.join(DAY)
    desk.wait(at("09:30") - desk.now)

    desk.cancel(booking)

    assert desk.entry(entry).offer_expires_at == at("10:00")


def test_one_change_frees_holds_and_tells_of_it():
    desk = a_desk()
    hold = desk.hold(at("10:00"))
    entry = desk.join(DAY)

    decision = desk.release(hold)

    assert decision.kind is ChangeKind.RELEASED
    assert [claim.owner_id for claim in decision.removed] == [str(hold.hold_id)]
    (claim,) = decision.added
    (offer,) = decision.offers
    assert (offer.entry_id, str(offer.hold_id)) == (entry.entry_id, claim.owner_id)
    assert offer.expires_at == desk.entry(entry).offer_expires_at
    assert decision.changed_entry_ids == ()


def test_what_nobody_waits_for_is_open():
    desk = a_desk()
    booking = desk.book(at("10:00"))
    desk.join((at("12:00"), at("17:00")))

    desk.cancel(booking)

    assert at("10:00") in starts(desk)


# Who is offered what


def test_who_joined_first_is_offered_first_and_each_of_the_others_what_is_left():
    desk = a_desk(calendar_ids=("anna",))
    fill(desk)
    first, second, third = (desk.join(DAY, holder=name) for name in ("a", "b", "c"))
    long_one = Freed(calendar_id="anna", span=Interval(at("09:00"), at("10:00")))
    for claim in list(desk.claims.overlapping("anna", at("09:00"), at("10:00"))):
        desk.claims.remove(claim.claim_id)

    decision = desk.offer_open(long_one)

    assert [offer.entry_id for offer in decision.offers] == [first.entry_id, second.entry_id]
    assert desk.offered(first).appointment.start == at("09:00")
    assert desk.offered(second).appointment.start == at("09:30")
    assert desk.entry(third).status is EntryStatus.WAITING
    assert starts(desk) == []


def wishes_that_do_not_fit():
    return [
        {"windows": [(at("10:30"), at("12:00"))]},
        {"windows": [(at("09:00"), at("10:00"))]},
        {"windows": [DAY], "calendar_ids": ("ben",)},
        {"windows": [DAY], "duration": minutes(60)},
        {"windows": [DAY], "type_id": "pair"},
    ]


@pytest.mark.parametrize("wish", wishes_that_do_not_fit(), ids=str)
def test_who_cannot_use_it_is_passed_over_and_keeps_their_place(wish):
    desk = a_desk(
        a_type(any_of=("anna", "ben"), durations=(minutes(30), minutes(60))),
        a_type("pair", any_of=("anna",), all_of=("ben",)),
        calendar_ids=("anna", "ben"),
    )
    booking = fill(desk)[2]
    fill(desk, calendar_id="ben")
    others = {name: each for name, each in wish.items() if name != "windows"}
    other = desk.join(*wish["windows"], holder="other", **others)
    fitting = desk.join(DAY, holder="fitting")

    desk.cancel(booking)

    assert desk.entry(other).status is EntryStatus.WAITING
    assert desk.offered(fitting).appointment.start == at("10:00")
    assert desk.entry(other).revision < desk.entry(fitting).revision


def test_a_slot_fits_that_starts_in_any_of_the_windows_though_it_ends_after_it():
    desk = a_desk()
    booking = desk.book(at("10:00"))
    entry = desk.join((at("12:00"), at("13:00")), (at("10:00"), at("10:01")))

    desk.cancel(booking)

    assert desk.offered(entry).appointment == Interval(at("10:00"), at("10:30"))


def test_buffers_count_in_what_was_freed_and_in_what_fits_it():
    desk = a_desk(a_type(buffer_before=minutes(30)))
    booking = desk.book(at("10:00"))
    entry = desk.join((at("10:30"), at("11:00")))

    desk.cancel(booking)

    # It would take 10:00 to 11:00, which the booking from 09:30 to 10:30 was in the way of.
    assert desk.offered(entry).appointment.start == at("10:30")


def test_the_earliest_slot_is_offered_and_on_the_calendar_that_was_freed():
    desk = a_desk(
        a_type(any_of=("anna", "ben"), slot_step=minutes(15)), calendar_ids=("anna", "ben")
    )
    fill(desk, "ben")
    bookings = fill(desk, "anna")
    entry = desk.join(DAY)
    desk.cancel(bookings[4])

    hold = desk.offered(entry)

    assert (hold.appointment.start, hold.calendar_ids) == (at("11:00"), ("anna",))


def test_a_room_that_is_freed_concerns_all_who_need_it():
    desk = a_desk(
        a_type("pair", any_of=("anna", "ben"), all_of=("room",)),
        a_type(any_of=("room",)),
        calendar_ids=("anna", "ben", "room"),
    )
    booking = desk.book(at("10:00"), calendar_id="room")
    entry = desk.join((at("10:00"), at("10:30")), type_id="pair", calendar_ids=("ben",))

    desk.cancel(booking)

    assert desk.offered(entry).calendar_ids == ("ben", "room")


def test_a_seat_in_a_group_is_offered_and_the_others_stay():
    desk = a_desk(a_type(capacity=2))
    booking, _ = desk.book(at("10:00")), desk.book(at("10:00"))
    first, second = desk.join(DAY, holder="a"), desk.join(DAY, holder="b")

    desk.cancel(booking)

    assert desk.entry(first).status is EntryStatus.OFFERED
    assert desk.entry(second).status is EntryStatus.WAITING
    assert at("10:00") not in starts(desk)


@pytest.mark.parametrize("capped", [a_type(day_cap=1), a_type(week_cap=1)], ids=["day", "week"])
def test_a_cap_that_has_room_again_opens_its_whole_time_to_who_waits(capped):
    desk = a_desk(capped)
    booking = desk.book(at("10:00"))
    entry = desk.join((at("14:00"), at("17:00")))

    desk.cancel(booking)

    assert desk.offered(entry).appointment.start == at("14:00")
    assert starts(desk) == []


def test_an_offer_ends_no_hold_of_who_waits():
    desk = a_desk(a_type(), a_type("long", durations=(minutes(60),)))
    bookings = fill(desk, until="10:30")
    own = desk.hold(at("10:30"), holder="wendy")
    entry = desk.join((at("10:00"), at("10:30")), holder="wendy", type_id="long")

    desk.cancel(bookings[-1])

    assert desk.entry(entry).status is EntryStatus.WAITING
    assert desk.ledger.holds[own.hold_id].status is HoldStatus.LIVE


def test_an_offer_counts_towards_no_limit_of_holds():
    desk = a_desk(holds_per_holder_max=1, holds_per_key_max=1)
    booking = desk.book(at("10:00"))
    entry = desk.join(DAY, holder="wendy")
    desk.cancel(booking)
    assert desk.entry(entry).status is EntryStatus.OFFERED

    desk.hold(at("15:00"), holder="wendy")

    with pytest.raises(TooManyHolds):
        desk.hold(at("16:00"), holder="wendy")


def test_a_decision_makes_a_bounded_number_of_offers():
    desk = a_desk(a_type(slot_step=minutes(30), durations=(minutes(30),), capacity=OFFERS_MAX + 5))
    entries = [
        desk.join((at("10:00"), at("10:30")), holder=str(number))
        for number in range(OFFERS_MAX + 2)
    ]

    decision = desk.offer_open(freed(at("10:00")))

    assert len(decision.offers) == OFFERS_MAX
    assert [desk.entry(each).status for each in entries[OFFERS_MAX:]] == [EntryStatus.WAITING] * 2
    assert len(desk.offer_open(freed(at("10:00"))).offers) == 2


def test_many_who_wait_for_what_stays_taken_keep_nobody_from_an_offer():
    desk = a_desk(a_type(durations=(minutes(30), minutes(60))))
    for number in range(150):
        desk.join(DAY, holder=f"long {number}", duration=minutes(60))
        desk.join((at("09:30"), at("09:31")), holder=f"another {number}")
    late = desk.join((at("09:00"), at("09:01")), holder="late")
    first, *_ = fill(desk)

    desk.cancel(first)

    assert desk.offered(late).appointment.start == at("09:00")


# How an offer ends


def an_offer_to(desk, *holders):
    """Let some wait, and one be offered 10:00."""
    booking = desk.book(at("10:00"))
    entries = [desk.join((at("10:00"), at("10:30")), holder=holder) for holder in holders]
    desk.cancel(booking)
    return entries


def test_who_books_what_is_offered_has_taken_it():
    desk = a_desk()
    (entry,) = an_offer_to(desk, "wendy")

    booking = desk.book_hold(desk.offered(entry))

    assert booking.appointment.start == at("10:00")
    assert desk.entry(entry).status is EntryStatus.TAKEN
    assert desk.entry(entry).ended_at == desk.now
    assert desk.offered(entry).status is HoldStatus.BOOKED


def test_who_moves_a_booking_to_what_is_offered_has_taken_it():
    desk = a_desk()
    mine = desk.book(at("15:00"))
    (entry,) = an_offer_to(desk, "wendy")

    desk.move(mine, HoldWish(hold_id=desk.offered(entry).hold_id))

    assert desk.entry(entry).status is EntryStatus.TAKEN


def test_ones_own_offer_does_not_hide_the_slot_and_who_books_it_so_has_taken_it():
    desk = a_desk()
    (entry,) = an_offer_to(desk, "wendy")
    with pytest.raises(SlotTaken):
        desk.book(at("10:00"), holder="mallory")

    desk.book(at("10:00"), holder="wendy")

    assert desk.entry(entry).status is EntryStatus.TAKEN


def test_who_exchanges_an_offer_for_a_hold_of_their_own_waits_no_more():
    desk = a_desk()
    first, second = an_offer_to(desk, "wendy", "will")

    desk.hold(at("10:00"), holder="wendy")

    assert desk.entry(first).status is EntryStatus.LEFT
    assert desk.entry(second).status is EntryStatus.WAITING


@pytest.mark.parametrize("how", ["leave", "release"])
def test_what_is_declined_passes_to_the_next_in_the_same_change(how):
    desk = a_desk()
    first, second = an_offer_to(desk, "wendy", "will")

    if how == "leave":
        decision = desk.leave(first)
        assert decision.kind is ChangeKind.WAITLIST_LEFT
    else:
        decision = desk.release(desk.offered(first))

    assert desk.entry(first).status is EntryStatus.LEFT
    assert decision.changed_entry_ids == (first.entry_id,)
    assert [offer.entry_id for offer in decision.offers] == [second.entry_id]
    assert at("10:00") not in starts(desk)


def test_what_is_not_taken_in_time_passes_to_the_next_in_the_same_change():
    desk = a_desk()
    first, second = an_offer_to(desk, "wendy", "will")
    desk.wait(OFFER)

    decision = desk.pass_on(first)

    assert decision.kind is ChangeKind.WAITLIST_OFFERED
    assert desk.entry(first).status is EntryStatus.LAPSED
    assert [offer.entry_id for offer in decision.offers] == [second.entry_id]
    assert decision.changed_entry_ids == (first.entry_id,)
    assert at("10:00") not in starts(desk)
    with pytest.raises(HoldEnded):
        desk.book_hold(desk.offered(first))


def test_who_was_not_told_of_an_offer_waits_again_at_their_place_and_it_passes_to_the_next():
    desk = a_desk()
    first, second, third = an_offer_to(desk, "wendy", "will", "wanda")
    desk.wait(OFFER)

    decision = desk.pass_on(first, is_told=False)

    assert [offer.entry_id for offer in decision.offers] == [second.entry_id]
    assert decision.changed_entry_ids == (first.entry_id,)
    again = desk.entry(first)
    assert (again.status, again.hold_id, again.ended_at) == (EntryStatus.WAITING, None, None)
    assert again.revision == first.revision
    # Once it has rested, it is before all that joined after it.
    desk.wait(UNTOLD_REST_FIRST)
    decision = desk.pass_on(second)
    assert [offer.entry_id for offer in decision.offers] == [first.entry_id]
    assert desk.entry(third).status is EntryStatus.WAITING


def test_what_nobody_could_be_told_of_is_open_to_all_for_longer_each_time():
    desk = a_desk()
    entry = desk.join((LATER, LATER + MINUTE))
    rest = UNTOLD_REST_FIRST
    for _ in range(UNTOLD_OFFERS_MAX):
        decision = desk.offer_open(freed(LATER))
        assert [offer.entry_id for offer in decision.offers] == [entry.entry_id]
        desk.wait(OFFER)

        assert desk.pass_on(entry, is_told=False).offers == ()

        assert desk.entry(entry).status is EntryStatus.WAITING
        desk.wait(rest - MINUTE)
        assert list(find_open(desk.ledger, [desk.entry(entry)])) == [None]
        with pytest.raises(SlotTaken):
            desk.offer_open(freed(LATER))
        desk.wait(MINUTE)
        rest = min(2 * rest, UNTOLD_REST_MAX)

    desk.offer_open(freed(LATER))
    desk.wait(OFFER)
    desk.pass_on(entry, is_told=False)
    assert desk.entry(entry).status is EntryStatus.LAPSED


def test_who_was_not_told_and_can_be_offered_nothing_more_waits_no_more():
    desk = a_desk()
    (entry,) = an_offer_to(desk, "wendy")
    desk.wait(at("17:00") - desk.now)

    desk.pass_on(entry, is_told=False)

    assert desk.entry(entry).status is EntryStatus.EXPIRED


def test_what_nobody_else_waits_for_is_open_to_all():
    desk = a_desk()
    (first,) = an_offer_to(desk, "wendy")
    desk.wait(OFFER)

    assert desk.pass_on(first).offers == ()

    assert at("10:00") in starts(desk)


def test_an_offer_is_kept_until_it_ends_and_nobody_can_jump_in_until_it_is_passed_on():
    desk = a_desk()
    first, _ = an_offer_to(desk, "wendy", "will")
    desk.wait(OFFER - minutes(1))
    with pytest.raises(WaitingEnded):
        desk.pass_on(first)

    desk.wait(minutes(1) + OFFER_GRACE / 2)

    with pytest.raises(SlotTaken):
        desk.book(at("10:00"))


def test_taking_it_late_succeeds_until_it_was_passed_on():
    desk = a_desk()
    (first,) = an_offer_to(desk, "wendy")
    desk.wait(OFFER + OFFER_GRACE + minutes(5))

    desk.book_hold(desk.offered(first))

    assert desk.entry(first).status is EntryStatus.TAKEN


def test_without_anyone_to_pass_it_on_the_slot_is_open_a_minute_later():
    desk = a_desk()
    first, second = an_offer_to(desk, "wendy", "will")
    desk.wait(OFFER + OFFER_GRACE)

    assert at("10:00") in starts(desk)

    # Whoever comes then finds it still open, and passes it on.
    decision = desk.pass_on(first)
    assert [offer.entry_id for offer in decision.offers] == [second.entry_id]


def test_an_offer_is_not_renewed():
    desk = a_desk()
    (entry,) = an_offer_to(desk, "wendy")

    with pytest.raises(HoldLifetimeReached):
        desk.renew(desk.offered(entry))


def test_an_entry_whose_last_window_has_passed_waits_no_more():
    desk = a_desk()
    entry = desk.join((at("10:00"), at("11:00")), (at("13:00"), at("14:00")))
    desk.wait(at("14:00") - MINUTE - desk.now)
    with pytest.raises(WaitingEnded):
        desk.pass_on(entry)
    desk.wait(MINUTE)

    desk.pass_on(entry)

    assert desk.entry(entry).status is EntryStatus.EXPIRED


def test_who_has_waited_and_ended_can_leave_no_more_but_join_anew():
    desk = a_desk()
    (entry,) = an_offer_to(desk, "wendy")
    desk.leave(entry)

    with pytest.raises(WaitingEnded) as refusal:
        desk.leave(entry)
    assert refusal.value.metadata == {"status": "LEFT"}

    assert desk.join(DAY, holder="wendy").status is EntryStatus.WAITING


def test_one_that_left_is_offered_nothing():
    desk = a_desk()
    booking = desk.book(at("10:00"))
    entry = desk.join(DAY)
    desk.leave(entry)

    desk.cancel(booking)

    assert desk.entry(entry).status is EntryStatus.LEFT
    assert at("10:00") in starts(desk)


def test_to_pass_on_what_ended_otherwise_changes_nothing():
    desk = a_desk()
    (entry,) = an_offer_to(desk, "wendy")
    desk.book_hold(desk.offered(entry))
    desk.wait(OFFER)
    before = desk.state()

    with pytest.raises(WaitingEnded):
        desk.pass_on(entry)

    assert desk.state() == before


# Joining


def test_who_joins_while_a_slot_is_open_is_offered_it_at_once():
    desk = a_desk()

    entry = desk.join(DAY, found=(freed(at("10:00")), freed(at("11:00"))))

    assert entry.status is EntryStatus.OFFERED
    assert desk.offered(entry).appointment.start == at("10:00")


def test_what_is_found_and_gone_meanwhile_is_not_offered():
    desk = a_desk()
    desk.book(at("10:00"))

    entry = desk.join((at("10:00"), at("10:30")), found=(freed(at("10:00")),))

    assert entry.status is EntryStatus.WAITING


def test_who_joins_does_not_get_past_one_who_waits_already():
    desk = a_desk()
    first = desk.join((at("10:00"), at("10:30")), holder="first")

    second = desk.join((at("10:00"), at("10:30")), holder="second", found=(freed(at("10:00")),))

    assert desk.entry(first).status is EntryStatus.OFFERED
    assert second.status is EntryStatus.WAITING


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"type_id": "none"}, ResourceNotFound),
        ({"calendar_ids": ("none",)}, ResourceNotFound),
        ({"calendar_ids": ("ben",)}, InvalidRequest),
        ({"duration": minutes(45)}, InvalidRequest),
    ],
    ids=str,
)
def test_a_wish_that_nothing_can_grant_is_refused(wish, error):
    desk = a_desk(calendar_ids=("anna", "ben"))
    before = desk.state()

    with pytest.raises(error):
        desk.join(DAY, **wish)

    assert desk.state() == before


def test_windows_that_have_passed_are_refused():
    desk = a_desk()

    with pytest.raises(InvalidRequest):
        desk.join((desk.now - hours(2), desk.now))


def test_a_holder_waits_for_so_many_things_at_a_time():
    desk = a_desk(holds_per_holder_max=2)
    entries = [desk.join(DAY, holder="wendy") for _ in range(2)]

    with pytest.raises(TooManyWaiting) as refusal:
        desk.join(DAY, holder="wendy")
    assert refusal.value.metadata == {"waiting_per_holder_max": "2"}
    desk.join(DAY, holder="will")

    desk.leave(entries[0])
    desk.join(DAY, holder="wendy")


def test_an_api_key_waits_for_so_many_things_at_a_time():
    desk = a_desk(holds_per_key_max=2)
    entries = [desk.join(DAY, holder=holder) for holder in ("wendy", "will")]

    with pytest.raises(TooManyWaiting) as refusal:
        desk.join(DAY, holder="walt")
    assert refusal.value.metadata == {"waiting_per_key_max": "2"}

    desk.leave(entries[0])
    desk.join(DAY, holder="walt")


def test_a_business_has_a_bounded_waitlist():
    desk = a_desk()
    desk.ledger.waiting[ALL_WAITING] = 10_000

    with pytest.raises(TooManyWaiting) as refusal:
        desk.join(DAY)

    assert refusal.value.metadata == {"waiting_per_business_max": "10000"}


# What time and the catalogue open


def test_what_has_opened_is_offered_if_it_still_is_open():
    desk = a_desk()
    desk.book(at("10:00"))
    entry = desk.join((at("10:00"), at("11:00")))

    decision = desk.offer_open(freed(at("10:00"), at("11:00")))

    assert decision.kind is ChangeKind.WAITLIST_OFFERED
    assert desk.offered(entry).appointment.start == at("10:30")


def test_to_offer_what_is_not_open_changes_nothing():
    desk = a_desk()
    desk.book(at("10:00"))
    desk.join((at("10:00"), at("10:30")))
    before = desk.state()

    with pytest.raises(SlotTaken):
        desk.offer_open(freed(at("10:00")))

    assert desk.state() == before


def test_an_expired_hold_in_the_place_of_an_offer_is_swept_with_it():
    desk = a_desk()
    dead = desk.hold(at("10:00"))
    entry = desk.join((at("10:00"), at("10:30")))
    desk.wait(minutes(5))

    decision = desk.offer_open(freed(at("10:00")))

    assert desk.entry(entry).status is EntryStatus.OFFERED
    assert [claim.owner_id for claim in decision.removed] == [str(dead.hold_id)]


def test_a_type_a_calendar_or_a_duration_that_is_gone_is_offered_to_nobody():
    types = a_type(any_of=("anna", "ben"), durations=(minutes(30), minutes(60)))
    desk = a_desk(types, a_type("gone"), calendar_ids=("anna", "ben"))
    waiting = [
        desk.join(DAY, type_id="gone", holder="a"),
        desk.join(DAY, calendar_ids=("ben",), holder="b"),
        desk.join(DAY, duration=minutes(60), holder="c"),
    ]
    desk.ledger.offer = replace_catalog(desk, a_catalog(types=[a_type()]))
    last = desk.join(DAY, holder="d")

    desk.offer_open(freed(at("10:00"), at("12:00")), freed(at("10:00"), calendar_id="ben"))

    assert {desk.entry(each).status for each in waiting} == {EntryStatus.WAITING}
    assert desk.entry(last).status is EntryStatus.OFFERED


def replace_catalog(desk, catalog):
    claims = tuple(desk.claims)
    return replace(Desk(catalog, claims=claims).ledger.offer)


def test_a_closed_day_is_offered_to_nobody():
    desk = Desk(a_catalog(closures=[a_closure(first_date=MONDAY, last_date=MONDAY)]))
    desk.join(DAY)

    with pytest.raises(SlotTaken):
        desk.offer_open(freed(at("10:00")))
