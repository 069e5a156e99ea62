"""A chat that speaks HTTP hands over to a form that speaks HTTP, and is told what was booked."""

import pytest

from tests.gateway.requests import a_booking, a_hold, text
from tests.gateway.web import Web
from tests.rpc.stack import a_request_id, tomorrow

EMAIL = {"name": "email", "value": "kim@example.org", "provenance": "PROVENANCE_SAID"}
LANGUAGE = {"name": "language", "value": "de", "provenance": "PROVENANCE_INFERRED"}


@pytest.fixture
def hold(shop):
    """The name of a hold of a chat."""
    held = shop.web.post(f"{shop.path}/holds", a_hold(shop, conversation="chat-7"))
    return held.json["hold"]["name"]


@pytest.fixture
def ticket(shop, hold):
    request = {"requestId": a_request_id(), "fields": [EMAIL, LANGUAGE]}
    return shop.web.post(f"/v1/{hold}:handOff", request).json["ticket"]


@pytest.fixture
def form(shop, ticket):
    """Who has no key but the ticket."""
    return Web(shop.web.port, ticket)


def a_redemption(ticket, holder="form"):
    return {"requestId": a_request_id(), "ticket": ticket, "holder": holder}


def of_hold(shop, hold, consent=None, **more):
    appointment = {"hold": hold, **({"consent": consent} if consent else {})}
    return a_booking(shop, appointments=[appointment], holder="form", **more)


def test_c3_a_form_redeems_a_ticket_over_rest_and_books_what_is_still_held(
    shop, hold, ticket, form
):
    redeemed = form.post(f"{shop.path}/handoffs:redeem", a_redemption(ticket))
    assert (redeemed.json["hold"]["name"], redeemed.json["hold"]["holder"]) == (hold, "form")
    assert redeemed.json["fields"] == [EMAIL, LANGUAGE]

    booked = form.post(f"{shop.path}/bookings", of_hold(shop, hold))
    assert booked.status == 200

    name = booked.json["bookings"][0]["name"]
    assert shop.web.get(f"/v1/{name}").json["booking"]["conversation"] == "chat-7"


def test_c3_a_ticket_that_another_holder_has_redeemed_is_refused_over_rest(shop, ticket, form):
    form.post(f"{shop.path}/handoffs:redeem", a_redemption(ticket))

    refused = form.post(f"{shop.path}/handoffs:redeem", a_redemption(ticket, holder="another"))

    assert (refused.status, refused.reason) == (400, "HANDOFF_USED")


def test_c1_a_consent_to_another_time_is_refused_over_rest_and_nothing_is_booked(shop, hold):
    other = text(tomorrow(10))
    names = {"appointmentType": "Visit", "calendar": "Anna", "timeZone": "Etc/UTC"}
    request = of_hold(shop, hold, consent={"start": other, **names}) | {"holder": "kim"}

    refused = shop.web.post(f"{shop.path}/bookings", request)

    assert refused.reason == "CONSENT_MISMATCH"
    assert refused.json["details"][0]["metadata"]["field"] == "start"
    day = {"startTime": text(tomorrow(0)), "endTime": text(tomorrow(23))}
    assert not shop.web.get(f"{shop.path}/bookings", day).json.get("bookings")
