"""Remember which businesses are deleted, while rows of theirs are still there."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table, under the same policies as the others."""
    op.execute(
        "CREATE TABLE removed_businesses (business_id TEXT NOT NULL,"
        " CONSTRAINT removed_businesses_pkey PRIMARY KEY (business_id))"
    )
    op.execute("ALTER TABLE removed_businesses ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY one_business ON removed_businesses TO slotcast_service"
        " USING (business_id = current_setting('slotcast.business_id', true))"
    )
    op.execute(
        "CREATE POLICY all_businesses ON removed_businesses TO slotcast_operator USING (true)"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON removed_businesses TO slotcast_service")
    op.execute("GRANT SELECT ON removed_businesses TO slotcast_operator")


def downgrade() -> None:
    """Forget them: whoever goes back waits until the janitor has removed all."""
    op.execute("DROP TABLE removed_businesses")
