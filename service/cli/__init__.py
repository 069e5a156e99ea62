"""The command `slotcast`."""

from service.cli.app import main

__all__ = ["main"]
