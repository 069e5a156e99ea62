"""B9: what is wrong with what is done for those who wait is found, and named by its rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from service.domain.change import ChangeKind, OfferRef
from service.domain.ids import last_part
from service.domain.waitlist import EntryStatus
from slotcast.v1.availability_service_pb2 import WatchAvailabilityRequest
from tests.robustness.catalogue import QUARTER
from tests.robustness.checker import asked
from tests.robustness.checker.asked import STARTS, slot, told
from tests.robustness.checker.staged_streams import Stream
from tests.robustness.history import Outcome

CUT = slot("cut", STARTS[0], "chair-1")
HOUR = timedelta(hours=1)


@pytest.fixture
def stage():
    return asked.opened()


def booked(stage, wish=CUT):
    return stage.ask(*asked.book(wish)).response.bookings[0]


def join(stage, holder="eve", start=STARTS[0], length=QUARTER):
    """Wait for a cut on the first chair."""
    return stage.ask(*asked.join("cut", start, "chair-1", holder=holder, length=length)).response


def cancel(stage, booking):
    return stage.ask(*asked.change("CancelBooking", booking)).response


def alter(stage, **fields):
    """Let the last change be told otherwise than it was decided."""
    stage.changes[-1] = replace(stage.changes[-1], **fields)


def entry_of(stage, joined):
    return stage.ledger.entries[UUID(last_part(joined.name))]


def put(stage, joined, **fields):
    """Let the desk have an entry otherwise."""
    entry = entry_of(stage, joined)
    stage.ledger.entries[entry.entry_id] = replace(entry, **fields)


def offer_of(stage, joined):
    return stage.ask(*asked.get_entry(joined.name)).response.entry.offer.name


def test_what_frees_passes_from_one_to_the_next_until_it_is_taken(stage):
    booking = booked(stage)
    eve, mallory, joe = (join(stage, holder) for holder in ("eve", "mallory", "joe"))
    cancel(stage, booking)
    stage.ask(*asked.release(offer_of(stage, eve)))
    stage.wait(10.1)
    stage.pass_on()
    taken = stage.ask(*asked.book(offer_of(stage, joe)))
    stage.ask(*asked.list_entries())

    assert taken.outcome is Outcome.OK
    statuses = [entry_of(stage, each).status for each in (eve, mallory, joe)]
    assert statuses == [EntryStatus.LEFT, EntryStatus.LAPSED, EntryStatus.TAKEN]
    assert told(stage) == set()


def test_b9_what_frees_is_not_offered(stage):
    booking = booked(stage)
    joined = join(stage)
    put(stage, joined, status=EntryStatus.LEFT)
    cancel(stage, booking)
    put(stage, joined, status=EntryStatus.WAITING)

    assert told(stage) == {("B9", "not offered"), ("B9", "left")}


def test_b9_what_frees_is_offered_to_one_who_joined_later(stage):
    booking = booked(stage)
    eve = join(stage, "eve")
    join(stage, "mallory")
    put(stage, eve, status=EntryStatus.LEFT)
    cancel(stage, booking)
    put(stage, eve, status=EntryStatus.WAITING)

    assert told(stage) == {("B9", "order")}


def test_b9_who_joins_is_offered_what_another_waits_for(stage):
    booking = booked(stage)
    eve = join(stage, "eve")
    put(stage, eve, status=EntryStatus.LEFT)
    cancel(stage, booking)
    join(stage, "mallory")
    put(stage, eve, status=EntryStatus.WAITING)

    assert told(stage) == {("B9", "not offered"), ("B9", "order")}


def test_b9_a_later_start_is_offered_than_the_first_that_was_freed(stage):
    booking = booked(stage, slot("colour", STARTS[0], "chair-1"))
    joined = join(stage, length=2 * QUARTER)
    (window,) = entry_of(stage, joined).windows
    put(stage, joined, windows=(replace(window, start=STARTS[1]),))
    cancel(stage, booking)

    assert told(stage) == {("B9", "earliest")}


def test_b9_a_slot_is_offered_that_will_not_do(stage):
    booking = booked(stage)
    booked(stage, slot("cut", STARTS[4], "chair-1"))
    joined = join(stage, start=STARTS[4])
    (window,) = entry_of(stage, joined).windows
    put(stage, joined, windows=(replace(window, start=STARTS[0], end=STARTS[1]),))
    cancel(stage, booking)

    assert told(stage) == {("B9", "wish")}


def test_b9_one_is_offered_a_second_slot_while_it_has_one(stage):
    first, second = booked(stage), booked(stage, slot("cut", STARTS[1], "chair-1"))
    joined = join(stage, length=2 * QUARTER)
    cancel(stage, first)
    put(stage, joined, status=EntryStatus.WAITING)
    cancel(stage, second)

    assert ("B9", "offered twice") in told(stage)


def test_b9_an_offer_holds_nothing(stage):
    booking = booked(stage)
    join(stage)
    cancel(stage, booking)
    alter(stage, added=())

    assert ("B9", "offered nothing") in told(stage)


def test_b9_an_offer_is_kept_for_another_time_than_its_type_says(stage):
    booking = booked(stage)
    join(stage)
    cancel(stage, booking)
    (offer,) = stage.changes[-1].offers
    alter(stage, offers=(replace(offer, expires_at=offer.expires_at + HOUR),))

    assert ("B9", "how long") in told(stage)


def test_b9_an_offer_is_passed_on_before_its_time(stage):
    booking = booked(stage)
    joined = join(stage)
    cancel(stage, booking)
    put(stage, joined, offer_expires_at=stage.clock)
    stage.pass_on()

    assert ("B9", "too soon") in told(stage)
    assert ("B7", "removed") in told(stage)


def test_b9_the_notifier_changes_nothing(stage):
    stage._log(ChangeKind.WAITLIST_OFFERED)

    assert told(stage) == {("B9", "nothing"), ("B3", "of the notifier")}


def test_b9_an_offer_is_renewed(stage):
    booking = booked(stage)
    joined = join(stage)
    cancel(stage, booking)
    name = offer_of(stage, joined)
    hold = stage.ledger.holds[UUID(last_part(name))]
    stage.ledger.holds[hold.hold_id] = replace(hold, entry_id=None)
    stage.ask(*asked.renew(name))

    assert ("B9", "lifetime") in told(stage)


def test_b9_a_holder_waits_more_often_than_it_may(stage):
    booked(stage)
    offer = stage.ledger.offer
    business = replace(offer.catalog.business, holds_per_holder_max=9)
    stage.ledger.offer = replace(offer, catalog=replace(offer.catalog, business=business))
    for _ in range(4):
        join(stage)

    assert told(stage) == {("B9", "too many")}


def test_b9_one_leaves_who_had_left(stage):
    booked(stage)
    joined = join(stage)
    stage.ask(*asked.leave(joined.name))
    put(stage, joined, status=EntryStatus.WAITING)
    stage.ask(*asked.leave(joined.name))

    assert told(stage) == {("B9", "ended"), ("B3", "entries")}


def test_b9_an_offer_that_is_over_is_passed_on_late(stage):
    booking = booked(stage)
    join(stage)
    cancel(stage, booking)
    stage.wait(14)
    stage.pass_on()

    assert told(stage) == {("B9", "late")}


def test_b9_an_offer_that_is_over_is_never_passed_on(stage):
    booking = booked(stage)
    join(stage)
    cancel(stage, booking)
    stage.wait(16)

    assert told(stage) == {("B9", "late"), ("B9", "left")}


def test_b9_one_waits_in_the_end_for_what_time_has_opened(stage):
    stage.ask(*asked.hold(CUT, "mallory"))
    join(stage)
    stage.wait(14)

    assert told(stage) == set()
    stage.wait(2)
    assert told(stage) == {("B9", "left")}


def test_b7_what_is_offered_to_one_is_given_to_another(stage):
    booking = booked(stage)
    joined = join(stage)
    cancel(stage, booking)
    hold = offer_of(stage, joined)
    for claim in list(stage.ledger.offer.claims):
        if claim.owner_id == last_part(hold):
            stage.ledger.offer.claims.remove(claim.claim_id)
    booked(stage)

    assert ("B7", "taken") in told(stage)


def test_w1_what_is_offered_is_shown_to_others(stage):
    booking = booked(stage)
    stream = Stream(stage, asked.window(WatchAvailabilityRequest, ("cut",))).snapshot()
    join(stage)
    cancel(stage, booking)
    claims = [claim for claim in stage.ledger.offer.claims if claim.holder_key]
    for claim in claims:
        stage.ledger.offer.claims.remove(claim.claim_id)
    stream.delta()
    for claim in claims:
        stage.ledger.offer.claims.add(claim)

    assert told(stage) == {("W1", "state")}


def test_b3_a_change_tells_of_other_entries_than_it_changes(stage):
    booked(stage)
    join(stage)
    alter(stage, entry_ids=())

    assert told(stage) == {("B3", "entries")}


def test_b3_a_change_tells_of_a_booking_that_is_not_so(stage):
    booked(stage)
    (state,) = stage.changes[-1].bookings
    alter(stage, bookings=(replace(state, version=2),))

    assert told(stage) == {("B3", "told")}


def test_b3_an_answer_tells_of_another_entry(stage):
    booked(stage)
    method, request = asked.join("cut", STARTS[0], "chair-1")
    call = stage.ask(method, request)
    call.response.entry.holder = "mallory"
    stored = stage.answered[request.request_id]
    stage.answered[request.request_id] = replace(stored, response=call.response.SerializeToString())

    assert told(stage) == {("B3", "answer")}


def test_b2_an_offer_to_nobody(stage):
    booked(stage)
    nobody = OfferRef(entry_id=uuid4(), hold_id=uuid4(), expires_at=stage.clock)
    alter(stage, offers=(nobody,))

    assert told(stage) == {("B9", "offered twice")}


def test_b2_an_entry_that_is_gone_in_the_end(stage):
    booked(stage)
    join(stage)

    assert told(stage) == set()
    assert told(stage, entries=[]) == {("B2", "waitlist")}


def test_b5_an_entry_as_it_was(stage):
    booking = booked(stage)
    joined = join(stage)
    cancel(stage, booking)
    stage.ask(*asked.get_entry(joined.name)).response.entry.CopyFrom(joined.entry)

    assert told(stage) == {("B5", "GetWaitlistEntry")}


def test_b5_a_list_of_those_who_wait_in_another_order(stage):
    booked(stage)
    join(stage, "eve")
    join(stage, "mallory")
    response = stage.ask(*asked.list_entries()).response
    entries = list(reversed(response.entries))
    del response.entries[:]
    response.entries.extend(entries)

    assert told(stage) == {("B5", "ListWaitlist")}


def test_b6_one_is_told_that_it_has_left_who_waits(stage):
    booked(stage)
    joined = join(stage)
    put(stage, joined, status=EntryStatus.LEFT)
    assert stage.ask(*asked.leave(joined.name)).reason == "WAITING_ENDED"
    put(stage, joined, status=EntryStatus.WAITING)

    assert told(stage) == {("B6", "refused without cause")}
