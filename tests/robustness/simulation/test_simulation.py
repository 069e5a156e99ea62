"""The watch path under a seeded scheduler: whatever goes wrong, in whatever order."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from service.live.frames import Goodbye, Reset, ResetReason
from tests.robustness.simulation.judges import violations
from tests.robustness.simulation.trace import trace
from tests.robustness.simulation.world import World

ROOT = Path(__file__).resolve().parents[3]
REPLAY = "python -m tests.robustness.simulation --seed"
SEEDS, SEEDS_NEW, SEEDS_AT_A_TIME = 1_600, 400, 100
SEED_REPLAYED = 52


def keeps_its_promises(seeds):
    for seed in seeds:
        found = violations(World(seed).run())
        told = "\n".join(f"{each.promise} at {each.at:.2f} s: {each.what}" for each in found[:5])
        assert not found, f"{told}\nTo see all of it: {REPLAY} {seed}"


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_AT_A_TIME))
def test_the_promises_about_watching_hold_whatever_goes_wrong(first):
    keeps_its_promises(range(first, first + SEEDS_AT_A_TIME))


@pytest.mark.parametrize("part", range(SEEDS_NEW // SEEDS_AT_A_TIME))
def test_the_promises_about_watching_hold_for_seeds_that_nobody_has_tried(part):
    first = random.SystemRandom().randrange(SEEDS, 10**9)

    keeps_its_promises(range(first, first + SEEDS_AT_A_TIME))


def a_trace(seed):
    record = World(seed).run()
    return trace(record, violations(record))


def test_a_seed_replays_exactly():
    first, second = a_trace(SEED_REPLAYED), a_trace(SEED_REPLAYED)

    assert first == second
    assert len(first) > 100


def test_a_seed_replays_exactly_in_another_process_and_can_be_read():
    done = subprocess.run(
        [sys.executable, *REPLAY.split()[1:], str(SEED_REPLAYED)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == a_trace(SEED_REPLAYED)


def test_what_can_go_wrong_does_go_wrong():
    records = [World(seed).run() for seed in range(60)]
    streams = [stream for record in records for stream in record.streams]
    frames = [arrival.frame for stream in streams for arrival in stream.arrivals]

    assert {fault.kind for record in records for fault in record.faults} == {
        *("cut", "fail", "slow", "pause", "step", "bus", "anew", "drain", "kill")
    }
    assert {frame.reason for frame in frames if isinstance(frame, Reset)} == set(ResetReason)
    assert any(isinstance(frame, Goodbye) for frame in frames)
    assert any(getattr(frame, "more", False) for frame in frames)
    assert {stream.ending for stream in streams} == {
        *("goodbye", "cancelled", "OVERLOADED", "REVISION_AHEAD", "RESOURCE_NOT_FOUND")
    }
    refused = {each.reason for record in records for each in record.refused_listings}
    assert refused >= {"OVERLOADED", "RESOURCE_NOT_FOUND"}
