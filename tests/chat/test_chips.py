"""The offered times as chips: what each shows. No server."""

from datetime import UTC, datetime

import pytest

from slotcast import ShownChanged
from slotcast_chat.assistant.state import Offer
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
