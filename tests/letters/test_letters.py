"""From a booking to the mail about it: the real service, PostgreSQL, and a mail server."""

import re
from datetime import timedelta

import pytest

from service.actions.lanes import LaneLimits, Lanes
from service.actions.offering import Offering, OfferingLimits
from slotcast import Client, Customer, TimeWindow, WaitlistStatus, WaitlistWish, Wish
from slotcast.errors import SlotcastError
from tests.letters.mailroom import ADA, BUSINESS, PUBLIC_URL, a_slot, to
from tests.letters.reading import check_nothing_was_added

ANNA, BEN = "anna@lindenhof.example", "ben@lindenhof.example"


def row(mail):
    """Return what identifies an event."""
    return mail.event.uid, mail.event.sequence, mail.method, mail.event.status


async def test_book_move_and_cancel_are_told_to_all_and_mean_what_was_meant(client, mailroom, tell):
    booked = await client.book(a_slot(9), customer=ADA, fields={"any_wishes": "No music, please."})
    first = await mailroom.work()
    moved = await client.reschedule_booking(booked, a_slot(14, days=1))
    second = await mailroom.work()
    await client.cancel_booking(moved, reason="The car broke down.")
    third = await mailroom.work()

    uid = f"{booked.name.rpartition('/')[2]}@{BUSINESS}.slotcast"
    table = []
    for address in (ADA.email, ANNA):
        (one,), (two,), (three,) = (to(each, address) for each in (first, second, third))
        assert row(one) == (uid, 0, "REQUEST", "CONFIRMED")
        assert row(two) == (uid, 1, "REQUEST", "CONFIRMED")
        assert row(three) == (uid, 2, "CANCEL", "CANCELLED")
        assert (one.event.start, one.event.end) == (booked.start, booked.end)
        assert (two.event.start, two.event.end) == (moved.start, moved.end)
        assert three.event.start == moved.start
        assert one.event.attendees == (f"mailto:{address}",)
        assert one.event.organizer == "mailto:bookings@slotcast.example"
        for mail in (one, two, three):
            assert mail.message["From"].addresses[0].display_name == "Salon Lindenhof"
            table.append((address, *row(mail)))
        assert two.message["References"] == three.message["References"] == one.message["Message-ID"]
    assert [len(each) for each in (first, second, third)] == [2, 2, 2]
    tell("\n".join(" | ".join(map(str, line)) for line in table))


async def test_a_customer_reads_in_their_language_and_by_their_clock(client, mailroom):
    booked = await client.book(a_slot(9), customer=ADA, fields={"any_wishes": "No music, please."})
    await mailroom.work()
    await client.reschedule_booking(booked, a_slot(14))

    (mail,) = to(await mailroom.work(), ADA.email)

    assert mail.message["Content-Language"] == "en-GB"
    assert "Your appointment has moved" in mail.text
    assert "(London)" in mail.text
    assert "At Salon Lindenhof the clock then says" in mail.text
    assert "Before: " in mail.text
    assert "No music" not in mail.text


async def test_staff_read_who_comes_in_the_language_of_the_business(client, mailroom):
    await client.book(a_slot(9), customer=ADA, fields={"any_wishes": "No music, please."})

    (mail,) = to(await mailroom.work(), ANNA)

    assert mail.message["Content-Language"] == "de"
    assert mail.message["Subject"].startswith("Neu: Ada Lovelace")
    assert "Any wishes: No music, please." in mail.text
    assert "ada@example.com" in mail.text
    assert PUBLIC_URL not in mail.text


async def test_a_request_that_is_approved_or_declined_is_told_at_each_step(client, mailroom):
    booked = await client.book(a_slot(9, type_="colour"), customer=ADA)
    asked = to(await mailroom.work(), ADA.email)[0]
    await client.approve_booking(booked)
    approved = to(await mailroom.work(), ADA.email)[0]
    other = await client.book(a_slot(11, type_="colour"), customer=ADA)
    await client.decline_booking(other, reason="We are closed then.")
    declined = to(await mailroom.work(), ADA.email)[-1]

    assert row(asked)[1:] == (0, "REQUEST", "TENTATIVE")
    assert row(approved)[1:] == (1, "REQUEST", "CONFIRMED")
    assert row(declined)[1:] == (1, "CANCEL", "CANCELLED")
    assert "Reason: We are closed then." in declined.text
    check_nothing_was_added_but_references(asked)


def check_nothing_was_added_but_references(mail):
    del mail.message["References"], mail.message["In-Reply-To"]
    check_nothing_was_added(mail, asks=True)


async def test_staff_that_a_booking_leaves_have_it_taken_out_of_their_calendar(client, mailroom):
    booked = await client.book(a_slot(9, calendar="anna"), customer=ADA)
    await mailroom.work()
    moved = await client.reschedule_booking(booked, a_slot(10, calendar="ben"))

    mails = await mailroom.work()

    (left,), (new,) = to(mails, ANNA), to(mails, BEN)
    assert row(left)[1:] == (1, "CANCEL", "CANCELLED")
    assert left.event.start == booked.start
    assert "Er liegt jetzt in einem anderen Kalender." in left.text
    assert row(new)[1:] == (1, "REQUEST", "CONFIRMED")
    assert new.event.start == moved.start


async def test_letters_that_were_superseded_before_they_went_out_are_sent_in_order_as_they_were(
    client, mailroom
):
    booked = await client.book(a_slot(9), customer=ADA)
    moved = await client.reschedule_booking(booked, a_slot(14))
    await client.cancel_booking(moved)

    mails = to(await mailroom.work(), ADA.email)

    assert [row(mail)[1:] for mail in mails] == [
        (0, "REQUEST", "CONFIRMED"),
        (1, "REQUEST", "CONFIRMED"),
        (2, "CANCEL", "CANCELLED"),
    ]
    assert [mail.event.start for mail in mails] == [booked.start, moved.start, moved.start]


async def test_several_appointments_of_one_commit_are_one_letter_and_later_ones_follow_it(
    client, mailroom
):
    slots = [a_slot(9), a_slot(9, days=7), a_slot(9, days=14)]
    booked = await client.book_all(slots, Wish(customer=ADA))
    await client.cancel_booking(booked[1])
    mailroom.server.answers["connect"] = "421 not now"
    assert await mailroom.work() == []
    mailroom.server.answers.clear()
    # The letter about the second alone is due, and waits for the one about all.
    await mailroom.let_time_pass(lane=f"%{booked[1].name.rpartition('/')[2]}%")
    assert to(await mailroom.work(), ADA.email) == []
    await mailroom.let_time_pass()

    mails = to(await mailroom.work() + await mailroom.work(), ADA.email)
    assert [mail.method for mail in mails] == ["PUBLISH", "CANCEL"]
    assert [event.start for event in mails[0].events] == [each.start for each in booked]
    assert mails[1].event.uid == mails[0].events[1].uid
    assert mails[1].event.sequence == mails[0].events[1].sequence + 1
    assert mails[1].message["References"] == mails[0].message["Message-ID"]
    skipped = await mailroom.listed("skipped")
    assert {each.detail for each in skipped if each.target == "customer"} == {
        f"told in the letter {mails[0].message['Message-ID']}"
    }


async def test_reminders_go_out_at_their_time(client, mailroom):
    booked = await client.book(a_slot(9), customer=ADA)
    await mailroom.work()

    planned = [each for each in await mailroom.listed("waiting") if each.kind == "reminder"]
    assert sorted(booked.start - each.due_at for each in planned) == [
        timedelta(hours=2),
        timedelta(days=1),
    ]
    assert await mailroom.work() == []
    await mailroom.let_time_pass(lane="reminder:%:1", begun=False)
    (mail,) = await mailroom.work()

    assert mail.message["Subject"].startswith("Reminder from Salon Lindenhof")
    assert row(mail)[1:] == (0, "REQUEST", "CONFIRMED")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("moved", "the booking was moved"),
        ("moved and moved back", "the booking was moved"),
        ("cancelled", "the booking was cancelled"),
        ("moved and cancelled", "the booking was cancelled"),
    ],
)
async def test_reminders_of_what_was_changed_since_are_skipped_at_once(
    client, mailroom, change, reason
):
    booked = await client.book(a_slot(9), customer=ADA)
    await mailroom.work()
    if "moved" in change:
        booked = await client.reschedule_booking(booked, a_slot(12))
    if change == "moved and moved back":
        booked = await client.reschedule_booking(booked, a_slot(9))
    if "cancelled" in change:
        await client.cancel_booking(booked)
    await mailroom.work()

    skipped = await mailroom.listed("skipped")
    assert [(each.kind, each.revision, each.detail) for each in skipped] == [
        ("reminder", skipped[0].revision, reason)
    ] * 2
    waiting = await mailroom.listed("waiting")
    assert len(waiting) == (0 if "cancelled" in change else 2), "No reminder was due yet."
    await mailroom.let_time_pass(lane="reminder:%", begun=False)
    mails = await mailroom.work()
    assert [row(mail)[1] for mail in mails] == [booked.version - 1] * len(waiting)


async def test_a_reminder_that_is_being_sent_says_itself_what_became_of_it(client, mailroom, owner):
    booked = await client.book(a_slot(9), customer=ADA)
    await mailroom.work()
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql("UPDATE deliveries SET leased_by = 7 WHERE lane LIKE '%:1'")
    await client.cancel_booking(booked)
    await mailroom.work()

    (waiting,) = await mailroom.listed("waiting")
    assert (waiting.kind, waiting.lane[-2:]) == ("reminder", ":1")
    (skipped,) = await mailroom.listed("skipped")
    assert skipped.lane[-2:] == ":2"


async def test_a_reminder_is_skipped_when_it_is_due_where_no_change_has_told_that_it_is_void(
    client, mailroom, owner
):
    await client.book(a_slot(9), customer=ADA)
    await mailroom.work()
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql("UPDATE bookings SET status = 'completed', version = 2")
    await mailroom.let_time_pass(lane="reminder:%:1:%", begun=False)

    assert await mailroom.work() == []

    skipped = await mailroom.listed("skipped")
    assert {each.detail for each in skipped} == {"the booking was changed since: moved, or ended"}
    assert len(skipped) == 2


async def test_a_reminder_that_comes_too_late_is_skipped(client, mailroom, owner):
    await client.book(a_slot(9), customer=ADA)
    await mailroom.work()
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql(
            "UPDATE bookings SET starts_at = now() - interval '1 minute', ends_at = now()"
        )
    await mailroom.let_time_pass(lane="reminder:%", begun=False)

    assert await mailroom.work() == []

    assert {each.detail for each in await mailroom.listed("skipped")} == {
        "the appointment has begun"
    }


async def test_the_link_in_a_letter_does_what_it_says_and_dies_with_the_booking(
    client, mailroom, start_server
):
    server = await start_server(key_cache_seconds=0)
    booked = await client.book(a_slot(9), customer=ADA)
    (mail,) = to(await mailroom.work(), ADA.email)
    (url,) = set(re.findall(rf"{re.escape(PUBLIC_URL)}/manage/#\S+", mail.text))
    token = url.partition("#")[2]
    assert url in mail.event.description
    assert url in mail.html

    async with Client(server, api_key=token, business=BUSINESS) as visitor:
        assert (await visitor.get_booking(booked.name)).start == booked.start
        await visitor.cancel_booking(booked)
        with pytest.raises(SlotcastError):
            await visitor.get_booking(booked.name)

    (cancelled,) = to(await mailroom.work(), ADA.email)
    assert "/manage/" not in cancelled.text + cancelled.html + cancelled.ics


async def test_without_a_public_address_there_is_no_link(client, make_mailroom):
    await client.book(a_slot(9), customer=ADA)

    (mail,) = to(await make_mailroom(public_url=None).work(), ADA.email)

    assert "/manage/" not in mail.text + mail.html + mail.ics


@pytest.mark.parametrize("at_once", [False, True])
async def test_one_address_has_so_many_letters_a_day_and_the_others_theirs(
    client, make_mailroom, at_once
):
    mailroom = make_mailroom(per_recipient_per_day_max=3)
    shouted = Customer(display_name="Ada", email="ADA@example.com")
    grace = Customer(display_name="Grace", email="grace@example.com")
    for hour in range(5):
        await client.book(a_slot(hour), customer=ADA if hour % 2 else shouted)
    await client.book(a_slot(6), customer=grace)

    mails = await mailroom.work(at_once=at_once)

    assert len(to(mails, ADA.email) + to(mails, shouted.email)) == 3
    assert len(to(mails, grace.email)) == 1
    skipped = await mailroom.listed("skipped")
    assert len(skipped) == 2
    assert {each.detail for each in skipped} == {"this address has had 3 letters within a day"}


async def test_the_limit_is_not_for_staff(client, make_mailroom):
    mailroom = make_mailroom(per_recipient_per_day_max=1)
    for hour in range(3):
        await client.book(a_slot(hour), customer=ADA)

    assert len(to(await mailroom.work(), ANNA)) == 3


async def test_who_was_told_of_an_appointment_is_told_that_it_ended_and_nobody_else(
    client, make_mailroom
):
    mailroom = make_mailroom(per_recipient_per_day_max=1)
    told = await client.book(a_slot(9), customer=ADA)
    await mailroom.work()
    untold = await client.book(a_slot(11), customer=ADA)
    await mailroom.work()
    for booking in (told, untold):
        await client.cancel_booking(booking)

    (mail,) = to(await mailroom.work(), ADA.email)

    assert told.name.rpartition("/")[2] in mail.ics


async def test_a_letter_that_is_tried_again_counts_once(client, make_mailroom):
    mailroom = make_mailroom(per_recipient_per_day_max=1)
    await client.book(a_slot(9), customer=ADA)
    mailroom.server.answers["RCPT"] = "450 later"
    for _ in range(3):
        assert await mailroom.work() == []
        await mailroom.let_time_pass()
    mailroom.server.answers.clear()

    assert len(to(await mailroom.work(), ADA.email)) == 1


async def test_no_row_about_letters_names_a_person_or_an_address(client, mailroom, owner):
    await client.book(a_slot(9), customer=ADA)
    mailroom.server.answers["RCPT"] = "550 no such user ada@example.com"
    await mailroom.work()

    async with owner.read_committed.connect() as tx:
        rows = (await tx.exec_driver_sql("SELECT d::text FROM deliveries AS d")).fetchall()

    assert rows
    for (text,) in rows:
        assert "ada" not in text.lower()
        assert "example.com" not in text


def a_wish_for(booked, customer):
    """Return the wish for just what is booked now."""
    window = TimeWindow(start=booked.start, end=booked.start + timedelta(minutes=1))
    return WaitlistWish(
        appointment_type="cut",
        windows=(window,),
        calendars=("anna",),
        customer=customer,
        holder="grace",
    )


async def test_a_place_that_frees_is_offered_by_letter_to_who_waits_and_the_link_takes_it(
    client, mailroom, start_server
):
    server = await start_server(key_cache_seconds=0)
    booked = await client.book(a_slot(9), customer=ADA)
    grace = Customer(display_name="Grace Hopper", email="grace@example.com", language="fr")
    entry = await client.join_waitlist(a_wish_for(booked, grace))
    await mailroom.work()
    await client.cancel_booking(booked)

    (mail,) = to(await mailroom.work(), grace.email)

    assert mail.message["Subject"].startswith("Une place s\u2019est libérée chez Salon Lindenhof")
    assert "Elle vous est réservée jusqu\u2019à" in mail.text
    assert mail.events == ()
    (url,) = set(re.findall(rf"{re.escape(PUBLIC_URL)}/manage/#\S+", mail.text))
    async with Client(server, api_key=url.partition("#")[2], business=BUSINESS) as visitor:
        offered = await visitor.get_waitlist_entry(entry.name)
        assert offered.offer is not None
        taken = await visitor.book(offered.offer, customer=grace)
    assert taken.start == booked.start


async def test_who_joins_the_waitlist_is_told_how_and_can_leave_by_the_link(
    client, mailroom, start_server
):
    server = await start_server(key_cache_seconds=0)
    booked = await client.book(a_slot(9), customer=ADA)
    grace = Customer(display_name="Grace Hopper", email="grace@example.com", language="en")
    entry = await client.join_waitlist(a_wish_for(booked, grace))

    (mail,) = to(await mailroom.work(), grace.email)

    assert mail.message["Subject"] == "On the waiting list of Salon Lindenhof: Cut"
    assert "you are off the waiting list" in mail.text
    assert "What: Cut\nWith: Anna\nWhen: " in mail.text
    assert mail.events == ()
    (url,) = set(re.findall(rf"{re.escape(PUBLIC_URL)}/manage/#\S+", mail.text))
    async with Client(server, api_key=url.partition("#")[2], business=BUSINESS) as visitor:
        assert (await visitor.get_waitlist_entry(entry.name)).status is WaitlistStatus.WAITING
        await visitor.leave_waitlist(entry.name)
    await client.cancel_booking(booked)
    assert to(await mailroom.work(), grace.email) == []


async def test_who_joins_and_is_offered_a_time_is_told_of_that_alone(client, mailroom):
    booked = await client.book(a_slot(9), customer=ADA)
    grace = Customer(display_name="Grace Hopper", email="grace@example.com", language="en")
    await client.join_waitlist(a_wish_for(booked, grace))
    await client.cancel_booking(booked)

    (mail,) = to(await mailroom.work(), grace.email)

    assert mail.message["Subject"].startswith("A place is free at Salon Lindenhof")
    skipped = [each.detail for each in await mailroom.listed("skipped")]
    assert "a time is offered already, which is told by itself" in skipped


async def test_a_mail_server_that_was_away_for_as_long_as_an_offer_lasts_burns_nobodys_waiting(
    client, mailroom, database, owner
):
    booked = await client.book(a_slot(9), customer=ADA)
    grace = Customer(display_name="Grace Hopper", email="grace@example.com")
    entry = await client.join_waitlist(a_wish_for(booked, grace))
    await mailroom.work()
    await client.cancel_booking(booked)
    mailroom.server.answers["connect"] = "421 later"
    await mailroom.work()
    lanes = Lanes(database, LaneLimits(), lambda *_: None)
    offering = Offering(database, lanes, OfferingLimits(look_seconds=0), letters_are_on=True)

    async def ages(interval):
        async with owner.read_committed.begin() as tx:
            await tx.exec_driver_sql(
                f"UPDATE waitlist SET offer_expires_at = offer_expires_at - interval '{interval}'"
            )

    await ages("1 day")
    await offering.pass_on()
    assert (await client.get_waitlist_entry(entry.name)).status is WaitlistStatus.WAITING

    mailroom.server.answers.clear()
    await mailroom.let_time_pass()
    assert to(await mailroom.work(), grace.email) == []
    await ages("1 hour")
    for _ in range(2):
        await offering.offer_opened()
    await lanes.drain()

    (mail,) = to(await mailroom.work(), grace.email)
    assert "/manage/#" in mail.text
    assert (await client.get_waitlist_entry(entry.name)).status is WaitlistStatus.OFFERED


async def test_an_offer_that_is_over_before_its_letter_went_out_is_told_to_nobody(client, mailroom):
    booked = await client.book(a_slot(9), customer=ADA)
    grace = Customer(display_name="Grace Hopper", email="grace@example.com")
    entry = await client.join_waitlist(a_wish_for(booked, grace))
    await client.cancel_booking(booked)
    mailroom.server.answers["connect"] = "421 later"
    await mailroom.work()
    await client.leave_waitlist(entry)
    mailroom.server.answers.clear()
    await mailroom.let_time_pass()

    assert to(await mailroom.work(), grace.email) == []

    skipped = {each.kind: each.detail for each in await mailroom.listed("skipped")}
    assert skipped == {
        "waitlist_joined": "a time is offered already, which is told by itself",
        "waitlist_offer": "the offer is over: taken, left or passed on",
    }
