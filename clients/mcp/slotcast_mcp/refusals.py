"""Failures as answers that an assistant can act on. Nothing of what people typed is an instruction.

What a step says is fixed: no text of a person, nor of a server, is ever a part of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from slotcast import SlotcastError
from slotcast.errors import ServerUnreachable
from slotcast_mcp.answers import Confirmed, HeldTime, OpenTime, Reading, Refusal
from slotcast_mcp.quoting import quoted

_STEP_HELD = (
    "Tell the person that their time is gone, and offer the one that is held for them now: tell all"
    " of its `to_confirm`, and once they say yes call book with its hold. Or offer the"
    " alternatives: once they choose one, call hold_time."
)
_STEP_OTHERS = "Offer the person the alternatives. Once they choose one, call hold_time."


class Refused(Exception):
    """A tool call does nothing, for a reason that is told."""

    def __init__(
        self,
        reason: str,
        message: str,
        next_step: str,
        *,
        field: str = "",
        retryable: bool = False,
    ) -> None:
        """Take what is told."""
        super().__init__(message)
        self.refusal = Refusal(
            reason=reason, message=message, next_step=next_step, field=field, retryable=retryable
        )

    def offering(
        self,
        *,
        alternatives: list[OpenTime] | None = None,
        held: HeldTime | None = None,
        to_confirm: Confirmed | None = None,
        readings: list[Reading] | None = None,
    ) -> Refused:
        """Add what to offer instead; a step that leads to it replaces that of the reason."""
        changes: dict[str, object] = {
            "alternatives": alternatives or [],
            "held": held,
            "to_confirm": to_confirm,
            "readings": readings,
        }
        if alternatives:
            changes["next_step"] = _STEP_HELD if held else _STEP_OTHERS
        self.refusal = self.refusal.model_copy(update=changes)
        return self

    def of_booking(self, booking: str, version: int) -> Refused:
        """Add which booking it is about."""
        changes = {"booking": booking, "version": version}
        self.refusal = self.refusal.model_copy(update=changes)
        return self


class Advice(NamedTuple):
    """What is said of a reason, and what to do."""

    message: str
    next_step: str


_SAFE = "The same call again, with the same conversation and turn, is safe: it is done once."
_CHOOSE = "Offer the person another time: call find_times."
_CANNOT = (
    "Tell the person that you cannot do this here, and let them contact the business. Do not retry:"
)
_OPERATOR = f"{_CANNOT} whoever runs this assistant has to give it another key."

ADVICE: Mapping[str, Advice] = {
    "INVALID_REQUEST": Advice(
        "An argument is malformed.", "Mend the argument that is named, and call again."
    ),
    "REQUEST_ID_REUSED": Advice(
        "This was done in this turn already, with other details. Nothing was done again.",
        "Use the answer that you got. To do something else, wait for what the person says next,"
        " and count it as a new turn.",
    ),
    "TIME_NOT_UNDERSTOOD": Advice(
        "The words for the time were not understood.",
        "Ask the person for a day and an hour, and call again with their words.",
    ),
    "DATE_DOES_NOT_EXIST": Advice(
        "There is no such date.", "Ask the person which date is meant; do not guess it."
    ),
    "TIME_HAS_PASSED": Advice("That time has passed.", "Ask the person for a later time."),
    "RESOURCE_NOT_FOUND": Advice(
        "There is no such thing.",
        "Use an id that these tools gave: list_services, find_times, or the answer of book.",
    ),
    "SLOT_OFF_GRID": Advice("Nothing starts at that minute.", _CHOOSE),
    "ALREADY_BOOKED": Advice(
        "This conversation has booked that time already.",
        "It is booked: tell the person so, and do not book it again. If they really want a second"
        " one, call book again with another: true; to move it, call reschedule.",
    ),
    "HANDED_OVER": Advice(
        "That time was handed over to a form, which has it still, unless somebody else took it"
        " after its hold had ended.",
        "Do not book or hold it again. Ask the person whether the form shows it as held still: the"
        " same link opens it again in the same browser. Whether it is done, get_booking tells, with"
        " this `conversation` and no `booking`. Where it is lost, call find_times for another.",
    ),
    "SLOT_TAKEN": Advice("Someone has just taken that time.", _CHOOSE),
    "SLOT_CLOSED": Advice("It is closed at that time.", _CHOOSE),
    "NOTICE_TOO_SHORT": Advice("That time has passed, or is too soon.", _CHOOSE),
    "BEYOND_HORIZON": Advice("That time is too far ahead to be booked yet.", _CHOOSE),
    "CAP_REACHED": Advice("No more of these are taken on that day, or in that week.", _CHOOSE),
    "HOLD_ENDED": Advice(
        "That hold was booked or given up already.",
        "If you have booked it, use the answer of book. Else call find_times, and hold a time"
        " anew.",
    ),
    "HOLD_LIFETIME_REACHED": Advice(
        "That hold has lasted as long as one may.",
        "Book it now, or call find_times once it has ended.",
    ),
    "TOO_MANY_HOLDS": Advice(
        "This conversation has as many holds as it may.",
        "Book one of them, or name one as `instead_of` in hold_time; the others end by themselves.",
    ),
    "TOO_MANY_WAITING": Advice(
        "This conversation waits for as many times as it may.",
        "Tell the person that they are on the waitlist already.",
    ),
    "VERSION_MISMATCH": Advice(
        "The booking has changed since.",
        "Call get_booking, tell the person how it stands now, and ask again.",
    ),
    "INVALID_TRANSITION": Advice(
        "The booking cannot be changed any more.",
        "Call get_booking, and tell the person how it stands.",
    ),
    "CANCELLATION_NOTICE_PASSED": Advice(
        "It is too late to cancel or move this appointment here.",
        "Tell the person to contact the business.",
    ),
    "CONSENT_MISMATCH": Advice(
        "It is not what the person was shown. Nothing was booked.",
        "Tell the person what it really is, and ask again. Book only what they agree to.",
    ),
    "KEY_MISSING": Advice("This assistant has no API key.", _OPERATOR),
    "KEY_INVALID": Advice("This assistant's API key is unknown or revoked.", _OPERATOR),
    "SCOPE_MISSING": Advice("This assistant's API key may not do this.", _OPERATOR),
    "BUSINESS_UNKNOWN": Advice(
        "There is no business of the name that these tools were started with, or this assistant's"
        " API key is another's.",
        f"{_CANNOT} whoever runs this assistant has to name another business, or give another key.",
    ),
    "RATE_LIMITED": Advice("Too many calls were made.", f"Wait a minute. {_SAFE}"),
    "OVERLOADED": Advice(
        "Too many calls are under way. Nothing was done.", f"Call again in a moment. {_SAFE}"
    ),
    "TOO_SLOW": Advice(
        "The answer did not come in time; it is not known whether it was done.",
        f"Call again at once. {_SAFE} Where that is too slow again, get_booking with this"
        " `conversation` tells what is booked.",
    ),
    "UNAVAILABLE": Advice(
        "The service cannot be reached; it is not known whether it was done.",
        f"Call again; after the third try tell the person that it does not work now. {_SAFE}",
    ),
    "INTERNAL": Advice(
        "The service has a fault; it is not known whether it was done.",
        f"{_SAFE} If it fails again, tell the person to contact the business.",
    ),
}
_UNKNOWN = Advice(
    "The service refused it.", "Tell the person that it did not work, and offer to try otherwise."
)
STEP_ZONE = (
    "Ask the person in which city they are, and give its IANA time zone, such as Europe/Berlin. Do"
    " not guess it."
)
_UNSURE = ADVICE["TOO_SLOW"]
_FIELDS = {"customer.display_name": "customer.name", "text": "when", "name": "booking"}
"""What the service calls otherwise than the tools do."""
_BUSINESS = re.compile(r"businesses/[^/]+")


def refused(reason: str, *, field: str = "", message: str = "") -> Refused:
    """Refuse for a reason that is known here."""
    advice = ADVICE[reason]
    retryable = reason in {"INTERNAL", "OVERLOADED", "TOO_SLOW", "UNAVAILABLE"}
    return Refused(
        reason, message or advice.message, advice.next_step, field=field, retryable=retryable
    )


def refused_by(error: SlotcastError) -> Refused:
    """Tell a refusal of the service."""
    if isinstance(error, ServerUnreachable):
        return refused("UNAVAILABLE")
    if error.reason == "RESOURCE_NOT_FOUND" and _BUSINESS.fullmatch(error.metadata.get("name", "")):
        return refused("BUSINESS_UNKNOWN")
    advice = ADVICE.get(error.reason, _UNSURE if error.retryable else _UNKNOWN)
    message, step, field = advice.message, advice.next_step, error.metadata.get("field", "")
    unread = error.metadata.get("unread") or error.metadata.get("date")
    if unread:
        message = f"{message[:-1]}: {quoted(unread)}."
    elif error.reason == "INVALID_REQUEST" and error.violations:
        field = next(iter(error.violations))
        step = STEP_ZONE if field.endswith("time_zone") else step
        told = ((_FIELDS.get(name, name), text) for name, text in error.violations.items())
        message = " ".join(f"{name}: {_in_words(name, text)}" for name, text in told)
    return Refused(
        error.reason or ("TOO_SLOW" if error.retryable else "REFUSED"),
        message,
        step,
        field=_FIELDS.get(field, field),
        retryable=error.retryable or error.reason == "INTERNAL",
    )


def _in_words(field: str, violation: str) -> str:
    """Return what a service says of a field; a pattern tells an assistant nothing."""
    if "regex pattern" in violation and field.startswith(("customer.", "fields")):
        return "It has signs that it may not have, such as a tab: leave them out, or ask."
    if "regex pattern" in violation:
        return "It is malformed: copy it exactly as these tools gave it."
    return violation
