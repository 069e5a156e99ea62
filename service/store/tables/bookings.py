"""What is booked: claims, bookings, holds, the waitlist; the log, what was answered, and keys."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Interval,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from service.store.tables.base import instant, metadata

claims = Table(
    "claims",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("calendar_id", Text, nullable=False),
    # With buffers.
    Column("starts_at", instant, nullable=False),
    Column("ends_at", instant, nullable=False),
    Column("claim_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    # The booking, the hold, or the feed.
    Column("owner_id", Text, nullable=False),
    Column("type_id", Text),
    # Without buffers.
    Column("appointment_starts_at", instant),
    Column("appointment_ends_at", instant),
    # A place in a group; none: the calendar for itself.
    Column("seat", Integer),
    Column("expires_at", instant),
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
    # What a feed has put there.
    Index(
        "busy_claims_by_feed",
        "business_id",
        "calendar_id",
        "owner_id",
        "starts_at",
        postgresql_where=text("kind = 'busy'"),
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
    Column("starts_at", instant, nullable=False),
    Column("ends_at", instant, nullable=False),
    Column("zone", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    # {"display_name": ..., "email": ..., ...}
    Column("customer", JSONB, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("created_at", instant, nullable=False),
    Column("updated_at", instant, nullable=False),
    Column("cancel_reason", Text, nullable=False),
    Column("series_id", Uuid),
    # The chat's own name for what it belongs to; empty: none.
    Column("conversation", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("business_id", "booking_id", name="bookings_pkey"),
    Index("bookings_by_start", "business_id", "starts_at", "booking_id"),
    # What one chat has booked.
    Index(
        "bookings_by_conversation",
        "business_id",
        "conversation",
        "starts_at",
        "booking_id",
        postgresql_where=text("conversation <> ''"),
    ),
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
    Column("starts_at", instant, nullable=False),
    Column("ends_at", instant, nullable=False),
    Column("expires_at", instant, nullable=False),
    Column("status", Text, nullable=False),
    # Whom it is offered to, if it is an offer of the waitlist.
    Column("entry_id", Uuid),
    Column("conversation", Text, nullable=False, server_default=text("''")),
    # How many tickets were made of it.
    Column("handoffs", Integer, nullable=False, server_default=text("0")),
    # The transaction that adds the row has the same now; renewing leaves it.
    Column("created_at", instant, nullable=False, server_default=func.now()),
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

handoffs = Table(
    "handoffs",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("handoff_id", Uuid, nullable=False),
    Column("hold_id", Uuid, nullable=False),
    Column("type_id", Text, nullable=False),
    # For whom its hold is: its maker, then its redeemer.
    Column("holder_key", Text, nullable=False),
    # Lists of name, value and provenance.
    Column("fields", JSONB, nullable=False),
    Column("created_at", instant, nullable=False),
    Column("expires_at", instant, nullable=False),
    # The principal who redeemed it, and the requests whose answers have the fields too.
    Column("redeemed_by", Text),
    Column("request_ids", ARRAY(Text), nullable=False),
    Column("booking_id", Uuid),
    Column("erased_at", instant),
    PrimaryKeyConstraint("business_id", "handoff_id", name="handoffs_pkey"),
    # Few at a time: those of live holds.
    Index(
        "handoffs_to_erase",
        "business_id",
        "hold_id",
        postgresql_where=text("erased_at IS NULL"),
    ),
    Index("handoffs_by_expiry", "expires_at"),
)

waitlist = Table(
    "waitlist",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("entry_id", Uuid, nullable=False),
    Column("principal_id", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("holder_key", Text, nullable=False),
    Column("type_id", Text, nullable=False),
    # Those that will do; empty: any of the type's.
    Column("calendar_ids", ARRAY(Text), nullable=False),
    Column("window_starts", ARRAY(instant), nullable=False),
    Column("window_ends", ARRAY(instant), nullable=False),
    # The end of its last window.
    Column("waits_until", instant, nullable=False),
    Column("duration", Interval),
    Column("customer", JSONB, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    # Of JoinWaitlist: the order in which offers are made.
    Column("revision", BigInteger, nullable=False),
    Column("joined_at", instant, nullable=False),
    Column("ended_at", instant),
    Column("hold_id", Uuid),
    Column("offer_expires_at", instant),
    # Those that ended without their letter having gone out.
    Column("untold_offers", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("business_id", "entry_id", name="waitlist_pkey"),
    Index(
        "waitlist_waiting",
        "business_id",
        "type_id",
        "revision",
        postgresql_where=text("status = 'waiting'"),
    ),
    Index(
        "waitlist_by_holder",
        "business_id",
        "principal_id",
        "holder_key",
        postgresql_where=text("status IN ('waiting', 'offered')"),
    ),
    Index("waitlist_offers", "offer_expires_at", postgresql_where=text("status = 'offered'")),
    Index("waitlist_until", "waits_until", postgresql_where=text("status = 'waiting'")),
    Index("waitlist_listed", "business_id", "revision", "entry_id"),
    Index("waitlist_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
)

changes = Table(
    "changes",
    metadata,
    Column("business_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("at", instant, nullable=False),
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
    Column("created_at", instant, nullable=False),
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
    Column("created_at", instant, nullable=False),
    Column("revoked_at", instant),
    # The one table that is asked before the business is known.
    PrimaryKeyConstraint("key_id", name="api_keys_pkey"),
)
