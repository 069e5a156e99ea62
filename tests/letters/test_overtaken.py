"""A letter that is sent again after a later one of its booking says nothing that is no more."""

from dataclasses import replace

import pytest

from service.domain.change import ChangeKind
from service.notify.consumers import ConsumerLimits, Consumers
from service.notify.letters.consumer import LettersConsumer
from service.notify.unplanned import plan_again
from service.store import deliveries
from slotcast import Wish
from tests.letters.mailroom import ADA, BUSINESS, a_slot, to

ANNA = "anna@lindenhof.example"


class Faulty(LettersConsumer):
    """A consumer of a version that stumbles over bookings."""

    async def plan(self, tx, business_id, changes):
        if any(change.kind is ChangeKind.BOOKED for change in changes):
            raise ZeroDivisionError
        return await super().plan(tx, business_id, changes)


@pytest.fixture
def plan_faultily(database):
    """Plan all but what was booked, for which a dead delivery stands then."""
    return Consumers(database, [Faulty(is_on=True)], ConsumerLimits()).catch_up


@pytest.fixture
def retry(database, mailroom):
    """Have all that is dead planned or sent again, as RetryDelivery does."""

    async def again():
        for dead in await mailroom.listed("dead"):
            async with database.transaction(BUSINESS) as tx:
                there = await deliveries.lock(tx, BUSINESS, dead.delivery_id)
                assert there is not None
                if there.kind == "unplanned":
                    await plan_again(tx, there, [LettersConsumer(is_on=True)])
                else:
                    await deliveries.retry(tx, BUSINESS, dead.delivery_id)

    return again


async def confirmations(mailroom):
    """Return what became of them."""
    found = await mailroom.listed()
    return {
        (each.target, each.state.value, each.detail)
        for each in found
        if each.kind == "confirmation"
    }


SKIPPED = {
    (target, "skipped", "overtaken by version 2, which was told")
    for target in ("customer", "calendars/anna")
}


async def change(client, booked, what):
    if what == "moved":
        return await client.reschedule_booking(booked, a_slot(14, days=1))
    return await client.cancel_booking(booked)


@pytest.mark.parametrize("what", ["moved", "cancelled"])
async def test_what_is_planned_again_after_a_later_letter_went_out_is_not_sent(
    client, mailroom, plan_faultily, retry, what
):
    booked = await client.book(a_slot(9), customer=ADA)
    await change(client, booked, what)
    await plan_faultily()
    assert {mail.event.sequence for mail in await mailroom.work()} == {1}

    await retry()

    assert await mailroom.work() == []
    assert await confirmations(mailroom) == SKIPPED


@pytest.mark.parametrize("what", ["moved", "cancelled"])
async def test_what_was_dead_and_is_retried_after_a_later_letter_went_out_is_not_sent(
    client, mailroom, retry, what
):
    booked = await client.book(a_slot(9), customer=ADA)
    mailroom.server.answers["RCPT"] = "550 no such user"
    assert await mailroom.work() == []
    mailroom.server.answers.clear()
    await change(client, booked, what)
    assert {mail.event.sequence for mail in await mailroom.work()} == {1}

    await retry()

    assert await mailroom.work() == []
    assert await confirmations(mailroom) == SKIPPED


async def test_what_is_planned_again_before_the_later_letter_went_out_goes_first(
    client, mailroom, plan_faultily, retry
):
    booked = await client.book(a_slot(9), customer=ADA)
    await client.cancel_booking(booked)
    await plan_faultily()

    await retry()

    mails = to(await mailroom.work(), ADA.email)
    assert [mail.method for mail in mails] == ["REQUEST", "CANCEL"]


async def test_where_the_later_letter_is_on_its_way_it_is_waited_for(
    client, mailroom, plan_faultily, retry, owner
):
    booked = await client.book(a_slot(9), customer=ADA)
    await client.cancel_booking(booked)
    await plan_faultily()
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql(
            """
            UPDATE deliveries SET leased_by = 7, leased_until = now() + interval '1 hour'
            WHERE kind = 'cancelled'
            """
        )
    await retry()
    assert await mailroom.work() == []
    assert {state for _, state, _ in await confirmations(mailroom)} == {"waiting"}

    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql("UPDATE deliveries SET state = 'sent' WHERE kind = 'cancelled'")
    await mailroom.let_time_pass()

    assert await mailroom.work() == []
    assert await confirmations(mailroom) == SKIPPED


async def test_of_several_booked_at_once_those_are_told_of_which_nothing_later_was(
    client, mailroom, plan_faultily, retry
):
    slots = [a_slot(9), a_slot(9, days=7), a_slot(9, days=14)]
    booked = await client.book_all(slots, Wish(customer=ADA))
    for each in booked[:2]:
        await client.cancel_booking(each)
    await plan_faultily()
    assert {mail.method for mail in await mailroom.work()} == {"CANCEL"}

    await retry()

    for mail in (mails := await mailroom.work()):
        assert (mail.method, mail.event.start) == ("REQUEST", booked[2].start)
        assert mail.event.sequence == 0
    assert len(mails) == 2
    told = {f"told in the letter {mail.message['Message-ID']}" for mail in mails}
    skipped = [each for each in await mailroom.listed("skipped") if each.kind == "confirmation"]
    assert {each.detail for each in skipped} == {"overtaken by version 2, which was told", *told}


async def test_staff_that_share_an_address_are_one_reader(client, mailroom, plan_faultily, retry):
    ben = await client.get_calendar("ben")
    await client.update_calendar(replace(ben, email=ANNA))
    booked = await client.book(a_slot(9, calendar="anna"), customer=ADA)
    await client.reschedule_booking(booked, a_slot(10, calendar="ben"))
    await plan_faultily()
    assert len(to(await mailroom.work(), ANNA)) == 1

    await retry()

    assert await mailroom.work() == []
    assert await confirmations(mailroom) == SKIPPED
