"""Talks through the pure dialogue: the test writes each message, and each answer of a tool."""

from slotcast_chat.assistant.hearing import hear
from slotcast_chat.assistant.learning import learn
from slotcast_chat.assistant.state import Answer, Call, Say, State

ZONE = "Europe/Berlin"
SERVICES = {
    "business": "Salon",
    "location": "",
    "phone": "+49 30 1",
    "services": [
        {
            "service": "haircut",
            "name": "Haircut",
            "minutes": [30, 60],
            "price": "45.00 EUR",
            "needs_approval": False,
            "people": [{"person": "anna", "name": "Anna"}, {"person": "ben", "name": "Ben"}],
        },
        {
            "service": "colouring",
            "name": "Colouring",
            "minutes": [90],
            "price": "",
            "needs_approval": False,
            "people": [{"person": "anna", "name": "Anna"}],
        },
    ],
}


def words(clock, day="Tuesday 1 December 2026"):
    return f"{day}, {clock} ({ZONE}, UTC+01:00)"


def open_time(clock, people=("anna",), reading=1, date="2026-12-01"):
    def name(person):
        return f"haircut|{person}|{date}T{clock}+01:00|30"

    return {
        "time": name(people[0] if len(people) == 1 else ""),
        "time_in_words": words(clock),
        "with_whom": [{"person": each.capitalize(), "time": name(each)} for each in people],
        "reading": reading,
    }


def times(*clocks, readings=1, **more):
    return Answer(
        {
            "readings": [
                {
                    "reading": number,
                    "words": f"reading {number}",
                    "windows": [f"2026-12-0{number}T00:00+01:00/2026-12-0{number}T23:00+01:00"],
                }
                for number in range(1, readings + 1)
            ],
            "times": [open_time(clock, **more) for clock in clocks],
            "more": False,
        }
    )


def held(clock, number=1, price="45.00 EUR"):
    hold_id = f"{number:08x}-0000-4000-8000-000000000000"
    return {
        "hold": f"{hold_id}|haircut|anna|2026-12-01T{clock}+01:00|30",
        "time_in_words": words(clock),
        "held_until": words("09:05"),
        "to_confirm": {
            "time_in_words": words(clock),
            "time_zone": ZONE,
            "service": "Haircut",
            "person": "Anna",
            "price": price,
        },
    }


def booked(clock, version=1, status="CONFIRMED"):
    return Answer(
        {
            "booking": "00000000-0000-4000-8000-00000000000b",
            "version": version,
            "status": status,
            "time_in_words": words(clock),
            "service": "Haircut",
            "person": "Anna",
        }
    )


def refused(reason, **content):
    values = {"reason": reason, "message": "It is so", "retryable": False, "next_step": ""}
    return Answer({**values, **content}, is_refusal=True)


class Dialogue:
    """A talk: `says` gives the next call or answer, `tool` what the tool answers."""

    def __init__(self, zone=ZONE):
        self.state = State(conversation="chat-1", zone=zone)
        self.action = None

    def says(self, message):
        return self._step(hear(self.state, message))

    def tool(self, answer):
        assert isinstance(self.action, Call), self.action
        content = answer if isinstance(answer, Answer) else Answer(answer)
        return self._step(learn(self.state, self.action, content))

    def _step(self, step):
        self.state, self.action = step
        return self.action

    def until_held(self, message="A haircut tomorrow at 10:00", clock="10:00"):
        self.says(message)
        self.tool(SERVICES)
        self.tool(times(clock))
        return self.tool(held(clock))

    def until_summed_up(self):
        self.until_held()
        return self.says("Ada Lovelace, ada@example.com")

    def until_booked(self):
        self.until_summed_up()
        self.says("Yes")
        return self.tool(booked("10:00"))


def is_call(action, tool):
    return isinstance(action, Call) and action.tool == tool


def text_of(action):
    assert isinstance(action, Say), action
    return action.text
