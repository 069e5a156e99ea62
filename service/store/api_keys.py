"""API keys: who may call. Only a hash of the secret is stored."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store import tables

ANY_BUSINESS = "*"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key; `business_id` is '*' for the operator's."""

    key_id: str
    business_id: str
    display_name: str
    secret_hash: bytes
    scopes: frozenset[str]
    revoked: bool = False


async def find(tx: AsyncConnection, key_id: str) -> ApiKey | None:
    """Return the key with that id, also a revoked one."""
    keys = tables.api_keys.c
    row = (await tx.execute(select(tables.api_keys).where(keys.key_id == key_id))).one_or_none()
    if row is None:
        return None
    return ApiKey(
        key_id=row.key_id,
        business_id=row.business_id,
        display_name=row.display_name,
        secret_hash=row.secret_hash,
        scopes=frozenset(row.scopes),
        revoked=row.revoked_at is not None,
    )


async def add(tx: AsyncConnection, key: ApiKey) -> None:
    """Store a new key."""
    await tx.execute(
        tables.api_keys.insert().values(
            business_id=key.business_id,
            key_id=key.key_id,
            display_name=key.display_name,
            secret_hash=key.secret_hash,
            scopes=sorted(key.scopes),
            created_at=func.now(),
        )
    )


async def revoke(tx: AsyncConnection, key_id: str) -> bool:
    """Revoke a key for good; False: there is none."""
    keys = tables.api_keys.c
    result = await tx.execute(
        tables.api_keys.update().where(keys.key_id == key_id).values(revoked_at=func.now())
    )
    return bool(result.rowcount)
