"""`slotcast demo`: everything on this machine, with a business to book at."""

from __future__ import annotations

import json
import tempfile
from asyncio import Event
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from service.cli.chat_page import running_chat_page
from service.cli.connection import DEMO_BUSINESS, DEMO_FOLDER_NAME, Access, connect, run
from service.cli.failures import PortInUse
from service.cli.running import (
    OPERATOR_KEY_NAME,
    RunningServer,
    read_operator_key,
    write_private,
)
from service.cli.seed import seed
from service.cli.serve import stop_event
from service.cli.story import tell_story
from service.embedded.process import free_port, is_free
from service.ops.logs import configure_logs
from service.settings import Settings

if TYPE_CHECKING:
    from service.mail_catcher.catcher import MailCatcher

GATEWAY_PORT = 7430
SMTP_PORT, LETTERS_PORT = 2525, 8025
LOOPBACK = "127.0.0.1"
SENDER = "bookings@salon.example"
WORKERS_MIN = 2
"""What is booked at one is seen by who watches at another."""
DEMO_PATH, DEMO_FILE_NAME = "/demo.json", "demo.json"
_NEXT = """\
{pages}{chat}{letters}Look, in another terminal:

  [bold]slotcast slots haircut[/]       what is open in the next days
  [bold]slotcast watch haircut[/]       the same, live: leave it open …
  [bold]slotcast book haircut TIME --email you@example.com[/]
                               … and see the slot go, and the letter come
  [bold]slotcast load[/]                how fast it is on this machine
  [bold]make demo-check[/]              one whole story, told step by step

{where}
Ctrl-C stops everything; what you booked is there next time."""
_PAGES = """\
Open in a browser:

  [bold]{url}/[/]       two visitors at one calendar
  [bold]{url}/api/[/]   the REST API, to read and to try

"""


_CHAT = """\
Talk to an assistant, and book without leaving the chat:

  [bold]{url}[/]      the chat page

"""


_LETTERS = """\
Book with an e-mail address, and look at the letters (nothing is delivered):

  [bold]{url}/[/]       what customers and staff are sent

"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Play one story on a fresh server, then end.")
    ] = False,
    pages: Annotated[
        Path | None, typer.Option(help="Built pages to serve, SLOTCAST_PAGES: see `make web`.")
    ] = None,
) -> None:
    """Start all of it here, with a demo business; nothing needs to be installed."""
    settings = Settings.from_environment()
    # A line for each call would hide what there is to see.
    settings = replace(settings, log_level="WARNING", workers=max(WORKERS_MIN, settings.workers))
    configure_logs(settings.log_level)
    console = Console()
    if check:
        with tempfile.TemporaryDirectory(prefix="slotcast-") as folder:
            settings = replace(
                settings,
                data_folder=Path(folder),
                listen_address="127.0.0.1:0",
                gateway_port=free_port(),
            )
            run(_check(settings, console))
        return
    settings = replace(
        settings,
        data_folder=settings.data_folder / DEMO_FOLDER_NAME,
        gateway_port=GATEWAY_PORT if settings.gateway_port is None else settings.gateway_port,
        pages=settings.pages if pages is None else pages.absolute(),
    )
    try:
        run(_demo(settings, console))
    except PortInUse as error:
        _say(console, f"{error}; taking another port")
        settings = replace(settings, listen_address="127.0.0.1:0", gateway_port=free_port())
        run(_demo(settings, console))


async def _demo(settings: Settings, console: Console) -> None:
    stopping = stop_event()
    if settings.smtp_url is not None:
        await _run(settings, console, "", stopping)
        return
    async with _catching(settings) as (told, catcher):
        await _run(told, console, _LETTERS.format(url=catcher.http_url), stopping)


async def _run(settings: Settings, console: Console, letters: str, stopping: Event) -> None:
    from service.cli.api_key import ASSISTANT, kept_key
    from service.cli.supervisor import running_server

    say = partial(_say, console)
    assistant_key = kept_key(settings.data_folder, ASSISTANT)
    async with (
        running_server(settings, say, page_documents(settings)) as server,
        running_chat_page(
            Access(target=server.target, api_key=assistant_key), DEMO_BUSINESS
        ) as chat_page,
    ):
        async with connect(_access(settings, server), DEMO_BUSINESS) as client:
            await seed(client, DEMO_BUSINESS)
        await _let_in(settings, server)
        where = (
            f"gRPC, with reflection, on [bold]{server.target}[/]; REST and grpc-web on\n"
            f"[bold]{server.gateway or 'no gateway'}[/]; the operator's key is in\n"
            + escape(str(settings.data_folder / OPERATOR_KEY_NAME))
            + "\nTools for your own assistant, with the key of an assistant in SLOTCAST_API_KEY:\n"
            + escape(str(settings.data_folder / ASSISTANT.file_name))
            + f"\n[bold]slotcast-mcp --target {server.target} --business {DEMO_BUSINESS}[/]"
        )
        has_pages = settings.pages is not None and server.gateway is not None
        pages = _PAGES.format(url=server.gateway) if has_pages else ""
        url = await chat_page.open()
        chat = _CHAT.format(url=url) if url else ""
        text = _NEXT.format(pages=pages, chat=chat, letters=letters, where=where)
        console.print(Panel(text, title="Slotcast runs", padding=(1, 2)))
        await stopping.wait()
        console.print("… stopping")


@asynccontextmanager
async def _catching(settings: Settings) -> AsyncIterator[tuple[Settings, MailCatcher]]:
    """Catch the letters, and say so in the settings; links lead to the gateway, if it has pages."""
    from service.mail_catcher.catcher import running_mail_catcher

    smtp, http = ((LOOPBACK, _port_near(port)) for port in (SMTP_PORT, LETTERS_PORT))
    gateway = f"http://{LOOPBACK}:{settings.gateway_port}"
    async with running_mail_catcher(smtp, http) as catcher:
        yield (
            replace(
                settings,
                smtp_url=catcher.smtp_url,
                mail_sender=SENDER,
                public_url=settings.public_url or (gateway if settings.pages else None),
            ),
            catcher,
        )


def _port_near(wished: int) -> int:
    return wished if is_free(wished) else 0


def page_documents(settings: Settings) -> Mapping[str, Path]:
    """Write what the pages ask for: where to call, as which business, and with which key."""
    from service.cli.api_key import WIDGET, kept_key

    if settings.pages is None:
        return {}
    key = kept_key(settings.data_folder, WIDGET)
    path = settings.data_folder / DEMO_FILE_NAME
    write_private(path, json.dumps({"url": "", "business": DEMO_BUSINESS, "apiKey": key}) + "\n")
    return {DEMO_PATH: path}


async def _let_in(settings: Settings, server: RunningServer) -> None:
    """Let in who talks to assistants, and the pages, if there are any."""
    from service.cli.api_key import ASSISTANT, WIDGET, let_in
    from service.store.database import Database

    keys = [ASSISTANT] if settings.pages is None else [ASSISTANT, WIDGET]
    database = Database(server.database_url, pool_size=1)
    try:
        await let_in(database, DEMO_BUSINESS, settings.data_folder, *keys)
    finally:
        await database.close()


async def _check(settings: Settings, console: Console) -> None:
    from service.cli.supervisor import running_server

    async with (
        _catching(settings) as (told, catcher),
        running_server(told, partial(_say, console)) as server,
    ):
        access = _access(settings, server)
        async with (
            connect(access, DEMO_BUSINESS) as client,
            connect(access, DEMO_BUSINESS) as other,
        ):
            await seed(client, DEMO_BUSINESS)
            await tell_story(client, other, catcher, console)


def _say(console: Console, text: str) -> None:
    console.print(f"… {text}", markup=False)


def _access(settings: Settings, server: RunningServer) -> Access:
    api_key = read_operator_key(settings.data_folder)
    assert api_key is not None, "the server has made it"
    return Access(target=server.target, api_key=api_key)
