"""Webhooks: who is told, with which secrets it is signed, and how it fares.

A secret is read by what signs with it, and by nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.webhook import OLD_SECRET_LIFETIME, Webhook, WebhookState
from service.store import tables

_COLUMNS = tables.webhooks.c
_SECRET_COLUMNS = {"secret", "previous_secret", "previous_secret_until"}
_SHOWN = tuple(column for column in _COLUMNS if column.name not in _SECRET_COLUMNS)
_NOW = func.transaction_timestamp()
_NOTED_AT_MOST_EVERY = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signing:
    """A webhook, the secrets that sign now, and the database's clock."""

    webhook: Webhook
    secrets: tuple[bytes, ...] = field(repr=False)
    now: datetime


async def add(tx: AsyncConnection, business_id: str, webhook: Webhook, secret: bytes) -> Webhook:
    """Store a new one, which is told of what comes after its `after_revision`."""
    values = {
        "business_id": business_id,
        "webhook_id": webhook.webhook_id,
        **_settings(webhook),
        "secret": secret,
        "after_revision": webhook.after_revision,
        "created_at": _NOW,
        "updated_at": _NOW,
        "last_outcome": "",
    }
    result = await tx.execute(tables.webhooks.insert().values(values).returning(*_SHOWN))
    return _webhook(result.mappings().one())


async def update(
    tx: AsyncConnection, business_id: str, webhook: Webhook, new_secret: bytes | None
) -> Webhook | None:
    """Change where and of what one is told; one that had ended begins anew. None: there is none.

    Beside a new secret the one before signs for a while.
    """
    values: dict[str, Any] = {
        **_settings(webhook),
        "updated_at": _NOW,
        "failing_since": case((_COLUMNS.ended_at.is_(None), _COLUMNS.failing_since)),
        "ended_at": None,
    }
    if new_secret is not None:
        values["secret"] = new_secret
        values["previous_secret"] = _COLUMNS.secret
        values["previous_secret_until"] = _NOW + OLD_SECRET_LIFETIME
    result = await tx.execute(
        tables.webhooks.update()
        .where(_is(business_id, webhook.webhook_id))
        .values(values)
        .returning(*_SHOWN)
    )
    row = result.mappings().one_or_none()
    return None if row is None else _webhook(row)


async def remove(tx: AsyncConnection, business_id: str, webhook_id: UUID) -> bool:
    """Remove one; False: there is none."""
    result = await tx.execute(tables.webhooks.delete().where(_is(business_id, webhook_id)))
    return bool(result.rowcount)


async def get(tx: AsyncConnection, business_id: str, webhook_id: UUID) -> Webhook | None:
    """Return one, or None."""
    result = await tx.execute(select(*_SHOWN).where(_is(business_id, webhook_id)))
    row = result.mappings().one_or_none()
    return None if row is None else _webhook(row)


async def all_of(tx: AsyncConnection, business_id: str) -> list[Webhook]:
    """Return all of a business, by age."""
    result = await tx.execute(
        select(*_SHOWN)
        .where(_COLUMNS.business_id == business_id)
        .order_by(_COLUMNS.created_at, _COLUMNS.webhook_id)
    )
    return [_webhook(row) for row in result.mappings()]


async def for_signing(tx: AsyncConnection, business_id: str, webhook_id: UUID) -> Signing | None:
    """Return one with its secrets, the newest first; None: there is none."""
    signs_too = case((_COLUMNS.previous_secret_until > _NOW, _COLUMNS.previous_secret))
    result = await tx.execute(
        select(
            *_SHOWN, _COLUMNS.secret, signs_too.label("previous_secret"), _NOW.label("now")
        ).where(_is(business_id, webhook_id))
    )
    row = result.mappings().one_or_none()
    if row is None:
        return None
    secrets = tuple(each for each in (row["secret"], row["previous_secret"]) if each is not None)
    return Signing(webhook=_webhook(row), secrets=secrets, now=row["now"])


async def note_success(
    tx: AsyncConnection, business_id: str, webhook_id: UUID, outcome: str
) -> None:
    """Note that a call succeeded. A busy one is written down once a second, not for each call."""
    is_news = or_(
        _COLUMNS.failing_since.is_not(None),
        _COLUMNS.last_outcome != outcome,
        _COLUMNS.last_attempt_at.is_(None),
        _COLUMNS.last_attempt_at < _NOW - _NOTED_AT_MOST_EVERY,
    )
    await tx.execute(
        tables.webhooks.update()
        .where(_is(business_id, webhook_id), is_news)
        .values(failing_since=None, last_outcome=outcome, last_attempt_at=_NOW)
    )


async def note_failure(
    tx: AsyncConnection, business_id: str, webhook_id: UUID, outcome: str, *, ends: bool
) -> None:
    """Note that a call failed, and since when they do; `ends`: it asks to be called no more."""
    values: dict[str, Any] = {
        "last_outcome": outcome,
        "last_attempt_at": _NOW,
        "failing_since": func.coalesce(_COLUMNS.failing_since, _NOW),
    }
    if ends:
        values["ended_at"] = func.coalesce(_COLUMNS.ended_at, _NOW)
    await tx.execute(tables.webhooks.update().where(_is(business_id, webhook_id)).values(values))


def _is(business_id: str, webhook_id: UUID) -> ColumnElement[bool]:
    return and_(_COLUMNS.business_id == business_id, _COLUMNS.webhook_id == webhook_id)


def _settings(webhook: Webhook) -> dict[str, Any]:
    return {
        "url": webhook.url,
        "event_types": sorted(webhook.event_types),
        "calendar_ids": sorted(webhook.calendar_ids),
        "include_customer": webhook.include_customer,
    }


def _webhook(row: RowMapping) -> Webhook:
    state = WebhookState.ACTIVE
    if row["failing_since"] is not None:
        state = WebhookState.FAILING
    if row["ended_at"] is not None:
        state = WebhookState.ENDED
    return Webhook(
        webhook_id=UUID(int=row["webhook_id"].int),
        url=row["url"],
        event_types=frozenset(row["event_types"]),
        calendar_ids=frozenset(row["calendar_ids"]),
        include_customer=row["include_customer"],
        after_revision=row["after_revision"],
        state=state,
        failing_since=row["failing_since"],
        last_outcome=row["last_outcome"],
        last_attempt_at=row["last_attempt_at"],
        created_at=row["created_at"],
    )
