"""`slotcast mailcatcher`: a mail server for trying things out, which shows what it is given."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.connection import run
from service.cli.failures import PortInUse
from service.cli.printing import warn
from service.cli.serve import stop_event
from service.settings import host_and_port


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(mailcatcher)


def mailcatcher(
    smtp: Annotated[str, typer.Option(help="host:port for letters.")] = "127.0.0.1:2525",
    http: Annotated[str, typer.Option(help="host:port of the page.")] = "127.0.0.1:8025",
) -> None:
    """Catch letters instead of delivering them, and show them on a page, until Ctrl-C.

    It keeps the newest 500, or 10 MB of them, in memory. Anyone who reaches its addresses can
    read them: let it listen on this machine only.
    """
    run(_catch(_address("--smtp", smtp), _address("--http", http)))


async def _catch(smtp: tuple[str, int], http: tuple[str, int]) -> None:
    from service.mail_catcher.catcher import running_mail_catcher

    stopping = stop_event()
    try:
        async with running_mail_catcher(smtp, http) as catcher:
            where = f"Letters to {catcher.smtp_url} are shown at {catcher.http_url}."
            warn((where, "green"), " Ctrl-C stops it.")
            await stopping.wait()
    except OSError as error:
        raise PortInUse(str(error)) from None


def _address(option: str, text: str) -> tuple[str, int]:
    try:
        return host_and_port(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None
