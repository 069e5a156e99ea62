"""Calendars as files, as calendar programs and scripts ask for them over HTTP."""

import base64

import icalendar

from tests.gateway.requests import a_booking


def fetch(web, path, method="GET", **headers):
    """Ask as a calendar program does: without a key, for what is no JSON."""
    with web.asking(method, path, **headers) as response:
        named = {name.lower(): value for name, value in response.headers.items()}
        return response.status, named, response.read()


def a_link(shop, **more):
    created = shop.web.post(f"{shop.path}/calendars/anna/feedLinks", more)
    assert created.status == 200
    return created.json["link"]["name"], created.json["url"]


def test_a_calendar_program_subscribes_to_a_secret_address(shop, web):
    shop.web.post(f"{shop.path}/bookings", a_booking(shop))
    _, url = a_link(shop, displayName="Anna's phone")

    status, headers, body = fetch(web, url)

    assert status == 200
    assert headers["content-type"] == "text/calendar; charset=utf-8"
    assert headers["cache-control"] == "private, no-cache"
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert event["SUMMARY"] == "Visit"
    assert fetch(web, url, "HEAD")[::2] == (200, b"")


def test_a_file_that_is_the_same_is_not_told_again(shop, web):
    shop.web.post(f"{shop.path}/bookings", a_booking(shop))
    _, url = a_link(shop)
    tag = fetch(web, url)[1]["etag"]

    status, headers, body = fetch(web, url, if_none_match=tag)
    assert (status, headers["etag"], body) == (304, tag, b"")

    shop.web.post(f"{shop.path}/bookings", a_booking(shop, hour=11))
    status, headers, body = fetch(web, url, if_none_match=tag)
    assert status == 200
    assert headers["etag"] != tag
    assert body.count(b"BEGIN:VEVENT") == 2


def test_who_has_whatever_there_is_is_told_nothing_of_a_file_that_there_is(shop, web):
    """RFC 9110, section 13.1.2."""
    shop.web.post(f"{shop.path}/bookings", a_booking(shop))
    name, url = a_link(shop)
    tag = fetch(web, url)[1]["etag"]

    for method in ("GET", "HEAD"):
        status, headers, body = fetch(web, url, method, if_none_match="*")
        assert (status, headers["etag"], body) == (304, tag, b"")
    keyed = shop.web.get(f"{shop.path}/calendars/anna:feed", if_none_match="*")
    assert (keyed.status, keyed.json) == (304, None)
    shop.web.ask("DELETE", f"/v1/{name}")
    assert fetch(web, url, if_none_match="*")[0] == 404


def test_an_address_that_was_revoked_is_not_found(shop, web):
    name, url = a_link(shop)
    assert shop.web.ask("DELETE", f"/v1/{name}").status == 200

    status, _, body = fetch(web, url)

    assert status == 404
    assert b"RESOURCE_NOT_FOUND" in body


def test_a_key_gets_the_file_in_json_with_a_tag(shop):
    shop.web.post(f"{shop.path}/bookings", a_booking(shop))
    path = f"{shop.path}/calendars/anna:feed"

    first = shop.web.get(path, {"withNames": "true"})
    again = shop.web.get(path, {"withNames": "true"}, if_none_match=first.headers["etag"])
    other = shop.web.get(path, if_none_match=first.headers["etag"])

    assert b"Visit: Kim" in base64.b64decode(first.json["ics"])
    assert (again.status, again.json) == (304, None)
    assert other.status == 200
    assert b"Kim" not in base64.b64decode(other.json["ics"])


def test_a_feed_is_listed_and_ended_over_http(shop):
    path = f"{shop.path}/calendars/anna"
    ics = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    imported = shop.web.post(
        f"{path}:importBusy",
        {"feedId": "file", "ics": base64.b64encode(ics).decode(), "requestId": "one"},
    )
    name = imported.json["feed"]["name"]

    listed = shop.web.get(f"{path}/busyFeeds").json["feeds"]
    assert [(feed["name"], feed["state"]) for feed in listed] == [(name, "STATE_OK")]
    assert shop.web.get(f"/v1/{name}").json["feed"] == listed[0]
    assert shop.web.ask("DELETE", f"/v1/{name}?requestId=two").status == 200
    assert shop.web.get(f"/v1/{name}").status == 404
