"""Who is told of it: cursors of the change log, deliveries, and webhooks."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from service.store.tables.base import instant, metadata

consumers = Table(
    "consumers",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("consumer", Text, nullable=False),
    # The last change that it has passed.
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("business_id", "consumer", name="consumers_pkey"),
    ForeignKeyConstraint(
        ["business_id"],
        ["businesses.business_id"],
        name="consumers_belong_to_a_business",
        ondelete="CASCADE",
    ),
)

# Letters and calls of webhooks: what is to be sent, and what became of it. No name and no address.
deliveries = Table(
    "deliveries",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("delivery_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    # Within a lane one follows the other, in the order of revision and ordinal.
    Column("lane", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("booking_id", Uuid),
    Column("target", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", instant, nullable=False),
    # By which job it is being sent, until when at most; and when it is given up.
    Column("leased_by", BigInteger),
    Column("leased_until", instant),
    Column("give_up_at", instant),
    Column("created_at", instant, nullable=False),
    Column("ended_at", instant),
    # A keyed hash of the address that it was sent to.
    Column("recipient", LargeBinary),
    # The Message-ID, the receiver's status, or why it was not sent.
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("business_id", "delivery_id", name="deliveries_pkey"),
    CheckConstraint(
        "state IN ('waiting', 'sent', 'skipped', 'dead')", name="deliveries_have_a_state"
    ),
    Index(
        "deliveries_by_lane",
        "business_id",
        "lane",
        "revision",
        "ordinal",
        "delivery_id",
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("deliveries_due", "due_at", postgresql_where=text("state = 'waiting'")),
    Index("deliveries_listed", "business_id", "created_at", "delivery_id"),
    Index("deliveries_by_booking", "business_id", "booking_id"),
    Index("deliveries_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    Index(
        "deliveries_by_target",
        "business_id",
        "channel",
        "target",
        postgresql_where=text("state IN ('waiting', 'dead')"),
    ),
    Index(
        "deliveries_by_recipient",
        "business_id",
        "recipient",
        "created_at",
        postgresql_where=text("recipient IS NOT NULL"),
    ),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("webhook_id", Uuid, nullable=False),
    Column("url", Text, nullable=False),
    Column("event_types", ARRAY(Text), nullable=False),
    Column("calendar_ids", ARRAY(Text), nullable=False),
    Column("include_customer", Boolean, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    # It signs too, until then.
    Column("previous_secret", LargeBinary),
    Column("previous_secret_until", instant),
    # It is told of later changes only.
    Column("after_revision", BigInteger, nullable=False),
    Column("created_at", instant, nullable=False),
    Column("updated_at", instant, nullable=False),
    Column("failing_since", instant),
    Column("last_outcome", Text, nullable=False),
    Column("last_attempt_at", instant),
    Column("ended_at", instant),
    PrimaryKeyConstraint("business_id", "webhook_id", name="webhooks_pkey"),
    ForeignKeyConstraint(
        ["business_id"],
        ["businesses.business_id"],
        name="webhooks_belong_to_a_business",
        ondelete="CASCADE",
    ),
)
