"""Hold, book and watch slots: the first tables."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE businesses (
    business_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    holds_per_holder_max INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    revision BIGINT NOT NULL,
    catalog_version BIGINT NOT NULL,
    CONSTRAINT businesses_pkey PRIMARY KEY (business_id)
);

CREATE TABLE schedules (
    business_id TEXT NOT NULL,
    schedule_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    hours JSONB NOT NULL,
    CONSTRAINT schedules_pkey PRIMARY KEY (business_id, schedule_id),
    CONSTRAINT schedules_belong_to_a_business FOREIGN KEY(business_id)
        REFERENCES businesses (business_id) ON DELETE CASCADE
);

CREATE TABLE calendars (
    business_id TEXT NOT NULL,
    calendar_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    zone TEXT NOT NULL,
    schedule_id TEXT NOT NULL,
    CONSTRAINT calendars_pkey PRIMARY KEY (business_id, calendar_id),
    CONSTRAINT calendars_belong_to_a_business FOREIGN KEY(business_id)
        REFERENCES businesses (business_id) ON DELETE CASCADE,
    CONSTRAINT calendars_follow_a_schedule FOREIGN KEY(business_id, schedule_id)
        REFERENCES schedules (business_id, schedule_id)
);

CREATE TABLE appointment_types (
    business_id TEXT NOT NULL,
    type_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    durations INTERVAL[] NOT NULL,
    slot_step INTERVAL NOT NULL,
    any_of TEXT[] NOT NULL,
    all_of TEXT[] NOT NULL,
    buffer_before INTERVAL NOT NULL,
    buffer_after INTERVAL NOT NULL,
    minimum_notice INTERVAL NOT NULL,
    horizon INTERVAL NOT NULL,
    capacity INTEGER NOT NULL,
    hold_duration INTERVAL NOT NULL,
    requires_approval BOOLEAN NOT NULL,
    day_cap INTEGER,
    week_cap INTEGER,
    cancellation_notice INTERVAL NOT NULL,
    CONSTRAINT appointment_types_pkey PRIMARY KEY (business_id, type_id),
    CONSTRAINT appointment_types_belong_to_a_business FOREIGN KEY(business_id)
        REFERENCES businesses (business_id) ON DELETE CASCADE
);

CREATE TABLE closures (
    business_id TEXT NOT NULL,
    closure_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    calendar_ids TEXT[] NOT NULL,
    first_date DATE,
    last_date DATE,
    during TSTZRANGE,
    CONSTRAINT closures_pkey PRIMARY KEY (business_id, closure_id),
    CONSTRAINT closures_belong_to_a_business FOREIGN KEY(business_id)
        REFERENCES businesses (business_id) ON DELETE CASCADE
);

CREATE TABLE claims (
    business_id TEXT NOT NULL,
    calendar_id TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    claim_id UUID NOT NULL,
    kind TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    type_id TEXT,
    appointment_starts_at TIMESTAMP WITH TIME ZONE,
    appointment_ends_at TIMESTAMP WITH TIME ZONE,
    seat INTEGER,
    expires_at TIMESTAMP WITH TIME ZONE,
    holder_key TEXT,
    CONSTRAINT claims_pkey PRIMARY KEY (business_id, calendar_id, starts_at, claim_id),
    CONSTRAINT claims_are_bounded
        CHECK (starts_at < ends_at AND ends_at - starts_at <= interval '3 days'),
    CONSTRAINT claims_have_a_kind CHECK (kind IN ('hold', 'booking', 'busy')),
    CONSTRAINT claims_fit_capacity
        EXCLUDE USING gist (
            business_id WITH =, calendar_id WITH =,
            int4range(seat, seat + 1) WITH &&, tstzrange(starts_at, ends_at) WITH &&
        ) WHERE (kind <> 'busy')
);

CREATE INDEX claims_by_expiry ON claims (expires_at)
    WHERE kind = 'hold';

CREATE INDEX claims_that_last ON claims (business_id, calendar_id, starts_at)
    WHERE ends_at - starts_at > interval '4 hours';

CREATE TABLE bookings (
    business_id TEXT NOT NULL,
    booking_id UUID NOT NULL,
    type_id TEXT NOT NULL,
    calendar_ids TEXT[] NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    zone TEXT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    customer JSONB NOT NULL,
    fields JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cancel_reason TEXT NOT NULL,
    CONSTRAINT bookings_pkey PRIMARY KEY (business_id, booking_id)
);

CREATE INDEX bookings_by_start ON bookings (business_id, starts_at, booking_id);

CREATE TABLE holds (
    business_id TEXT NOT NULL,
    hold_id UUID NOT NULL,
    principal_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    holder_key TEXT NOT NULL,
    type_id TEXT NOT NULL,
    calendar_ids TEXT[] NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT holds_pkey PRIMARY KEY (business_id, hold_id)
);

CREATE INDEX holds_by_holder ON holds (business_id, holder_key, expires_at)
    WHERE status = 'live';

CREATE INDEX holds_by_expiry ON holds (expires_at);

CREATE TABLE changes (
    business_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    body BYTEA NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (business_id, revision)
);

CREATE TABLE requests (
    business_id TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    body_hash BYTEA NOT NULL,
    response BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT requests_pkey PRIMARY KEY (business_id, principal_id, request_id)
);

CREATE INDEX requests_by_age ON requests (created_at);

CREATE TABLE api_keys (
    business_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    scopes TEXT[] NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT api_keys_pkey PRIMARY KEY (key_id)
);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Remove them, and all that is in them."""
    for table in (
        "api_keys",
        "requests",
        "changes",
        "holds",
        "bookings",
        "claims",
        "closures",
        "appointment_types",
        "calendars",
        "schedules",
        "businesses",
    ):
        op.execute(f"DROP TABLE {table}")
