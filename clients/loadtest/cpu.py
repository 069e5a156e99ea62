"""How much of the machine a worker takes: what it takes, the server cannot have."""

from __future__ import annotations

import resource


def cpu_seconds() -> float:
    """Return the processor time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
