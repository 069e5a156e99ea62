"""How the server logs: one line a record, to standard error, never who books."""

from __future__ import annotations

import logging

_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)s %(process)d %(name)s %(message)s"
_FIELDS = ("ms", "business", "principal", "request_id", "incident")


class _Fields(logging.Formatter):
    """Writes what a record carries beside its message as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        fields = ((name, getattr(record, name, None)) for name in _FIELDS)
        told = " ".join(f"{name}={value}" for name, value in fields if value not in {None, ""})
        return f"{line} {told}" if told else line


def configure_logs(level: str) -> None:
    """Set up logging for this process."""
    # A line is written for every call, so what its format does not use is not looked up.
    logging.logThreads = logging.logMultiprocessing = False
    logging._srcfile = None  # the logging HOWTO, "Optimization": no search for the caller
    handler = logging.StreamHandler()
    handler.setFormatter(_Fields(_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[handler])
    for noisy in ("sqlalchemy", "alembic", "asyncio", "grpc"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
