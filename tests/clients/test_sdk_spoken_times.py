"""The client: times in words."""

from datetime import UTC, datetime, timedelta

import grpc
import pytest

from slotcast import (
    DateDoesNotExist,
    InvalidRequest,
    TimeHasPassed,
    TimeNotUnderstood,
    TimePick,
    TimeReading,
    TimeWindow,
)
from slotcast.v1 import availability_service_pb2 as pb
from tests.clients.scripted import refused

TUESDAY = datetime(2030, 1, 8, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def answer(pick=pb.TimeReading.PICK_FIRST):
    reading = pb.TimeReading(
        words="The first free time: Tuesday",
        pick=pick,
        language="en",
        windows=[pb.TimeReading.Window()],
    )
    reading.windows[0].start_time.FromDatetime(TUESDAY)
    reading.windows[0].end_time.FromDatetime(TUESDAY + HOUR)
    return pb.ResolveTimeResponse(readings=[reading])


async def test_words_are_asked_about_as_they_were_said_and_readings_come_back(client, script):
    script.on("ResolveTime", lambda _: answer())

    readings = await client.resolve_time(
        "first thing on Tuesday", time_zone="Europe/Berlin", language="en-GB", now=TUESDAY - HOUR
    )

    request = script.calls[-1].request
    assert request.parent == "businesses/salon"
    assert (request.text, request.time_zone) == ("first thing on Tuesday", "Europe/Berlin")
    assert request.language == "en-GB"
    assert request.now.ToDatetime(tzinfo=UTC) == TUESDAY - HOUR
    assert readings == [
        TimeReading(
            words="The first free time: Tuesday",
            windows=(TimeWindow(TUESDAY, TUESDAY + HOUR),),
            pick=TimePick.FIRST,
            language="en",
        )
    ]


async def test_without_now_the_server_says_from_when_words_count(client, script):
    script.on("ResolveTime", lambda _: answer())

    await client.resolve_time("tomorrow", time_zone="UTC")

    assert not script.calls[-1].request.HasField("now")


async def test_a_naive_now_is_refused_before_anything_is_sent(client, script):
    with pytest.raises(ValueError, match="time zone"):
        await client.resolve_time("tomorrow", time_zone="UTC", now=TUESDAY.replace(tzinfo=None))

    assert script.calls == []


async def test_a_pick_of_a_newer_server_is_unknown(client, script):
    script.on("ResolveTime", lambda _: answer(pick=99))

    (reading,) = await client.resolve_time("tomorrow", time_zone="UTC")

    assert reading.pick is TimePick.UNKNOWN


@pytest.mark.parametrize(
    ("reason", "kind", "metadata"),
    [
        ("TIME_NOT_UNDERSTOOD", TimeNotUnderstood, {"unread": "blorp"}),
        ("DATE_DOES_NOT_EXIST", DateDoesNotExist, {"date": "31 June"}),
        ("TIME_HAS_PASSED", TimeHasPassed, {"read": "Monday"}),
    ],
)
async def test_a_refusal_says_what_to_ask_the_person(client, script, reason, kind, metadata):
    def refuse(_):
        raise refused(grpc.StatusCode.INVALID_ARGUMENT, reason, **metadata)

    script.on("ResolveTime", refuse)

    with pytest.raises(kind) as caught:
        await client.resolve_time("blorp", time_zone="UTC")

    assert isinstance(caught.value, InvalidRequest)
    assert caught.value.metadata == metadata
    assert not caught.value.retryable
