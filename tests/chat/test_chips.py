"""The offered times as chips: what each shows. No server."""

from datetime import UTC, datetime

import pytest

from slotcast import ShownChanged
from slotcast_chat.assistant.state import Held, Offer
from slotcast_chat.server.chips import Chips, ChipState, chip_of, slot_of

ANNA = "haircut|anna|2026-12-01T10:00+01:00|30"
BERT = "haircut|bert|2026-12-01T10:00+01:00|30"
ANYONE = "haircut||2026-12-01T10:00+01:00|30"
OFFER = Offer(ANYONE, "Tuesday 1 December 2026, 10:00", (("Anna", ANNA), ("Bert", BERT)))


def state_after(**news):
    slots = {kind: tuple(slot_of(time, "salon") for time in times) for kind, times in news.items()}
    whole = {"gone": (), "back": (), "unknown": (), **slots}
    chips = Chips().showing([chip_of(OFFER, "salon")])
    told = ShownChanged(**whole, revision=2, as_of=datetime.now(UTC))
    return chips.changed(told).states()[ANYONE]


@pytest.mark.parametrize(
    ("news", "state"),
    [
        ({}, ChipState.OPEN),
        ({"gone": [ANNA]}, ChipState.OPEN),
        ({"gone": [ANNA, BERT]}, ChipState.GONE),
        ({"unknown": [ANNA]}, ChipState.OPEN),
        ({"unknown": [ANNA, BERT]}, ChipState.NOT_LIVE),
        ({"gone": [ANNA], "unknown": [BERT]}, ChipState.NOT_LIVE),
        ({"gone": [ANNA], "unknown": [ANNA]}, ChipState.OPEN),
        ({"gone": [ANNA, BERT], "unknown": [ANNA, BERT]}, ChipState.GONE),
    ],
)
def test_a_chip_is_live_while_one_of_its_slots_is_known_to_be_open(news, state):
    assert state_after(**news) is state


def test_a_chip_of_nobody_by_name_is_never_shown_as_live():
    chips = Chips().showing([chip_of(Offer(ANYONE, "Tuesday"), "salon")])
    assert chips.states() == {ANYONE: ChipState.NOT_LIVE}


def test_while_nothing_is_known_no_chip_can_be_chosen():
    chips = Chips().showing([chip_of(OFFER, "salon")])
    unknown = chips.known(unknown=chips.slots, is_stale=True)
    assert unknown.states() == {ANYONE: ChipState.UNKNOWN}
    assert unknown.known(unknown=(), is_stale=False).states() == {ANYONE: ChipState.OPEN}


ANNAS = [f"haircut|anna|2026-12-01T{clock}+01:00|30" for clock in ("10:00", "10:30", "11:00")]
BERTS = "haircut|bert|2026-12-01T11:00+01:00|30"


def told(chips, revision, *, gone=(), back=()):
    kinds = {"gone": gone, "back": back}
    slots = {kind: tuple(slot_of(time, "salon") for time in times) for kind, times in kinds.items()}
    return chips.changed(ShownChanged(**slots, revision=revision, as_of=datetime.now(UTC)))


def held(time):
    return Held(f"hold|{time}", "", "", {})


def test_what_the_own_hold_may_close_by_its_buffers_is_not_shown_as_taken():
    times = [*ANNAS, BERTS]
    shown = Chips().showing([chip_of(Offer(time, "Tuesday"), "salon") for time in times])
    before = told(shown, 2, gone=ANNAS[:1])
    # The watch may be quicker than the answer that tells of the hold, or slower.
    closed = told(before, 3, gone=[*ANNAS[1:], BERTS])
    quicker = closed.holding(held(ANNAS[1]), before)
    slower = told(before.holding(held(ANNAS[1]), before), 3, gone=[*ANNAS[1:], BERTS])

    for chips in (quicker, slower):
        assert list(chips.states().values()) == [
            ChipState.GONE,
            ChipState.HELD,
            ChipState.NOT_LIVE,
            ChipState.GONE,
        ]

    # Another is held instead: what was gone by others still is, and nothing else.
    instead = quicker.holding(held(ANNAS[2]), quicker)
    assert list(instead.states().values()) == [
        ChipState.GONE,
        ChipState.NOT_LIVE,
        ChipState.HELD,
        ChipState.GONE,
    ]
    assert instead.holding(None, instead).states()[ANNAS[1]] is ChipState.GONE


def test_what_was_told_gone_is_not_shown_as_open_because_it_is_listed_again():
    chips = [chip_of(Offer(time, "Tuesday"), "salon") for time in ANNAS]
    shown = told(Chips().showing(chips), 2, gone=ANNAS[:2])

    again = shown.showing(chips)

    assert list(again.states().values()) == [ChipState.GONE, ChipState.GONE, ChipState.OPEN]
    assert told(again, 3, back=ANNAS[:1]).states()[ANNAS[0]] is ChipState.OPEN
    assert shown.showing(chips[2:]).gone == frozenset()
