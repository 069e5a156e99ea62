"""A browser's EventSource watches: frames as events, resumed by the id of the last one."""

import pytest

from tests.gateway.requests import a_booking, a_window, text
from tests.gateway.web import Web
from tests.rpc.stack import tomorrow


@pytest.fixture
def path(shop):
    return f"{shop.path}/slots:events"


def first(events, kind):
    """Read events until one is of a kind, and return it."""
    return next(event for event in events if kind in event.frame)


def test_a_booking_comes_as_an_event(shop, path):
    with shop.web.events(path, a_window()) as events:
        first(events, "snapshotEnd")
        shop.web.post(f"{shop.path}/bookings", a_booking(shop))

        (closed,) = first(events, "delta").frame["delta"]["closed"]

    assert closed["startTime"] == text(tomorrow(9))


@pytest.mark.parametrize("by", ["header", "query"])
def test_w3_one_resumes_by_the_id_of_the_last_event(shop, path, by):
    with shop.web.events(path, a_window()) as events:
        last = first(events, "snapshotEnd")
    booked = shop.web.post(f"{shop.path}/bookings", a_booking(shop))
    headers = {"last_event_id": last.id} if by == "header" else {}
    query = a_window(resumeToken=last.id) if by == "query" else a_window()

    with shop.web.events(path, query, **headers) as events:
        resumed = next(events)

    assert "delta" in resumed.frame
    assert resumed.frame["revision"] == booked.json["revision"]


def test_the_id_of_an_event_is_its_resume_token(shop, path):
    with shop.web.events(path, a_window()) as events:
        last = first(events, "snapshotEnd")

    assert last.id == last.frame["resumeToken"]


def test_who_cannot_send_a_header_sends_the_key_in_the_query(shop, envoy, path):
    key = shop.web.headers["authorization"].removeprefix("Bearer ")

    with Web(envoy.port).events(path, a_window(key=key)) as events:
        assert first(events, "snapshotEnd")


def test_a_key_in_the_query_is_for_events_only(shop, web):
    key = shop.web.headers["authorization"].removeprefix("Bearer ")

    assert web.get(f"{shop.path}/slots", a_window(key=key)).status == 400


def test_w4_a_watch_in_which_nothing_happens_is_not_silent(shop, path):
    with shop.web.events(path, a_window()) as events:
        beat = first(events, "heartbeat")

    assert beat.frame["heartbeat"]["openSlots"] == 16


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ({}, {}, 400),
        (a_window(resumeToken="x"), {}, 400),
        (a_window(), {"last_event_id": "x" * 2000}, 400),
        (a_window(), {"authorization": "Bearer x"}, 401),
        (a_window(calendars="businesses/other/calendars/anna"), {}, 404),
    ],
)
def test_what_is_refused_at_once_is_an_error_and_no_stream(shop, path, query, headers, status):
    refused = shop.web.get(path, query, **headers)

    assert refused.status == status
    assert refused.headers["content-type"] == "application/json"


def test_bookings_come_as_events_too(shop):
    with shop.web.events(f"{shop.path}/bookings:events") as events:
        first(events, "heartbeat")
        shop.web.post(f"{shop.path}/bookings", a_booking(shop))

        change = first(events, "change").frame["change"]

    assert change["kind"] == "KIND_BOOKED"


def test_a_watch_is_a_line_for_each_frame_where_no_browser_reads_it(shop):
    query = f"{shop.path}/slots:watch?startTime={text(tomorrow(9))}&endTime={text(tomorrow(17))}"
    with shop.web.asking("GET", query) as response:
        assert b"snapshotChunk" in response.readline()
