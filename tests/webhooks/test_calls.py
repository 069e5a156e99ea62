"""Calls arrive signed, in the order of each booking, and again until they do."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from aiohttp import web

from service.domain.booking import BookingEvent
from service.domain.webhook import WebhookState
from service.notify.webhooks.in_flight import CALLS_MAX
from service.notify.webhooks.sending import WebhookSender
from service.ops.outbound import Outbound
from service.store import webhooks
from tests.actions.submissions import a_wish, slot
from tests.webhooks.desk import SECRET_TEXT, states


def in_turn(*statuses):
    """Answer with these in turn, then always with the last."""
    left = list(statuses)
    return lambda _call: left.pop(0) if len(left) > 1 else left[0]


async def test_a_call_is_verified_by_the_library_and_says_what_happened(desk, receiver):
    await desk.subscribe(receiver.url())

    booking = await desk.book(slot(1))
    (owed,) = await desk.carry_out()

    (call,) = receiver.calls
    event = call.verify(SECRET_TEXT)
    assert call.headers["content-type"] == "application/json"
    assert event["id"] == call.id == str(owed.delivery_id)
    assert event["type"] == "booking.booked"
    assert event["business"] == "businesses/demo"
    assert event["revision"] == str(owed.revision) == str(await desk.books.revision())
    assert event["booking"]["name"] == f"businesses/demo/bookings/{booking['id']}"
    assert (owed.state.value, owed.detail) == ("sent", "200")


async def test_the_customer_is_told_only_to_who_asked_for_it(desk, receiver):
    await desk.subscribe(receiver.url("/plain"))
    await desk.subscribe(receiver.url("/personal"), include_customer=True)

    await desk.book(slot(1), note="allergic to nuts", conversation="chat-7")
    await desk.carry_out()

    (plain,), (personal,) = receiver.of("/plain"), receiver.of("/personal")
    hidden = {"customer", "fields", "cancelReason", "conversation"}
    assert hidden.isdisjoint(plain.event["booking"])
    assert b"eve" not in plain.body.lower()
    assert personal.event["booking"]["customer"] == {
        "displayName": "Eve",
        "email": "eve@example.org",
    }
    assert personal.event["booking"]["fields"] == {"note": "allergic to nuts"}
    assert personal.event["booking"]["conversation"] == "chat-7"


async def test_what_is_kept_of_a_call_names_no_person(desk, receiver, books):
    await desk.subscribe(receiver.url(), include_customer=True)

    await desk.book(slot(1), note="allergic to nuts")
    await desk.carry_out()

    (row,) = await books.rows("SELECT deliveries::text FROM deliveries")
    assert not [word for word in ("eve", "nuts") if word in row[0].lower()]


async def test_each_call_tells_the_booking_as_it_was_at_that_change(desk, receiver):
    await desk.subscribe(receiver.url())

    booking = await desk.book(a_wish(slot(1), calendar_id="anna"))
    booking = await desk.move(booking, a_wish(slot(2), calendar_id="bert"))
    await desk.change(booking, BookingEvent.CANCEL)
    await desk.carry_out()

    told = [call.event["booking"] for call in receiver.calls]
    assert [(each["version"], each["status"]) for each in told] == [
        ("1", "BOOKING_STATUS_CONFIRMED"),
        ("2", "BOOKING_STATUS_CONFIRMED"),
        ("3", "BOOKING_STATUS_CANCELLED"),
    ]
    calendars = [each["calendars"] for each in told]
    assert calendars == [[f"businesses/demo/calendars/{each}"] for each in ("anna", "bert", "bert")]
    assert receiver.calls[1].event["before"]["calendars"] == ["businesses/demo/calendars/anna"]


async def test_what_fails_is_tried_again_with_the_same_id_and_a_new_signature(desk, receiver):
    await desk.subscribe(receiver.url())
    receiver.answer = in_turn(500, 200)

    await desk.book(slot(1))
    (owed,) = await desk.carry_out()
    assert (owed.state.value, owed.attempts, owed.detail) == ("waiting", 1, "500")
    assert owed.due_at > datetime.now(UTC)

    await desk.carry_out()
    assert len(receiver.calls) == 1, "It is not due."

    await desk.wait_no_longer()
    (owed,) = await desk.carry_out()
    first, second = receiver.calls
    assert (owed.state.value, owed.attempts) == ("sent", 2)
    assert (first.id, first.body) == (second.id, second.body)
    second.verify(SECRET_TEXT)


async def test_the_events_of_a_booking_keep_their_order_while_calls_fail(desk, receiver):
    await desk.subscribe(receiver.url())
    receiver.answer = in_turn(500, 503, 200)

    held_up = await desk.book(slot(1))
    await desk.carry_out()
    await desk.change(held_up, BookingEvent.CANCEL)
    await desk.carry_out()
    assert [call.type for call in receiver.calls] == ["booking.booked"]

    for _ in range(3):
        await desk.wait_no_longer()
        await desk.carry_out()
    booked = ["booking.booked"] * 3
    assert [call.type for call in receiver.calls] == [*booked, "booking.cancelled"]


async def test_another_booking_is_told_while_one_is_held_up(desk, receiver):
    await desk.subscribe(receiver.url())
    receiver.answer = in_turn(500, 200)

    await desk.book(slot(1))
    await desk.carry_out()
    await desk.book(slot(2))

    assert states(await desk.carry_out()) == ["waiting", "sent"]


async def test_after_a_day_of_failures_a_call_is_dead_and_new_ones_are_still_tried(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    receiver.answer = in_turn(500)
    booking = await desk.book(slot(1))
    await desk.carry_out()
    since = (await desk.look(webhook)).failing_since

    await desk.be_a_day_later()
    assert states(await desk.carry_out()) == ["dead"]
    fares = await desk.look(webhook)
    assert (fares.state, fares.last_outcome) == (WebhookState.FAILING, "500")
    assert fares.failing_since == since

    receiver.answer = in_turn(204)
    await desk.change(booking, BookingEvent.CANCEL)
    assert states(await desk.carry_out()) == ["dead", "sent"]
    fares = await desk.look(webhook)
    assert (fares.state, fares.failing_since, fares.last_outcome) == (
        WebhookState.ACTIVE,
        None,
        "204",
    )


async def test_410_ends_a_webhook_and_nothing_more_is_owed_to_it(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    receiver.answer = in_turn(410)
    await desk.book(slot(1), slot(2))

    assert states(await desk.carry_out()) == ["dead", "skipped"]
    assert (await desk.look(webhook)).state is WebhookState.ENDED
    await desk.book(slot(3))
    assert len(await desk.carry_out()) == 2
    assert len(receiver.calls) == 1


async def test_a_webhook_that_was_deleted_is_not_called(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    await desk.book(slot(1))
    await desk.plan()

    async with desk.database.transaction("demo") as tx:
        await webhooks.remove(tx, "demo", webhook.webhook_id)

    assert states(await desk.carry_out()) == ["skipped"]
    assert receiver.calls == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(desk, receiver, status):
    await desk.subscribe(receiver.url())

    def answer(call):
        if call.path == "/elsewhere":
            return 200
        return web.Response(status=status, headers={"Location": receiver.url("/elsewhere")})

    receiver.answer = answer
    await desk.book(slot(1))
    (owed,) = await desk.carry_out()

    assert (owed.state.value, owed.detail) == ("waiting", str(status))
    assert receiver.of("/elsewhere") == []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/hook",
        "https://localhost:{port}/hook",
        "https://[::1]:{port}/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/hook",
        "http://127.0.0.1:{port}/hook",
        "http://203.0.113.1/hook",
    ],
)
async def test_s23_no_private_address_is_called_and_nothing_but_https(desk, receiver, url):
    webhook = await desk.subscribe(url.format(port=receiver.port))
    async with Outbound() as outbound:
        desk.sender = WebhookSender(desk.database, outbound)
        await desk.book(slot(1))
        (owed,) = await desk.carry_out()

    assert owed.state.value == "waiting"
    assert receiver.calls == []
    fares = await desk.look(webhook)
    assert fares.state is WebhookState.FAILING
    assert "not public" in fares.last_outcome or "https://" in fares.last_outcome


async def test_of_a_long_answer_nothing_is_made(desk, receiver):
    await desk.subscribe(receiver.url())
    receiver.answer = lambda _call: web.Response(status=201, body=b"x" * 3_000_000)

    await desk.book(slot(1))

    assert states(await desk.carry_out()) == ["sent"]


async def test_an_answer_that_takes_too_long_is_a_failure(desk, receiver):
    webhook = await desk.subscribe(receiver.url())
    desk.sender = WebhookSender(desk.database, desk.outbound, call_seconds_max=0.2)
    never = asyncio.Event()
    receiver.answer = lambda _call: never.wait()

    await desk.book(slot(1))
    (owed,) = await desk.carry_out()

    assert owed.state.value == "waiting"
    assert "longer than" in (await desk.look(webhook)).last_outcome


async def test_a_receiver_that_is_not_there_is_a_failure(desk, receiver):
    webhook = await desk.subscribe("http://127.0.0.1:1/hook")

    await desk.book(slot(1))

    assert states(await desk.carry_out()) == ["waiting"]
    assert (await desk.look(webhook)).state is WebhookState.FAILING


async def test_a_receiver_that_asks_for_time_is_given_it(desk, receiver):
    await desk.subscribe(receiver.url())
    receiver.answer = lambda _call: web.Response(status=429, headers={"Retry-After": "300"})

    await desk.book(slot(1))
    (owed,) = await desk.carry_out()

    assert (owed.due_at - owed.created_at).total_seconds() > 0.75 * 300 - 1


async def test_slow_receivers_do_not_delay_others(desk, receiver, start_notifier):
    await desk.subscribe(receiver.url("/slow"))
    await desk.subscribe(receiver.url("/quick"))
    released, held = asyncio.Event(), []

    async def answer(call):
        if call.path == "/quick" or released.is_set():
            return 200
        held.append(call)
        await released.wait()
        return 200

    receiver.answer = answer
    bookings = 40
    for number in range(bookings):
        await desk.book(slot(number))
    await start_notifier(call_seconds_max=60.0)
    await receiver.until(lambda: len(receiver.of("/quick")) == bookings)

    assert len(held) <= CALLS_MAX
    released.set()
    await receiver.until(lambda: len(receiver.of("/slow")) == bookings)
    assert len({call.id for call in receiver.calls}) == 2 * bookings


async def test_a_secret_that_was_replaced_signs_for_a_day_beside_the_new_one(desk, receiver, books):
    webhook = await desk.subscribe(receiver.url())
    new = b"another secret of thirty-two bytes"
    async with desk.database.transaction("demo") as tx:
        await webhooks.update(tx, "demo", webhook, new)

    await desk.book(slot(1))
    await desk.carry_out()
    await books.run("UPDATE webhooks SET previous_secret_until = now()")
    await desk.book(slot(2))
    await desk.carry_out()

    first, second = (call.headers["webhook-signature"].split() for call in receiver.calls)
    assert (len(first), len(second)) == (2, 1)
    receiver.calls[0].verify(SECRET_TEXT)


async def test_the_body_is_json_in_utf_8(desk, receiver):
    await desk.subscribe(receiver.url(), include_customer=True)

    await desk.book(slot(1), note="Größe 38 \u2028 😀")
    await desk.carry_out()

    (call,) = receiver.calls
    assert json.loads(call.body.decode())["booking"]["fields"]["note"] == "Größe 38 \u2028 😀"
