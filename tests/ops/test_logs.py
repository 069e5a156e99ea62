"""The log says where and what failed, and never who books."""

import asyncio
import gc
import logging
import sys

import asyncpg
import pytest

from service.ops.logs import configure_logs

PERSON = "kim@example.org"


class RowRefused(asyncpg.UniqueViolationError):
    """As PostgreSQL refuses a row."""


def save(email):
    raise RowRefused(f"Key (email)=({email}) already exists.")


def save_quietly(email):
    try:
        save(email)
    except RowRefused as error:
        raise RuntimeError(f"{email} cannot be saved") from error


def save_all(email):
    try:
        save(email)
    except RowRefused as error:
        raise ExceptionGroup(f"of {email}", [error, KeyError(email)]) from None


@pytest.fixture
def log(capsys, monkeypatch):
    """Log an error as the server does, and return what was written."""
    root = logging.getLogger()
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    for name in ("logThreads", "logMultiprocessing", "_srcfile"):
        monkeypatch.setattr(logging, name, getattr(logging, name))
    for each in (None, "sqlalchemy", "alembic", "asyncio", "grpc", "pgqueuer"):
        logger = logging.getLogger(each)
        monkeypatch.setattr(logger, "level", logger.level)
    before = root.handlers

    def tell(work):
        root.handlers = []
        configure_logs("INFO")
        try:
            work(PERSON)
        except Exception:
            logging.getLogger("service.test").exception("it failed")
        return capsys.readouterr().err

    yield tell
    root.handlers = before


@pytest.mark.parametrize("work", [save, save_quietly, save_all])
def test_an_unforeseen_error_is_logged_with_its_place_and_kind_and_without_its_words(log, work):
    told = log(work)

    assert "it failed" in told
    assert f"in {work.__name__}" in told
    assert "RowRefused (23505)" in told
    assert "kim" not in told


def test_what_caused_an_error_is_told_behind_it(log):
    told = log(save_quietly)

    assert told.index("RuntimeError") < told.index("RowRefused (23505)")


def test_an_error_that_is_its_own_cause_is_told_once(log):
    def turn(_):
        error = ValueError(PERSON)
        error.__context__ = RuntimeError()
        error.__context__.__context__ = error
        raise error

    assert log(turn).count("ValueError\n") == 1


def test_what_asyncio_says_of_a_task_that_failed_has_none_of_its_words(log):
    async def fail():
        raise RowRefused(PERSON)

    async def forget():
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task
        gc.collect()

    told = log(lambda _: asyncio.run(forget()))

    assert "asyncio Task exception was never retrieved" in told
    assert "RowRefused (23505)" in told
    assert "kim" not in told


def test_an_error_that_ends_the_process_is_told_without_its_words(log, capsys):
    def end(email):
        try:
            save(email)
        except RowRefused:
            sys.excepthook(*sys.exc_info())

    told = log(end)

    assert "the process ends" in told
    assert "RowRefused (23505)" in told
    assert "kim" not in told
