"""What a client can ask AvailabilityService about times in words."""

from __future__ import annotations

from datetime import datetime

from slotcast import convert
from slotcast.channel import Connected
from slotcast.spoken_times import TimeReading, time_reading
from slotcast.v1 import availability_service_pb2 as pb


class SpokenTimeMethods(Connected):
    """Times in words, such as "next Tuesday afternoon"."""

    async def resolve_time(
        self, text: str, *, time_zone: str, language: str = "", now: datetime | None = None
    ) -> list[TimeReading]:
        """Ask what a time in words means; the likeliest reading first, and never none.

        More than one: ask the person which is meant. `time_zone` is the person's, as IANA names it;
        `language` a BCP 47 tag, without which English, German and Spanish are tried. Counted from
        `now`, or else from the database's clock. TimeNotUnderstood, DateDoesNotExist,
        TimeHasPassed: their metadata says what to ask the person.
        """
        link = self._connection
        request = pb.ResolveTimeRequest(
            parent=link.names.business(),
            text=text,
            time_zone=time_zone,
            language=language,
            now=None if now is None else convert.timestamp(now),
        )
        response = await link.calls.unary(link.availability.ResolveTime, request)
        return [time_reading(reading) for reading in response.readings]
