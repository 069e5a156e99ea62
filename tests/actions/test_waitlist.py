"""The waitlist in the database: what is freed is offered in the same commit, in order."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from service.actions.janitor import Janitor, JanitorLimits, Retention
from service.actions.offering import Offering, OfferingLimits
from service.domain.booking import BookingEvent
from service.domain.change import ChangeKind
from service.domain.commands import DeleteClosure, ImportBusy, OfferOpen, PassOn, PutClosure
from service.domain.delivery import Channel, DeliveryState, NewDelivery, offer_letter_id
from service.domain.errors import (
    HoldEnded,
    HoldLifetimeReached,
    ResourceNotFound,
    SlotTaken,
    TooManyHolds,
    TooManyWaiting,
    WaitingEnded,
)
from service.domain.interval import Interval
from service.domain.waitlist import WAITING_PER_BUSINESS_MAX, Freed
from service.store import deliveries, waitlist
from tests.actions.conftest import answers, open_shop, outcome, outcomes
from tests.actions.submissions import (
    a_shop,
    a_submission,
    a_wish,
    book,
    change,
    held,
    hold,
    join,
    leave,
    move,
    pass_on,
    release,
    renew,
    slot,
)
from tests.builders import a_closure, a_type, minutes

CANCEL = BookingEvent.CANCEL
NO_REST = 1e9


class Waiting:
    """What the database says of who waits."""

    def __init__(self, books) -> None:
        self.books = books

    async def statuses(self) -> list[str]:
        query = "SELECT status FROM waitlist ORDER BY revision"
        return [status for (status,) in await self.books.rows(query)]

    async def hold_of(self, entry: dict) -> str:
        query = "SELECT hold_id::text FROM waitlist WHERE entry_id = $1"
        return (await self.books.rows(query, entry["entry"]))[0][0]

    async def claims(self) -> list[tuple]:
        return await self.books.rows(
            "SELECT kind, starts_at FROM claims ORDER BY starts_at, calendar_id"
        )

    async def multiply(self, times: int, principal_id: str = "many") -> None:
        """Let all who wait have joined so many times more, of another key."""
        await self.books.run(
            "INSERT INTO waitlist (business_id, entry_id, principal_id, holder, holder_key,"
            " type_id, calendar_ids, window_starts, window_ends, waits_until, customer, fields,"
            " status, revision, joined_at) SELECT business_id, gen_random_uuid(), $2, holder,"
            " 'many', type_id, calendar_ids, window_starts, window_ends, waits_until, customer,"
            " fields, status, revision + n, joined_at FROM waitlist, generate_series(1, $1) AS n",
            times,
            principal_id,
        )

    async def status_of(self, entry: dict) -> str:
        query = "SELECT status FROM waitlist WHERE entry_id = $1"
        return (await self.books.rows(query, entry["entry"]))[0][0]

    async def offers_end(self) -> None:
        """Let the offers that there are have ended, and keep their slots a little longer."""
        await self.books.run(
            "UPDATE waitlist SET offer_expires_at = now() - interval '1 second'"
            " WHERE status = 'offered'"
        )

    async def holds_expire(self) -> None:
        """Let all holds have expired an instant ago."""
        await self.books.run("UPDATE claims SET expires_at = now() WHERE kind = 'hold'")
        await self.books.run("UPDATE holds SET expires_at = now()")


@pytest.fixture
def waiting(books):
    return Waiting(books)


@pytest.fixture
def offering(database, lanes):
    return Offering(database, lanes, OfferingLimits(look_share=NO_REST))


# In one commit


async def test_a_cancellation_offers_the_slot_in_its_own_commit(lanes, shop, books, waiting):
    booking = (await outcome(lanes, book(slot(1))))["bookings"][0]
    first, _ = await outcomes(lanes, [join(slot(1), holder=name) for name in ("a", "b")])

    cancelled = await outcome(lanes, change(booking, CANCEL))

    (entry,) = (await books.log())[-1:]
    assert entry.revision == cancelled["revision"]
    assert entry.kind is ChangeKind.CANCELLED
    assert [str(offer.entry_id) for offer in entry.offers] == [first["entry"]]
    assert [str(offer.hold_id) for offer in entry.offers] == [await waiting.hold_of(first)]
    assert [claim.owner_id for claim in entry.added] == [await waiting.hold_of(first)]
    assert await waiting.statuses() == ["offered", "waiting"]
    assert await waiting.claims() == [("hold", slot(1))]
    assert isinstance(await outcome(lanes, book(slot(1))), SlotTaken)


async def test_all_of_it_in_one_batch_is_decided_in_order(lanes, shop, waiting):
    booking = (await outcome(lanes, book(slot(1))))["bookings"][0]

    first, cancelled, late, grabber = await outcomes(
        lanes, [join(slot(1)), change(booking, CANCEL), join(slot(1)), book(slot(1))]
    )

    assert (first["entry_status"], late["entry_status"]) == ("waiting", "waiting")
    assert first["revision"] < cancelled["revision"] < late["revision"]
    assert isinstance(grabber, SlotTaken)
    assert await waiting.statuses() == ["offered", "waiting"]


async def test_a_batch_of_cancellations_serves_who_waits_first_come_first(lanes, shop, waiting):
    booked = answers(await outcomes(lanes, [book(slot(number)) for number in range(5)]))
    entries = await outcomes(lanes, [join(*map(slot, range(5)), holder=str(n)) for n in range(8)])

    await outcomes(lanes, [change(each["bookings"][0], CANCEL) for each in booked[::-1]])

    assert await waiting.statuses() == ["offered"] * 5 + ["waiting"] * 3
    query = "SELECT starts_at FROM holds WHERE hold_id = $1"
    offered = [
        (await waiting.books.rows(query, await waiting.hold_of(each)))[0][0] for each in entries[:5]
    ]
    assert offered == [slot(number) for number in range(4, -1, -1)]


@pytest.mark.parametrize("how", ["decline", "move", "release", "hold elsewhere"])
async def test_whatever_frees_a_slot_offers_it(make_lanes, waiting, how):
    lanes = make_lanes()
    await open_shop(
        lanes, a_shop(a_type(requires_approval=True), a_type("long", durations=(minutes(60),)))
    )
    if how == "release":
        freeing = release((await outcome(lanes, hold(slot(2))))["hold"])
    elif how == "hold elsewhere":
        await outcome(lanes, hold(slot(2), wish=a_wish(slot(2), type_id="long"), holder="mallory"))
        freeing = hold(slot(3), holder="mallory")
    else:
        booking = (await outcome(lanes, book(slot(2))))["bookings"][0]
        freeing = (
            move(booking, a_wish(slot(9)))
            if how == "move"
            else change(booking, BookingEvent.DECLINE)
        )
    await outcome(lanes, join(slot(2)))

    await outcome(lanes, freeing)

    assert await waiting.statuses() == ["offered"]


async def test_what_fits_is_asked_of_all_that_stands_around_it(make_lanes, waiting):
    # The facts are loaded for every type that somebody waits for, with its buffers and calendars.
    lanes = make_lanes()
    types = [
        a_type(any_of=("anna", "ben")),
        a_type("slow", any_of=("anna",), buffer_after=minutes(45)),
        a_type("pair", any_of=("anna",), all_of=("room",)),
        a_type("rare", any_of=("anna",), day_cap=1),
    ]
    await open_shop(lanes, a_shop(*types, calendar_ids=("anna", "ben", "room")))
    booking = (await outcome(lanes, book(slot(10))))["bookings"][0]
    for blocker in (
        a_wish(slot(11)),
        a_wish(slot(10), type_id="visit", calendar_id="ben"),
        a_wish(slot(20), type_id="rare"),
        a_wish(slot(30), type_id="pair"),
    ):
        assert isinstance(await outcome(lanes, book(blocker)), dict)
    await lanes.submit(
        a_submission(
            ImportBusy(
                calendar_id="room",
                feed_id="rooms",
                busy=(Interval(slot(10), slot(11)),),
            )
        )
    )
    for type_id in ("slow", "pair", "rare", "visit"):
        entry = await outcome(lanes, join(slot(10), type_id=type_id, holder=type_id))
        assert entry["entry_status"] == "waiting"

    await outcome(lanes, change(booking, CANCEL))

    # `slow` would run into 11, the room is busy, `rare` has its cap: the last one is served.
    assert await waiting.statuses() == ["waiting", "waiting", "waiting", "offered"]


@pytest.mark.parametrize("opened", ["by a decision", "by itself"])
@pytest.mark.parametrize("many", [99, 100, 1500])
async def test_many_who_wait_for_what_stays_taken_starve_nobody(
    make_lanes, waiting, database, many, opened
):
    lanes = make_lanes()
    # What is freed could be the end of a longer one, too.
    await open_shop(lanes, a_shop(a_type(durations=(minutes(30), minutes(60)))))
    booked = answers(await outcomes(lanes, [book(slot(number)) for number in range(3)]))
    await outcome(lanes, join(slot(1), holder="early", duration=minutes(60)))
    await waiting.multiply(many - 1)
    late = await outcome(lanes, join(slot(2), holder="late"))
    await waiting.books.run("UPDATE waitlist SET revision = 9999 WHERE holder = 'late'")

    if opened == "by a decision":
        await outcome(lanes, change(booked[2]["bookings"][0], CANCEL))
    else:
        await waiting.books.run("DELETE FROM claims WHERE starts_at = $1", slot(2))
        found = Freed(calendar_id="anna", span=Interval(slot(2), slot(3)))
        await outcome(lanes, a_submission(OfferOpen(found=(found,))))

    assert await waiting.status_of(late) == "offered"
    assert (await waiting.statuses()).count("offered") == 1


async def test_a_batch_serves_as_many_as_it_frees_seats(make_lanes, waiting):
    lanes = make_lanes()
    await open_shop(lanes, a_shop(a_type(capacity=150)))
    seats = []
    for _ in range(3):
        seats += answers(await outcomes(lanes, [book(slot(1)) for _ in range(50)]))
    await outcome(lanes, join(slot(1)))
    await waiting.multiply(199)

    await outcomes(lanes, [change(each["bookings"][0], CANCEL) for each in seats])

    assert sorted(await waiting.statuses()) == ["offered"] * 150 + ["waiting"] * 50


async def test_what_was_offered_and_declined_in_one_batch_is_for_the_next(lanes, shop, waiting):
    booking = (await outcome(lanes, book(slot(1))))["bookings"][0]
    first = await outcome(lanes, join(slot(1), holder="first"))
    await outcome(lanes, join(slot(1), holder="second"))

    *_, grabber = await outcomes(
        lanes, [change(booking, CANCEL), leave(first["entry"]), book(slot(1), holder="grabber")]
    )

    assert isinstance(grabber, SlotTaken)
    assert await waiting.statuses() == ["left", "offered"]


@pytest.mark.parametrize("type_id", ["visit", "pair"])
async def test_the_part_of_ones_hold_that_a_booking_leaves_on_another_calendar_is_offered(
    make_lanes, waiting, type_id
):
    lanes = make_lanes()
    types = [
        a_type("pair", any_of=("anna", "ben"), all_of=("room",)),
        a_type(any_of=("room",)),
        a_type("other", any_of=("ben",)),
    ]
    await open_shop(lanes, a_shop(*types, calendar_ids=("anna", "ben", "room")))
    pair = a_wish(slot(1), type_id="pair", calendar_id="ben")
    await outcome(lanes, hold(slot(1), holder="eve", wish=pair))
    await outcome(lanes, join(slot(1), type_id="other"))

    calendar_id = {"visit": "room", "pair": "anna"}[type_id]
    wish = a_wish(slot(1), type_id=type_id, calendar_id=calendar_id)
    assert isinstance(await outcome(lanes, book(wish, holder="eve")), dict)

    assert await waiting.statuses() == ["offered"]


async def test_a_full_group_offers_each_seat_once(make_lanes, waiting):
    lanes = make_lanes()
    await open_shop(lanes, a_shop(a_type(capacity=3)))
    booked = answers(await outcomes(lanes, [book(slot(1)) for _ in range(3)]))
    await outcomes(lanes, [join(slot(1), holder=str(number)) for number in range(4)])

    await outcomes(lanes, [change(each["bookings"][0], CANCEL) for each in booked])

    assert await waiting.statuses() == ["offered"] * 3 + ["waiting"]
    assert isinstance(await outcome(lanes, book(slot(1))), SlotTaken)


# Taking, declining, passing on


async def offered_one(lanes, *holders):
    booking = (await outcome(lanes, book(slot(1))))["bookings"][0]
    entries = [await outcome(lanes, join(slot(1), holder=holder)) for holder in holders]
    await outcome(lanes, change(booking, CANCEL))
    return entries


async def test_an_offer_is_taken_by_booking_its_hold(lanes, shop, books, waiting):
    (entry,) = await offered_one(lanes, "wendy")

    taken = await outcome(lanes, book(held(await waiting.hold_of(entry))))

    assert taken["bookings"][0]["start"] == slot(1).isoformat()
    assert await waiting.statuses() == ["taken"]
    (last,) = (await books.log())[-1:]
    assert [str(each) for each in last.entry_ids] == [entry["entry"]]
    assert last.offers == ()


async def test_ones_own_offer_hides_nothing_and_is_taken_by_booking_its_slot(lanes, shop, waiting):
    await offered_one(lanes, "wendy")

    assert isinstance(await outcome(lanes, book(slot(1), holder="mallory")), SlotTaken)
    assert isinstance(await outcome(lanes, book(slot(1), holder="wendy")), dict)

    assert await waiting.statuses() == ["taken"]


@pytest.mark.parametrize("how", ["leave", "release", "pass on"])
async def test_what_is_not_taken_passes_to_the_next_in_one_commit(lanes, shop, books, waiting, how):
    first, second = await offered_one(lanes, "wendy", "will")
    hold_id = await waiting.hold_of(first)
    if how == "pass on":
        await waiting.offers_end()
    ending = {
        "leave": leave(first["entry"]),
        "release": release(hold_id),
        "pass on": pass_on(first["entry"]),
    }[how]

    results = await outcomes(lanes, [ending, book(slot(1)), book(held(hold_id))])

    assert isinstance(results[0], dict)
    assert isinstance(results[1], SlotTaken)
    assert isinstance(results[2], HoldEnded)
    assert await waiting.statuses() == ["lapsed" if how == "pass on" else "left", "offered"]
    (last,) = (await books.log())[-1:]
    assert [ref.claim_id for ref in last.removed] != []
    assert [str(offer.entry_id) for offer in last.offers] == [second["entry"]]


async def test_to_pass_on_what_has_not_ended_or_has_ended_otherwise_writes_nothing(
    lanes, shop, books, waiting
):
    (entry,) = await offered_one(lanes, "wendy")
    before = await books.counts()
    assert isinstance(await outcome(lanes, pass_on(entry["entry"])), WaitingEnded)

    await waiting.offers_end()
    await outcome(lanes, book(held(await waiting.hold_of(entry))))
    after = await books.counts()
    assert isinstance(await outcome(lanes, pass_on(entry["entry"])), WaitingEnded)

    assert after["changes"] == before["changes"] + 1
    assert await books.counts() == after


async def test_an_offer_counts_towards_no_limit_and_is_not_renewed(make_lanes, waiting):
    lanes = make_lanes()
    shop = a_shop()
    await open_shop(lanes, shop)
    (entry,) = await offered_one(lanes, "wendy")
    await waiting.books.run("UPDATE businesses SET holds_per_holder_max = 1, catalog_version = 0")
    await waiting.books.run("UPDATE businesses SET holds_per_key_max = 1")
    lanes = make_lanes()

    renewed = await outcome(lanes, renew(await waiting.hold_of(entry)))
    one, more = await outcomes(lanes, [hold(slot(number), holder="wendy") for number in (5, 6)])

    assert isinstance(renewed, HoldLifetimeReached)
    assert isinstance(one, dict)
    assert isinstance(more, TooManyHolds)


async def test_who_left_or_never_joined_cannot_leave(lanes, shop):
    entry = await outcome(lanes, join(slot(1)))
    again = "00000000-0000-4000-8000-000000000000"

    results = await outcomes(lanes, [leave(entry["entry"]), leave(entry["entry"]), leave(again)])

    assert [type(each) for each in results] == [dict, WaitingEnded, ResourceNotFound]


async def test_a_repetition_joins_once(lanes, shop, waiting):
    submission = join(slot(1), request_id="once")

    first, again = await outcomes(lanes, [submission, submission])

    assert first == again
    assert await outcome(lanes, submission) == first
    assert await waiting.statuses() == ["waiting"]


# Joining


async def test_who_joins_is_offered_what_was_found_open(lanes, shop, waiting):
    await outcome(lanes, book(slot(1)))
    found = [
        Freed(calendar_id="anna", span=Interval(slot(number), slot(number + 1)))
        for number in (1, 2)
    ]

    entry = await outcome(lanes, join(slot(1), slot(2), found=found))

    assert entry["entry_status"] == "offered"
    assert (await waiting.claims())[-1] == ("hold", slot(2))


async def test_a_holder_a_key_and_a_business_have_limits(make_lanes, waiting):
    lanes = make_lanes()
    shop = a_shop()
    await open_shop(lanes, shop)
    await waiting.books.run("UPDATE businesses SET holds_per_holder_max = 2")
    results = await outcomes(make_lanes(), [join(slot(1), holder="wendy") for _ in range(3)])
    assert [type(each) for each in results] == [dict, dict, TooManyWaiting]

    await waiting.books.run("UPDATE businesses SET holds_per_key_max = 3")
    results = await outcomes(
        make_lanes(), [join(slot(1), holder=each) for each in ("will", "walt")]
    )
    assert isinstance(results[1], TooManyWaiting)
    assert results[1].metadata == {"waiting_per_key_max": "3"}

    await waiting.multiply((WAITING_PER_BUSINESS_MAX - 3) // 3, principal_id="another")
    more = [join(slot(1), holder=each, principal_id="third") for each in ("will", "walt")]
    _, refusal = await outcomes(make_lanes(), more)
    assert isinstance(refusal, TooManyWaiting)
    assert "waiting_per_business_max" in refusal.metadata


async def test_what_was_joined_is_read_as_it_was_told(lanes, shop, database):
    told = join(slot(1), slot(5), holder="wendy", calendar_ids=("anna",), duration=minutes(30))
    await outcome(lanes, told)

    async with database.snapshot("demo") as tx:
        (entry,) = await waitlist.list_page(tx, "demo", type_id="visit", after_revision=0, limit=10)
        other = await waitlist.list_page(tx, "demo", type_id="none", after_revision=0, limit=10)

    command = told.command
    assert other == []
    for name in ("entry_id", "principal_id", "holder", "type_id", "calendar_ids", "windows"):
        assert getattr(entry, name) == getattr(command, name)
    assert (entry.duration, entry.customer, entry.fields) == (
        command.duration,
        command.customer,
        command.fields,
    )


async def test_who_waits_for_a_type_that_was_deleted_is_not_looked_at(lanes, shop, database):
    joined = await outcome(lanes, join(slot(1)))

    async with database.snapshot("demo") as tx:
        pages = [
            await waitlist.waiting_page(tx, "demo", type_ids, after_revision=0, limit=10)
            for type_ids in (["other", "visit"], ["other"], [])
        ]

    assert [[str(each.entry_id) for each in page] for page in pages] == [[joined["entry"]], [], []]


# The timer


async def test_the_timer_passes_on_what_was_not_taken_in_time(lanes, shop, waiting, offering):
    await offered_one(lanes, "wendy", "will", "wanda")
    await offering.pass_on()
    assert await waiting.statuses() == ["offered", "waiting", "waiting"]

    for expected in (
        ["lapsed", "offered", "waiting"],
        ["lapsed", "lapsed", "offered"],
        ["lapsed", "lapsed", "lapsed"],
    ):
        await waiting.offers_end()
        await offering.pass_on()
        assert await waiting.statuses() == expected

    assert isinstance(await outcome(lanes, book(slot(1))), dict)


@pytest.mark.parametrize(
    ("letter", "is_told"),
    [
        (DeliveryState.SENT, True),
        (DeliveryState.WAITING, False),
        (DeliveryState.DEAD, False),
        (DeliveryState.SKIPPED, False),
        # The log was not followed for as long as the offer lasted.
        (None, False),
    ],
)
async def test_who_was_not_told_of_an_offer_by_letter_waits_again(
    lanes, shop, waiting, database, letter, is_told
):
    first, _ = await offered_one(lanes, "wendy", "will")
    hold_id = await waiting.hold_of(first)
    await has_letter(database, hold_id, letter)
    await waiting.offers_end()

    await Offering(database, lanes, letters_are_on=True).pass_on()

    assert await waiting.statuses() == ["lapsed" if is_told else "waiting", "offered"]
    async with database.snapshot("demo") as tx:
        entry = await waitlist.get(tx, "demo", UUID(first["entry"]))
    assert bool(entry.customer.email) is not is_told
    assert entry.untold_offers == (0 if is_told else 1)


async def has_letter(database, hold_id, state):
    """Let a letter have been planned that tells of an offer, and this have become of it."""
    if state is None:
        return
    planned = NewDelivery(
        delivery_id=offer_letter_id("demo", UUID(hold_id)),
        channel=Channel.LETTER,
        lane="offer",
        revision=1,
        ordinal=0,
        kind="waitlist_offer",
        target="customer",
    )
    async with database.transaction("demo") as tx:
        await deliveries.add(tx, "demo", [planned])
        if state is not DeliveryState.WAITING:
            letter = await deliveries.get(tx, "demo", planned.delivery_id)
            assert letter is not None
            await deliveries.end(tx, letter, state, "")


@pytest.mark.parametrize("without", ["address", "letters"])
async def test_who_is_not_told_by_letter_at_all_has_let_an_offer_lapse(
    lanes, shop, waiting, without
):
    (entry,) = await offered_one(lanes, "wendy")
    if without == "address":
        await waiting.books.run("UPDATE waitlist SET customer = customer - 'email'")
    await waiting.offers_end()

    command = PassOn(entry_ids=(UUID(entry["entry"]),), letters_are_on=without != "letters")
    await outcome(lanes, a_submission(command))

    assert await waiting.statuses() == ["lapsed"]


async def test_who_rests_after_an_offer_nobody_told_of_is_asked_again_later(
    lanes, shop, waiting, database
):
    offering = Offering(
        database, lanes, OfferingLimits(look_share=NO_REST, look_seconds=0), letters_are_on=True
    )
    first = (await offered_one(lanes, "wendy"))[0]
    await waiting.offers_end()
    await offering.pass_on()
    for _ in range(3):
        await offering.offer_opened()
    assert await waiting.statuses() == ["waiting"]
    assert isinstance(await outcome(lanes, join(slot(1), holder="will")), dict)

    await waiting.books.run(
        "UPDATE waitlist SET offer_expires_at = offer_expires_at - interval '1 hour'"
    )
    for _ in range(3):
        await offering.offer_opened()

    assert await waiting.status_of(first) == "offered"
    assert await waiting.statuses() == ["offered", "waiting"]


async def test_several_timers_pass_on_once(make_lanes, shop, books, waiting, database, lanes):
    await offered_one(lanes, "wendy", "will", "wanda")
    await waiting.offers_end()
    timers = [Offering(database, make_lanes()) for _ in range(3)]

    await asyncio.gather(*(timer.pass_on() for timer in timers))

    assert await waiting.statuses() == ["lapsed", "offered", "waiting"]


async def test_who_waited_for_what_is_past_waits_no_more(lanes, shop, waiting, offering):
    await outcome(lanes, join(slot(1)))
    await waiting.books.run(
        "UPDATE waitlist SET window_starts = ARRAY[now() - interval '2 days'],"
        " window_ends = ARRAY[now() - interval '1 day'], waits_until = now() - interval '1 day'"
    )

    await offering.pass_on()

    assert await waiting.statuses() == ["expired"]


async def test_what_a_hold_leaves_that_expires_is_offered(lanes, shop, waiting, offering):
    await outcome(lanes, hold(slot(1)))
    await outcome(lanes, join(slot(1)))
    await offering.offer_opened()
    assert await waiting.statuses() == ["waiting"]

    await waiting.holds_expire()
    await offering.offer_opened()

    assert await waiting.statuses() == ["offered"]


async def test_what_another_catalogue_opens_is_offered(lanes, shop, waiting, offering):
    closure = a_closure(first_date=slot(0).date(), last_date=slot(47).date())
    await lanes.submit(a_submission(PutClosure(create=True, closure=closure)))
    await outcomes(lanes, [join(*map(slot, range(3)), holder=str(number)) for number in range(5)])
    await offering.offer_opened()
    assert await waiting.statuses() == ["waiting"] * 5

    await lanes.submit(a_submission(DeleteClosure(closure_id=closure.closure_id)))
    await offering.offer_opened()

    assert await waiting.statuses() == ["offered"] * 3 + ["waiting"] * 2


async def test_what_other_busy_time_opens_is_offered(lanes, shop, waiting, offering):
    def imported(*busy):
        return a_submission(ImportBusy(calendar_id="anna", feed_id="private", busy=busy))

    await lanes.submit(imported(Interval(slot(0), slot(10))))
    await outcome(lanes, join(slot(4)))
    await offering.offer_opened()
    assert await waiting.statuses() == ["waiting"]

    await lanes.submit(imported(Interval(slot(0), slot(3))))
    await offering.offer_opened()

    assert await waiting.statuses() == ["offered"]


async def test_who_joined_while_a_slot_was_open_is_asked_soon(lanes, shop, waiting, offering):
    await outcome(lanes, join(slot(1), holder="first", calendar_ids=()))
    await offering.offer_opened()
    assert await waiting.statuses() == ["offered"]

    await outcome(lanes, join(slot(2), holder="second"))
    await offering.offer_opened()

    assert await waiting.statuses() == ["offered", "offered"]


async def test_all_who_wait_are_asked_some_at_a_time(database, lanes, shop, waiting):
    offering = Offering(database, lanes, OfferingLimits(entries_max=3, look_share=NO_REST))
    await outcomes(lanes, [join(slot(number), holder=str(number)) for number in range(8)])

    for offered in (3, 6, 8):
        await offering.offer_opened()
        assert (await waiting.statuses()).count("offered") == offered


async def test_a_business_that_cannot_be_served_keeps_no_other_waiting(
    lanes, shop, books, waiting, offering, caplog
):
    await open_shop(lanes, a_shop(), business_id="other")
    await outcome(lanes, join(slot(1)))
    await outcome(lanes, join(slot(1), business_id="other"))
    await books.run("UPDATE waitlist SET window_ends = window_starts WHERE business_id = 'demo'")

    await offering.offer_opened()

    query = "SELECT business_id, status FROM waitlist ORDER BY business_id"
    assert await books.rows(query) == [("demo", "waiting"), ("other", "offered")]
    assert "was not served" in caplog.text


async def test_the_timer_runs_until_it_is_cancelled(database, lanes, shop, waiting):
    rounds = asyncio.Queue()

    async def pause(seconds):
        assert 0.5 < seconds < 2
        await rounds.put(None)
        await asyncio.sleep(0)

    await outcome(lanes, join(slot(1)))
    running = asyncio.create_task(Offering(database, lanes, pause=pause).run())
    async with asyncio.timeout(30):
        while await waiting.statuses() != ["offered"]:
            await rounds.get()
    running.cancel()

    ended = await asyncio.gather(running, return_exceptions=True)
    assert isinstance(ended[0], asyncio.CancelledError)


async def test_a_round_that_fails_does_not_end_the_timer(database, lanes, shop, books, caplog):
    rounds = asyncio.Queue()

    async def pause(_seconds):
        await rounds.put(None)
        await asyncio.sleep(0)

    await outcome(lanes, join(slot(1)))
    await books.run("ALTER TABLE waitlist RENAME TO away")
    running = asyncio.create_task(Offering(database, lanes, pause=pause).run())
    async with asyncio.timeout(30):
        await rounds.get()
        assert "a round of the waitlist failed" in caplog.text
        await books.run("ALTER TABLE away RENAME TO waitlist")
        while await books.rows("SELECT status FROM waitlist") != [("offered",)]:
            await rounds.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_entry_that_ended_is_forgotten_after_a_day(lanes, shop, books, waiting, database):
    kept, gone = await outcomes(lanes, [join(slot(n), holder=str(n)) for n in (1, 2)])
    await outcome(lanes, leave(gone["entry"]))
    day = timedelta(hours=24)
    janitor = Janitor(database, Retention(requests=day, changes=day), JanitorLimits())
    assert (await janitor.sweep()).waitlist == 0
    await books.run("UPDATE waitlist SET ended_at = ended_at - interval '25 hours'")

    assert (await janitor.sweep()).waitlist == 1
    assert await books.rows("SELECT entry_id::text FROM waitlist") == [(kept["entry"],)]
