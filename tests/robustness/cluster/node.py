"""One server of a cluster, or its notifier: `python -m tests.robustness.cluster.node`.

It is set by the environment, as every server is, but for what an operator may not choose: how soon
the log is trimmed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import uvloop

from service.live import heap
from service.ops import failpoints
from service.ops.logs import configure_logs
from service.settings import Settings
from service.wiring import built_server, run_notifier, run_worker
from tests.robustness.scenarios import TRIMMED_AFTER_SECONDS

TRIMMING_INTERVAL_SECONDS = 1.0
SECONDS_PER_HOUR = 3600
FIGURES_SECONDS = 1.0


def main() -> None:
    """Serve until SIGTERM, the end of the standard input, or the failpoint."""
    options = _options()
    settings = Settings.from_environment()
    if options.trims:
        settings = replace(
            settings,
            change_retention_hours=TRIMMED_AFTER_SECONDS / SECONDS_PER_HOUR,
            janitor_interval_seconds=TRIMMING_INTERVAL_SECONDS,
        )
    configure_logs(settings.log_level)
    if options.failpoint is not None:
        failpoints.arm(options.failpoint, after_seconds=options.after_seconds)
    # It is closed when it has been told, and nothing else that is opened may take its number.
    ready = os.dup(sys.stdout.fileno())
    if options.notifier:
        uvloop.run(run_notifier(settings, ready_fd=ready))
    elif options.figures is not None:
        uvloop.run(_serve_and_tell(settings, ready, options.figures))
    else:
        uvloop.run(run_worker(settings, ready_fd=ready))


async def _serve_and_tell(settings: Settings, ready: int, figures: Path) -> None:
    """Serve, and write now and then how much there is of what must not grow."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    heap.collect_less_often()
    async with built_server(settings, reuse_port=True) as (_, parts):
        os.write(ready, b"1")
        while not stopping.is_set():
            told = {"streams": len(parts.watchers), "tasks": len(asyncio.all_tasks())}
            draft = figures.with_suffix(".new")
            draft.write_text(json.dumps(told))
            draft.rename(figures)
            with suppress(TimeoutError):
                async with asyncio.timeout(FIGURES_SECONDS):
                    await stopping.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--notifier", action="store_true")
    parser.add_argument("--trims", action="store_true")
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--failpoint")
    parser.add_argument("--after-seconds", type=float, default=0.0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
