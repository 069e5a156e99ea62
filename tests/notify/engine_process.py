"""A notifier in a process of its own, which may be killed: `python -m tests.notify.engine_process`.

It plans a letter for each booking, and "sends" it by writing a line into a file.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from service.domain.delivery import Channel
from service.notify.consumers import ConsumerLimits, Consumers
from service.notify.delivering import Deliverer
from service.notify.delivery import Sent
from service.notify.notifier import Notifier
from service.ops import failpoints
from service.store.database import Database
from tests.notify.conftest import QUICK
from tests.notify.engine import Planner


class Line:
    """What was sent stays, whatever becomes of this process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, delivery):
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{delivery.revision} {delivery.delivery_id}\n".encode())
        os.close(descriptor)
        return Sent("written")


async def run(url: str, path: Path) -> None:
    """Notify until the standard input ends."""
    database = Database(url, pool_size=4)
    notifier = Notifier(
        database,
        Consumers(database, [Planner()], ConsumerLimits(poll_seconds=0.05)),
        Deliverer(database, {Channel.LETTER: Line(path)}),
        QUICK,
    )
    await notifier.start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    await notifier.stop(5.0)
    await database.close()


def main() -> None:
    """Read what to do."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("path", type=Path)
    parser.add_argument("--failpoint")
    options = parser.parse_args()
    if options.failpoint is not None:
        failpoints.arm(options.failpoint, after_seconds=0.0)
    asyncio.run(run(options.url, options.path))


if __name__ == "__main__":
    main()
