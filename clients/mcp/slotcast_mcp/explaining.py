"""Why a time can or cannot be booked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from slotcast import Client, Explanation, Rule, RuleVerdict, SlotQuery, TimePick, TimeReading
from slotcast_mcp.answers import Answer, Explained, OpenTime, Refusal, RuleTold
from slotcast_mcp.catalogue import Catalogue, chosen_minutes, load
from slotcast_mcp.finding import READINGS_MAX, Looking, time_line, told_reading
from slotcast_mcp.ids import Time, last_part, read_time
from slotcast_mcp.inputs import ExplainTime
from slotcast_mcp.memory import is_with, memory_of
from slotcast_mcp.quoting import listed
from slotcast_mcp.refusals import Refused, refused
from slotcast_mcp.repeating import already_booked, booked_then
from slotcast_mcp.words import span_in_words, zone_of

NEAR_MAX = 3
RULES_MAX = 40
_BROKEN: Mapping[Rule, str] = {
    Rule.HOURS: "It is closed then.",
    Rule.GRID: "Nothing starts at that minute.",
    Rule.NOTICE: "It has passed, or is too soon.",
    Rule.HORIZON: "It is too far ahead to be booked yet.",
    Rule.FREE: "It is taken.",
    Rule.DAY_CAP: "No more of these are taken on that day.",
    Rule.WEEK_CAP: "No more of these are taken in that week.",
}
"""Sentences of our own: those of the service tell times without their weekday and offset."""
_STEP_OPEN = (
    "Tell the person that it is open. If they want it, call hold_time with this `time`, then book."
)
_STEP_SHUT = (
    "Tell the person why, in these words, and offer the alternatives; or call find_times for"
    " another day, or join_waitlist."
)


async def explain_time(client: Client, asked: ExplainTime) -> Answer:
    """Tell rule by rule why a time can or cannot be booked, and what is open near it."""
    zone = zone_of(asked.time_zone)
    catalogue = await load(client)
    time = await _time(client, asked, catalogue, zone)
    explanation = await client.explain_slot(time.choice(), holder=asked.conversation)
    near: list[OpenTime] = []
    own: Mapping[str, Refusal] = {}
    if not explanation.bookable:
        near, own = await asyncio.gather(
            _looking(client, asked, catalogue, zone, time).near(time.start, NEAR_MAX),
            _own(client, asked.conversation, explanation, catalogue, time, zone),
        )
    step = _STEP_OPEN if explanation.bookable else _STEP_SHUT
    content = Explained(
        bookable=explanation.bookable,
        time=str(time),
        time_in_words=span_in_words(time.start, time.end, zone),
        rules=[_rule(each, catalogue, own) for each in explanation.verdicts[:RULES_MAX]],
        alternatives=near,
        next_step=next((each.next_step for each in own.values()), step),
    )
    return Answer(_text(content, explanation, catalogue), content)


async def _time(client: Client, asked: ExplainTime, catalogue: Catalogue, zone: ZoneInfo) -> Time:
    if "|" in asked.when:
        return catalogue.known(read_time(asked.when, "when"), "when")
    service = catalogue.service(asked.service)
    person = catalogue.person(asked.person, service)
    minutes = chosen_minutes(service, asked.minutes)
    readings = await client.resolve_time(asked.when, time_zone=zone.key, language=asked.language)
    if len(readings) > 1:
        raise _ambiguous(readings, zone)
    if readings[0].pick is not TimePick.AT or len(readings[0].windows) > 1:
        raise Refused(
            "INVALID_REQUEST",
            "That is not one time with its hour.",
            "Ask the person for a day and an hour, and call again with their words.",
            field="when",
        )
    start = readings[0].windows[0].start.astimezone(zone)
    return Time(last_part(service.name), person, start, minutes)


def _ambiguous(readings: Sequence[TimeReading], zone: ZoneInfo) -> Refused:
    told = [told_reading(each, number, zone) for number, each in enumerate(readings, 1)]
    told = told[:READINGS_MAX]
    return Refused(
        "INVALID_REQUEST",
        f"The words can mean more than one time: {listed([each.words for each in told])}.",
        "Ask the person which of the `readings` they mean, and call again with that day and hour.",
        field="when",
    ).offering(readings=told)


def _looking(
    client: Client, asked: ExplainTime, catalogue: Catalogue, zone: ZoneInfo, time: Time
) -> Looking:
    query = SlotQuery(
        start=time.start,
        end=time.end,
        appointment_types=(time.service,),
        calendars=(time.person,) if time.person else (),
        duration=timedelta(minutes=time.minutes),
        holder=asked.conversation,
    )
    return Looking(client, catalogue, zone, query)


async def _own(
    client: Client,
    conversation: str,
    explanation: Explanation,
    catalogue: Catalogue,
    time: Time,
    zone: ZoneInfo,
) -> Mapping[str, Refusal]:
    """Return with whom the time is taken by the conversation itself, and what is told of it."""
    taken = [last_part(each.calendar) for each in explanation.verdicts if _is_taken(each)]
    if not conversation or not taken:
        return {}
    own = {}
    booked = (await booked_then(client, conversation, time)).bookings
    for person in taken:
        with_them = replace(time, person=person)
        bookings = [each for each in booked if is_with(each, with_them)]
        if bookings:
            own[person] = already_booked(bookings[0], catalogue, zone).refusal
        elif memory_of(client).is_handed_over(conversation, with_them):
            own[person] = refused("HANDED_OVER").refusal
    return own


def _is_taken(verdict: RuleVerdict) -> bool:
    return verdict.rule is Rule.FREE and not verdict.passed


def _rule(verdict: RuleVerdict, catalogue: Catalogue, own: Mapping[str, Refusal]) -> RuleTold:
    text = "It allows the time." if verdict.passed else _BROKEN.get(verdict.rule, "It is refused.")
    person = last_part(verdict.calendar)
    if _is_taken(verdict) and person in own:
        text = own[person].message
    return RuleTold(
        rule=verdict.rule,
        person=catalogue.person_name(person),
        passed=verdict.passed,
        explanation=text,
    )


def _text(content: Explained, explanation: Explanation, catalogue: Catalogue) -> str:
    if content.bookable:
        return f"{content.time_in_words} is open. [time: {content.time}]"
    lines = [f"{content.time_in_words} is not open."]
    for person_id in dict.fromkeys(last_part(each.calendar) for each in explanation.verdicts):
        name = catalogue.person_name(person_id)
        broken = [each for each in content.rules if each.person == name and not each.passed]
        if broken:
            lines.append(f"- {name}: {' '.join(each.explanation for each in broken)}")
    if content.alternatives:
        lines.extend(["Open near it:", *map(time_line, content.alternatives)])
    return "\n".join(lines)
