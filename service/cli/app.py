"""All commands of `slotcast`, and how they fail: one sentence, and no traceback."""

from __future__ import annotations

import sys

import typer

from service.cli import (
    bench,
    booking,
    catalog,
    demo,
    feeds,
    gateway,
    jobs,
    keys,
    letters,
    mailcatcher,
    measure,
    serve,
    slots,
    waitlist,
    webhooks,
    when,
)
from service.cli.failures import PortInUse, WorkerFailed
from service.cli.printing import warn
from service.embedded.folder import DataFolderInUse
from service.embedded.process import ServerFailed
from service.gateway.pages import BadPages
from service.settings import BadSetting
from service.store.failures import RowSecurityMissing
from slotcast import SlotcastError

app = typer.Typer(
    name="slotcast",
    help="Appointment booking for chat: hold, book and watch slots.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (
    demo,
    serve,
    gateway,
    mailcatcher,
    slots,
    when,
    booking,
    waitlist,
    catalog,
    feeds,
    letters,
    jobs,
    webhooks,
    keys,
    measure,
    bench,
):
    module.register(app)

_EXPECTED = (
    SlotcastError,
    BadPages,
    BadSetting,
    DataFolderInUse,
    RowSecurityMissing,
    ServerFailed,
    PortInUse,
    WorkerFailed,
)


def main() -> None:
    """Run a command."""
    try:
        app()
    except _EXPECTED as error:
        warn(("slotcast:", "bold red"), f" {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        # It takes half a second to import, which a command that goes well need not wait for.
        from service.store.database import database_failure

        told = database_failure(error)
        if told is None:
            raise
        warn(
            ("slotcast:", "bold red"),
            f" PostgreSQL says: {told}. Is DATABASE_URL right, and did `slotcast migrate` run on"
            " it?",
        )
        sys.exit(1)
