"""Letters, waitlist, feeds, webhooks and series; and the queue of jobs, in a schema of its own.

The tables of the queue are pgqueuer's (1.6), written out here so that this migration does not change with
the package.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = ("consumers", "deliveries", "waitlist", "busy_feeds", "feed_links", "webhooks")
OPERATOR_GRANTS = (
    "SELECT ON consumers",
    "SELECT, DELETE ON deliveries",
    "SELECT (business_id, entry_id, status, offer_expires_at, waits_until, ended_at), DELETE ON waitlist",
    "SELECT ON busy_feeds",
    "SELECT ON webhooks",
)
COLUMNS = (
    """
ALTER TABLE businesses
    ADD COLUMN email TEXT DEFAULT '' NOT NULL,
    ADD COLUMN phone TEXT DEFAULT '' NOT NULL,
    ADD COLUMN location TEXT DEFAULT '' NOT NULL,
    ADD COLUMN language TEXT DEFAULT '' NOT NULL
    """,
    "ALTER TABLE calendars ADD COLUMN email TEXT DEFAULT '' NOT NULL",
    """
ALTER TABLE appointment_types
    ADD COLUMN reminders INTERVAL[] DEFAULT '{}' NOT NULL,
    ADD COLUMN offer_duration INTERVAL DEFAULT '15 minutes' NOT NULL,
    ADD COLUMN cancel_by_reply BOOLEAN DEFAULT false NOT NULL
    """,
    "ALTER TABLE bookings ADD COLUMN series_id UUID",
    "ALTER TABLE holds ADD COLUMN entry_id UUID",
    """
CREATE INDEX busy_claims_by_feed ON claims (business_id, calendar_id, owner_id, starts_at) WHERE kind = 'busy'
    """,
)
NEW_TABLES = (
    """
CREATE TABLE consumers (
    business_id TEXT NOT NULL,
    consumer TEXT NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT consumers_pkey PRIMARY KEY (business_id, consumer),
    CONSTRAINT consumers_belong_to_a_business FOREIGN KEY(business_id) REFERENCES businesses (business_id) ON DELETE CASCADE
)
    """,
    """
CREATE TABLE deliveries (
    business_id TEXT NOT NULL,
    delivery_id UUID NOT NULL,
    channel TEXT NOT NULL,
    lane TEXT NOT NULL,
    revision BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    booking_id UUID,
    target TEXT NOT NULL,
    body JSONB NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    leased_by BIGINT,
    leased_until TIMESTAMP WITH TIME ZONE,
    give_up_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    recipient BYTEA,
    detail TEXT NOT NULL,
    CONSTRAINT deliveries_pkey PRIMARY KEY (business_id, delivery_id),
    CONSTRAINT deliveries_have_a_state CHECK (state IN ('waiting', 'sent', 'skipped', 'dead'))
)
    """,
    """
CREATE INDEX deliveries_by_booking ON deliveries (business_id, booking_id)
    """,
    """
CREATE INDEX deliveries_by_lane ON deliveries (business_id, lane, revision, ordinal, delivery_id) WHERE state = 'waiting'
    """,
    """
CREATE INDEX deliveries_by_recipient ON deliveries (business_id, recipient, created_at) WHERE recipient IS NOT NULL
    """,
    """
CREATE INDEX deliveries_by_target ON deliveries (business_id, channel, target) WHERE state IN ('waiting', 'dead')
    """,
    """
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'waiting'
    """,
    """
CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL
    """,
    """
CREATE INDEX deliveries_listed ON deliveries (business_id, created_at, delivery_id)
    """,
    """
CREATE TABLE waitlist (
    business_id TEXT NOT NULL,
    entry_id UUID NOT NULL,
    principal_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    holder_key TEXT NOT NULL,
    type_id TEXT NOT NULL,
    calendar_ids TEXT[] NOT NULL,
    window_starts TIMESTAMP WITH TIME ZONE[] NOT NULL,
    window_ends TIMESTAMP WITH TIME ZONE[] NOT NULL,
    waits_until TIMESTAMP WITH TIME ZONE NOT NULL,
    duration INTERVAL,
    customer JSONB NOT NULL,
    fields JSONB NOT NULL,
    status TEXT NOT NULL,
    revision BIGINT NOT NULL,
    joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    hold_id UUID,
    offer_expires_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT waitlist_pkey PRIMARY KEY (business_id, entry_id)
)
    """,
    """
CREATE INDEX waitlist_by_holder ON waitlist (business_id, principal_id, holder_key) WHERE status IN ('waiting', 'offered')
    """,
    """
CREATE INDEX waitlist_ended ON waitlist (ended_at) WHERE ended_at IS NOT NULL
    """,
    """
CREATE INDEX waitlist_listed ON waitlist (business_id, revision, entry_id)
    """,
    """
CREATE INDEX waitlist_offers ON waitlist (offer_expires_at) WHERE status = 'offered'
    """,
    """
CREATE INDEX waitlist_until ON waitlist (waits_until) WHERE status = 'waiting'
    """,
    """
CREATE INDEX waitlist_waiting ON waitlist (business_id, type_id, revision) WHERE status = 'waiting'
    """,
    """
CREATE TABLE busy_feeds (
    business_id TEXT NOT NULL,
    calendar_id TEXT NOT NULL,
    feed_id TEXT NOT NULL,
    url TEXT NOT NULL,
    refresh_interval INTERVAL NOT NULL,
    fail_closed_after INTERVAL,
    state TEXT NOT NULL,
    failure TEXT NOT NULL,
    failures INTEGER NOT NULL,
    busy_intervals INTEGER NOT NULL,
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    content_hash BYTEA NOT NULL,
    success_at TIMESTAMP WITH TIME ZONE,
    attempt_at TIMESTAMP WITH TIME ZONE,
    next_at TIMESTAMP WITH TIME ZONE,
    leased_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT busy_feeds_pkey PRIMARY KEY (business_id, calendar_id, feed_id),
    CONSTRAINT busy_feeds_belong_to_a_calendar FOREIGN KEY(business_id, calendar_id) REFERENCES calendars (business_id, calendar_id) ON DELETE CASCADE
)
    """,
    """
CREATE INDEX busy_feeds_due ON busy_feeds (next_at) WHERE next_at IS NOT NULL
    """,
    """
CREATE TABLE feed_links (
    business_id TEXT NOT NULL,
    link_id UUID NOT NULL,
    calendar_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    with_names BOOLEAN NOT NULL,
    secret_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT feed_links_pkey PRIMARY KEY (business_id, link_id),
    CONSTRAINT feed_links_belong_to_a_calendar FOREIGN KEY(business_id, calendar_id) REFERENCES calendars (business_id, calendar_id) ON DELETE CASCADE
)
    """,
    """
CREATE INDEX feed_links_by_calendar ON feed_links (business_id, calendar_id, created_at)
    """,
    """
CREATE TABLE webhooks (
    business_id TEXT NOT NULL,
    webhook_id UUID NOT NULL,
    url TEXT NOT NULL,
    event_types TEXT[] NOT NULL,
    calendar_ids TEXT[] NOT NULL,
    include_customer BOOLEAN NOT NULL,
    secret BYTEA NOT NULL,
    previous_secret BYTEA,
    previous_secret_until TIMESTAMP WITH TIME ZONE,
    after_revision BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    failing_since TIMESTAMP WITH TIME ZONE,
    last_outcome TEXT NOT NULL,
    last_attempt_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT webhooks_pkey PRIMARY KEY (business_id, webhook_id),
    CONSTRAINT webhooks_belong_to_a_business FOREIGN KEY(business_id) REFERENCES businesses (business_id) ON DELETE CASCADE
)
    """,
)
# Nobody is told of what happened before there was somebody to tell.
CURSORS = """
INSERT INTO consumers (business_id, consumer, revision)
SELECT business_id, consumer, revision
FROM businesses CROSS JOIN (VALUES ('letters'), ('webhooks')) AS each (consumer)
"""
JOBS = (
    """
CREATE SCHEMA IF NOT EXISTS slotcast_jobs
    """,
    """
CREATE TYPE slotcast_jobs.pgqueuer_status AS ENUM ('queued', 'picked', 'successful', 'exception', 'canceled', 'deleted', 'failed')
    """,
    """
CREATE TABLE slotcast_jobs.pgqueuer (
    id bigserial NOT NULL PRIMARY KEY,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone NOT NULL DEFAULT now(),
    updated timestamp with time zone NOT NULL DEFAULT now(),
    heartbeat timestamp with time zone NOT NULL DEFAULT now(),
    execute_after timestamp with time zone NOT NULL DEFAULT now(),
    status slotcast_jobs.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer NOT NULL DEFAULT 0,
    slot bigint
)
    """,
    """
CREATE TABLE slotcast_jobs.pgqueuer_log (
    id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL PRIMARY KEY,
    created timestamp with time zone NOT NULL DEFAULT now(),
    job_id bigint NOT NULL,
    status slotcast_jobs.pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
)
    """,
    """
CREATE TABLE slotcast_jobs.pgqueuer_schedules (
    id bigserial NOT NULL PRIMARY KEY,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone NOT NULL DEFAULT now(),
    created timestamp with time zone NOT NULL DEFAULT now(),
    updated timestamp with time zone NOT NULL DEFAULT now(),
    next_run timestamp with time zone NOT NULL DEFAULT now(),
    last_run timestamp with time zone,
    status slotcast_jobs.pgqueuer_status DEFAULT 'queued'::slotcast_jobs.pgqueuer_status,
    UNIQUE (expression, entrypoint)
)
    """,
    """
CREATE TABLE slotcast_jobs.pgqueuer_statistics (
    id bigserial NOT NULL PRIMARY KEY,
    created timestamp with time zone NOT NULL DEFAULT date_trunc('sec'::text, now()),
    count bigint NOT NULL,
    priority integer NOT NULL,
    status slotcast_jobs.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
)
    """,
    """
CREATE INDEX pgqueuer_ep_ea_idx ON slotcast_jobs.pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::slotcast_jobs.pgqueuer_status)
    """,
    """
CREATE INDEX pgqueuer_ep_prio_id_idx ON slotcast_jobs.pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::slotcast_jobs.pgqueuer_status)
    """,
    """
CREATE INDEX pgqueuer_log_created ON slotcast_jobs.pgqueuer_log USING btree (created)
    """,
    """
CREATE INDEX pgqueuer_log_job_id_status ON slotcast_jobs.pgqueuer_log USING btree (job_id, created DESC)
    """,
    """
CREATE INDEX pgqueuer_log_not_aggregated ON slotcast_jobs.pgqueuer_log USING btree ((1)) WHERE (NOT aggregated)
    """,
    """
CREATE INDEX pgqueuer_log_status ON slotcast_jobs.pgqueuer_log USING btree (status)
    """,
    """
CREATE INDEX pgqueuer_picked_heartbeat_idx ON slotcast_jobs.pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::slotcast_jobs.pgqueuer_status)
    """,
    """
CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON slotcast_jobs.pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::slotcast_jobs.pgqueuer_status) AND (slot IS NOT NULL))
    """,
    """
CREATE INDEX pgqueuer_priority_id_id1_idx ON slotcast_jobs.pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::slotcast_jobs.pgqueuer_status)
    """,
    """
CREATE INDEX pgqueuer_queue_manager_id_idx ON slotcast_jobs.pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL)
    """,
    """
CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON slotcast_jobs.pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint)
    """,
    """
CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON slotcast_jobs.pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::slotcast_jobs.pgqueuer_status, 'picked'::slotcast_jobs.pgqueuer_status])) AND (dedupe_key IS NOT NULL))
    """,
    """
CREATE INDEX pgqueuer_updated_id_id1_idx ON slotcast_jobs.pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::slotcast_jobs.pgqueuer_status)
    """,
    """
CREATE FUNCTION slotcast_jobs.fn_pgqueuer_changed() RETURNS TRIGGER AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ch_pgqueuer',
            json_build_object(
                'channel', 'ch_pgqueuer',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$ LANGUAGE plpgsql
    """,
    """
CREATE TRIGGER tg_pgqueuer_changed
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON slotcast_jobs.pgqueuer
EXECUTE FUNCTION slotcast_jobs.fn_pgqueuer_changed()
    """,
)
# The service enqueues; the operator's role runs the queue.
JOBS_GRANTS = (
    "USAGE ON SCHEMA slotcast_jobs TO slotcast_service, slotcast_operator",
    "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA slotcast_jobs TO slotcast_operator",
    "USAGE, SELECT ON ALL SEQUENCES IN SCHEMA slotcast_jobs TO slotcast_service, slotcast_operator",
    "SELECT (id, entrypoint, priority, dedupe_key) ON slotcast_jobs.pgqueuer TO slotcast_service",
    "INSERT ON slotcast_jobs.pgqueuer, slotcast_jobs.pgqueuer_log TO slotcast_service",
)


def upgrade() -> None:
    """Make all of it, under the same policies as the rest."""
    for statement in (*COLUMNS, *NEW_TABLES, CURSORS):
        op.execute(statement)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_business ON {table} TO slotcast_service"
            " USING (business_id = current_setting('slotcast.business_id', true))"
        )
        op.execute(f"CREATE POLICY all_businesses ON {table} TO slotcast_operator USING (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO slotcast_service")
    for grant in OPERATOR_GRANTS:
        op.execute(f"GRANT {grant} TO slotcast_operator")
    for statement in JOBS:
        op.execute(statement)
    for grant in JOBS_GRANTS:
        op.execute(f"GRANT {grant}")


def downgrade() -> None:
    """Forget what was to be sent, and who waits."""
    op.execute("DROP SCHEMA slotcast_jobs CASCADE")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP INDEX busy_claims_by_feed")
    op.execute("ALTER TABLE holds DROP COLUMN entry_id")
    op.execute("ALTER TABLE bookings DROP COLUMN series_id")
    op.execute(
        "ALTER TABLE appointment_types DROP COLUMN cancel_by_reply, DROP COLUMN offer_duration,"
        " DROP COLUMN reminders"
    )
    op.execute("ALTER TABLE calendars DROP COLUMN email")
    op.execute(
        "ALTER TABLE businesses DROP COLUMN language, DROP COLUMN location, DROP COLUMN phone,"
        " DROP COLUMN email"
    )
