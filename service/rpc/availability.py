"""AvailabilityService."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import aclosing
from datetime import datetime

from service.domain.explanation import Rule, RuleVerdict
from service.domain.ids import calendar_name
from service.domain.slot import SlotKey
from service.domain.spoken_time import Pick, Reading, resolve
from service.live.availability import Availability, Listed, Lost
from service.live.tokens import Tokens
from service.live.watchers import Watchers
from service.rpc.call import Behaviour, Call
from service.rpc.convert.etags import is_any, read_etags, write_etag
from service.rpc.convert.frames import with_stream_seq
from service.rpc.convert.slots import (
    encode_slot,
    read_holder_key,
    read_slot_choice,
    read_slot_query,
)
from service.rpc.convert.times import check_zone, read_instant, write_instant
from service.rpc.reading import query_hash
from service.rpc.wire import bytes_field
from slotcast.v1 import availability_service_pb2 as availability_pb

PAGE_SIZE_DEFAULT = 1000
# Read by the gateway.
NOT_MODIFIED = "x-slotcast-not-modified"
IF_NONE_MATCH = "if-none-match"
SLOTS_FIELD = availability_pb.ListSlotsResponse.SLOTS_FIELD_NUMBER
VERDICT = availability_pb.RuleVerdict
RULES: Mapping[Rule, availability_pb.RuleVerdict.Rule.ValueType] = {
    Rule.HOURS: VERDICT.RULE_HOURS,
    Rule.GRID: VERDICT.RULE_GRID,
    Rule.NOTICE: VERDICT.RULE_NOTICE,
    Rule.HORIZON: VERDICT.RULE_HORIZON,
    Rule.FREE: VERDICT.RULE_FREE,
    Rule.DAY_CAP: VERDICT.RULE_DAY_CAP,
    Rule.WEEK_CAP: VERDICT.RULE_WEEK_CAP,
}
PICKS: Mapping[Pick, availability_pb.TimeReading.Pick.ValueType] = {
    Pick.ANY: availability_pb.TimeReading.PICK_ANY,
    Pick.FIRST: availability_pb.TimeReading.PICK_FIRST,
    Pick.LAST: availability_pb.TimeReading.PICK_LAST,
    Pick.AT: availability_pb.TimeReading.PICK_AT,
}


class AvailabilityService:
    """Shows which slots are open, now and as they change."""

    def __init__(self, *, availability: Availability, watchers: Watchers, tokens: Tokens) -> None:
        """Take what its methods need."""
        self._availability = availability
        self._watchers = watchers
        self._tokens = tokens

    def behaviours(self) -> Mapping[str, Behaviour]:
        """Return what answers each method."""
        return {
            "ListSlots": self.list_slots,
            "WatchAvailability": self.watch_availability,
            "ExplainSlot": self.explain_slot,
            "ResolveTime": self.resolve_time,
        }

    async def list_slots(self, request: availability_pb.ListSlotsRequest, call: Call) -> bytes:
        """Answer ListSlots."""
        page_query = query_hash("ListSlots", request)
        after = None
        if request.page_token:
            after = _slot_key(self._tokens.read_page(request.page_token, page_query))
        page_size = request.page_size or PAGE_SIZE_DEFAULT
        query = read_slot_query(request, call.business_id, call.principal.principal_id)
        # A holder of one API key is not that of another.
        page_text = f"{page_query} {page_size} {after} {query.holder_key}"
        page_hash = hashlib.sha256(page_text.encode()).hexdigest()[:16]
        listed = await self._availability.list_if_changed(
            query,
            request.min_revision,
            after=after,
            limit=page_size + 1,
            known=read_etags(call.metadata.get(IF_NONE_MATCH), page_hash) if call.is_rest else None,
            wants_validity=call.is_rest,
        )
        if call.is_rest:
            if is_any(call.metadata.get(IF_NONE_MATCH)):
                listed = listed._replace(slots=None)
            await _tell_caches(call, page_hash, listed)
        found = listed.slots or []
        page = found[:page_size]
        tail = availability_pb.ListSlotsResponse(
            revision=listed.revision, as_of=write_instant(listed.as_of)
        )
        if len(found) > page_size:
            tail.next_page_token = self._tokens.page(page_query, _key_texts(page[-1].key))
        slots = (bytes_field(SLOTS_FIELD, encode_slot(slot, call.business_id)) for slot in page)
        return b"".join(slots) + tail.SerializeToString()

    async def watch_availability(
        self, request: availability_pb.WatchAvailabilityRequest, call: Call
    ) -> None:
        """Answer WatchAvailability."""
        query = read_slot_query(request, call.business_id, call.principal.principal_id)
        watch = self._watchers.watch(
            query,
            resume_token=request.resume_token,
            min_revision=request.min_revision,
            is_web=call.is_web,
        )
        stream_seq = 0
        async with aclosing(watch) as sent_frames:
            async for sent in sent_frames:
                await call.recheck_key()
                stream_seq += 1
                await call.write(with_stream_seq(sent.body, stream_seq))

    async def explain_slot(
        self, request: availability_pb.ExplainSlotRequest, call: Call
    ) -> availability_pb.ExplainSlotResponse:
        """Answer ExplainSlot."""
        wish = read_slot_choice(request.slot, call.business_id, "slot")
        verdicts, is_bookable, revision, as_of = await self._availability.explain(
            Lost(
                business_id=call.business_id,
                type_id=wish.type_id,
                calendar_id=wish.calendar_id,
                start=wish.start,
                duration=wish.duration,
                holder_key=read_holder_key(request.holder, call.principal.principal_id),
            ),
            request.min_revision,
        )
        return availability_pb.ExplainSlotResponse(
            bookable=is_bookable,
            verdicts=[_write_verdict(verdict, call.business_id) for verdict in verdicts],
            revision=revision,
            as_of=write_instant(as_of),
        )

    async def resolve_time(
        self, request: availability_pb.ResolveTimeRequest, call: Call
    ) -> availability_pb.ResolveTimeResponse:
        """Answer ResolveTime. Nothing of the business is asked for, so no replica is needed."""
        if request.HasField("now"):
            now = read_instant(request.now, "now")
        else:
            now = self._availability.now()
        readings = resolve(
            request.text,
            now=now,
            zone=check_zone(request.time_zone, "time_zone"),
            language=request.language,
        )
        return availability_pb.ResolveTimeResponse(
            readings=[_write_reading(reading) for reading in readings], as_of=write_instant(now)
        )


async def _tell_caches(call: Call, page_hash: str, listed: Listed) -> None:
    """Send what HTTP wants to know of a list: what tells it apart, and that it may have changed."""
    headers = [("cache-control", "private, no-cache")]
    if listed.validity is not None:
        headers.append(("etag", write_etag(page_hash, listed.validity)))
    if listed.slots is None:
        headers.append((NOT_MODIFIED, "1"))
    await call.context.send_initial_metadata(tuple(headers))


def _write_verdict(verdict: RuleVerdict, business_id: str) -> availability_pb.RuleVerdict:
    return availability_pb.RuleVerdict(
        rule=RULES[verdict.rule],
        calendar=calendar_name(business_id, verdict.calendar_id),
        passed=verdict.passed,
        explanation=verdict.explanation,
    )


def _write_reading(reading: Reading) -> availability_pb.TimeReading:
    return availability_pb.TimeReading(
        words=reading.words,
        windows=[
            availability_pb.TimeReading.Window(
                start_time=write_instant(window.start), end_time=write_instant(window.end)
            )
            for window in reading.windows
        ],
        pick=PICKS[reading.pick],
        language=reading.language,
    )


def _key_texts(key: SlotKey) -> tuple[str, str, str, str]:
    return key.start.isoformat(), key.type_id, key.calendar_id, key.end.isoformat()


def _slot_key(texts: tuple[str, ...]) -> SlotKey:
    start, type_id, calendar_id, end = texts
    return SlotKey(datetime.fromisoformat(start), type_id, calendar_id, datetime.fromisoformat(end))
