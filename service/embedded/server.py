"""What the servers that we start ourselves have in common: one process, on a folder of its own."""

from __future__ import annotations

import signal
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from service.embedded import process
from service.embedded.folder import FolderLock, SocketFolder, make_private, rotate_log

Ending = tuple[signal.Signals, float]
"""A signal, and for how many seconds it is given to end the process."""


class EmbeddedServer(ABC):
    """A server of our own, which is started again at the same address."""

    _endings: tuple[Ending, ...] = ((signal.SIGTERM, 5.0),)
    """What asks it to stop, one after another; then it is killed."""

    def __init__(self, folder: Path, log_name: str, account: process.Account | None = None) -> None:
        self.folder = folder.absolute()
        self._log = self.folder / log_name
        self._lock = FolderLock(self.folder)
        self._sockets = SocketFolder(self.folder)
        self._account = account or process.Account()
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

    def start(self) -> Self:
        """Start the server, and return when it takes connections.

        Raises DataFolderInUse where another program runs one on the folder, ServerFailed where it
        does not start.
        """
        if self.is_running:
            return self
        self.stop()
        make_private(self.folder)
        self._account.own(self.folder)
        self._lock.acquire()
        try:
            rotate_log(self._log)
            self._run()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server; clients that are still connected are sent away."""
        if self._process is not None:
            process.end(self._process, *self._endings)
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

    @abstractmethod
    def _run(self) -> None:
        """Start the process, and wait until it takes connections."""
