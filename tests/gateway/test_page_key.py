"""The key of the demo's pages, which everyone can read: it stays the same, and may do little."""

import json
import stat

import pytest

from service.cli.api_key import ASSISTANT, SCOPES, WIDGET, kept_key, let_in
from service.cli.demo import page_documents
from service.settings import Settings
from tests.gateway.requests import a_booking, a_hold, a_window
from tests.gateway.web import Web
from tests.rpc.stack import a_request_id


@pytest.fixture
def page(shop, stack, loop_thread, tmp_path):
    """Who has nothing but the key of a page."""
    loop_thread.run(let_in(stack.database, shop.caller.business_id, tmp_path, WIDGET))
    return Web(shop.web.port, kept_key(tmp_path, WIDGET))


def test_the_key_of_a_page_lists_watches_holds_and_books(page, shop):
    with page.events(f"{shop.path}/slots:events", a_window()) as events:
        assert "snapshotChunk" in next(events).frame

    assert page.get(shop.path).status == 200
    assert page.get(f"{shop.path}/slots", a_window()).status == 200
    assert page.post(f"{shop.path}/holds", a_hold(shop)).status == 200
    assert page.post(f"{shop.path}/bookings", a_booking(shop, holder="kim")).status == 200


def test_the_key_of_a_page_may_do_nothing_else(page, shop):
    booked = shop.web.post(f"{shop.path}/bookings", a_booking(shop))
    (booking,) = booked.json["bookings"]
    approval = {"requestId": a_request_id(), "version": booking["version"]}
    business = {"business": {"displayName": "Mine"}, "updateMask": "displayName"}
    refused = {
        "list who has booked": page.get(f"{shop.path}/bookings"),
        "read who has booked": page.get(f"/v1/{booking['name']}"),
        "watch who books": page.get(f"{shop.path}/bookings:events"),
        "approve": page.post(f"/v1/{booking['name']}:approve", approval),
        "make a business": page.post("/v1/businesses", {"requestId": a_request_id(), **business}),
    }
    elsewhere = page.get("/v1/businesses/other/slots", a_window())

    assert {what: answer.status for what, answer in refused.items()} == dict.fromkeys(refused, 403)
    assert elsewhere.status == 404


def test_the_scopes_of_a_page_are_three_and_an_assistant_may_read_bookings_too():
    assert {"availability.read", "bookings.write", "catalog.read"} == WIDGET.scopes < set(SCOPES)
    assert WIDGET.scopes | {"bookings.read"} == ASSISTANT.scopes


@pytest.mark.parametrize("kept", [WIDGET, ASSISTANT])
def test_the_key_stays_the_same_and_is_its_owners_only(tmp_path, kept):
    key = kept_key(tmp_path, kept)

    assert kept_key(tmp_path, kept) == key
    assert stat.S_IMODE((tmp_path / kept.file_name).stat().st_mode) == 0o600


def test_a_key_that_is_let_in_already_stays(stack, shop, loop_thread, page, tmp_path):
    loop_thread.run(let_in(stack.database, shop.caller.business_id, tmp_path, WIDGET))

    assert page.get(f"{shop.path}/slots", a_window()).status == 200


def test_what_pages_are_told_lies_in_the_data_folder_for_its_owner_only(tmp_path):
    settings = Settings(data_folder=tmp_path / "data", pages=tmp_path / "pages")

    told = page_documents(settings)["/demo.json"]

    assert told.parent == settings.data_folder
    assert stat.S_IMODE(told.stat().st_mode) == 0o600
    assert json.loads(told.read_text()) == {
        "url": "",
        "business": "demo",
        "apiKey": kept_key(settings.data_folder, WIDGET),
    }


def test_without_pages_nothing_is_told(tmp_path):
    assert not page_documents(Settings(data_folder=tmp_path))
    assert not list(tmp_path.iterdir())
