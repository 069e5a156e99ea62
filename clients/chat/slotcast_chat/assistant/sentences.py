"""What the assistant says. Times are told exactly as the tools told them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from slotcast_chat.assistant.state import Booked, Content, Goal, Held, Offer, Reading, State

QUOTED_MAX = 80
WHICH_ZONE = (
    "Which city's time is that? I go by cities: letters such as EST mean several time zones."
)

NOTHING_TO_WAIT_FOR = (
    "That is open and held for you, so there is nothing to wait for. To wait for another day or"
    " hour, tell me which."
)


def quoted(text: str) -> str:
    """Return what someone said as one quoted line, cut."""
    line = " ".join(text.split()).replace('"', "'")
    return f'"{line[:QUOTED_MAX]}…"' if len(line) > QUOTED_MAX else f'"{line}"'


def listed(names: Sequence[str], last: str = "or") -> str:
    """`Anna, Ben or Cleo`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def service_line(service: Content) -> str:
    """`Haircut (30 or 60 minutes, 45.00 EUR)`."""
    about = [f"{listed([str(each) for each in service['minutes']])} minutes"]
    if service.get("price"):
        about.append(service["price"])
    if service.get("needs_approval"):
        about.append("the business confirms it")
    return f"{service['name']} ({', '.join(about)})"


def which_service(services: Sequence[Content]) -> str:
    """Ask what it is for."""
    return "What would you like to book?\n" + "\n".join(
        f"- {service_line(each)}" for each in services
    )


def offer_line(number: int, offer: Offer) -> str:
    """`1. Tuesday 1 December 2026, 10:00 to 10:30 (Europe/Berlin, UTC+01:00), with Anna or Ben`."""
    people = listed([name for name, _ in offer.people])
    return f"{number}. {offer.words}{f', with {people}' if people else ''}"


def offered(offers: Sequence[Offer], more: bool) -> str:
    """Tell the times that are open."""
    lines = "\n".join(offer_line(number, offer) for number, offer in enumerate(offers, start=1))
    if len(offers) == 1:
        return f"{lines}\nShall I hold it for you?"
    also = " There are more, if none suits." if more else ""
    return f"{lines}\nWhich one shall I hold for you?{also}"


def which_reading(readings: Sequence[Reading]) -> str:
    """Ask what the words meant."""
    lines = "\n".join(f"{reading.number}. {reading.words}" for reading in readings)
    return f"That can be read in more than one way. Which do you mean?\n{lines}"


def nothing_open(readings: Sequence[Reading]) -> str:
    """Tell that nothing is open."""
    when = listed([reading.words for reading in readings])
    return (
        f"Nothing is open then{f' ({when})' if when else ''}. Shall I look at another time, or put"
        " you on the waitlist?"
    )


def summed_up(state: State) -> str:
    """Ask for a yes to exactly what would be booked."""
    held = state.held
    assert held is not None
    agreed = held.to_confirm
    what = agreed["service"] + (f" with {agreed['person']}" if agreed.get("person") else "")
    lines = [f"{what}, {agreed['time_in_words']}{_priced(agreed)}."]
    if state.goal is Goal.MOVE and state.booked is not None:
        lines.append(f"It would be instead of {state.booked.words}.")
    else:
        for_whom = f"For {quoted(state.name)}"
        lines.append(f"{for_whom}, {state.email}." if state.email else f"{for_whom}.")
    if state.beside:
        lines.append(f"It would be a second appointment, beside {state.beside}.")
    lines.append(f"It is held for you until {held.until}.")
    lines.append(
        "Shall I move your appointment to it?" if state.goal is Goal.MOVE else "Shall I book it?"
    )
    return "\n".join(lines)


def _priced(agreed: Content) -> str:
    return f", {agreed['price']}" if agreed.get("price") else ""


def held_for_you(held: Held) -> str:
    """Tell what is held."""
    agreed = held.to_confirm
    what = agreed["service"] + (f" with {agreed['person']}" if agreed.get("person") else "")
    return f"{what}, {held.words}, is held for you until {held.until}."


def held_until(held: Held) -> str:
    """Tell until when it is held, which may be over: nobody looks at a clock here."""
    return (
        f"I hold it until {held.until}, and no longer. At a yes after that I hold it anew, if it is"
        " still free."
    )


def given_up(held: Held) -> str:
    """Tell what becomes of what is held: no tool gives it up, it ends by itself."""
    return f"What I held is held until {held.until}, and then free again by itself."


def stopped(state: State) -> str:
    """Tell that nothing more is done, and what stands."""
    if state.all_booked:
        text = f"All right. It stays as it is: {stands(state.all_booked[-1])}"
    elif state.goal in {Goal.MOVE, Goal.CANCEL} and state.held is None:
        text = "All right, I change nothing."
    else:
        text = "All right, nothing is booked."
    if state.held is None:
        return text
    if state.is_at_the_form:
        return f"{text} The form that you have may still book {state.held.words}."
    return f"{text} {given_up(state.held)}"


def all_booked(bookings: Sequence[Booked]) -> str:
    """Tell all that was booked."""
    if len(bookings) == 1:
        return stands(bookings[0])
    return "\n".join(["You have booked:", *(f"- {stands(each)}" for each in bookings)])


def ask_second(booking: Booked) -> str:
    """Ask whether a second one is wanted beside a booking."""
    return (
        f"You have one: {stands(booking)} Shall I look for a second one at the same time, beside"
        " it?"
    )


def price_line(service: Content) -> str:
    """Tell a price, as `Haircut: 45.00 EUR`."""
    price = service.get("price") or "I do not know the price"
    return f"{service['name']}: {price}."


def length_line(service: Content) -> str:
    """Tell how long it takes, as `Haircut: 30 or 60 minutes`."""
    return f"{service['name']}: {listed([str(each) for each in service['minutes']])} minutes."


def people_line(service: Content) -> str:
    """Tell who does it, as `Haircut: with Anna or Ben`."""
    people = listed([each["name"] for each in service["people"]])
    return f"{service['name']}: with {people}." if people else f"{service['name']}."


def which_first(services: Sequence[Content]) -> str:
    """Ask which of several comes first."""
    names = listed([each["name"] for each in services])
    return f"I book one after the other. Which one first: {names}?"


def at_the_form(held: Held) -> str:
    """Tell that the form has what is held."""
    agreed = held.to_confirm
    what = agreed["service"] + (f" with {agreed['person']}" if agreed.get("person") else "")
    return (
        f"You have the form for that time: {what}, {held.words}. Please finish there; I do not book"
        " it a second time here. If you want another time instead, tell me when."
    )


def booked(booking: Booked, name: str) -> str:
    """Tell what was booked."""
    what = f"{booking.service} with {booking.person}" if booking.person else booking.service
    told = f"{what}, {booking.words}, for {quoted(name)}."
    number = f"The booking's id is {booking.booking}."
    if booking.status == "PENDING":
        return f"I have asked for {told} The business confirms it. {number}"
    return f"Booked: {told} {number}"


def stands(booking: Booked) -> str:
    """Tell how a booking stands."""
    what = f"{booking.service} with {booking.person}" if booking.person else booking.service
    return f"{what}, {booking.words}: {booking.status.lower().replace('_', ' ')}."


def explained(content: Content) -> str:
    """Tell why a time cannot be had."""
    failed = dict.fromkeys(
        f"{rule['person']}: {rule['explanation']}"
        for rule in content["rules"]
        if not rule["passed"]
    )
    lines = "\n".join(f"- {line}" for line in failed)
    return f"{content['time_in_words']} cannot be booked:\n{lines}"


def sentence(text: str) -> str:
    """Return a text that ends as a sentence does."""
    text = text.strip()
    return text if not text or re.search(r"[.!?…]$", text) else f"{text}."
