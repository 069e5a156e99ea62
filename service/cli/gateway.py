"""`slotcast gateway`: the configuration of an Envoy that runs elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.printing import say
from service.gateway.config import envoy_yaml, write_files
from service.gateway.pages import BadPages, copy_pages
from service.settings import Settings, host_and_port

CONFIGURATION_NAME = "envoy.yaml"
PAGES_NAME = "pages"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(gateway)


def gateway(
    folder: Annotated[Path, typer.Argument(help="Where the files go, as Envoy finds it.")],
    service: Annotated[str, typer.Option(help="host:port of the workers.")] = "127.0.0.1:7420",
    listen: Annotated[str, typer.Option(help="host:port of the gateway.")] = "127.0.0.1:7430",
    pages: Annotated[
        Path | None, typer.Option(help="Built pages to serve too, SLOTCAST_PAGES.")
    ] = None,
) -> None:
    """Write what an Envoy of your own needs: `envoy --config-path FOLDER/envoy.yaml`.

    Pages of the origins in SLOTCAST_ORIGINS may call; without any, pages of this machine.
    """
    settings = Settings.from_environment()
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    write_files(folder)
    text = envoy_yaml(
        listen=_address("--listen", listen),
        service=_address("--service", service),
        origins=settings.origins,
        folder=folder,
        pages=_copied(pages or settings.pages, folder / PAGES_NAME),
    )
    (folder / CONFIGURATION_NAME).write_text(text)
    say(f"Written to {folder}.")


def _copied(pages: Path | None, target: Path) -> Path | None:
    """Put the pages where Envoy finds them."""
    if pages is None:
        return None
    try:
        copy_pages(pages, target)
    except BadPages as error:
        raise typer.BadParameter(f"--pages: {error}") from None
    return target


def _address(option: str, text: str) -> tuple[str, int]:
    try:
        return host_and_port(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None
