"""The page's server looks at the start whether it can work: service, key, scopes, business."""

import asyncio
from argparse import ArgumentParser

import pytest

from service.cli.api_key import CHAT_SCOPES, new_key
from service.store import api_keys
from service.store.scope import ALL_BUSINESSES
from slotcast import Client
from slotcast_chat.server import command
from slotcast_chat.server.access import CannotServe, check_access

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def client_with(server, database):
    """Return a client of the salon whose key has these scopes only."""

    async def make(scopes):
        key, text = new_key("salon", "chat", frozenset(scopes))
        async with database.transaction(ALL_BUSINESSES) as tx:
            await api_keys.add(tx, key)
        return Client(server, api_key=text, business="salon")

    return make


async def test_the_scopes_of_a_chat_are_enough_and_the_check_changes_nothing(salon, client_with):
    before = await salon.get_business("salon")

    async with await client_with(CHAT_SCOPES) as client:
        await check_access(client, "salon")

    assert await salon.get_business("salon") == before


@pytest.mark.parametrize("missing", sorted(CHAT_SCOPES))
async def test_a_scope_that_is_missing_is_named(salon, client_with, missing):
    async with await client_with(CHAT_SCOPES - {missing}) as client:
        with pytest.raises(CannotServe, match=f"has no scope {missing}:"):
            await check_access(client, "salon")


async def test_a_business_that_there_is_not_is_named(server, operator_key):
    async with Client(server, api_key=operator_key, business="nobody") as client:
        with pytest.raises(CannotServe, match="no business nobody"):
            await check_access(client, "nobody")


@pytest.mark.parametrize("is_up", [True, False])
async def test_serve_ends_with_one_sentence_and_1(server, monkeypatch, capsys, is_up):
    monkeypatch.setenv("SLOTCAST_API_KEY", "sc_unknown")
    parser = ArgumentParser()
    command.add_arguments(parser)
    target = server if is_up else NOWHERE
    options = parser.parse_args(["--target", target, "--business", "salon", "--port", "0"])

    code = await asyncio.to_thread(command.run, options)

    told = capsys.readouterr().err
    assert code == 1
    assert told.count("\n") == 1
    assert ("unknown or revoked" if is_up else "cannot be reached") in told
