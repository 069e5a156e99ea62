"""A mail server refuses, stalls or dies: later, never lost, never twice in a healthy run."""

import pytest

from tests.letters.mail_server import DIE, DIE_HALFWAY, STALL
from tests.letters.mailroom import ADA, a_slot, to

FAULTS = [
    {"connect": "421 not now"},
    {"connect": DIE},
    {"MAIL": "550 you may not"},
    {"RCPT": "451 greylisted"},
    {"RCPT": STALL},
    {"DATA": DIE},
    {"letter": DIE_HALFWAY},
    {"letter": "452 no room"},
    {"EHLO": STALL},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_what_does_not_go_out_now_goes_out_later_once_and_in_order(
    client, make_mailroom, fault
):
    mailroom = make_mailroom(letter_seconds_max=0.5)
    booked = await client.book(a_slot(9), customer=ADA)
    mailroom.server.answers.update(fault)
    for _ in range(3):
        assert await mailroom.work() == []
        assert mailroom.server.letters == []
        await mailroom.let_time_pass()
    await client.cancel_booking(booked)
    mailroom.server.answers.clear()

    mails = to(await mailroom.work(), ADA.email)

    assert [mail.method for mail in mails] == ["REQUEST", "CANCEL"]
    assert await mailroom.work() == []
    sent = [each for each in await mailroom.listed("sent") if each.target == "customer"]
    assert [each.attempts for each in reversed(sent)] == [4, 1]
    assert [each.detail for each in reversed(sent)] == [
        mail.message["Message-ID"] for mail in mails
    ]


async def test_a_letter_whose_server_died_after_taking_it_is_sent_again_under_the_same_id(
    client, mailroom
):
    await client.book(a_slot(9), customer=ADA)
    mailroom.server.answers["letter"] = DIE
    first = to(await mailroom.work(), ADA.email)
    mailroom.server.answers.clear()
    await mailroom.let_time_pass()

    again = to(await mailroom.work(), ADA.email)

    assert [len(first), len(again)] == [1, 1]
    assert first[0].message["Message-ID"] == again[0].message["Message-ID"]
    assert first[0].ics == again[0].ics


async def test_a_letter_that_is_refused_for_good_holds_up_none_behind_it(client, mailroom):
    booked = await client.book(a_slot(9), customer=ADA)
    mailroom.server.answers["RCPT"] = "550 no such user"
    assert await mailroom.work() == []
    mailroom.server.answers.clear()
    await client.cancel_booking(booked)

    mails = to(await mailroom.work(), ADA.email)

    assert [mail.method for mail in mails] == ["CANCEL"]
    dead = await mailroom.listed("dead")
    assert {each.detail for each in dead} == {"the mail server refuses it for good: 550"}
    assert {each.target for each in dead} == {"customer", "calendars/anna"}


async def test_an_address_that_is_none_is_dead_and_says_so(client, mailroom, owner):
    await client.book(a_slot(9), customer=ADA)
    async with owner.read_committed.begin() as tx:
        await tx.exec_driver_sql(
            "UPDATE bookings SET customer = jsonb_set(customer, '{email}', to_jsonb($1::text))",
            ("ada@example.com\r\nBcc: evil@example.org",),
        )

    assert to(await mailroom.work(), "ada@example.com") == []

    (dead,) = await mailroom.listed("dead")
    assert dead.detail == "the address is none that mail can be sent to"
