"""What can be booked: businesses and what is theirs, with the feeds and links of calendars."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Interval,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE

from service.store.tables.base import instant, metadata

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
    Column("email", Text, nullable=False, server_default=text("''")),
    Column("phone", Text, nullable=False, server_default=text("''")),
    Column("location", Text, nullable=False, server_default=text("''")),
    Column("language", Text, nullable=False, server_default=text("''")),
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
    Column("email", Text, nullable=False, server_default=text("''")),
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
    Column("reminders", ARRAY(Interval), nullable=False, server_default=text("'{}'")),
    Column("offer_duration", Interval, nullable=False, server_default=text("'15 minutes'")),
    Column("cancel_by_reply", Boolean, nullable=False, server_default=text("false")),
    Column("price", Text, nullable=False, server_default=text("''")),
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

busy_feeds = Table(
    "busy_feeds",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("calendar_id", Text, nullable=False),
    Column("feed_id", Text, nullable=False),
    # Empty: it is uploaded.
    Column("url", Text, nullable=False),
    Column("refresh_interval", Interval, nullable=False),
    Column("fail_closed_after", Interval),
    Column("state", Text, nullable=False),
    Column("failure", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("busy_intervals", Integer, nullable=False),
    Column("etag", Text, nullable=False),
    Column("last_modified", Text, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("success_at", instant),
    Column("attempt_at", instant),
    Column("next_at", instant),
    Column("leased_until", instant),
    PrimaryKeyConstraint("business_id", "calendar_id", "feed_id", name="busy_feeds_pkey"),
    ForeignKeyConstraint(
        ["business_id", "calendar_id"],
        ["calendars.business_id", "calendars.calendar_id"],
        name="busy_feeds_belong_to_a_calendar",
        ondelete="CASCADE",
    ),
    Index("busy_feeds_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
)

feed_links = Table(
    "feed_links",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("link_id", Uuid, nullable=False),
    Column("calendar_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("with_names", Boolean, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("created_at", instant, nullable=False),
    PrimaryKeyConstraint("business_id", "link_id", name="feed_links_pkey"),
    ForeignKeyConstraint(
        ["business_id", "calendar_id"],
        ["calendars.business_id", "calendars.calendar_id"],
        name="feed_links_belong_to_a_calendar",
        ondelete="CASCADE",
    ),
    Index("feed_links_by_calendar", "business_id", "calendar_id", "created_at"),
)
