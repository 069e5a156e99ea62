"""A list is told once: who has it and asks again is told that it is still the same."""

import pytest

from service.live.availability import Availability
from tests.gateway.requests import a_booking, a_hold
from tests.rpc.stack import tomorrow


def test_a_list_that_is_still_the_same_is_not_told_again(slots):
    first = slots()

    again = slots(first.headers["etag"])

    assert (again.status, again.json) == (304, None)
    assert again.headers["etag"] == first.headers["etag"]


def test_whether_a_list_is_the_same_is_known_without_its_slots(slots, monkeypatch):
    first = slots()
    monkeypatch.delattr(Availability, "_collect")

    assert slots(first.headers["etag"]).status == 304


@pytest.mark.parametrize("ask_for", [("bookings", a_booking), ("holds", a_hold)])
def test_a_list_that_has_changed_is_told_with_another_tag(shop, slots, ask_for):
    collection, request = ask_for
    first = slots()
    shop.web.post(f"{shop.path}/{collection}", request(shop))

    again = slots(first.headers["etag"])

    assert again.status == 200
    assert len(again.json["slots"]) == len(first.json["slots"]) - 1
    assert again.headers["etag"] != first.headers["etag"]


def test_a_list_that_time_may_have_changed_is_told_again(shop, slots):
    shop.web.post(f"{shop.path}/holds", a_hold(shop))
    until = slots().headers["etag"].removesuffix('"').rpartition(".")[2]

    # The hold expires first, long before the first start has passed.
    assert int(until) / 1e6 < tomorrow(0).timestamp()
    passed = slots().headers["etag"].replace(until, "1")
    assert slots(passed).status == 200


def test_a_tag_is_that_of_its_own_list(slots):
    tag = slots().headers["etag"]

    assert slots(tag, pageSize=3).status == 200
    assert slots(slots(pageSize=3).headers["etag"], pageSize=3).status == 304


def test_a_page_has_a_tag_of_its_own(slots):
    first = slots(pageSize=3)
    second = slots(pageSize=3, pageToken=first.json["nextPageToken"])

    asked = slots(second.headers["etag"], pageSize=3, pageToken=first.json["nextPageToken"])

    assert asked.status == 304
    assert (
        slots(first.headers["etag"], pageSize=3, pageToken=first.json["nextPageToken"]).status
        == 200
    )


def test_who_has_whatever_there_is_is_told_nothing_of_a_list_that_there_is(shop, slots):
    """RFC 9110, section 13.1.2."""
    answer = slots("*")

    assert (answer.status, answer.json) == (304, None)
    assert slots(answer.headers["etag"]).status == 304
    path = f"{shop.path}/slots".replace(shop.caller.business_id, "nobodys")
    assert shop.web.get(path, if_none_match="*").status >= 400


@pytest.mark.parametrize(
    "tag", ['"*"', "*x", "W/", '"x"', 'W/"a.b.c"', "," * 5000, 'W/"' + "9" * 90 + '"']
)
def test_what_is_no_tag_of_ours_is_none(slots, tag):
    assert slots(tag).status == 200


def test_one_of_several_tags_will_do(slots):
    tag = slots().headers["etag"]

    assert slots(f'"x", {tag}, W/"y"').status == 304


def test_no_cache_may_answer_for_the_server(slots):
    assert slots().headers["cache-control"] == "private, no-cache"


def test_a_holder_of_one_key_is_not_that_of_another(shop, slots, stack, loop_thread):
    shop.web.post(f"{shop.path}/holds", a_hold(shop))
    mine = slots(holder="kim")
    shop.web.headers = {
        "authorization": f"Bearer {loop_thread.run(stack.make_key(shop.caller.business_id))}"
    }

    theirs = slots(mine.headers["etag"], holder="kim")

    assert theirs.status == 200
    assert len(theirs.json["slots"]) == len(mine.json["slots"]) - 1


def test_a_list_that_is_not_told_again_has_no_length(slots):
    assert "content-length" not in slots(slots().headers["etag"]).headers
