"""`slotcast keys`: make and revoke API keys, on the database itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.connection import find_database_url
from service.cli.printing import say
from service.settings import Settings

if TYPE_CHECKING:
    from service.store.api_keys import ApiKey
    from service.store.database import Database

app = typer.Typer(help="Make and revoke API keys.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="keys")


@app.command()
def create(
    business: Annotated[str, typer.Argument(help="The business, or '*' for the operator.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "chat",
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do; none: what a chatbot does.")
    ] = None,
) -> None:
    """Make a key, and show it this once."""
    from service.cli.api_key import CHAT_SCOPES, SCOPES, new_key

    scopes = frozenset(scope) if scope else CHAT_SCOPES
    unknown = scopes - set(SCOPES)
    if unknown:
        raise typer.BadParameter(
            f"There is no scope {', '.join(sorted(unknown))}, but {', '.join(SCOPES)}."
        )
    key, text = new_key(business, name, scopes)
    asyncio.run(_add(key))
    say(text)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The part between the underscores.")],
) -> None:
    """Revoke a key: its calls are refused, and its streams end, within seconds."""
    if not asyncio.run(_revoke(key_id)):
        raise typer.BadParameter(f"There is no key {key_id}.")
    say(f"The key {key_id} is revoked.")


async def _add(key: ApiKey) -> None:
    from service.store import api_keys, changes
    from service.store.scope import ALL_BUSINESSES

    database = _database()
    try:
        async with database.transaction(ALL_BUSINESSES) as tx:
            if key.business_id != api_keys.ANY_BUSINESS:
                heads = await changes.heads(tx, [key.business_id])
                if not heads.by_business:
                    raise typer.BadParameter(f"There is no business {key.business_id}.")
            await api_keys.add(tx, key)
    finally:
        await database.close()


async def _revoke(key_id: str) -> bool:
    from service.store import api_keys
    from service.store.scope import ALL_BUSINESSES

    database = _database()
    async with database.transaction(ALL_BUSINESSES) as tx:
        found = await api_keys.revoke(tx, key_id)
    await database.close()
    return found


def _database() -> Database:
    from service.store.database import Database

    url = Settings.from_environment().database_url or find_database_url()
    if url is None:
        raise typer.BadParameter("Set DATABASE_URL, or start `slotcast serve` first.")
    return Database(url, pool_size=1)
