"""Growth: whether what is looked at again and again goes on growing.

The slope is that of Theil and Sen, the median of the slopes between any two looks: it stays what it
is though a quarter of the looks be off. Where figures come and go it says little; so what counts is
what the slope is at least, with 99 % confidence (Sen 1968, after Kendall's tau).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt
from statistics import median
from typing import NamedTuple

WARM_UP_SHARE = 1 / 3
"""So much of a run is not judged: until then caches fill, and connections are opened."""
LOOKS_MIN = 20
"""So many must be left: a slope of fewer is one of chance."""
MEMORY = "memory MiB"
MEMORY_GROWTH_MAX = 8.0
"""In MiB: so much a server's caches may still fill, and its heap still fray. It is less than a half
KiB for each stream of a whole soak, and what a stream is made of takes more."""
GROWTH_MAX = 3.0
GROWTH_SHARE_MAX = 0.1
"""So many more of what is counted, and a tenth: as many as one caller more would need. A soak opens
streams by the thousand, and makes calls by the ten thousand; of either, few would have to stay."""
STREAMS = "streams"
STREAMS_GROWTH_MAX = 100.0
"""So many readers that never read are a server's. It gives them up, and they begin anew, in waves
that are longer than a short soak; thousands are opened beside them."""
CONFIDENCE = 2.326
"""Of the normal distribution, 99 % lie below."""


class Look(NamedTuple):
    """Figures of one moment, by name."""

    minutes: float
    figures: Mapping[str, float]


class Growth(NamedTuple):
    """How a figure went, from the end of the warm-up on: by how much it grew, and surely grew."""

    name: str
    begin: float
    end: float
    growth: float
    sure_growth: float
    growth_max: float

    @property
    def is_too_much(self) -> bool:
        """Say whether it goes on growing."""
        return self.sure_growth > self.growth_max


class Slope(NamedTuple):
    """What grows in a minute: most likely, and at least."""

    likely: float
    least: float


class TooFewLooks(Exception):
    """Nothing can be said of so few."""


def growths(looks: Sequence[Look]) -> list[Growth]:
    """Return how each figure went. TooFewLooks: nobody can say."""
    judged = after_warm_up(looks)
    if len(judged) < LOOKS_MIN:
        raise TooFewLooks(f"{len(judged)} looks after the warm-up, {LOOKS_MIN} are needed")
    return [_growth(judged, name) for name in judged[0].figures]


def after_warm_up(looks: Sequence[Look]) -> list[Look]:
    """Return the looks that are judged."""
    if not looks:
        return []
    first, last = looks[0].minutes, looks[-1].minutes
    return [look for look in looks if look.minutes - first >= WARM_UP_SHARE * (last - first)]


def slope_of(points: Sequence[tuple[float, float]]) -> Slope:
    """Return the median of the slopes between any two points, and the least that it may be."""
    slopes = sorted(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for earlier, later in combinations(sorted(points), 2)
        if later[0] > earlier[0]
    )
    number = len(points)
    spread = CONFIDENCE * sqrt(number * (number - 1) * (2 * number + 5) / 18)
    least = max(0, round((len(slopes) - spread) / 2))
    return Slope(median(slopes), slopes[least])


def _growth(looks: Sequence[Look], name: str) -> Growth:
    points = [(look.minutes, look.figures[name]) for look in looks]
    values = [value for _, value in points]
    fifth = max(1, len(values) // 5)
    slope, minutes = slope_of(points), looks[-1].minutes - looks[0].minutes
    return Growth(
        name=name,
        begin=median(values[:fifth]),
        end=median(values[-fifth:]),
        growth=slope.likely * minutes,
        sure_growth=slope.least * minutes,
        growth_max=_growth_max(name, median(values)),
    )


def _growth_max(name: str, level: float) -> float:
    if name.endswith(MEMORY):
        return MEMORY_GROWTH_MAX
    if name.endswith(STREAMS):
        return STREAMS_GROWTH_MAX
    return GROWTH_MAX + GROWTH_SHARE_MAX * level
