"""Each command, decided on a ledger of plain values."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from service.domain.booking import TRANSITIONS, BookingEvent, BookingStatus, HoldStatus
from service.domain.claim import ClaimKind
from service.domain.commands import HoldWish
from service.domain.errors import (
    CancellationNoticePassed,
    HoldEnded,
    HoldLifetimeReached,
    InvalidRequest,
    InvalidTransition,
    NoticeTooShort,
    ResourceNotFound,
    SlotTaken,
    TooManyHolds,
    VersionMismatch,
)
from tests.builders import a_calendar, a_catalog, a_claim, a_type, at, hours, minutes
from tests.domain.desk import Desk, a_wish

TEN, HALF_PAST, ELEVEN = at("10:00"), at("10:30"), at("11:00")


def a_group_desk(capacity=2):
    return Desk(a_catalog(types=[a_type(capacity=capacity)]))


def a_team_desk(**changes):
    """Anna and Ben, each together with the room."""
    types = [
        a_type(any_of=("anna", "ben"), **changes),
        a_type("treatment", any_of=("anna", "ben"), all_of=("room",)),
    ]
    return Desk(
        a_catalog(types=types, calendars=[a_calendar(each) for each in ("anna", "ben", "room")])
    )


def starts(desk, calendar_id="anna"):
    return [
        claim.start
        for claim in desk.claims.overlapping(calendar_id, at("00:00"), at("23:59"))
        if claim.is_live(desk.now)
    ]


class TestHold:
    def test_a_hold_takes_its_slot_for_the_hold_time_of_its_type(self):
        desk = Desk(a_catalog(types=[a_type(hold_duration=minutes(7))]))

        hold = desk.hold(TEN)

        assert hold.expires_at == desk.now + minutes(7)
        assert hold.appointment.start == TEN
        assert hold.calendar_ids == ("anna",)
        with pytest.raises(SlotTaken):
            desk.book(TEN)

    def test_a_hold_covers_the_buffers_of_its_type(self):
        desk = Desk(a_catalog(types=[a_type(buffer_before=minutes(10), buffer_after=minutes(20))]))

        desk.hold(TEN)

        (claim,) = desk.claims
        assert (claim.start, claim.end) == (at("09:50"), at("10:50"))

    def test_a_hold_protects_against_its_own_principal_with_another_holder(self):
        desk = Desk()
        desk.hold(TEN, holder="eve")

        with pytest.raises(SlotTaken):
            desk.hold(TEN, holder="mallory")

    def test_ones_own_hold_never_hides_the_slot_and_gives_way(self):
        desk = Desk()
        first = desk.hold(TEN)

        second = desk.hold(TEN)

        assert desk.ledger.holds[first.hold_id].status is HoldStatus.RELEASED
        assert [claim.owner_id for claim in desk.claims] == [str(second.hold_id)]

    def test_ones_own_hold_gives_way_to_a_booking_that_names_the_holder(self):
        desk = Desk()
        hold = desk.hold(TEN, holder="eve")

        booking = desk.book(TEN, holder="eve")

        assert booking.status is BookingStatus.CONFIRMED
        assert desk.ledger.holds[hold.hold_id].status is HoldStatus.RELEASED

    def test_a_hold_that_gives_way_does_so_on_all_of_its_calendars(self):
        desk = a_team_desk()
        desk.hold(TEN, type_id="treatment", calendar_id="anna", holder="eve")

        desk.book(TEN, calendar_id="anna", holder="eve")

        assert starts(desk, "anna") == [TEN]
        assert starts(desk, "room") == []

    def test_the_same_holder_name_of_another_principal_is_somebody_else(self):
        desk = Desk()
        desk.hold(TEN, holder="eve", principal_id="chatbot")

        with pytest.raises(SlotTaken):
            desk.hold(TEN, holder="eve", principal_id="widget")

    def test_an_expired_hold_is_removed_by_whoever_takes_its_slot(self):
        desk = Desk()
        expired = desk.hold(TEN)
        desk.wait(minutes(5))

        taken = desk.hold(TEN, holder="mallory")

        assert expired.expires_at == desk.now
        assert [claim.owner_id for claim in desk.claims] == [str(taken.hold_id)]

    def test_a_calendar_is_chosen_where_none_is_named(self):
        desk = a_team_desk()
        desk.book(TEN, calendar_id="anna")

        hold = desk.hold(TEN, calendar_id=None)

        assert hold.calendar_ids == ("ben",)

    def test_a_duration_that_the_type_does_not_have_is_refused(self):
        with pytest.raises(InvalidRequest):
            Desk().hold(TEN, duration=minutes(31))

    @pytest.mark.parametrize("changes", [{"type_id": "massage"}, {"calendar_id": "zoe"}])
    def test_what_is_not_in_the_catalogue_is_not_found(self, changes):
        with pytest.raises(ResourceNotFound):
            Desk().hold(TEN, **changes)


class TestHoldCount:
    def test_a_holder_has_no_more_live_holds_than_the_business_allows(self):
        desk = Desk(a_catalog(holds_per_holder_max=2))
        desk.hold(TEN)
        desk.hold(HALF_PAST)

        with pytest.raises(TooManyHolds) as refusal:
            desk.hold(ELEVEN)

        assert refusal.value.metadata == {"holds_per_holder_max": "2"}
        desk.hold(ELEVEN, holder="mallory")

    def test_a_hold_that_replaces_ones_own_is_not_one_too_many(self):
        desk = Desk(a_catalog(holds_per_holder_max=1))
        desk.hold(TEN)

        desk.hold(TEN)

    @pytest.mark.parametrize("ending", ["release", "book_hold"])
    def test_a_hold_that_has_ended_does_not_count(self, ending):
        desk = Desk(a_catalog(holds_per_holder_max=1))
        getattr(desk, ending)(desk.hold(TEN))

        desk.hold(ELEVEN)

    def test_an_expired_hold_does_not_count(self):
        desk = Desk(a_catalog(holds_per_holder_max=1))
        desk.hold(TEN)
        desk.wait(minutes(5))

        desk.hold(ELEVEN)

    def test_renewing_expired_holds_is_no_way_around_the_limit(self):
        desk = Desk(a_catalog(holds_per_holder_max=1))
        expired = desk.hold(TEN)
        desk.wait(minutes(5))
        desk.hold(ELEVEN)

        with pytest.raises(TooManyHolds):
            desk.renew(expired)

    def test_a_live_hold_is_renewed_where_the_limit_has_been_lowered(self):
        desk = Desk(a_catalog(holds_per_holder_max=1))
        hold = desk.hold(TEN)
        desk.ledger.live_holds[hold.owner] = 3

        desk.renew(hold)

    def test_a_key_has_no_more_live_holds_than_the_business_allows_whatever_it_calls_holders(self):
        desk = Desk(a_catalog(holds_per_key_max=2))
        desk.hold(TEN, holder="eve")
        desk.hold(HALF_PAST, holder="mallory")

        with pytest.raises(TooManyHolds) as refusal:
            desk.hold(ELEVEN, holder="trudy")

        assert refusal.value.metadata == {"holds_per_key_max": "2"}
        desk.hold(ELEVEN, holder="trudy", principal_id="widget")

    @pytest.mark.parametrize("ending", ["release", "book_hold"])
    def test_a_hold_that_has_ended_does_not_count_for_its_key(self, ending):
        desk = Desk(a_catalog(holds_per_key_max=1))
        getattr(desk, ending)(desk.hold(TEN, holder="eve"))

        desk.hold(ELEVEN, holder="mallory")

    def test_renewing_expired_holds_is_no_way_around_the_limit_of_a_key(self):
        desk = Desk(a_catalog(holds_per_key_max=1))
        expired = desk.hold(TEN, holder="eve")
        desk.wait(minutes(5))
        desk.hold(ELEVEN, holder="mallory")

        with pytest.raises(TooManyHolds):
            desk.renew(expired)


class TestRenew:
    def test_a_renewed_hold_lasts_its_full_time_from_now(self):
        desk = Desk()
        hold = desk.hold(TEN)
        desk.wait(minutes(3))

        renewed = desk.renew(hold)

        assert renewed.hold_id == hold.hold_id
        assert renewed.expires_at == desk.now + minutes(5)
        assert [claim.expires_at for claim in desk.claims] == [renewed.expires_at]

    def test_a_hold_is_renewed_until_it_has_lasted_ten_times_its_time(self):
        desk = Desk()
        made_at = desk.now
        hold = desk.hold(TEN)
        for _ in range(12):
            desk.wait(minutes(4))
            hold = desk.renew(hold)

        assert desk.now == made_at + minutes(48)
        assert hold.expires_at == made_at + minutes(50)
        with pytest.raises(HoldLifetimeReached) as refusal:
            desk.renew(hold)
        assert refusal.value.metadata["hold_lifetime_seconds"] == "3000"
        assert [claim.expires_at for claim in desk.claims] == [hold.expires_at]

    def test_a_hold_that_expired_after_all_its_time_is_not_renewed_but_booked_or_held_anew(self):
        desk = Desk()
        hold = desk.hold(TEN)
        desk.wait(minutes(50))

        with pytest.raises(HoldLifetimeReached):
            desk.renew(hold)

        desk.release(desk.hold(TEN))
        assert desk.book_hold(hold).appointment.start == TEN

    def test_a_hold_that_was_shortened_by_the_catalogue_is_not_renewed_to_less(self):
        desk = Desk(a_catalog(types=[a_type(hold_duration=hours(1))]))
        hold = desk.hold(TEN)
        desk.ledger.offer = replace(desk.ledger.offer, catalog=a_catalog())

        with pytest.raises(HoldLifetimeReached):
            desk.renew(hold)

        assert desk.ledger.holds[hold.hold_id] == hold

    def test_a_live_hold_is_renewed_whatever_the_catalogue_has_become(self):
        desk = Desk()
        hold = desk.hold(TEN)
        late = a_catalog(types=[a_type(minimum_notice=hours(24 * 7))])
        desk.ledger.offer = replace(desk.ledger.offer, catalog=late)

        desk.renew(hold)

        with pytest.raises(NoticeTooShort):
            desk.hold(ELEVEN)

    def test_an_expired_hold_is_renewed_if_its_slot_is_still_free(self):
        desk = Desk()
        hold = desk.hold(TEN)
        desk.wait(minutes(5))

        desk.renew(hold)

        assert starts(desk) == [TEN]

    def test_an_expired_hold_is_not_renewed_if_its_slot_is_taken(self):
        desk = Desk()
        hold = desk.hold(TEN)
        desk.wait(minutes(5))
        desk.book(TEN)

        with pytest.raises(SlotTaken):
            desk.renew(hold)

    @pytest.mark.parametrize("ending", ["release", "book_hold"])
    @pytest.mark.parametrize("attempt", ["renew", "release", "book_hold"])
    def test_a_hold_that_has_ended_is_told_so(self, ending, attempt):
        desk = Desk()
        hold = desk.hold(TEN)
        getattr(desk, ending)(hold)

        with pytest.raises(HoldEnded):
            getattr(desk, attempt)(hold)

    @pytest.mark.parametrize("attempt", ["renew", "release", "book_hold"])
    def test_a_hold_of_another_principal_is_not_found(self, attempt):
        desk = Desk()
        hold = desk.hold(TEN)

        with pytest.raises(ResourceNotFound):
            getattr(desk, attempt)(hold, principal_id="widget")


class TestRelease:
    def test_a_released_hold_frees_its_slot_on_every_calendar(self):
        desk = a_team_desk()
        hold = desk.hold(TEN, type_id="treatment")

        decision = desk.release(hold)

        assert len(decision.removed) == 2
        assert len(desk.claims) == 0
        desk.hold(TEN, type_id="treatment", calendar_id="ben", holder="mallory")

    def test_an_expired_hold_can_be_released(self):
        desk = Desk()
        hold = desk.hold(TEN)
        desk.wait(minutes(5))

        desk.release(hold)

        assert len(desk.claims) == 0


class TestBook:
    def test_a_hold_becomes_a_booking_on_the_same_place(self):
        desk = Desk()
        hold = desk.hold(TEN)

        booking = desk.book_hold(hold)

        assert booking.appointment == hold.appointment
        (claim,) = desk.claims
        assert (claim.kind, claim.owner_id) == (ClaimKind.BOOKING, str(booking.booking_id))
        assert claim.expires_at is None
        assert desk.ledger.holds[hold.hold_id].status is HoldStatus.BOOKED

    def test_a_late_confirm_succeeds_if_the_slot_is_still_free(self):
        desk = Desk()
        hold = desk.hold(TEN)
        desk.wait(minutes(60))

        assert desk.book_hold(hold).status is BookingStatus.CONFIRMED

    def test_a_late_confirm_is_refused_if_the_slot_is_taken(self):
        desk = Desk()
        hold = desk.hold(TEN)
        desk.wait(minutes(5))
        desk.hold(TEN, holder="mallory")

        with pytest.raises(SlotTaken):
            desk.book_hold(hold)

    def test_a_booking_that_needs_approval_is_pending_and_takes_its_seat(self):
        desk = Desk(a_catalog(types=[a_type(requires_approval=True)]))

        booking = desk.book(TEN)

        assert booking.status is BookingStatus.PENDING
        with pytest.raises(SlotTaken):
            desk.book(TEN)

    def test_several_appointments_are_booked_in_the_order_of_the_wishes(self):
        desk = Desk()
        hold = desk.hold(ELEVEN)

        bookings = desk.book_all(a_wish(TEN), HoldWish(hold_id=hold.hold_id), a_wish(HALF_PAST))

        assert [booking.appointment.start for booking in bookings] == [TEN, ELEVEN, HALF_PAST]

    def test_of_several_appointments_all_or_none_are_booked(self):
        desk = Desk(claims=(a_claim(ELEVEN),))
        hold = desk.hold(TEN)
        before = desk.state()

        with pytest.raises(SlotTaken):
            desk.book_all(HoldWish(hold_id=hold.hold_id), a_wish(HALF_PAST), a_wish(ELEVEN))

        assert desk.state() == before

    def test_appointments_of_one_booking_must_not_overlap_each_other(self):
        desk = Desk()
        before = desk.state()

        with pytest.raises(SlotTaken):
            desk.book_all(a_wish(TEN), a_wish(TEN))

        assert desk.state() == before

    def test_one_hold_is_good_for_one_appointment(self):
        desk = Desk()
        wish = HoldWish(hold_id=desk.hold(TEN).hold_id)

        with pytest.raises(HoldEnded):
            desk.book_all(wish, wish)

    def test_a_wish_for_any_calendar_does_not_take_the_slot_held_for_another(self):
        desk = a_team_desk()
        hold = desk.hold(TEN, calendar_id="anna", holder="eve")

        bookings = desk.book_all(
            a_wish(TEN, calendar_id=None), HoldWish(hold_id=hold.hold_id), holder="eve"
        )

        assert [booking.calendar_ids for booking in bookings] == [("ben",), ("anna",)]

    def test_an_appointment_on_several_calendars_needs_them_all(self):
        desk = a_team_desk()
        desk.book(TEN, type_id="treatment", calendar_id="anna")

        with pytest.raises(SlotTaken):
            desk.book(TEN, type_id="treatment", calendar_id="ben")


class TestGroup:
    def test_a_group_takes_as_many_as_it_has_seats(self):
        desk = a_group_desk(capacity=3)
        for _ in range(3):
            desk.book(TEN)

        assert sorted(claim.seat for claim in desk.claims) == [0, 1, 2]
        with pytest.raises(SlotTaken):
            desk.book(TEN)

    def test_a_freed_seat_is_the_next_to_be_taken(self):
        desk = a_group_desk(capacity=3)
        first, second = desk.book(TEN), desk.book(TEN)
        desk.cancel(first)

        desk.hold(TEN)

        assert {claim.owner_id: claim.seat for claim in desk.claims}[str(second.booking_id)] == 1
        assert sorted(claim.seat for claim in desk.claims) == [0, 1]

    def test_a_group_that_overlaps_another_is_refused(self):
        desk = Desk(a_catalog(types=[a_type(capacity=2, durations=(minutes(60),))]))
        desk.book(TEN)

        with pytest.raises(SlotTaken):
            desk.book(HALF_PAST)

    def test_the_seat_of_an_expired_hold_can_be_taken(self):
        desk = a_group_desk(capacity=1 + 1)
        desk.hold(TEN)
        desk.wait(minutes(5))

        desk.book(TEN)
        desk.book(TEN)

        assert [claim.kind for claim in desk.claims] == [ClaimKind.BOOKING] * 2

    def test_two_appointments_of_one_booking_may_be_in_the_same_group(self):
        desk = a_group_desk()

        desk.book_all(a_wish(TEN), a_wish(TEN))

        with pytest.raises(SlotTaken):
            desk.book(TEN)


class TestReschedule:
    def test_the_old_slot_is_freed_and_the_new_one_taken_in_one_decision(self):
        desk = Desk()
        booking = desk.book(TEN)

        moved = desk.move(booking, a_wish(ELEVEN))

        assert (moved.booking_id, moved.version) == (booking.booking_id, booking.version + 1)
        assert starts(desk) == [ELEVEN]

    def test_a_booking_can_move_onto_part_of_its_own_place(self):
        desk = Desk(a_catalog(types=[a_type(durations=(minutes(60),))]))
        booking = desk.book(TEN)

        desk.move(booking, a_wish(HALF_PAST))

        assert starts(desk) == [HALF_PAST]

    def test_a_refused_move_leaves_the_booking_where_it_was(self):
        desk = Desk()
        booking = desk.book(TEN)
        desk.book(ELEVEN)
        before = desk.state()

        with pytest.raises(SlotTaken):
            desk.move(booking, a_wish(ELEVEN))

        assert desk.state() == before

    def test_a_booking_can_move_to_a_held_slot(self):
        desk = Desk()
        booking, hold = desk.book(TEN), desk.hold(ELEVEN)

        desk.move(booking, HoldWish(hold_id=hold.hold_id))

        assert starts(desk) == [ELEVEN]
        assert desk.ledger.holds[hold.hold_id].status is HoldStatus.BOOKED

    def test_a_booking_keeps_its_appointment_type(self):
        desk = a_team_desk()
        booking = desk.book(TEN)

        with pytest.raises(InvalidRequest):
            desk.move(booking, a_wish(ELEVEN, type_id="treatment"))

    def test_a_pending_booking_is_still_pending_after_a_move(self):
        desk = Desk(a_catalog(types=[a_type(requires_approval=True)]))

        moved = desk.move(desk.book(TEN), a_wish(ELEVEN))

        assert moved.status is BookingStatus.PENDING


class TestStatus:
    def test_a_cancelled_booking_frees_its_slot_and_says_why(self):
        desk = Desk()

        cancelled = desk.cancel(desk.book(TEN), reason="ill")

        assert (cancelled.status, cancelled.cancel_reason) == (BookingStatus.CANCELLED, "ill")
        assert len(desk.claims) == 0

    @pytest.mark.parametrize("attempt", ["cancel", "move"])
    def test_after_the_cancellation_notice_only_an_override_frees_a_slot(self, attempt):
        desk = Desk(a_catalog(types=[a_type(cancellation_notice=hours(24))]))
        booking = desk.book(TEN)
        arguments = (a_wish(ELEVEN),) if attempt == "move" else ()
        desk.wait(TEN - hours(24) - desk.now + minutes(1))

        with pytest.raises(CancellationNoticePassed) as refused:
            getattr(desk, attempt)(booking, *arguments)
        getattr(desk, attempt)(booking, *arguments, override=True)

        assert refused.value.metadata == {"cancellation_notice_seconds": "86400"}

    def test_a_booking_can_be_cancelled_up_to_its_notice(self):
        desk = Desk(a_catalog(types=[a_type(cancellation_notice=hours(24))]))
        booking = desk.book(TEN)
        desk.wait(TEN - hours(24) - desk.now)

        desk.cancel(booking)

    @pytest.mark.parametrize("event", [BookingEvent.COMPLETE, BookingEvent.MISS])
    def test_an_appointment_that_has_not_begun_is_neither_completed_nor_missed(self, event):
        desk = Desk()
        booking = desk.book(TEN)

        with pytest.raises(InvalidTransition):
            desk.change(booking, event)
        desk.wait(TEN - desk.now)
        desk.change(booking, event)

        assert len(desk.claims) == 1, "What has taken place has taken its time."

    @pytest.mark.parametrize("status", BookingStatus)
    @pytest.mark.parametrize("event", [e for e in BookingEvent if e is not BookingEvent.RESCHEDULE])
    def test_only_the_listed_transitions_are_made(self, status, event):
        desk = Desk()
        booking = replace(desk.book(TEN), status=status)
        desk.ledger.bookings[booking.booking_id] = booking
        desk.wait(TEN - desk.now)
        after = TRANSITIONS.get((status, event))

        if after is None:
            with pytest.raises(InvalidTransition) as refused:
                desk.change(booking, event, override=True)
            assert refused.value.metadata == {"status": status.value.upper()}
        else:
            assert desk.change(booking, event, override=True).status is after

    def test_declining_frees_the_seat(self):
        desk = Desk(a_catalog(types=[a_type(requires_approval=True)]))

        desk.change(desk.book(TEN), BookingEvent.DECLINE)

        assert len(desk.claims) == 0

    def test_approval_is_by_compare_and_swap_on_the_version(self):
        desk = Desk(a_catalog(types=[a_type(requires_approval=True)]))
        seen = desk.book(TEN)
        desk.move(seen, a_wish(ELEVEN))

        with pytest.raises(VersionMismatch) as refused:
            desk.change(seen, BookingEvent.APPROVE)

        assert refused.value.metadata == {"version": "2"}

    def test_a_booking_that_does_not_exist_is_not_found(self):
        desk = Desk()
        unknown = replace(desk.book(TEN), booking_id=UUID(int=1))

        with pytest.raises(ResourceNotFound):
            desk.cancel(unknown)
