"""The waitlist: read it, and find whom something that is free may be offered to.

Entries are written by store/batch.py. What ends offers in time looks at all businesses at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.booking import Customer, Holder
from service.domain.interval import Interval
from service.domain.waitlist import EntryStatus, Freed, Vacancy, WaitlistEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A business in which somebody waits, and how far it is."""

    business_id: str
    epoch: str
    revision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Expired:
    """What holds have left that expired since some instant, and until when those are all."""

    until: datetime
    freed: dict[str, list[Freed]]


async def get(tx: AsyncConnection, business_id: str, entry_id: UUID) -> WaitlistEntry | None:
    """Return an entry, or None."""
    found = await by_ids(tx, business_id, [entry_id])
    return found[0] if found else None


async def by_ids(
    tx: AsyncConnection, business_id: str, entry_ids: Iterable[UUID]
) -> list[WaitlistEntry]:
    """Return the entries with these ids, those that there are."""
    result = await tx.exec_driver_sql(
        "SELECT * FROM waitlist WHERE business_id = $1 AND entry_id = ANY($2::uuid[])",
        (business_id, list(entry_ids)),
    )
    return [_entry(row) for row in result.mappings()]


async def list_page(
    tx: AsyncConnection,
    business_id: str,
    *,
    type_id: str | None,
    after_revision: int,
    limit: int,
) -> list[WaitlistEntry]:
    """Return live entries in the order in which they joined, those after a revision."""
    result = await tx.exec_driver_sql(
        """
        SELECT * FROM waitlist
        WHERE business_id = $1 AND status IN ('waiting', 'offered') AND revision > $2
          AND ($3::text IS NULL OR type_id = $3)
        ORDER BY revision LIMIT $4
        """,
        (business_id, after_revision, type_id, limit),
    )
    return [_entry(row) for row in result.mappings()]


async def count_live(
    tx: AsyncConnection, business_id: str, holders: Collection[Holder]
) -> dict[Holder, int]:
    """Return how many live entries these holders have, their principals, and all together."""
    result = await tx.exec_driver_sql(
        """
        SELECT '' AS principal_id, '' AS holder_key, count(*) AS entries FROM waitlist
        WHERE business_id = $1 AND status IN ('waiting', 'offered')
        UNION ALL
        SELECT principal_id, '', count(*) FROM waitlist
        WHERE business_id = $1 AND status IN ('waiting', 'offered')
          AND principal_id = ANY($2::text[])
        GROUP BY principal_id
        UNION ALL
        SELECT principal_id, holder_key, count(*) FROM waitlist
        WHERE business_id = $1 AND status IN ('waiting', 'offered')
          AND principal_id = ANY($2::text[]) AND holder_key = ANY($3::text[])
        GROUP BY principal_id, holder_key
        """,
        (
            business_id,
            list({holder.principal_id for holder in holders}),
            [holder.holder_key for holder in holders],
        ),
    )
    return {
        Holder(row["principal_id"], row["holder_key"]): row["entries"] for row in result.mappings()
    }


async def candidates(
    tx: AsyncConnection,
    business_id: str,
    vacancies: Iterable[Vacancy],
    *,
    after_revision: int,
    limit: int,
) -> list[WaitlistEntry]:
    """Return those who may wait for what has opened, first come first, those after a revision.

    Of each type those who wait are read once, however many vacancies there are.
    """
    by_type: dict[str, list[Vacancy]] = {}
    for vacancy in vacancies:
        by_type.setdefault(vacancy.type_id, []).append(vacancy)
    result = await tx.exec_driver_sql(
        """
        WITH vacancy AS MATERIALIZED (
            SELECT type_id, string_to_array(calendar_ids, ',') AS calendar_ids,
                starts::tstzmultirange AS starts
            FROM unnest($2::text[], $3::text[], $4::text[]) AS _ (type_id, calendar_ids, starts)
        )
        SELECT concerned.* FROM vacancy CROSS JOIN LATERAL (
            SELECT * FROM waitlist AS w
            WHERE w.business_id = $1 AND w.status = 'waiting' AND w.type_id = vacancy.type_id
              AND w.revision > $5 AND w.waits_until > lower(vacancy.starts)
              AND (w.calendar_ids = '{}' OR w.calendar_ids && vacancy.calendar_ids)
              AND EXISTS (
                SELECT FROM unnest(w.window_starts, w.window_ends) AS window_ (starts, ends)
                WHERE tstzrange(window_.starts, window_.ends) && vacancy.starts)
            ORDER BY w.revision LIMIT $6
        ) AS concerned
        ORDER BY revision LIMIT $6
        """,
        (
            business_id,
            list(by_type),
            [_calendars_of(of_type) for of_type in by_type.values()],
            [_starts_of(of_type) for of_type in by_type.values()],
            after_revision,
            limit,
        ),
    )
    return [_entry(row) for row in result.mappings()]


def _calendars_of(vacancies: Iterable[Vacancy]) -> str:
    return ",".join({each for vacancy in vacancies for each in vacancy.calendar_ids})


def _starts_of(vacancies: Iterable[Vacancy]) -> str:
    """Write the starts as PostgreSQL reads many ranges; it merges those that overlap."""
    ranges = {
        f"[{vacancy.starts.start.isoformat()},{vacancy.starts.end.isoformat()})"
        for vacancy in vacancies
    }
    return "{" + ",".join(ranges) + "}"


async def waiting_page(
    tx: AsyncConnection,
    business_id: str,
    type_ids: Collection[str],
    *,
    after_revision: int,
    limit: int,
) -> list[WaitlistEntry]:
    """Return who waits for some types and is offered nothing, first come first, after a revision.

    Of a type that was deleted nothing opens any more.
    """
    result = await tx.exec_driver_sql(
        """
        SELECT * FROM waitlist
        WHERE business_id = $1 AND status = 'waiting' AND revision > $2
          AND type_id = ANY($3::text[])
        ORDER BY revision LIMIT $4
        """,
        (business_id, after_revision, list(type_ids), limit),
    )
    return [_entry(row) for row in result.mappings()]


async def overdue(tx: AsyncConnection, limit: int) -> dict[str, list[UUID]]:
    """Return the entries of all businesses whose offer, or last window, has ended.

    What is left of a business that was deleted is the janitor's.
    """
    result = await tx.exec_driver_sql(
        """
        (SELECT business_id, entry_id, offer_expires_at AS ended_at FROM waitlist
         WHERE status = 'offered' AND offer_expires_at <= now()
           AND EXISTS (SELECT FROM businesses AS b WHERE b.business_id = waitlist.business_id)
         ORDER BY offer_expires_at LIMIT $1)
        UNION ALL
        (SELECT business_id, entry_id, waits_until FROM waitlist
         WHERE status = 'waiting' AND waits_until <= now()
           AND EXISTS (SELECT FROM businesses AS b WHERE b.business_id = waitlist.business_id)
         ORDER BY waits_until LIMIT $1)
        ORDER BY ended_at
        """,
        (limit,),
    )
    found: dict[str, list[UUID]] = {}
    for row in result.mappings():
        found.setdefault(row["business_id"], []).append(UUID(int=row["entry_id"].int))
    return found


async def businesses_waiting(tx: AsyncConnection, *, after: str, limit: int) -> list[Waiting]:
    """Return the businesses in which somebody waits, in order, those after one.

    As many steps through the index as there are such businesses, however many entries wait.
    """
    result = await tx.exec_driver_sql(
        """
        WITH RECURSIVE waiting (business_id, number) AS (
            (SELECT business_id, 1 FROM waitlist
             WHERE status = 'waiting' AND business_id > $1 ORDER BY business_id LIMIT 1)
            UNION ALL
            SELECT next.business_id, waiting.number + 1
            FROM waiting CROSS JOIN LATERAL (
                SELECT business_id FROM waitlist
                WHERE status = 'waiting' AND business_id > waiting.business_id
                ORDER BY business_id LIMIT 1
            ) AS next
            WHERE waiting.number < $2
        )
        SELECT business_id, epoch, revision FROM waiting JOIN businesses USING (business_id)
        ORDER BY business_id
        """,
        (after, limit),
    )
    return [Waiting(**row) for row in result.mappings()]


async def expired_holds(tx: AsyncConnection, *, since: datetime | None, limit: int) -> Expired:
    """Return what holds have left, where somebody waits, that expired since an instant.

    Without one, nothing: only what time it is.
    """
    until = (await tx.exec_driver_sql("SELECT now()")).scalar_one()
    freed: dict[str, list[Freed]] = {}
    if since is not None:
        result = await tx.exec_driver_sql(
            """
            SELECT business_id, calendar_id, starts_at, ends_at, type_id, appointment_starts_at,
                expires_at
            FROM claims
            WHERE kind = 'hold' AND expires_at > $1 AND expires_at <= now() AND ends_at > now()
              AND EXISTS (
                SELECT FROM waitlist
                WHERE waitlist.business_id = claims.business_id AND status = 'waiting')
            ORDER BY expires_at LIMIT $2
            """,
            (since, limit),
        )
        rows = result.mappings().all()
        if len(rows) == limit:
            until = rows[-1]["expires_at"]
        for row in rows:
            freed.setdefault(row["business_id"], []).append(
                Freed(
                    calendar_id=row["calendar_id"],
                    span=Interval(row["starts_at"], row["ends_at"]),
                    type_id=row["type_id"],
                    start=row["appointment_starts_at"],
                )
            )
    return Expired(until=until, freed=freed)


def instants_to_text(instants: Iterable[datetime]) -> str:
    """Write instants as PostgreSQL reads an array of them: unnest would flatten arrays of these."""
    return "{" + ",".join(instant.isoformat() for instant in instants) + "}"


def _entry(row: RowMapping) -> WaitlistEntry:
    return WaitlistEntry(
        entry_id=UUID(int=row["entry_id"].int),
        principal_id=row["principal_id"],
        holder=row["holder"],
        holder_key=row["holder_key"],
        type_id=row["type_id"],
        calendar_ids=tuple(row["calendar_ids"]),
        windows=tuple(map(Interval, row["window_starts"], row["window_ends"])),
        duration=row["duration"],
        customer=Customer(**{"display_name": "", **row["customer"]}),
        fields=row["fields"],
        status=EntryStatus(row["status"]),
        revision=row["revision"],
        joined_at=row["joined_at"],
        ended_at=row["ended_at"],
        hold_id=None if row["hold_id"] is None else UUID(int=row["hold_id"].int),
        offer_expires_at=row["offer_expires_at"],
        untold_offers=row["untold_offers"],
    )
