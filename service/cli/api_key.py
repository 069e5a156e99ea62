"""API keys: made, written as text, and taken apart. Only a hash of the secret is stored."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from service.cli.running import OPERATOR_KEY_NAME, read_operator_key, write_private
from service.domain.scopes import AVAILABILITY_READ, BOOKINGS_WRITE, CATALOG_READ, SCOPES
from service.store import api_keys
from service.store.api_keys import ANY_BUSINESS, ApiKey
from service.store.database import Database
from service.store.scope import ALL_BUSINESSES

__all__ = ["CHAT_SCOPES", "SCOPES", "ensure_operator_key", "new_key"]

CHAT_SCOPES = frozenset({AVAILABILITY_READ, BOOKINGS_WRITE, CATALOG_READ})
"""What a chatbot needs."""
_PREFIX = "sc"


def new_key(business_id: str, display_name: str, scopes: frozenset[str]) -> tuple[ApiKey, str]:
    """Make a key, and the text that its owner is shown once: `sc_{key_id}_{secret}`."""
    key_id, secret = secrets.token_hex(8), secrets.token_hex(24)
    key = ApiKey(
        key_id=key_id,
        business_id=business_id,
        display_name=display_name,
        secret_hash=hashlib.sha256(secret.encode()).digest(),
        scopes=scopes,
    )
    return key, f"{_PREFIX}_{key_id}_{secret}"


async def ensure_operator_key(database: Database, folder: Path) -> str:
    """Return the operator's key of a data folder; make it where the database does not know it."""
    text = read_operator_key(folder)
    async with database.transaction(ALL_BUSINESSES) as tx:
        if text is not None and await api_keys.find(tx, text.split("_")[1]) is not None:
            return text
        key, text = new_key(ANY_BUSINESS, "operator", frozenset(SCOPES))
        await api_keys.add(tx, key)
    write_private(folder / OPERATOR_KEY_NAME, text + "\n")
    return text
