"""How the server logs: one line a record, to standard error, never who books."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Iterator
from copy import copy
from types import TracebackType

_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)s %(process)d %(name)s %(message)s"
_FIELDS = ("ms", "business", "principal", "request_id", "incident")
_ERRORS_MAX = 20
"""So many errors of one record are told: what caused an error, and those of a group."""

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


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

    def formatException(self, ei: _Raised) -> str:  # noqa: N802
        """Return where an error was raised, and of what kind it is: its words may name somebody.

        PostgreSQL, for one, quotes the row that it refuses.
        """
        return "\n".join(_told(ei[1])) if ei[1] is not None else ""

    def format(self, record: logging.LogRecord) -> str:
        if record.name == "asyncio":
            record = _without_details(record)
        line = super().format(record)
        carried = record.__dict__
        for name in _FIELDS:
            value = carried.get(name)
            if value is not None and value != "":
                line += f" {name}={value}"
        return line


def _without_details(record: logging.LogRecord) -> logging.LogRecord:
    """Return what asyncio says of a task that failed, without the lines that show its error."""
    plain = copy(record)
    plain.msg, plain.args = record.getMessage().partition("\n")[0], ()
    return plain


def _told(error: BaseException) -> Iterator[str]:
    """Yield the lines of an error and of those behind it, the first cause last."""
    waiting, seen = [error], {id(error)}
    while waiting and len(seen) <= _ERRORS_MAX:
        error = waiting.pop(0)
        yield from (line.rstrip("\n") for line in traceback.format_tb(error.__traceback__))
        yield _kind(error)
        behind = [error.__cause__ or (None if error.__suppress_context__ else error.__context__)]
        behind += error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        new = [each for each in behind if each is not None and id(each) not in seen]
        seen |= set(map(id, new))
        waiting += new


def _kind(error: BaseException) -> str:
    """Return the type of an error, with its code where it has one."""
    code = getattr(error, "sqlstate", None) or getattr(error, "errno", None)
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return f"{name} ({code})" if isinstance(code, str | int) else name


def _tell_the_end(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, Exception):
        logging.getLogger(__name__).critical("the process ends", exc_info=error)
    else:
        sys.__excepthook__(kind, error, trace)


def configure_logs(level: str) -> None:
    """Set up logging for this process, also of an error that ends it."""
    sys.excepthook = _tell_the_end
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
