"""What the tools take. Their descriptions and examples are what an assistant reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self
from unicodedata import category

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from slotcast_mcp.answers import Confirmed

CONVERSATION = r"^[A-Za-z0-9._:@+-]+$"
OWN_CONVERSATION = r"^[A-Za-z0-9._:@+-]*$"
BOOKING = r"^[A-Za-z0-9/-]+$"
LANGUAGE = r"^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4})?$"
FIELD = r"^[a-z0-9_.-]{1,64}$"
_CONVERSATION_IN_WORDS = "It may have letters from a to z, digits and . _ : @ + - only."
PATTERNS_IN_WORDS: Mapping[str, str] = {
    CONVERSATION: _CONVERSATION_IN_WORDS,
    OWN_CONVERSATION: _CONVERSATION_IN_WORDS,
    BOOKING: "It is no id of a booking: copy it exactly as book told it.",
    LANGUAGE: "It is no language tag, such as de or en-GB.",
    FIELD: "A name may have up to 64 small letters, digits and _ . - only.",
}
"""What a pattern asks for, as it is told to whoever did not keep to it."""
MISSING_IN_WORDS: Mapping[str, str] = {
    "customer.email": (
        "Who waits is told by e-mail when a time is free: ask the person for their address."
    )
}
"""What is missing, where that something is required does not say what to do."""
EXAMPLE_TIME = "haircut|anna|2026-12-01T10:00+01:00|30"
EXAMPLE_HOLD = f"0192f3c4-5d6e-4f70-8a9b-0c1d2e3f4a5b|{EXAMPLE_TIME}"
EXAMPLE_BOOKING = "0192f3c4-5d6e-4f70-8a9b-0c1d2e3f4a5c"
EXAMPLE_WORDS = "Tuesday 1 December 2026, 10:00 to 10:30 (Europe/Berlin, UTC+01:00)"
EXAMPLE_CONFIRMED = {
    "time_in_words": EXAMPLE_WORDS,
    "time_zone": "Europe/Berlin",
    "service": "Haircut",
    "person": "Anna",
    "price": "45.00 EUR",
}
EXAMPLE_CUSTOMER = {"name": "Ada Lovelace", "email": "ada@example.com"}
IN_TURN_4 = {"conversation": "chat-7f3a", "turn": 4}


def _whole(value: object) -> object:
    """Return a number without a fraction as an integer, which it is in JSON: 4.0 is 4."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Stands after the limits, or the schema does not tell them."""
Zone = Annotated[
    str,
    Field(
        description=(
            "The IANA time zone of the person, in which all times are told. Never guess it:"
            " where you do not know it, ask in which city they are."
        ),
        min_length=1,
        max_length=64,
        examples=["Europe/Berlin"],
    ),
]
Conversation = Annotated[
    str,
    Field(
        description="The id of this conversation: the same in all its calls, and no other's.",
        min_length=1,
        max_length=128,
        pattern=CONVERSATION,
        examples=["chat-7f3a"],
    ),
]
Turn = Annotated[
    int,
    Field(
        description=(
            "The number of the person's message that you are answering: 1, 2, 3... A call that is"
            " repeated in the same turn is done once."
        ),
        ge=0,
        le=1_000_000,
        examples=[4],
    ),
    WHOLE,
]
HoldOrTime = Annotated[
    str,
    Field(
        description=(
            "A `hold` that hold_time gave, or else a `time` that find_times gave: copy it exactly."
        ),
        min_length=1,
        max_length=300,
        examples=[EXAMPLE_HOLD, EXAMPLE_TIME],
    ),
]
BookingId = Annotated[
    str,
    Field(
        description="The id of the booking, as book told it.",
        min_length=1,
        max_length=200,
        pattern=BOOKING,
        examples=[EXAMPLE_BOOKING],
    ),
]
Version = Annotated[
    int,
    Field(
        description="The `version` of the booking, as last told.",
        ge=1,
        le=1_000_000_000,
        examples=[1],
    ),
    WHOLE,
]
ServiceName = Annotated[
    str,
    Field(
        description="The `service` of list_services, or its name.",
        min_length=1,
        max_length=200,
        examples=["haircut"],
    ),
]
PersonName = Annotated[
    str,
    Field(
        description=(
            "The `person` of list_services, or their name, where the person wants them. Leave out:"
            " whoever is free."
        ),
        max_length=200,
        examples=["anna"],
    ),
]
Language = Annotated[
    str,
    Field(
        description="The language of `when`, as a tag; leave out where you do not know it.",
        max_length=40,
        pattern=LANGUAGE,
        examples=["de"],
    ),
]
OwnHolds = Annotated[
    str,
    Field(
        description="The id of this conversation, so that its own holds hide nothing from it.",
        max_length=128,
        pattern=OWN_CONVERSATION,
        examples=["chat-7f3a"],
    ),
]
Minutes = Annotated[
    Annotated[int, Field(ge=1, le=1440), WHOLE] | None,
    Field(description="How long, where the service can last longer or shorter.", examples=[30]),
]
Fields = Annotated[
    dict[
        Annotated[str, Field(pattern=FIELD)],
        Annotated[str, Field(max_length=2000)],
    ],
    Field(
        description="What else the person said that the business should know, by name.",
        max_length=30,
        examples=[{"note": "Please use the side door."}],
        json_schema_extra={"additionalProperties": False},
    ),
]


class Asked(BaseModel):
    """What is asked: nothing that is not named, and nothing of another type than is named."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Question(Asked):
    """The arguments of a tool."""

    examples: ClassVar[list[dict[str, object]]] = []


class InTurn(Question):
    """The arguments of a tool that changes something."""

    conversation: Conversation
    turn: Turn


def _shown(text: str) -> str:
    """Strip a name, and refuse one of which nothing shows."""
    if not any(category(character)[0] in "LNPS" for character in text):
        raise PydanticCustomError("blank", "It is blank: ask the person for it")
    return text.strip()


class WhoComes(Asked):
    """The customer. Ask for the name; the address is for the confirmation."""

    name: Annotated[str, AfterValidator(_shown)] = Field(
        description="As they want to be called.",
        min_length=1,
        max_length=200,
        examples=["Ada Lovelace"],
    )
    email: str = Field(
        default="",
        description="Where the confirmation goes, if they gave it.",
        max_length=254,
        examples=["ada@example.com"],
    )
    phone: str = Field(
        default="",
        description="A number to call, if they gave it.",
        max_length=40,
        examples=["+49 30 1234567"],
    )
    language: str = Field(
        default="",
        description="Their language as a BCP 47 tag, for the letters to them.",
        max_length=40,
        examples=["de"],
    )


class WhoWaits(WhoComes):
    """Who waits. Ask for the name and the address: an offer can be sent to nothing else."""

    email: str = Field(
        description="Where they are told that a time is free.",
        min_length=1,
        max_length=254,
        examples=["ada@example.com"],
    )


class ListServices(Question):
    examples: ClassVar = [{}]


class FindTimes(Question):
    examples: ClassVar = [
        {"service": "haircut", "when": "next Tuesday afternoon", "time_zone": "Europe/Berlin"},
        {
            "service": "haircut",
            "when": "2026-12-01",
            "time_zone": "Europe/Berlin",
            "person": "anna",
            "minutes": 30,
            "conversation": "chat-7f3a",
        },
    ]

    service: ServiceName
    when: str = Field(
        description=(
            "When, in the person's own words, in English, German or Spanish: do not reckon dates"
            " yourself. Or a date, 2026-12-01; dates, 2026-12-01/2026-12-05; or a local time,"
            " 2026-12-01T10:00."
        ),
        min_length=1,
        max_length=200,
        examples=["tomorrow after 5", "nächsten Dienstag", "2026-12-01"],
    )
    time_zone: Zone
    language: Language = ""
    person: PersonName = ""
    minutes: Minutes = None
    conversation: OwnHolds = ""
    limit: Annotated[int, Field(description="How many times to tell.", ge=1, le=20), WHOLE] = 6


class HoldTime(InTurn):
    examples: ClassVar = [
        {"time": EXAMPLE_TIME, "time_zone": "Europe/Berlin", "conversation": "chat-7f3a", "turn": 3}
    ]

    time: str = Field(
        description="A `time` that find_times gave: copy it exactly.",
        min_length=1,
        max_length=300,
        examples=[EXAMPLE_TIME],
    )
    time_zone: Zone
    instead_of: str = Field(
        default="",
        description="A `hold` that the person no longer wants: given up once this one is had.",
        max_length=300,
        examples=[EXAMPLE_HOLD],
    )


class Book(InTurn):
    examples: ClassVar = [
        {
            "hold_or_time": EXAMPLE_HOLD,
            "confirmed": EXAMPLE_CONFIRMED,
            "customer": EXAMPLE_CUSTOMER,
            **IN_TURN_4,
        }
    ]

    hold_or_time: HoldOrTime
    confirmed: Confirmed
    customer: WhoComes
    fields: Fields = {}
    another: bool = Field(
        default=False,
        description=(
            "True only where the person has said that they want a second booking of a time that"
            " this conversation has booked already."
        ),
        examples=[False],
    )


def _without_default(schema: dict[str, Any]) -> None:
    """Say nothing of what stands for an argument that is left out: given, it would be refused."""
    del schema["default"]


class GetBooking(Question):
    model_config = ConfigDict(json_schema_extra={"minProperties": 2})

    examples: ClassVar = [
        {"booking": EXAMPLE_BOOKING, "time_zone": "Europe/Berlin"},
        {"conversation": "chat-7f3a", "time_zone": "Europe/Berlin"},
    ]

    booking: BookingId = Field(
        default="",
        description="The id of a booking. Leave out, to be told all of the `conversation`.",
        json_schema_extra=_without_default,
    )
    conversation: Conversation = Field(
        default="",
        description="The id of this conversation, to be told all that it has booked.",
        json_schema_extra=_without_default,
    )
    time_zone: Zone

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if not (self.booking or self.conversation):
            raise PydanticCustomError("neither", "Give `booking` or `conversation`")
        return self


class Reschedule(InTurn):
    examples: ClassVar = [
        {
            "booking": EXAMPLE_BOOKING,
            "version": 1,
            "to": EXAMPLE_TIME,
            "confirmed": EXAMPLE_CONFIRMED,
            **IN_TURN_4,
        }
    ]

    booking: BookingId
    version: Version
    to: HoldOrTime
    confirmed: Confirmed


class Cancel(InTurn):
    examples: ClassVar = [
        {
            "booking": EXAMPLE_BOOKING,
            "version": 1,
            "time_zone": "Europe/Berlin",
            "reason": "They are ill.",
            **IN_TURN_4,
        }
    ]

    booking: BookingId
    version: Version
    time_zone: Zone
    reason: str = Field(
        default="", description="Why, if they said so.", max_length=500, examples=["They are ill."]
    )


class JoinWaitlist(InTurn):
    examples: ClassVar = [
        {
            "service": "haircut",
            "windows": ["2026-12-01T13:00+01:00/2026-12-01T18:00+01:00"],
            "time_zone": "Europe/Berlin",
            "customer": EXAMPLE_CUSTOMER,
            **IN_TURN_4,
        }
    ]

    service: ServiceName
    windows: list[Annotated[str, Field(max_length=100)]] = Field(
        description="The `windows` of a reading of find_times: copy them.",
        min_length=1,
        max_length=10,
        examples=[["2026-12-01T13:00+01:00/2026-12-01T18:00+01:00"]],
    )
    time_zone: Zone
    customer: WhoWaits
    person: PersonName = ""
    minutes: Minutes = None


class ExplainTime(Question):
    examples: ClassVar = [
        {"service": "haircut", "when": "Tuesday at 10", "time_zone": "Europe/Berlin"}
    ]

    service: ServiceName
    when: str = Field(
        description=(
            "One time with its hour: words, a local time such as 2026-12-01T10:00, or a `time`."
        ),
        min_length=1,
        max_length=300,
        examples=["Tuesday at 10", "2026-12-01T10:00", EXAMPLE_TIME],
    )
    time_zone: Zone
    language: Language = ""
    person: PersonName = ""
    minutes: Minutes = None
    conversation: OwnHolds = ""


class KnownField(Asked):
    """Something that the form need not ask."""

    name: str = Field(
        description="name, email, phone or language; any other is a field of the booking.",
        pattern=FIELD,
        examples=["email"],
    )
    value: str = Field(
        description="What it is.", min_length=1, max_length=2000, examples=["ada@example.com"]
    )
    said: bool = Field(
        description=(
            "True: the person said it in so many words. False: you took it from what was said, or"
            " guessed it; the form then asks them to confirm it."
        )
    )


class MakeBookingFormLink(InTurn):
    examples: ClassVar = [
        {
            "hold_or_time": EXAMPLE_HOLD,
            "time_zone": "Europe/Berlin",
            "known": [{"name": "name", "value": "Ada Lovelace", "said": True}],
            **IN_TURN_4,
        }
    ]

    hold_or_time: HoldOrTime
    time_zone: Zone
    known: list[KnownField] = Field(
        default=[], description="What is known of the person already.", max_length=40
    )
