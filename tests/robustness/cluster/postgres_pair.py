"""PostgreSQL as the truth of a cluster: one server, or a primary and its synchronous standby.

Only processes are killed here, never the machine, and what a killed process has written stays in
the kernel: so `fsync` is off, and nothing that was committed is lost by it. A commit is answered
when it was written (`synchronous_commit`) and, where there is a standby, when that has it too.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg

from service.embedded.postgres import Postgres
from tests.robustness.cluster.keeper import Keeper
from tests.robustness.cluster.proxy import Address

DATABASE_NAME = "slotcast"
STANDBY_NAME = "standby"
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "on",
    # A server that lost its connections has others before PostgreSQL has noticed.
    "max_connections": "100",
    "max_pred_locks_per_transaction": "4096",
    # A standby asks for its primary again so soon.
    "wal_retrieve_retry_interval": "50ms",
}
SHARED_BUFFERS = "64MB"
PROMOTE_SECONDS_MAX = 60
IN_STEP_SECONDS_MAX = 60

_IN_STEP = """
SELECT count(*) FROM pg_stat_replication
WHERE application_name = $1 AND state = 'streaming' AND sync_state = 'sync'
"""
_BACKENDS = """
SELECT pid AS process_id, client_port AS port FROM pg_stat_activity
WHERE application_name = 'slotcast' AND datname = current_database() AND client_port > 0
ORDER BY pid
"""


class Backend(NamedTuple):
    """A session of a server, by the port that it comes from."""

    process_id: int
    port: int


class PostgresPair:
    """Starts, breaks and replaces the server that has the truth."""

    def __init__(self, folder: Path, keeper: Keeper, *, standby: bool) -> None:
        """Start nothing yet."""
        self._keeper = keeper
        self.server = Postgres(
            folder / "postgres", shared_buffers=SHARED_BUFFERS, settings=SETTINGS
        )
        self._standby_folder = folder / STANDBY_NAME
        self.standby: Postgres | None = None
        self._wants_standby = standby

    @property
    def has_standby(self) -> bool:
        """Whether another server could take over."""
        return self.standby is not None

    @property
    def address(self) -> Address:
        """Where the server listens that has the truth now."""
        assert self.server.port is not None, "PostgreSQL was not started."
        return Address("127.0.0.1", self.server.port)

    @property
    def dsn(self) -> str:
        """The same with its password and the database; no fault lies on this way."""
        return self.server.dsn(DATABASE_NAME)

    async def start(self) -> None:
        """Start the server, with an empty database."""
        await self._keeper.do(self._start)

    async def start_standby(self) -> None:
        """Copy all there is to a standby, if one is wanted; each commit waits for it from now on.

        PostgreSQL is stopped for that.
        """
        if not self._wants_standby:
            return
        self.standby = await self._keeper.do(self._start_standby)
        async with self.connected() as connection:
            await connection.execute(
                f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY_NAME}'"
            )
            await connection.execute("SELECT pg_reload_conf()")
        await self._until_in_step()

    async def stop(self) -> None:
        """End whatever runs."""
        await self._keeper.do(self._stop)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncpg.Connection]:
        """Connect to the server that has the truth, past all proxies."""
        connection = await asyncpg.connect(self.dsn)
        try:
            yield connection
        finally:
            await connection.close()

    async def crash(self) -> None:
        """Shut the server down at once, as in an emergency, and start it again.

        Returns when it takes connections, and its standby follows it again.
        """
        await self._keeper.do(self._crash)
        await self._until_in_step()

    async def fail_over(self) -> None:
        """Lose the primary as a whole, and let the standby take over, however far behind it is."""
        assert self.standby is not None, "There is no standby."
        self.cont_standby()
        primary, self.server, self.standby = self.server, self.standby, None
        await self._keeper.do(lambda: kill_whole(primary))
        # It was copied before the primary knew of it, so it waits for no standby itself.
        async with self.connected() as connection:
            await connection.execute(f"SELECT pg_promote(true, {PROMOTE_SECONDS_MAX})")

    def stop_standby(self) -> None:
        """Let the standby stand still: it receives nothing, and each commit waits for it."""
        if self.standby is not None:
            signal_whole(self.standby, signal.SIGSTOP)

    def cont_standby(self) -> None:
        """Let it go on."""
        if self.standby is not None:
            signal_whole(self.standby, signal.SIGCONT)

    async def backends(self) -> list[Backend]:
        """Return the sessions of our servers."""
        async with self.connected() as connection:
            return [Backend(**row) for row in await connection.fetch(_BACKENDS)]

    async def terminate(self, backend: Backend) -> bool:
        """End a session; False: it had ended by itself."""
        async with self.connected() as connection:
            return bool(
                await connection.fetchval("SELECT pg_terminate_backend($1)", backend.process_id)
            )

    async def _until_in_step(self) -> None:
        """Wait until the standby, if there is one, has all that the primary has."""
        if self.standby is None:
            return
        async with asyncio.timeout(IN_STEP_SECONDS_MAX), self.connected() as connection:
            while not await connection.fetchval(_IN_STEP, STANDBY_NAME):
                pass

    def _start(self) -> None:
        self.server.start().create_database(DATABASE_NAME)

    def _start_standby(self) -> Postgres:
        """Start a copy of the server that was stopped in order: that is a backup like any other."""
        primary = self.server
        primary.stop()
        self._standby_folder.mkdir()
        copied = [primary.folder / name for name in ("data", "password")]
        subprocess.run(["cp", "-a", *copied, self._standby_folder], check=True)
        (self._standby_folder / "data" / "standby.signal").touch()
        primary.start()
        return Postgres(
            self._standby_folder,
            shared_buffers=SHARED_BUFFERS,
            settings={**SETTINGS, "primary_conninfo": _conninfo(primary)},
        ).start()

    def _crash(self) -> None:
        os.kill(self.server.process_id, signal.SIGQUIT)
        self.server.stop()
        self.server.start()

    def _stop(self) -> None:
        self.cont_standby()
        for server in (self.standby, self.server):
            if server is not None:
                server.stop()


def kill_whole(server: Postgres) -> None:
    """Kill a server with all its processes, as if its machine were gone, and let go of its folder.

    Killed alone, the first of them leaves the others to notice, and a session that is at work goes
    on working until it does. While it is stopped it starts no more, and lets go of no process id.
    """
    os.kill(server.process_id, signal.SIGSTOP)
    for process_id in _children(server.process_id):
        os.kill(process_id, signal.SIGKILL)
    server.kill()
    server.stop()


def signal_whole(server: Postgres, number: signal.Signals) -> None:
    """Send a signal to a server with all its processes."""
    for process_id in (server.process_id, *_children(server.process_id)):
        os.kill(process_id, number)


def _children(process_id: int) -> list[int]:
    listed = Path(f"/proc/{process_id}/task/{process_id}/children")
    if listed.exists():
        return [int(text) for text in listed.read_text().split()]
    pgrep = shutil.which("pgrep")
    assert pgrep is not None, "Neither /proc nor pgrep tells which processes belong together."
    told = subprocess.run([pgrep, "-P", str(process_id)], capture_output=True, check=False)
    return [int(text) for text in told.stdout.split()]


def _conninfo(primary: Postgres) -> str:
    return f"{primary.socket_dsn()}&application_name={STANDBY_NAME}"
