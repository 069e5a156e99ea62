"""How the server logs: one line a record, to standard error, never who books."""

from __future__ import annotations

import logging
import time

_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)s %(process)d %(name)s %(message)s"
_FIELDS = ("ms", "business", "principal", "request_id", "incident")


class _Fields(logging.Formatter):
    """Writes what a record carries beside its message as `name=value`."""

    def __init__(self) -> None:
        super().__init__(_FORMAT)
        self._second = 0
        self._second_text = ""

    def formatTime(self, record: logging.LogRecord, _: str | None = None) -> str:  # noqa: N802
        """Return the second; it is written once for all records of it."""
        second = int(record.created)
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(second))
        return self._second_text

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        carried = record.__dict__
        for name in _FIELDS:
            value = carried.get(name)
            if value is not None and value != "":
                line += f" {name}={value}"
        return line


def configure_logs(level: str) -> None:
    """Set up logging for this process."""
    # A line is written for every call, so what its format does not use is not looked up.
    logging.logThreads = logging.logMultiprocessing = False
    logging._srcfile = None  # the logging HOWTO, "Optimization": no search for the caller
    handler = logging.StreamHandler()
    handler.setFormatter(_Fields())
    logging.basicConfig(level=level, handlers=[handler])
    for noisy in ("sqlalchemy", "alembic", "asyncio", "grpc"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # While its connection is gone it would say so ten times a second; notify/jobs.py says it once.
    logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)
