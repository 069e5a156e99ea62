"""What the person was shown and agreed to, against what would be booked: first here, in words.

The service compares once more, in the commit that books: see Consent in the SDK.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from slotcast import Consent
from slotcast_mcp.answers import Confirmed
from slotcast_mcp.catalogue import NAMED_MAX, Catalogue, people_of
from slotcast_mcp.ids import Time
from slotcast_mcp.quoting import listed, quoted, same_words
from slotcast_mcp.refusals import Refused, refused
from slotcast_mcp.words import span_in_words


def to_confirm(time: Time, catalogue: Catalogue, zone: ZoneInfo) -> Confirmed:
    """Return what a person has to agree to before a time is booked."""
    return Confirmed(
        time_in_words=span_in_words(time.start, time.end, zone),
        time_zone=zone.key,
        service=catalogue.service_name(time.service),
        person=catalogue.person_name(time.person),
        price=catalogue.price(time.service),
    )


def without_listed(confirmed: Confirmed, time: Time, catalogue: Catalogue) -> Confirmed:
    """Return it with nobody named where several are, as find_times lists them: "Anna or Ben"."""
    names = [each.strip() for each in confirmed.person.replace(" or ", ",").split(",")]
    if time.person or len(names) < 2:
        return confirmed
    known = [catalogue.person_name(each) for each in people_of(catalogue.services[time.service])]
    if not all(any(same_words(name, each) for each in known) for name in names):
        return confirmed
    return confirmed.model_copy(update={"person": ""})


def agreed_time(confirmed: Confirmed, time: Time, catalogue: Catalogue) -> Time:
    """Return the time that was agreed to: with the person who was named, where it is with anyone.

    A name that is nobody's who gives the service, or that several have, is refused.
    """
    service = catalogue.services[time.service]
    if time.person or not confirmed.person:
        return time
    people = people_of(service)
    named = [each for each in people if same_words(catalogue.person_name(each), confirmed.person)]
    if len(named) == 1:
        return replace(time, person=named[0])
    names = listed([catalogue.person_name(each) for each in people[:NAMED_MAX]])
    raise Refused(
        "CONSENT_MISMATCH",
        f"{quoted(confirmed.person)} is not one of those who are free for that time: it is with"
        f" {names}. Nothing was booked.",
        "Call hold_time with the `time` of the person who is wanted, as `with_whom` tells it, or"
        " with this one for whoever is free. Then tell all of its `to_confirm`, and ask again.",
        field="confirmed.person",
    )


def check(confirmed: Confirmed, time: Time, catalogue: Catalogue, zone: ZoneInfo) -> Consent:
    """Refuse what differs from what would be booked. Nobody need have been named.

    Returns what is compared once more: as the service has it, blanks and capitals mended.
    """
    actual = to_confirm(time, catalogue, zone)
    for field in ("time_in_words", "service", "person", "price"):
        shown, real = getattr(confirmed, field), getattr(actual, field)
        if field == "person" and not shown:
            continue
        if not same_words(shown, real):
            raise mismatch(field, shown, actual)
    named = actual if confirmed.person else actual.model_copy(update={"person": ""})
    return _consent(named, time, zone)


def _consent(confirmed: Confirmed, time: Time, zone: ZoneInfo) -> Consent:
    """Return what the service is to compare, in the commit that books."""
    return Consent(
        start=time.start.astimezone(zone),
        time_zone=zone.key,
        appointment_type=confirmed.service,
        calendar=confirmed.person,
        price=confirmed.price,
        duration=timedelta(minutes=time.minutes),
    )


def mismatch(field: str, shown: str, actual: Confirmed) -> Refused:
    """Refuse, and say what it really is."""
    real = getattr(actual, field)
    said = quoted(shown, 120) if shown else "nothing"
    is_ = quoted(real, 120) if real else "none"
    message = f"Of the {field} the person was told {said}, but it is {is_}. Nothing was booked."
    error = refused("CONSENT_MISMATCH", field=f"confirmed.{field}", message=message)
    return error.offering(to_confirm=actual)
