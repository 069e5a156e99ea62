"""The tables. `business_id` leads every key, so that a business can live on any node.

Times are UTC. No foreign key leaves a business, no sequence orders anything. Alembic's migrations
make the same tables, with the policies of store/row_security.py; a test says so.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint

metadata = MetaData()

_instant = DateTime(timezone=True)

businesses = Table(
    "businesses",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("holds_per_holder_max", Integer, nullable=False),
    # Changes when the business is made anew or restored: tokens of another epoch are worth nothing.
    Column("epoch", Text, nullable=False),
    # The number of the last change: gap-free and in commit order, for this row is locked to commit.
    Column("revision", BigInteger, nullable=False),
    # The revision of the last change to the catalogue.
    Column("catalog_version", BigInteger, nullable=False),
    Column("holds_per_key_max", Integer, nullable=False, server_default=text("1000")),
    PrimaryKeyConstraint("business_id", name="businesses_pkey"),
)

# Deleted, but not yet all of its rows: its id cannot be used until the janitor has removed them.
removed_businesses = Table(
    "removed_businesses",
    metadata,
    Column("business_id", Text, nullable=False),
    PrimaryKeyConstraint("business_id", name="removed_businesses_pkey"),
)

schedules = Table(
    "schedules",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("schedule_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    # By weekday ("0" is Monday) and by date: lists of [start_minute, end_minute].
    Column("hours", JSONB, nullable=False),
    PrimaryKeyConstraint("business_id", "schedule_id", name="schedules_pkey"),
    ForeignKeyConstraint(
        ["business_id"],
        ["businesses.business_id"],
        name="schedules_belong_to_a_business",
        ondelete="CASCADE",
    ),
)

calendars = Table(
    "calendars",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("calendar_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("schedule_id", Text, nullable=False),
    PrimaryKeyConstraint("business_id", "calendar_id", name="calendars_pkey"),
    ForeignKeyConstraint(
        ["business_id"],
        ["businesses.business_id"],
        name="calendars_belong_to_a_business",
        ondelete="CASCADE",
    ),
    ForeignKeyConstraint(
        ["business_id", "schedule_id"],
        ["schedules.business_id", "schedules.schedule_id"],
        name="calendars_follow_a_schedule",
    ),
)

appointment_types = Table(
    "appointment_types",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("type_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("durations", ARRAY(Interval), nullable=False),
    Column("slot_step", Interval, nullable=False),
    Column("any_of", ARRAY(Text), nullable=False),
    Column("all_of", ARRAY(Text), nullable=False),
    Column("buffer_before", Interval, nullable=False),
    Column("buffer_after", Interval, nullable=False),
    Column("minimum_notice", Interval, nullable=False),
    Column("horizon", Interval, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("hold_duration", Interval, nullable=False),
    Column("requires_approval", Boolean, nullable=False),
    Column("day_cap", Integer),
    Column("week_cap", Integer),
    Column("cancellation_notice", Interval, nullable=False),
    PrimaryKeyConstraint("business_id", "type_id", name="appointment_types_pkey"),
    ForeignKeyConstraint(
        ["business_id"],
        ["businesses.business_id"],
        name="appointment_types_belong_to_a_business",
        ondelete="CASCADE",
    ),
)

closures = Table(
    "closures",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("closure_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("calendar_ids", ARRAY(Text), nullable=False),
    # Civil days, the last one included; or else instants.
    Column("first_date", Date),
    Column("last_date", Date),
    Column("during", TSTZRANGE),
    PrimaryKeyConstraint("business_id", "closure_id", name="closures_pkey"),
    ForeignKeyConstraint(
        ["business_id"],
        ["businesses.business_id"],
        name="closures_belong_to_a_business",
        ondelete="CASCADE",
    ),
)

claims = Table(
    "claims",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("calendar_id", Text, nullable=False),
    # With buffers.
    Column("starts_at", _instant, nullable=False),
    Column("ends_at", _instant, nullable=False),
    Column("claim_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    # The booking, the hold, or the feed.
    Column("owner_id", Text, nullable=False),
    Column("type_id", Text),
    # Without buffers.
    Column("appointment_starts_at", _instant),
    Column("appointment_ends_at", _instant),
    # A place in a group; none: the calendar for itself.
    Column("seat", Integer),
    Column("expires_at", _instant),
    Column("holder_key", Text),
    # Also the index by which claims are asked for.
    PrimaryKeyConstraint("business_id", "calendar_id", "starts_at", "claim_id", name="claims_pkey"),
    CheckConstraint(
        "starts_at < ends_at AND ends_at - starts_at <= interval '3 days'",
        name="claims_are_bounded",
    ),
    CheckConstraint("kind IN ('hold', 'booking', 'busy')", name="claims_have_a_kind"),
    # The second wall of B1. Imported busy time may lie over anything: it sells nothing.
    ExcludeConstraint(
        # Adds nothing to what follows, but finds the page: comparing texts in a GiST index takes
        # twice as long as all else that an insert does.
        (text("hashtextextended(calendar_id, hashtextextended(business_id, 0))"), "="),
        (func.tstzrange(text("starts_at"), text("ends_at")), "&&"),
        (Column("business_id"), "="),
        (Column("calendar_id"), "="),
        (func.int4range(text("seat"), text("seat + 1")), "&&"),
        name="claims_fit_capacity",
        using="gist",
        where=text("kind <> 'busy'"),
    ),
    # The few that last long, so that a query for the others need not look far back.
    Index(
        "claims_that_last",
        "business_id",
        "calendar_id",
        "starts_at",
        postgresql_where=text("ends_at - starts_at > interval '4 hours'"),
    ),
    # Few are holds: this finds those that expired long ago.
    Index("claims_by_expiry", "expires_at", postgresql_where=text("kind = 'hold'")),
)

bookings = Table(
    "bookings",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("booking_id", Uuid, nullable=False),
    Column("type_id", Text, nullable=False),
    Column("calendar_ids", ARRAY(Text), nullable=False),
    Column("starts_at", _instant, nullable=False),
    Column("ends_at", _instant, nullable=False),
    Column("zone", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    # {"display_name": ..., "email": ..., ...}
    Column("customer", JSONB, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("created_at", _instant, nullable=False),
    Column("updated_at", _instant, nullable=False),
    Column("cancel_reason", Text, nullable=False),
    PrimaryKeyConstraint("business_id", "booking_id", name="bookings_pkey"),
    Index("bookings_by_start", "business_id", "starts_at", "booking_id"),
)

holds = Table(
    "holds",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("hold_id", Uuid, nullable=False),
    Column("principal_id", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("holder_key", Text, nullable=False),
    Column("type_id", Text, nullable=False),
    Column("calendar_ids", ARRAY(Text), nullable=False),
    Column("starts_at", _instant, nullable=False),
    Column("ends_at", _instant, nullable=False),
    Column("expires_at", _instant, nullable=False),
    Column("status", Text, nullable=False),
    # The transaction that adds the row has the same now; renewing leaves it.
    Column("created_at", _instant, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("business_id", "hold_id", name="holds_pkey"),
    # How many a principal has, and each of its holders.
    Index(
        "holds_by_principal",
        "business_id",
        "principal_id",
        "expires_at",
        "holder_key",
        postgresql_where=text("status = 'live'"),
    ),
    Index("holds_by_expiry", "expires_at"),
)

changes = Table(
    "changes",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("at", _instant, nullable=False),
    # As domain/change_codec.py writes it.
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("business_id", "revision", name="changes_pkey"),
)

requests = Table(
    "requests",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("principal_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    # The first OK answer, byte for byte.
    Column("response", LargeBinary, nullable=False),
    Column("created_at", _instant, nullable=False),
    PrimaryKeyConstraint("business_id", "principal_id", "request_id", name="requests_pkey"),
    # What is old enough to go. (BRIN would cost less, until rows of all ages share the pages.)
    Index("requests_by_age", "created_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    # '*' is the operator's: any business.
    Column("business_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", _instant, nullable=False),
    Column("revoked_at", _instant),
    # The one table that is asked before the business is known.
    PrimaryKeyConstraint("key_id", name="api_keys_pkey"),
)
