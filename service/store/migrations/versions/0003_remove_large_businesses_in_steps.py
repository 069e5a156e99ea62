"""Remember which businesses are deleted, while rows of theirs are still there."""

from alembic import op

revision = "0003_removed_businesses"
down_revision = "0002_limit_holds"


def upgrade() -> None:
    """Make the table."""
    op.execute(
        "CREATE TABLE removed_businesses (business_id TEXT NOT NULL,"
        " CONSTRAINT removed_businesses_pkey PRIMARY KEY (business_id))"
    )


def downgrade() -> None:
    """Forget them: whoever goes back waits until the janitor has removed all."""
    op.execute("DROP TABLE removed_businesses")
