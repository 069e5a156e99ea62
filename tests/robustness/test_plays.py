"""That no judge objects to long plays of the service's own domain, by whatever clock.

All judges look at the same plays, for to play takes longer than to judge.
"""

import pytest

from tests.robustness.checker.judge import examine
from tests.robustness.checker.plays import long_play
from tests.robustness.formal.replay import replay
from tests.robustness.linearizability.search import find_violations

SEARCHED_EVERY = 5
"""To search for an order takes longest."""
SEEDS = [range(first, first + 25) for first in range(0, 100, 25)]


@pytest.mark.parametrize("sets_the_clock", [False, True])
@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_however_long_the_domain_decides_and_by_whatever_clock_no_judge_objects(
    seeds: range, sets_the_clock: bool
):
    for seed in seeds:
        history, witness = long_play(seed, sets_the_clock=sets_the_clock)

        assert examine(history, witness).violations == [], f"the checker, seed {seed}"
        assert replay(history, witness) == [], f"the model, seed {seed}"
        if seed % SEARCHED_EVERY == 0:
            assert not find_violations(history), f"the second opinion, seed {seed}"
