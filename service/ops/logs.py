"""How the server logs: one line a record, to standard error, never who books."""

from __future__ import annotations

import logging

_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)s %(process)d %(name)s %(message)s"


def configure_logs(level: str) -> None:
    """Set up logging for this process."""
    logging.basicConfig(level=level, format=_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    for noisy in ("sqlalchemy", "alembic", "asyncio", "grpc"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
