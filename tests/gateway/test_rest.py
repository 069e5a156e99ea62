"""Any HTTP client can book: the API over REST, and what its errors look like."""

import json

import pytest

from service.rpc.methods import SERVICES
from tests.gateway.requests import a_booking, a_hold, a_slot, a_window, text
from tests.rpc.stack import a_request_id, tomorrow

TOO_LARGE = json.dumps({"requestId": "x" * 8_000_000})


def starts(answer):
    return [slot["startTime"] for slot in answer.json.get("slots", [])]


def test_one_lists_holds_books_reads_and_cancels_over_rest(shop):
    listed = shop.web.get(f"{shop.path}/slots", a_window())
    assert text(tomorrow(9)) in starts(listed)

    held = shop.web.post(f"{shop.path}/holds", a_hold(shop))
    assert held.status == 200
    assert text(tomorrow(9)) not in starts(shop.web.get(f"{shop.path}/slots", a_window()))

    booked = shop.web.post(f"{shop.path}/bookings", a_booking(shop, holder="kim"))
    assert booked.status == 200
    (booking,) = booked.json["bookings"]

    read = shop.web.get(f"/v1/{booking['name']}")
    assert read.json["booking"] == booking

    request = {"requestId": a_request_id(), "version": booking["version"]}
    cancelled = shop.web.post(f"/v1/{booking['name']}:cancel", request)
    assert cancelled.status == 200
    assert text(tomorrow(9)) in starts(shop.web.get(f"{shop.path}/slots", a_window()))


def test_b3_a_request_that_is_repeated_books_once(shop):
    request = a_booking(shop)

    first = shop.web.post(f"{shop.path}/bookings", request)

    assert shop.web.post(f"{shop.path}/bookings", request).json == first.json


def test_a_refusal_is_a_status_with_its_details(shop):
    shop.web.post(f"{shop.path}/bookings", a_booking(shop))

    refused = shop.web.post(f"{shop.path}/bookings", a_booking(shop))

    assert refused.status == 400
    assert refused.json["code"] == 9
    assert refused.reason == "SLOT_TAKEN"
    assert refused.json["details"][1]["slots"][0]["startTime"] == text(tomorrow(8, 30))


def test_a_malformed_request_is_told_which_field(shop):
    refused = shop.web.post(f"{shop.path}/bookings", a_booking(shop, requestId=""))

    assert refused.status == 400
    fields = {each["field"] for each in refused.json["details"][1]["fieldViolations"]}
    assert fields == {"request_id"}


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        (lambda shop: shop.web.get("/v1/nowhere"), 404, 5),
        (lambda shop: shop.web.get("/nowhere"), 404, 5),
        (lambda shop: shop.web.ask("PUT", f"{shop.path}/slots"), 404, 5),
        (lambda shop: shop.web.get(f"{shop.path}/slots", a_window(colour="red")), 400, 3),
        (lambda shop: shop.web.get(f"{shop.path}/slots", a_window(pageSize="many")), 400, 3),
        (lambda shop: shop.web.ask("POST", f"{shop.path}/bookings", '{"requestId": "'), 400, 3),
        (lambda shop: shop.web.ask("POST", f"{shop.path}/bookings", "[1, 2]"), 400, 3),
        (lambda shop: shop.web.ask("POST", f"{shop.path}/bookings", '{"requestId": 7}'), 400, 3),
        (lambda shop: shop.web.ask("POST", f"{shop.path}/bookings", TOO_LARGE), 429, 8),
        (lambda shop: shop.web.get("/v1/businesses/nobody"), 404, 5),
    ],
)
def test_what_cannot_be_read_is_refused_in_json(shop, ask, status, code):
    refused = ask(shop)

    assert (refused.status, refused.json["code"]) == (status, code)
    assert refused.headers["content-type"] == "application/json"
    assert refused.json["message"]


def test_who_has_no_key_is_told_so(shop, web):
    refused = web.get(shop.path)

    assert (refused.status, refused.json["code"], refused.reason) == (401, 16, "KEY_MISSING")


def test_no_answer_may_be_kept_unasked(shop):
    answers = [
        shop.web.get(shop.path),
        shop.web.post(f"{shop.path}/holds", a_hold(shop)),
        shop.web.get(f"{shop.path}/calendars"),
    ]

    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


def test_every_method_has_a_path():
    lacking = [
        method.full_name
        for service in SERVICES.values()
        for method in service.methods
        if not any(option.name == "http" for option, _ in method.GetOptions().ListFields())
    ]

    assert not lacking


def test_b6_a_slot_is_explained_over_rest(shop):
    answer = shop.web.post(f"{shop.path}/slots:explain", {"slot": a_slot(shop)})

    assert answer.json["bookable"] is True


def test_a_name_is_text_and_nothing_else(shop):
    name = "<b>Kim</b> & 'co' \"x\""
    request = a_booking(shop, customer={"displayName": name})

    (booking,) = shop.web.post(f"{shop.path}/bookings", request).json["bookings"]

    assert booking["customer"]["displayName"] == name


def test_a_header_that_is_no_metadata_is_dropped(shop):
    with shop.web.asking("GET", shop.path, **{"x`y": "1", "x_name!": "2"}) as response:
        assert response.status == 200
