"""Start and end a server as a child process that never outlives us, and never runs as root."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

# Servers see nothing of our environment: it may hold secrets, and settings that they would obey.
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": os.defpath, "TZ": "UTC"}
LOG_TAIL_BYTES = 2000
PORT_ATTEMPTS_MAX = 5
# An id that is not 0 inside a user namespace; outside it is ours.
NAMESPACE_USER_ID = 1000


class ServerFailed(Exception):
    """A server did not start; the message ends with the last lines of its log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """How a program is started so that it does not run as root."""

    prefix: tuple[str, ...] = ()
    user_id: int | None = None
    group_id: int | None = None
    popen: dict[str, Any] = field(default_factory=dict)

    def own(self, *paths: Path) -> None:
        """Give the paths to the account, where it is another than ours."""
        if self.user_id is not None and self.group_id is not None:
            for path in paths:
                os.chown(path, self.user_id, self.group_id)


@cache
def unprivileged() -> Account:
    """Return how to start PostgreSQL, which refuses to be root.

    In a user namespace it is not root, and yet its files stay ours, below root's home too. Where
    namespaces are refused, it runs as `nobody`, who must be able to reach the folder.
    """
    if os.geteuid() != 0:
        return Account()
    namespace = (
        "unshare",
        "--user",
        f"--map-user={NAMESPACE_USER_ID}",
        f"--map-group={NAMESPACE_USER_ID}",
        "--",
    )
    if shutil.which("unshare") and _succeeds(*namespace, "true"):
        return Account(prefix=namespace)
    nobody = pwd.getpwnam("nobody")
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return Account(user_id=nobody.pw_uid, group_id=nobody.pw_gid, popen=identity)


def launch(
    command: Sequence[str | Path], *, log: Path, account: Account, heirloom: int
) -> subprocess.Popen[bytes]:
    """Start a server that dies with us, appends to `log`, and inherits one open file.

    The kernel ties its life to the thread that calls this, so call it from one that stays.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [*account.prefix, *_dying_with_us(), *command],
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C in a terminal is for us; we then end the server in order.
            start_new_session=True,
            pass_fds=(heirloom,),
            **account.popen,
        )


def end(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Send each signal in turn, until the process has ended within the seconds that go with it."""
    for number, seconds in steps:
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    process.kill()
    process.wait()


def free_port() -> int:
    """Return a port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def start_on_a_port(port: int | None, start: Callable[[int], bool]) -> int | None:
    """Start a server on the port, or where none is named on a free one; return where it listens.

    None means that it did not start, for another reason than that the port was taken.
    """
    if port is not None:
        return port if start(port) else None
    for _ in range(PORT_ATTEMPTS_MAX):
        port = free_port()
        if start(port):
            return port
        # Between our look and the server's, someone else may have taken the port.
        if is_free(port):
            break
    return None


def package_folder(package: str, instead: str) -> Path:
    """Return where a package lies, without running its code."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerFailed(f"The package {package} is not installed; {instead}.")
    return Path(spec.origin).parent


def is_installed(package: str) -> bool:
    """Say whether there is a package: not all have a wheel for every system."""
    return importlib.util.find_spec(package) is not None


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    text = log.read_bytes()[-LOG_TAIL_BYTES:] if log.exists() else b""
    return text.decode(errors="replace").strip()


@cache
def _dying_with_us() -> tuple[str, ...]:
    # INT is PostgreSQL's fast shutdown and ends Valkey; TERM would let PostgreSQL wait for clients.
    prefix = ("setpriv", "--pdeathsig", "INT")
    return prefix if shutil.which("setpriv") and _succeeds(*prefix, "true") else ()


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
