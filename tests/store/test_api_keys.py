"""API keys in the database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from service.store import api_keys
from service.store.api_keys import ApiKey
from service.store.scope import ALL_BUSINESSES

KEY = ApiKey(
    key_id="key-1",
    business_id="demo",
    display_name="Chatbot",
    secret_hash=b"\x00\xff hash",
    scopes=frozenset({"bookings.read", "bookings.write"}),
)


async def add(database, key):
    async with database.transaction(ALL_BUSINESSES) as tx:
        await api_keys.add(tx, key)


async def find(database, key_id):
    async with database.snapshot(ALL_BUSINESSES) as tx:
        return await api_keys.find(tx, key_id)


async def test_a_key_is_found_by_its_id(database):
    await add(database, KEY)

    assert await find(database, "key-1") == KEY
    assert await find(database, "key-2") is None


async def test_a_revoked_key_is_found_as_revoked(database):
    await add(database, KEY)

    async with database.transaction(ALL_BUSINESSES) as tx:
        assert await api_keys.revoke(tx, "key-1")
        assert not await api_keys.revoke(tx, "key-2")

    assert await find(database, "key-1") == replace(KEY, revoked=True)


async def test_a_key_id_is_given_once_in_all_businesses(database):
    await add(database, KEY)

    with pytest.raises(IntegrityError, match="api_keys_pkey"):
        await add(database, replace(KEY, business_id="other"))
