"""How much there is of what must not grow: memory, files, streams, connections and locks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import asyncpg

from tests.robustness.cluster.nodes import Node

_FIGURES = """
SELECT
    (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'slotcast') AS connections,
    (SELECT count(*) FROM pg_stat_activity
        WHERE application_name = 'slotcast' AND state = 'idle in transaction') AS in_transaction,
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS advisory_locks,
    (SELECT count(*) FROM pg_locks) AS locks
"""


async def figures_of_postgres(connection: asyncpg.Connection) -> dict[str, float]:
    """Count connections and locks."""
    row = await connection.fetchrow(_FIGURES)
    assert row is not None, "It always has one."
    return {
        "connections": row["connections"],
        "idle in transaction": row["in_transaction"],
        "advisory locks": row["advisory_locks"],
        "locks": row["locks"],
    }


def figures_of_process(node: Node) -> dict[str, float]:
    """Read a server's memory in MiB, its files, and what it tells of itself."""
    process = Path(f"/proc/{node.process_id}")
    resident = re.search(r"VmRSS:\s+(\d+) kB", (process / "status").read_text())
    assert resident is not None, "Linux always tells it."
    told: dict[str, float] = json.loads(node.figures.read_text())
    return {
        "memory MiB": int(resident[1]) / 1024,
        "files": len(list((process / "fd").iterdir())),
        **told,
    }
