"""What can go wrong with a server of one's own, apart from what PostgreSQL and Valkey say."""

from __future__ import annotations


class PortInUse(Exception):
    """Another program listens there."""


class WorkerFailed(Exception):
    """A worker did not start; its output says why."""
