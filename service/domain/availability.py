"""The one evaluator: list, watch, hold, book and explain ask it, so what is shown can be booked.

Its parts, from the inside: `civil_time`, `opening` and `hours` say when calendars are open,
`claim_book` and `standing` what is on them; `rules` are asked by `verdict`, `listing`,
`explanation` and `choice`; `facts` says what must be loaded for that.
"""

from __future__ import annotations

from service.domain.choice import pick_calendar, rank_alternatives
from service.domain.claim_book import ClaimBook
from service.domain.explanation import Rule, RuleVerdict, explain
from service.domain.facts import day_facts_window, facts_window, list_facts, slot_facts
from service.domain.hours import Hours
from service.domain.listing import (
    DaySlots,
    DaySource,
    ListDays,
    day_slots,
    iterate_open_slots,
    offered_span,
    open_slots,
)
from service.domain.rules import Offer, earliest_start, latest_start
from service.domain.verdict import Verdict, judge

__all__ = [
    "ClaimBook",
    "DaySlots",
    "DaySource",
    "Hours",
    "ListDays",
    "Offer",
    "Rule",
    "RuleVerdict",
    "Verdict",
    "day_facts_window",
    "day_slots",
    "earliest_start",
    "explain",
    "facts_window",
    "iterate_open_slots",
    "judge",
    "latest_start",
    "list_facts",
    "offered_span",
    "open_slots",
    "pick_calendar",
    "rank_alternatives",
    "slot_facts",
]
