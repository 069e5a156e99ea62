"""Whole runs of the load tester, in small: worker processes, the bare echo, and pgbench."""

import asyncio
import json
from io import StringIO
from typing import Any

import asyncpg
import pytest
from rich.console import Console
from typer.testing import CliRunner

from loadtest.audit import Audit
from loadtest.callers import Desk, UnaryJob
from loadtest.cli import app
from loadtest.crew import Crew, WorkerFailed
from loadtest.echo import start_echo
from loadtest.grid import Grid
from loadtest.measures import Round, Side
from loadtest.options import Options, PgbenchForm, Scenario
from loadtest.pgbench import Pgbench, PgbenchFailed, environment_of, read_report, script
from loadtest.progress import Silent
from loadtest.recording import Breaches
from loadtest.replay.machine import this_machine
from loadtest.report import Report
from loadtest.running import NO_DATABASE, run, steps
from loadtest.watching import WatchJob, judge
from tests.clients.booking_server import booking_server
from tests.clients.test_loadtest_scenarios import OpenGate, unary

SMALL: dict[str, Any] = {
    "rounds": 1,
    "seconds": 0.5,
    "settle_seconds": 0.0,
    "bookings_max": 60,
    "processes": 1,
    "calendars": 2,
    "callers": 4,
    "in_flight": 4,
    "hot_callers": 4,
    "hot_attempts": 2,
    "watchers": 3,
    "watch_rate": 40.0,
}


@pytest.fixture
async def server():
    async with booking_server() as server:
        yield server


class Listener(Silent):
    """Counts the steps."""

    def __init__(self):
        self.ended = 0

    def end(self):
        self.ended += 1


async def test_a_run_measures_the_server_beside_the_bare_echo_and_leaves_nothing(server):
    options = Options(target=server.target, api_key="secret", **SMALL)
    listener = Listener()

    report = await asyncio.to_thread(run, options, listener)

    assert report.failures == {}
    assert report.breaches.told == []
    assert report.is_sound
    measured = {(each.scenario, each.side) for each in report.rounds}
    assert measured == {(name, side) for name in Scenario for side in (Side.ECHO, Side.SERVICE)}
    assert listener.ended == steps(options)
    assert report.notes == [NO_DATABASE]
    assert report.audit.bookings == server.revision
    assert server.businesses == []


async def test_a_run_against_a_lying_server_is_not_sound_and_is_cleaned_up(server):
    server.sells_twice = True
    options = Options(
        target=server.target, api_key="secret", echo=False, scenarios=(Scenario.HOT,), **SMALL
    )

    report = await asyncio.to_thread(run, options)

    assert not report.is_sound
    assert "8 callers won the one slot (B1)" in report.breaches.told
    assert server.businesses == []


async def test_the_command_prints_json_without_secrets_and_fails_when_a_promise_is_broken(server):
    server.refuses_with = "RATE_LIMITED"
    named = {"--target": server.target, "--api-key": "top-secret", "--scenario": "unary"}
    arguments = [part for pair in named.items() for part in pair]

    result = await asyncio.to_thread(
        CliRunner().invoke,
        app,
        [*arguments, "--json", "--no-echo", "--rounds=1", "--seconds=0.6", "--bookings=5"],
        env={"DATABASE_URL": ""},
    )

    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["failures"] == {"RATE_LIMITED": 5}
    assert not told["is_sound"]
    assert "top-secret" not in result.output
    assert told["machine"]["cores"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--api-key=k"], "Name a server"),
        (["--target=localhost:1"], "Name an operator's API key"),
        (["--target=10.0.0.1:1", "--api-key=k"], "not this machine"),
        (["--target=localhost:1", "--api-key=k", "--rounds=0"], "rounds must be"),
    ],
)
def test_the_command_says_what_is_missing_or_too_much(arguments, words):
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "TERM": "dumb"})

    assert result.exit_code == 2
    assert words in result.output


def test_a_worker_that_stumbles_is_an_error_of_the_run():
    grid = Grid(business="b", calendars=("c",), first_start=0, days=1)
    # Without a channel there is nothing to call by.
    desk = Desk(target="localhost:1", api_key="k", worker="w", grid=grid, channels=0)
    job = UnaryJob(desk=desk, indexes=range(1), callers=1, seconds=1)

    with Crew([job]) as crew:
        crew.go()
        with pytest.raises(WorkerFailed, match="A worker has failed"):
            crew.results(30, lambda _: None)


async def test_the_bare_echo_keeps_the_promises_that_are_checked():
    server, target = await start_echo()
    grid = Grid(business="b", calendars=("w",), first_start=86_400 * 20_000, days=2)
    desk = Desk(target=target, api_key="k", worker="w", grid=grid, channels=1)
    gate = OpenGate()
    watching = asyncio.create_task(WatchJob(desk=desk, watchers=2, first_day=0, days=2).run(gate))
    await gate.is_ready.wait()

    recording = await unary(desk, range(30)).run(OpenGate())
    gate.last_revision.set_result(30)
    seen = await watching
    await server.stop(None)

    breaches = Breaches()
    for watcher in seen.watchers:
        assert len(list(judge(watcher, recording, grid, breaches))) == 30
    assert (recording.breaches.told, seen.breaches.told, breaches.told) == ([], [], [])


@pytest.mark.parametrize("form", PgbenchForm)
async def test_pgbench_books_on_the_tables_of_the_server_and_leaves_nothing(database_url, form):
    with Pgbench(database_url, run_id="t", clients=2, threads=1, form=form) as pgbench:
        done = await asyncio.to_thread(pgbench.run, 1)
        counts = await count_rows(database_url)
        facts = pgbench.facts()

    assert done.bookings > 0
    assert done.per_second > 0
    written = done.bookings
    assert counts == {
        "businesses": 2,
        "claims": written,
        "bookings": written,
        "changes": written,
        "requests": written,
        "revisions": written,
    }
    assert facts["fsync"] in {"on", "off"}
    assert set((await count_rows(database_url)).values()) == {0}


async def count_rows(database_url):
    connection = await asyncpg.connect(database_url)
    try:
        counts = {
            table: await connection.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("businesses", "claims", "bookings", "changes", "requests")
        }
        revisions = await connection.fetchval("SELECT coalesce(sum(revision), 0) FROM businesses")
    finally:
        await connection.close()
    return {**counts, "revisions": int(revisions)}


def test_pgbench_writes_a_booking_in_one_transaction():
    by_hand = script(PgbenchForm.STATEMENTS, "x-").splitlines()
    at_once = script(PgbenchForm.ONE_STATEMENT, "x-")

    assert (by_hand[3], by_hand[-1]) == ("BEGIN ISOLATION LEVEL READ COMMITTED;", "COMMIT;")
    assert at_once.count(";") == 1


def test_a_failed_transaction_of_pgbench_is_not_passed_over():
    text = (
        "number of transactions actually processed: 10\nnumber of failed transactions: {}\n"
        "latency average = 1.5 ms\ntps = 12.5 (without initial connection time)\n"
    )

    assert read_report(text.format("0 (0.000%)")).per_second == 12.5
    with pytest.raises(PgbenchFailed, match="1 of pgbench's transactions failed"):
        read_report(text.format("1 (9.091%)"))
    with pytest.raises(PgbenchFailed, match="not understood"):
        read_report("tps = 12.5")


def test_a_password_goes_to_pgbench_by_the_environment():
    given = environment_of("postgresql+asyncpg://a%40b:p%2Fw@h:5/d?host=/sockets&sslmode=disable")

    assert given["PGUSER"] == "a@b"
    assert given["PGPASSWORD"] == "p/w"
    assert (given["PGHOST"], given["PGPORT"], given["PGDATABASE"]) == ("/sockets", "5", "d")
    with pytest.raises(PgbenchFailed):
        environment_of("mysql://h/d")


def a_report(**changes):
    round_ = Round(scenario=Scenario.HOT, side=Side.SERVICE, number=1, per_second=10.0, **changes)
    return Report(
        machine=this_machine(),
        versions={"python": "3"},
        postgres={"fsync": "on"},
        options=Options(target="localhost:1", api_key="k"),
        rounds=[round_],
        audit=Audit(bookings=1, slots=2, breaches=Breaches()),
        notes=["a note"],
    )


def shown(report):
    text = StringIO()
    report.show(Console(file=text, width=200))
    return text.getvalue()


def test_a_sound_report_says_so():
    text = shown(a_report(winners=1))

    assert "Every answer was right." in text
    assert "Winners of the hot slot, round by round: 1." in text
    assert "fsync on" in text
    assert "a note" in text


def test_a_report_tells_what_was_broken_and_what_to_do():
    breaches = Breaches()
    breaches.add("2 callers won the one slot (B1)")

    text = shown(a_report(breaches=breaches, failures={"RATE_LIMITED": 3}, not_sent=4))

    assert "1 broken promises:\n  2 callers won the one slot (B1)" in text
    assert "3 failures: RATE_LIMITED (raise SLOTCAST_RATE_LIMIT" in text
    assert "4 calls were not made when due" in text
    assert "Every answer was right." not in text
