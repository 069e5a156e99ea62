"""Chance, to spread in time what would happen at once; nobody can guess anything of worth by it."""

from __future__ import annotations

from random import Random

# Not that of the module `random`, which others may have seeded, and rely upon.
JITTER = Random()
