"""The processes of a cluster, as who drives them sees them: started, stopped, ended at any time."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.robustness.cluster.proxy import Address, bound

ROOT = Path(__file__).resolve().parents[3]
READY_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0
TOKEN_SECRET = "a secret that all servers of a cluster share"

DRAIN_SECONDS = 2

# What the servers may do is the scenario's, not that of who runs it.
_FORGOTTEN = ("SLOTCAST_", "PYTHONDONTWRITEBYTECODE")


class Pace(NamedTuple):
    """How often a server verifies and beats, and after how long its views are stale."""

    heartbeat_seconds: float
    verify_seconds: float
    stale_after_seconds: float


# The proportions are those of the defaults; a view is stale soon enough for a test to see it.
QUICK = Pace(heartbeat_seconds=1.0, verify_seconds=0.5, stale_after_seconds=5.0)


class NodeFailed(Exception):
    """A process ended while it started, or was not ready in time; its log says why."""


class Node:
    """One server, on a port of its own that stays the same; or, if `is_notifier`, a notifier.

    It ends with us, also while it is stopped. What it logs is in `log`.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        database_url: str,
        redis_url: str,
        trims: bool,
        tells_figures: bool,
        pace: Pace | None,
        is_notifier: bool = False,
    ) -> None:
        """Start nothing yet. Without a pace it has that of the defaults."""
        self.name = name
        self.log = folder / f"{name}.log"
        self.figures = folder / f"{name}.figures.json"
        # Bound, but never listening: nobody else gets the port while the server is dead.
        self._reserved = bound(0)
        self._options = [
            *(("--notifier",) if is_notifier else ()),
            *(("--trims",) if trims else ()),
            *(("--figures", str(self.figures)) if tells_figures else ()),
        ]
        self._environment = {
            **_inherited(os.environ),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SLOTCAST_DATA": str(folder / name),
            "SLOTCAST_LISTEN": str(self.address),
            "SLOTCAST_TOKEN_SECRET": TOKEN_SECRET,
            "SLOTCAST_LOG_LEVEL": "WARNING",
            **paced(pace),
            "SLOTCAST_DRAIN_SECONDS": str(DRAIN_SECONDS),
            # Compiling what is imported takes longer than all else that a start does.
            "PYTHONPYCACHEPREFIX": str(_bytecode_folder()),
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> Address:
        """Where it listens."""
        return Address(*self._reserved.getsockname())

    @property
    def is_running(self) -> bool:
        """Whether its process lives, be it stopped."""
        return self._process is not None and self._process.returncode is None

    @property
    def process_id(self) -> int:
        """The id of the process that was started last."""
        return self._started.pid

    @property
    def _started(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "The server was not started."
        return self._process

    async def start(self, *, failpoint: str | None = None, after_seconds: float = 0.0) -> None:
        """Start it, and return when it takes calls, or has been ended meanwhile.

        With a failpoint it dies there, the first time that it comes by after so many seconds.
        NodeFailed: it gave up by itself, or was not ready in time.
        """
        armed = [] if failpoint is None else _armed(failpoint, after_seconds)
        self._process = await self._spawn([*self._options, *armed])
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                is_ready = await self._process.stdout.read(1) == b"1"
        except TimeoutError:
            self.kill()
            raise NodeFailed(f"node {self.name} was not ready in time: see {self.log}") from None
        if not is_ready and await self.died() > 0:
            raise NodeFailed(f"node {self.name} did not start: see {self.log}")

    async def restart(self, failpoint: str | None = None, after_seconds: float = 0.0) -> None:
        """Start it anew; if it runs, it is killed before."""
        if self.is_running:
            self.kill()
            await self.died()
        await self.start(failpoint=failpoint, after_seconds=after_seconds)

    async def died(self) -> int:
        """Wait until its process has ended; return its code, or the negative of its signal."""
        return await self._started.wait()

    def kill(self) -> None:
        """End it as a crash would."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Let it stand still, as a machine does that has no time for it; its connections stay."""
        self._signal(signal.SIGSTOP)

    def cont(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to drain and to end."""
        self._signal(signal.SIGTERM)
        # What stands still does not hear it.
        self.cont()

    async def end(self) -> None:
        """End it for ever, killed where it does not drain within the time; give its port back."""
        if self.is_running:
            self.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS_MAX):
                    await self.died()
            except TimeoutError:
                self.kill()
                await self.died()
        self._reserved.close()

    def _signal(self, number: signal.Signals) -> None:
        # Past asyncio's own, which may look for the end of the process before who waits for it.
        if self.is_running:
            with suppress(ProcessLookupError):
                os.kill(self.process_id, number)

    async def _spawn(self, arguments: list[str]) -> asyncio.subprocess.Process:
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *_dying_with_us(),
                *(sys.executable, "-m", "tests.robustness.cluster.node", *arguments),
                cwd=ROOT,
                env=self._environment,
                # Held open while we live: a server whose standard input ends stops by itself.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C in a terminal is for us; we then end the server in order.
                start_new_session=True,
            )


def _armed(failpoint: str, after_seconds: float) -> list[str]:
    return ["--failpoint", failpoint, "--after-seconds", str(after_seconds)]


def paced(pace: Pace | None) -> dict[str, str]:
    """Return the variables that give a server its pace."""
    if pace is None:
        return {}
    return {f"SLOTCAST_{name.upper()}": str(seconds) for name, seconds in pace._asdict().items()}


def _inherited(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environ.items() if not name.startswith(_FORGOTTEN)}


@cache
def _bytecode_folder() -> Path:
    """Return a folder for all servers that this process starts, or that all processes share."""
    if shared := os.environ.get("PYTHONPYCACHEPREFIX"):
        return Path(shared)
    folder = Path(tempfile.mkdtemp(prefix="slotcast-bytecode-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _dying_with_us() -> tuple[str, ...]:
    # A server that is stopped would not notice that its standard input has ended.
    return ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
