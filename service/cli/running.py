"""What a running server leaves in its data folder, so that commands on the same machine find it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE_NAME = "server.json"
OPERATOR_KEY_NAME = "operator_key"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningServer:
    """Where a server listens, and on what it stands."""

    target: str
    database_url: str
    redis_url: str
    process_id: int
    gateway: str | None = None


def write_running(folder: Path, server: RunningServer) -> None:
    """Say that a server runs; only its owner can read it, for the URL has a password."""
    write_private(folder / FILE_NAME, json.dumps(asdict(server), indent=2) + "\n")


def read_running(folder: Path) -> RunningServer | None:
    """Return the server that runs on a folder; a file that a killed one left is not believed."""
    try:
        values: Mapping[str, Any] = json.loads((folder / FILE_NAME).read_text())
        # Whatever is no such object raises TypeError.
        server = RunningServer(**values)
        os.kill(server.process_id, 0)
    except (FileNotFoundError, ValueError, TypeError, ProcessLookupError):
        return None
    except PermissionError:
        # It lives, under another account.
        pass
    return server


def forget_running(folder: Path) -> None:
    """Say that no server runs any more."""
    (folder / FILE_NAME).unlink(missing_ok=True)


def read_operator_key(folder: Path) -> str | None:
    """Return the operator's API key, if this folder has one."""
    try:
        return (folder / OPERATOR_KEY_NAME).read_text().strip() or None
    except FileNotFoundError:
        return None


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
