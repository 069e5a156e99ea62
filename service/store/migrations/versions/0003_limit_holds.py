"""Limit how many holds an API key has at a time, and how long a hold can be renewed."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the limit, the index by which a key's holds are counted, and when a hold began.

    One that there is begins now.
    """
    op.execute("ALTER TABLE businesses ADD COLUMN holds_per_key_max INTEGER DEFAULT 1000 NOT NULL")
    op.execute("DROP INDEX holds_by_holder")
    op.execute(
        "CREATE INDEX holds_by_principal"
        " ON holds (business_id, principal_id, expires_at, holder_key) WHERE status = 'live'"
    )
    op.execute(
        "ALTER TABLE holds ADD COLUMN created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL"
    )


def downgrade() -> None:
    """Count by holder again, and renew without end."""
    op.execute("ALTER TABLE holds DROP COLUMN created_at")
    op.execute("DROP INDEX holds_by_principal")
    op.execute(
        "CREATE INDEX holds_by_holder ON holds (business_id, holder_key, expires_at)"
        " WHERE status = 'live'"
    )
    op.execute("ALTER TABLE businesses DROP COLUMN holds_per_key_max")
