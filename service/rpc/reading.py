"""Reads from PostgreSQL that are never older than what the caller has seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from google.protobuf.message import Message

from service.domain.errors import ResourceNotFound, RevisionAhead
from service.store import changes
from service.store.database import Database

WAIT_SECONDS_MAX = 1.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A transaction to read in, as the store wants it, and at which revision and instant it is."""

    tx: Any
    revision: int
    as_of: datetime


@asynccontextmanager
async def read_at_least(
    database: Database, business_id: str, min_revision: int, name: str
) -> AsyncIterator[Reading]:
    """Read a business at a revision or later; `name` is what is not found if there is none."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        async with database.snapshot(business_id) as tx:
            as_of, head = await changes.head(tx, business_id)
            if head is None:
                raise ResourceNotFound(name)
            if head.revision >= min_revision:
                yield Reading(tx=tx, revision=head.revision, as_of=as_of)
                return
        if time.monotonic() >= deadline:
            raise RevisionAhead(revision=str(min_revision))
        await asyncio.sleep(POLL_SECONDS)


def query_hash(method_name: str, request: Message) -> str:
    """Return what a page token is bound to: the query, but for where and how long its page is."""
    query = type(request)()
    query.CopyFrom(request)
    for field in ("page_token", "page_size", "min_revision"):
        if field in query.DESCRIPTOR.fields_by_name:
            query.ClearField(field)
    data = method_name.encode() + b"\n" + query.SerializeToString(deterministic=True)
    return sha256(data).hexdigest()[:32]
