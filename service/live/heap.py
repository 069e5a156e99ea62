"""Keeping Python's collector from work that finds nothing.

Walking through a large replica takes 0.1 s and more. Claims refer to nothing that refers back to
them: all of them are freed by their last reference, so the collector looks for nothing there. Full
collections wait while something is loaded; what is large is then set aside from them, together with
all else that there is at that instant, until the last large replica is dropped.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

LARGE_CLAIMS_MIN = 20_000
_NEVER = 1_000_000_000


def collect_less_often() -> None:
    """Look for cycles once in a batch of bookings or two, and never among what stays for good.

    By default it is every 700 new objects: a fifth of the time that a batch takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


class _Loads:
    count = 0
    threshold = 0


class _SetAside:
    count = 0


@contextmanager
def full_collections_wait() -> Iterator[None]:
    """Collect only what is young until the block ends; blocks may overlap."""
    youngest, younger, oldest = gc.get_threshold()
    if not _Loads.count:
        _Loads.threshold = oldest
        gc.set_threshold(youngest, younger, _NEVER)
    _Loads.count += 1
    try:
        yield
    finally:
        _Loads.count -= 1
        if not _Loads.count:
            youngest, younger, _ = gc.get_threshold()
            gc.set_threshold(youngest, younger, _Loads.threshold)


def set_aside(claims: int) -> None:
    """Let no full collection look at what there is now, if so many claims are worth it."""
    if claims >= LARGE_CLAIMS_MIN:
        _SetAside.count += 1
        gc.freeze()


def take_back(claims: int) -> None:
    """So many claims are dropped: with the last of the large, collections look at all again."""
    if claims >= LARGE_CLAIMS_MIN:
        _SetAside.count = max(0, _SetAside.count - 1)
        if not _SetAside.count:
            gc.unfreeze()
