"""What the load tester is made of: a figure of another version is another figure."""

from __future__ import annotations

import platform
from importlib.metadata import version

PACKAGES = ("grpcio", "protobuf", "uvloop")


def versions() -> dict[str, str]:
    """Return the versions that the figures depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
