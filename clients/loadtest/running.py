"""A whole run: round by round, the bare servers and the service in turn, then the audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from uuid import uuid4

from loadtest.audit import Audit, Auditor, Ledger
from loadtest.business import LoadBusiness
from loadtest.echo import Echo
from loadtest.grid import Cursor
from loadtest.machine import versions
from loadtest.measures import Round, Side
from loadtest.options import BadOption, Options, Scenario
from loadtest.pgbench import Pgbench
from loadtest.progress import Silent, Watcher
from loadtest.replay.machine import this_machine
from loadtest.report import Report
from loadtest.scenarios import Stage, measure

NO_DATABASE = "pgbench was left out: no database was named (--database-url or DATABASE_URL)."
NO_ECHO = "The bare echo was left out, as asked."
PGBENCH_SCENARIOS = frozenset({Scenario.UNARY, Scenario.STREAM})


def run(options: Options, watcher: Watcher | None = None) -> Report:
    """Measure a server; what was made on it for that is removed in any case.

    Raises ServerRefused, WorkerFailed or PgbenchFailed where it cannot be measured. Broken promises
    and failed calls are no exceptions: they are what the report is for.
    """
    watcher = Silent() if watcher is None else watcher
    run_id = uuid4().hex[:8]
    with ExitStack() as stack:
        pgbench = _open_pgbench(stack, options, run_id)
        business = stack.enter_context(
            LoadBusiness(
                options.target, options.api_key, run_id=run_id, calendars=options.calendars
            )
        )
        _check_room(options, business.many)
        auditor = stack.enter_context(closing(Auditor(options.target, options.api_key)))
        service = _stage(
            options, business, (Side.SERVICE, options.target), run_id, auditor, watcher
        )
        stages = [service]
        if options.echo:
            echo = stack.enter_context(Echo())
            stages.insert(
                0, _stage(options, business, (Side.ECHO, echo.target), run_id, None, watcher)
            )
        rounds = list(_rounds(options, stages, pgbench, watcher))
        audit = _audit(auditor, service, watcher)
        return Report(
            machine=this_machine(),
            versions=versions(),
            postgres=None if pgbench is None else pgbench.facts(),
            options=options,
            rounds=rounds,
            audit=audit,
            notes=_notes(options, pgbench),
        )


def steps(options: Options) -> int:
    """Return how many steps a run has."""
    sides = 1 + options.echo
    per_round = len(options.scenarios) * sides + _wants_pgbench(options)
    return options.rounds * per_round + 1


def _rounds(
    options: Options, stages: list[Stage], pgbench: Pgbench | None, watcher: Watcher
) -> Iterator[Round]:
    """Alternate: what slows the machine down for a while slows down all sides."""
    for number in range(1, options.rounds + 1):
        for scenario in options.scenarios:
            for stage in stages:
                watcher.begin(f"round {number}: {scenario}, {stage.side}")
                yield measure(stage, scenario, number)
                watcher.end()
        if pgbench is not None:
            watcher.begin(f"round {number}: pgbench")
            done = pgbench.run(options.seconds)
            yield Round(scenario=None, side=Side.PGBENCH, number=number, per_second=done.per_second)
            watcher.end()


def _stage(
    options: Options,
    business: LoadBusiness,
    side: tuple[Side, str],
    run_id: str,
    auditor: Auditor | None,
    watcher: Watcher,
) -> Stage:
    cursors = (business.many, business.hot, business.watched)
    # The echo is asked for the same slots, and uses none of them up.
    many, hot, watched = (Ledger(Cursor(cursor.grid)) for cursor in cursors)
    return Stage(
        options=options,
        side=side[0],
        target=side[1],
        run_id=run_id,
        many=many,
        hot=hot,
        watched=watched,
        auditor=auditor,
        on_done=watcher.done,
    )


def _audit(auditor: Auditor, service: Stage, watcher: Watcher) -> Audit:
    watcher.begin("comparing what is there with what was answered")
    audit = auditor.compare((service.many, service.hot, service.watched))
    ledgers = (service.many, service.hot, service.watched)
    distinct = len(set().union(*(ledger.revisions for ledger in ledgers)))
    if repeated := sum(ledger.bookings for ledger in ledgers) - distinct:
        audit.breaches.add(f"{repeated} bookings have the revision of another booking (B4)")
    watcher.end()
    return audit


def _wants_pgbench(options: Options) -> bool:
    return options.database_url is not None and bool(PGBENCH_SCENARIOS & {*options.scenarios})


def _open_pgbench(stack: ExitStack, options: Options, run_id: str) -> Pgbench | None:
    if options.database_url is None or not _wants_pgbench(options):
        return None
    return stack.enter_context(
        Pgbench(
            options.database_url,
            run_id=run_id,
            clients=options.pgbench_clients,
            threads=options.pgbench_threads,
            form=options.pgbench_form,
        )
    )


def _check_room(options: Options, cursor: Cursor) -> None:
    asked = options.rounds * options.bookings_max * len(PGBENCH_SCENARIOS & {*options.scenarios})
    if asked > len(cursor.grid):
        raise BadOption(
            f"{options.rounds} rounds of at most {options.bookings_max} bookings need {asked}"
            f" slots; {options.calendars} calendars have {len(cursor.grid)}."
        )


def _notes(options: Options, pgbench: Pgbench | None) -> list[str]:
    notes = []
    if not options.echo:
        notes.append(NO_ECHO)
    if pgbench is not None:
        how = "statement by statement" if pgbench.form == "statements" else "in one statement"
        notes.append(
            f"pgbench: one READ COMMITTED transaction per booking, {how}, "
            f"{options.pgbench_clients} clients, each with a business of its own."
        )
    elif PGBENCH_SCENARIOS & {*options.scenarios}:
        notes.append(NO_DATABASE)
    return notes
