"""API keys: made, written as text, and taken apart. Only a hash of the secret is stored."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import NamedTuple

from service.cli.running import OPERATOR_KEY_NAME, read_operator_key, write_private
from service.domain.scopes import (
    AVAILABILITY_READ,
    BOOKINGS_READ,
    BOOKINGS_WRITE,
    CATALOG_READ,
    SCOPES,
)
from service.store import api_keys
from service.store.api_keys import ANY_BUSINESS, ApiKey
from service.store.database import Database
from service.store.scope import ALL_BUSINESSES

__all__ = [
    "ASSISTANT",
    "CHAT_SCOPES",
    "SCOPES",
    "WIDGET",
    "KeptKey",
    "ensure_operator_key",
    "kept_key",
    "let_in",
    "new_key",
]

WIDGET_SCOPES = frozenset({AVAILABILITY_READ, BOOKINGS_WRITE, CATALOG_READ})
"""What a page with the widget needs. Whoever sees the page can read its key: never give it more."""
CHAT_SCOPES = WIDGET_SCOPES | {BOOKINGS_READ}
"""What a chatbot needs: it is also asked what it has booked, and told what a form has."""
_PREFIX = "sc"


class KeptKey(NamedTuple):
    """A key that the demo keeps in its data folder, for one who calls with it."""

    file_name: str
    display_name: str
    scopes: frozenset[str]


WIDGET = KeptKey("widget_key", "widget", WIDGET_SCOPES)
ASSISTANT = KeptKey("assistant_key", "assistant", CHAT_SCOPES)


def new_key(business_id: str, display_name: str, scopes: frozenset[str]) -> tuple[ApiKey, str]:
    """Make a key, and the text that its owner is shown once: `sc_{key_id}_{secret}`."""
    text = _new_text()
    return _key(text, business_id, display_name, scopes), text


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


def kept_key(folder: Path, kept: KeptKey) -> str:
    """Return a key of a data folder; make it the first time.

    Who calls with it has to know it before there is a business that it is for: see `let_in`.
    """
    path = folder / kept.file_name
    if not path.exists():
        write_private(path, _new_text() + "\n")
    return path.read_text().strip()


async def let_in(database: Database, business_id: str, folder: Path, *every: KeptKey) -> None:
    """Let keys of a data folder in, unless they were before."""
    async with database.transaction(ALL_BUSINESSES) as tx:
        for kept in every:
            text = kept_key(folder, kept)
            key = _key(text, business_id, kept.display_name, kept.scopes)
            if await api_keys.find(tx, key.key_id) is None:
                await api_keys.add(tx, key)


def _new_text() -> str:
    return f"{_PREFIX}_{secrets.token_hex(8)}_{secrets.token_hex(24)}"


def _key(text: str, business_id: str, display_name: str, scopes: frozenset[str]) -> ApiKey:
    _, key_id, secret = text.split("_")
    return ApiKey(
        key_id=key_id,
        business_id=business_id,
        display_name=display_name,
        secret_hash=hashlib.sha256(secret.encode()).digest(),
        scopes=scopes,
    )
