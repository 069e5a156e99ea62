"""The folder that a server keeps its files in: private, and used by one server at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

# A socket's path has room for 108 bytes on Linux, and for 104 on macOS, with the file's own name.
SOCKET_FOLDER_BYTES_MAX = 80
RELEASE_SECONDS_MAX = 20.0
POLL_SECONDS = 0.01
LOG_BYTES_MAX = 8 * 1024 * 1024


class DataFolderInUse(Exception):
    """Another program runs a server on the folder."""

    def __init__(self, folder: Path, holder: int | None) -> None:
        by_whom = f"process {holder}" if holder else "another process"
        super().__init__(
            f"The data folder {folder} is in use by {by_whom}. "
            "Stop that one first, or choose another folder."
        )
        self.folder = folder
        self.holder = holder


class FolderLock:
    """A lock that lasts as long as any process that inherited it lives.

    The server inherits it, so that a folder whose owner was killed stays locked until the server
    that it left behind has gone too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "lock"
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """The open file to be inherited."""
        assert self._descriptor is not None, "The lock is not held."
        return self._descriptor

    def acquire(self) -> None:
        """Take the lock, or raise DataFolderInUse.

        Waits only where the owner is gone and the server that it left behind is about to follow.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + RELEASE_SECONDS_MAX
        while not _try_lock(descriptor):
            holder = self._holder()
            if (holder and _is_alive(holder)) or time.monotonic() > deadline:
                os.close(descriptor)
                raise DataFolderInUse(self._folder, holder)
            time.sleep(POLL_SECONDS)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; heirs that still live keep it locked until they end."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _holder(self) -> int | None:
        text = self._path.read_text().strip()
        return int(text) if text.isdecimal() else None


class SocketFolder:
    """Where the server's unix socket lies: beside its data, or where that is too deep elsewhere."""

    def __init__(self, data_folder: Path) -> None:
        beside = data_folder / "run"
        self._is_temporary = len(os.fsencode(beside)) > SOCKET_FOLDER_BYTES_MAX
        self._path = None if self._is_temporary else beside

    @property
    def path(self) -> Path:
        """The folder, the same from the first `make` on."""
        assert self._path is not None, "The folder was not made yet."
        return self._path

    def make(self) -> Path:
        """Make the folder, so that only its owner can reach the socket."""
        if self._path is None:
            # A name that could be foretold could be another user's folder.
            self._path = Path(tempfile.mkdtemp(prefix="slotcast-"))
        elif not self._path.exists():
            self._path.mkdir(mode=0o700)
        return self._path

    def remove(self) -> None:
        """Leave nothing in the temporary folder."""
        if self._is_temporary and self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)


def make_private(folder: Path) -> None:
    """Make a folder that no other user can look into."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Write a file that no other user can read, not even for a moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def rotate_log(path: Path) -> None:
    """Put a log aside that has grown too large; the one before it is dropped."""
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.old"))


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
