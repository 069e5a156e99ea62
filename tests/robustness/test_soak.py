"""The soak finds what grows, and what was not done; what comes and goes it lets pass."""

import asyncio
from collections import Counter
from random import Random

import pytest

from tests.robustness import soak
from tests.robustness.growth import LOOKS_MIN, Look, TooFewLooks, growths

LOOKS = 60


def looks(name, values):
    return [Look(number / 10, {name: value}) for number, value in enumerate(values)]


def what_grows(name, values):
    return [each.name for each in growths(looks(name, values)) if each.is_too_much]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("name", "level", "noise"),
    [("locks", 60, 50), ("streams", 100, 12), ("tasks", 270, 8), ("a: memory MiB", 130, 2)],
)
def test_what_comes_and_goes_does_not_grow(name, level, noise, seed):
    chance = Random(seed)

    assert not what_grows(name, [level + chance.uniform(-noise, noise) for _ in range(LOOKS)])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("name", "level", "noise", "growth"),
    [
        ("connections", 8, 1, 12),
        ("a: streams", 100, 12, 240),
        ("tasks", 100, 12, 60),
        ("locks", 20, 15, 60),
        ("a: memory MiB", 130, 2, 40),
    ],
)
def test_what_goes_on_growing_is_told(name, level, noise, growth, seed):
    chance = Random(seed)
    values = [
        level + growth * number / LOOKS + chance.uniform(-noise, noise) for number in range(LOOKS)
    ]

    assert what_grows(name, values) == [name]


def test_what_filled_while_all_warmed_up_does_not_grow():
    assert not what_grows("tasks", [min(10 * number, 180) for number in range(LOOKS)])


def test_looks_that_are_off_hide_no_growth_and_make_none():
    growing = [100 + 2 * number for number in range(LOOKS)]
    level = [100] * LOOKS
    for values in (growing, level):
        values[45:52] = [0] * 7

    assert what_grows("tasks", growing) == ["tasks"]
    assert not what_grows("tasks", level)


def test_of_too_few_looks_nothing_is_said():
    with pytest.raises(TooFewLooks):
        growths(looks("streams", [100] * LOOKS_MIN))


def test_of_no_looks_nothing_is_said():
    with pytest.raises(TooFewLooks):
        growths([])


def a_load(**parts):
    kinds = ("caller", "watcher")
    everybody = ["owner", *(f"{kind}-{number}" for kind in kinds for number in range(1, 7))]
    return soak.Load(
        **{
            "asked": 1_000,
            "opened": 1_000,
            "answered": 600,
            "looks": looks("streams", [100] * LOOKS),
            "never_read": [200] * LOOKS,
            "done": [Counter(dict.fromkeys(everybody, 20)) for _ in range(LOOKS)],
            **parts,
        }
    )


def test_a_load_that_is_what_was_asked_for_lacks_nothing():
    assert soak.lacks(a_load()) == []


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"opened": 900}, "only 900 streams of 1,000 were opened"),
        ({"answered": 20}, "only 20 streams of 1,000 had an answer"),
        ({"refused": 30}, "30 streams were refused"),
        ({"never_read": [120] * LOOKS}, "there were no 200 readers that never read"),
        ({"never_read": []}, "there were no 200 readers that never read"),
        ({"broken_off": ["stuck-1 broke off"]}, "stuck-1 broke off"),
    ],
)
def test_a_load_that_was_less_is_told(parts, told):
    assert soak.lacks(a_load(**parts)) == [told]


def test_who_stops_making_traffic_is_told():
    load = a_load()
    for done in load.done[40:]:
        del done["caller-3"], done["watcher-1"]

    assert soak.lacks(load) == ["caller-3 did nothing for long", "watcher-1 did nothing for long"]


async def breaks_off():
    raise ConnectionError("gone")


async def ends():
    pass


@pytest.mark.parametrize(
    ("name", "part", "told"),
    [
        ("stuck-1", breaks_off, "stuck-1 broke off: ConnectionError('gone')"),
        ("churner-1", breaks_off, "churner-1 broke off: ConnectionError('gone')"),
        ("watcher-1", ends, "watcher-1 ended too soon"),
        ("churner-1", ends, ""),
    ],
)
async def test_a_part_of_the_load_that_breaks_off_is_told(name, part, told):
    task = asyncio.create_task(part(), name=name)
    await asyncio.wait([task])

    assert soak.told_of_end(task) == told
