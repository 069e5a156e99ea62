"""`slotcast load`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import typer
from rich.console import Console

from loadtest.business import ServerRefused
from loadtest.crew import WorkerFailed
from loadtest.options import BadOption, Options, PgbenchForm, Scenario
from loadtest.pgbench import PgbenchFailed
from loadtest.progress import Display, Silent
from loadtest.report import Report
from loadtest.running import run, steps

INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """Where a server is, which key it takes, and the database it stands on, where that is known."""

    target: str
    api_key: str
    database_url: str | None = None


FindServer: TypeAlias = Callable[[str | None, str | None, str | None], Server]
"""From the target, the key and the database that were named, if any, to those to use."""


def as_named(target: str | None, api_key: str | None, database_url: str | None) -> Server:
    """Take what was named, and nothing else."""
    if target is None:
        raise typer.BadParameter("Name a server by --target or SLOTCAST_TARGET.")
    if api_key is None:
        raise typer.BadParameter("Name an operator's API key by --api-key or SLOTCAST_API_KEY.")
    return Server(target=target, api_key=api_key, database_url=database_url)


_DEFAULTS = Options(target="localhost:0", api_key="")
TargetOption = Annotated[
    str | None, typer.Option("--target", envvar="SLOTCAST_TARGET", help="host:port.")
]
ApiKeyOption = Annotated[
    str | None, typer.Option("--api-key", envvar="SLOTCAST_API_KEY", help="An operator's.")
]
DatabaseOption = Annotated[
    str | None,
    typer.Option("--database-url", envvar="DATABASE_URL", help="The server's, for pgbench."),
]
ScenarioOption = Annotated[
    list[Scenario] | None, typer.Option("--scenario", "-s", help="Several may be named; all.")
]
RoundsOption = Annotated[int, typer.Option(help="Each side is measured once in each.")]
SecondsOption = Annotated[float, typer.Option(help="How long a round takes.")]
BookingsOption = Annotated[int, typer.Option(help="The most in a round.")]
CallersOption = Annotated[int, typer.Option(help="Calls in flight at most, in all processes.")]
RateOption = Annotated[
    float | None, typer.Option(help="Calls per second, at random times; else as fast as answered.")
]
InFlightOption = Annotated[int, typer.Option(help="Requests in flight on each stream.")]
ProcessesOption = Annotated[int, typer.Option(help="Of clients.")]
HotCallersOption = Annotated[int, typer.Option(help="Who race for one slot.")]
HotAttemptsOption = Annotated[int, typer.Option(help="Of each of them, in a round.")]
WatchersOption = Annotated[int, typer.Option(help="Of one calendar.")]
WatchRateOption = Annotated[float, typer.Option(help="Bookings per second on that calendar.")]
EchoOption = Annotated[bool, typer.Option(help="Measure a bare grpc.aio server as well.")]
FormOption = Annotated[PgbenchForm, typer.Option(help="How pgbench writes a booking.")]
RemoteOption = Annotated[bool, typer.Option("--allow-remote", help="The server may be elsewhere.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def command(find_server: FindServer) -> Callable[..., None]:
    """Return the command, for a program that knows how to find a server."""

    def load(  # noqa: PLR0913, PLR0917  # one parameter per option is how typer is told of them
        target: TargetOption = None,
        api_key: ApiKeyOption = None,
        database_url: DatabaseOption = None,
        scenario: ScenarioOption = None,
        rounds: RoundsOption = _DEFAULTS.rounds,
        seconds: SecondsOption = _DEFAULTS.seconds,
        bookings: BookingsOption = _DEFAULTS.bookings_max,
        callers: CallersOption = _DEFAULTS.callers,
        rate: RateOption = None,
        in_flight: InFlightOption = _DEFAULTS.in_flight,
        processes: ProcessesOption = _DEFAULTS.processes,
        hot_callers: HotCallersOption = _DEFAULTS.hot_callers,
        hot_attempts: HotAttemptsOption = _DEFAULTS.hot_attempts,
        watchers: WatchersOption = _DEFAULTS.watchers,
        watch_rate: WatchRateOption = _DEFAULTS.watch_rate,
        echo: EchoOption = True,
        pgbench_form: FormOption = _DEFAULTS.pgbench_form,
        allow_remote: RemoteOption = False,
        as_json: JsonOption = False,
    ) -> None:
        """Measure a server from processes of its own, beside a bare echo and pgbench.

        Every answer is checked. A business is made for it, and removed when all is over.
        """
        server = find_server(target, api_key, database_url)
        try:
            options = Options(
                target=server.target,
                api_key=server.api_key,
                database_url=server.database_url,
                scenarios=tuple(scenario) if scenario else tuple(Scenario),
                rounds=rounds,
                seconds=seconds,
                bookings_max=bookings,
                callers=callers,
                rate=rate,
                in_flight=in_flight,
                processes=processes,
                hot_callers=hot_callers,
                hot_attempts=hot_attempts,
                watchers=watchers,
                watch_rate=watch_rate,
                echo=echo,
                pgbench_form=pgbench_form,
                allow_remote=allow_remote,
            )
        except BadOption as error:
            raise typer.BadParameter(str(error)) from None
        _show(_measure(options, is_quiet=as_json), as_json)

    return load


def register(parent: typer.Typer, find_server: FindServer) -> None:
    """Add the command to a program."""
    parent.command(name="load")(command(find_server))


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command(name="load")(command(as_named))


def _measure(options: Options, *, is_quiet: bool) -> Report:
    console = Console(stderr=True)
    watcher = Silent() if is_quiet else Display(console, steps(options))
    try:
        with nullcontext() if isinstance(watcher, Silent) else watcher:
            return run(options, watcher)
    except (BadOption, ServerRefused, WorkerFailed, PgbenchFailed) as error:
        console.print(f"[bold red]load:[/] {error}", highlight=False)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _show(report: Report, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(report.to_json(), indent=2) + "\n")
    else:
        report.show(Console())
    if not report.is_sound:
        raise typer.Exit(1)
