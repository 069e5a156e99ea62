"""Consenting: whether what a person was shown is what would be booked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.robustness.checker.instants import length_of, micros
from tests.robustness.checker.offer import Offer, TypeRules


def is_as_shown(
    consent: Any, offer: Offer, rules: TypeRules, calendars: Iterable[str], first: int
) -> bool:
    """Say whether a consent is to an appointment of a type on these calendars."""
    shown = datetime.fromisoformat(consent.start)
    told_in_zone = shown.astimezone(ZoneInfo(consent.time_zone))
    named = {"", *(offer.names[each] for each in calendars)}
    return (
        micros(shown) == first
        and shown.utcoffset() == told_in_zone.utcoffset()
        and consent.appointment_type == rules.display_name
        and consent.calendar in named
        and consent.price == rules.price
        and (not consent.HasField("duration") or length_of(consent.duration) == rules.duration)
    )
