"""ResolveTime through the real server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from service.domain.errors import Overloaded
from service.live.availability import Availability
from service.live.clock import DatabaseClock
from slotcast.v1 import availability_service_pb2 as availability_pb
from tests.rpc.stack import refusal, stamp

NOW = datetime(2026, 12, 1, 8, 15, tzinfo=UTC)  # a Tuesday, 09:15 in Berlin
READING = availability_pb.TimeReading


def asked(caller, text, **changes):
    values = {
        "parent": caller.business,
        "text": text,
        "time_zone": "Europe/Berlin",
        "now": stamp(NOW),
    }
    return availability_pb.ResolveTimeRequest(**{**values, **changes})


def resolved(caller, text, **changes):
    return caller.call(caller.availability.ResolveTime, asked(caller, text, **changes))


def refused(caller, text, **changes):
    request = asked(caller, text, **changes)
    code, _, details = refusal(caller.availability.ResolveTime, request, metadata=caller.metadata)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    return details["ErrorInfo"]


def test_words_become_windows_and_words_with_zone_and_offset(shop):
    answer = resolved(shop, "next Tuesday afternoon")

    (reading,) = answer.readings
    (window,) = reading.windows
    assert window.start_time.ToDatetime(tzinfo=UTC) == datetime(2026, 12, 8, 11, tzinfo=UTC)
    assert window.end_time.ToDatetime(tzinfo=UTC) == datetime(2026, 12, 8, 17, tzinfo=UTC)
    assert reading.words == ("Tuesday 8 December 2026, 12:00 to 18:00 (Europe/Berlin, UTC+01:00)")
    assert (reading.pick, reading.language) == (READING.PICK_ANY, "en")
    assert answer.as_of == stamp(NOW)


def test_words_that_can_mean_two_things_have_two_readings_the_likeliest_first(shop):
    first, second = resolved(shop, "next Friday").readings

    assert first.words.startswith("Friday 11 December 2026")
    assert second.words.startswith("Friday 4 December 2026")


@pytest.mark.parametrize(
    ("text", "pick"),
    [
        ("tomorrow", READING.PICK_ANY),
        ("the first slot tomorrow", READING.PICK_FIRST),
        ("the last slot tomorrow", READING.PICK_LAST),
        ("tomorrow at 10", READING.PICK_AT),
    ],
)
def test_a_reading_says_which_slot_of_its_windows_is_meant(shop, text, pick):
    assert [reading.pick for reading in resolved(shop, text).readings] == [pick]


def test_without_now_words_count_from_the_clock_of_the_database(shop):
    answer = resolved(shop, "in the next 2 hours", now=None)

    (window,) = answer.readings[0].windows
    assert window.start_time == answer.as_of
    assert abs(answer.as_of.ToDatetime(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=1)


def test_words_that_are_not_understood_are_named(shop):
    info = refused(shop, "tomorrow with gusto")

    assert info.reason == "TIME_NOT_UNDERSTOOD"
    assert info.metadata["unread"] == "gusto"


def test_a_date_that_no_calendar_has_is_named(shop):
    info = refused(shop, "on 31 June at 10")

    assert info.reason == "DATE_DOES_NOT_EXIST"
    assert info.metadata["date"] == "31 June"


def test_a_time_that_has_passed_is_told_as_it_was_read(shop):
    info = refused(shop, "today at 8 am")

    assert info.reason == "TIME_HAS_PASSED"
    assert info.metadata["read"] == "Tuesday 1 December 2026 at 08:00 (Europe/Berlin, UTC+01:00)"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"language": "fr"}, "language"),
        ({"language": "no language"}, "language"),
        ({"text": ""}, "text"),
        ({"text": "x" * 201}, "text"),
    ],
)
def test_what_is_no_zone_no_language_or_no_text_is_refused_by_its_field(shop, changes, field):
    request = asked(shop, **{"text": "tomorrow", **changes})
    code, reason, details = refusal(shop.availability.ResolveTime, request, metadata=shop.metadata)

    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert [each.field for each in details["BadRequest"].field_violations] == [field]


def test_nothing_of_the_business_is_loaded_for_it(make_caller, shared_stack):
    caller = make_caller("never-made")

    assert resolved(caller, "tomorrow").readings

    assert "never-made" not in shared_stack.parts.follower.business_ids


def test_the_key_of_another_business_asks_nothing_here(stranger, shop):
    request = asked(shop, "tomorrow")

    code, _, _ = refusal(shop.availability.ResolveTime, request, metadata=stranger.metadata)

    assert code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED)


def test_a_server_that_has_not_read_the_clock_yet_says_to_retry():
    nothing: Any = None
    clock = DatabaseClock(lambda: 0.0)
    availability = Availability(grounds=nothing, clock=clock, monotonic=nothing)

    with pytest.raises(Overloaded):
        availability.now()
