"""Chats: conversations, prices, handoffs; and who could not be told of an offer waits again."""

from alembic import op

revision = "0007"
down_revision = "0006"

COLUMNS = (
    ("waitlist", "untold_offers INTEGER DEFAULT 0 NOT NULL"),
    ("holds", "conversation TEXT DEFAULT '' NOT NULL"),
    ("holds", "handoffs INTEGER DEFAULT 0 NOT NULL"),
    ("bookings", "conversation TEXT DEFAULT '' NOT NULL"),
    ("appointment_types", "price TEXT DEFAULT '' NOT NULL"),
)
HANDOFFS = (
    """
CREATE TABLE handoffs (
    business_id TEXT NOT NULL,
    handoff_id UUID NOT NULL,
    hold_id UUID NOT NULL,
    type_id TEXT NOT NULL,
    holder_key TEXT NOT NULL,
    fields JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    redeemed_by TEXT,
    request_ids TEXT[] NOT NULL,
    booking_id UUID,
    erased_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT handoffs_pkey PRIMARY KEY (business_id, handoff_id)
)
    """,
    "CREATE INDEX handoffs_to_erase ON handoffs (business_id, hold_id) WHERE erased_at IS NULL",
    "CREATE INDEX handoffs_by_expiry ON handoffs (expires_at)",
    "ALTER TABLE handoffs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    """
CREATE POLICY one_business ON handoffs TO slotcast_service USING (business_id = current_setting('slotcast.business_id', true))
    """,
    "CREATE POLICY all_businesses ON handoffs TO slotcast_operator USING (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON handoffs TO slotcast_service",
    """
GRANT SELECT (business_id, handoff_id, hold_id, expires_at, erased_at), DELETE ON handoffs TO slotcast_operator
    """,
)
# What the version before cannot read, or would keep: who redeemed was told what is personal. The
# policies hold for the owner, too, unless they are set aside.
FORGETTING = (
    "ALTER TABLE handoffs NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE requests NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE changes NO FORCE ROW LEVEL SECURITY",
    """
DELETE FROM requests USING handoffs
WHERE requests.business_id = handoffs.business_id AND requests.principal_id = handoffs.redeemed_by
  AND requests.request_id = ANY(handoffs.request_ids)
    """,
    """
UPDATE changes SET body = convert_to(
    replace(convert_from(body, 'UTF8'), '"k":"handed_over"', '"k":"renewed"'), 'UTF8')
WHERE position('"k":"handed_over"'::bytea IN body) > 0
    """,
    "ALTER TABLE requests FORCE ROW LEVEL SECURITY",
    "ALTER TABLE changes FORCE ROW LEVEL SECURITY",
    "DROP TABLE handoffs",
)


def upgrade() -> None:
    """Add the columns, and the table, under the same policies as the rest."""
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    for statement in HANDOFFS:
        op.execute(statement)


def downgrade() -> None:
    """Forget what they told, and what was handed over."""
    for statement in FORGETTING:
        op.execute(statement)
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column.split()[0]}")
