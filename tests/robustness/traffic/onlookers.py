"""Onlookers: the Python client's own views, and what they would offer at each moment."""

from __future__ import annotations

import asyncio
from random import Random

from slotcast import Client, SlotQuery, Timeouts
from slotcast.watch import SlotView
from tests.robustness.catalogue import BUSINESS, QUARTER
from tests.robustness.history import Sight
from tests.robustness.traffic.ground import Ground, pause
from tests.robustness.traffic.requests import FOUGHT_OVER

LOOK_SECONDS = 0.1
PATIENCE = Timeouts(back_off_seconds_min=0.05, back_off_seconds_max=0.5, silence_seconds_max=6.0)


class Onlooker:
    """Watches at one server and looks, as a page would, ten times a second."""

    def __init__(self, ground: Ground, random: Random, name: str) -> None:
        """Take what it stands on."""
        self._ground = ground
        self._name = name
        self._is_over = asyncio.Event()
        self._server = random.choice(ground.servers)
        self._window = ground.starts[0] - QUARTER, ground.starts[-1] + QUARTER

    async def run(self) -> None:
        """Look until cancelled."""
        target, (start, end) = self._ground.targets[self._server], self._window
        query = SlotQuery(start=start, end=end, appointment_types=FOUGHT_OVER)
        async with (
            Client(
                target, api_key=self._ground.api_key, business=BUSINESS, timeouts=PATIENCE
            ) as client,
            client.watch(query) as view,
        ):
            while await pause(LOOK_SECONDS, unless=self._is_over):
                self._look(view)

    def _look(self, view: SlotView) -> None:
        recorder = self._ground.recorder
        sights = recorder.history.sights
        slots = frozenset(
            (_short(slot.appointment_type), _short(slot.calendar), slot.start, slot.seats_left)
            for slot in view.known_slots().values()
        )
        sights.append(
            Sight(
                at=recorder.now,
                watcher=self._name,
                is_stale=view.is_stale,
                revision=view.revision,
                slots=slots,
                types=FOUGHT_OVER,
                window=self._window,
            )
        )


def _short(name: str) -> str:
    return name.rpartition("/")[2]
