"""Keep businesses apart: row-level security on every table.

The roles are not made here: they are the server's, not the database's (store/row_security.py). They
are not removed either, for another database may use them.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = (
    "businesses",
    "schedules",
    "calendars",
    "appointment_types",
    "closures",
    "claims",
    "bookings",
    "holds",
    "changes",
    "requests",
    "api_keys",
)
OPERATOR_GRANTS = (
    "SELECT ON businesses",
    "SELECT, INSERT, UPDATE ON api_keys",
    "SELECT, DELETE ON claims, holds, changes, requests",
)
# Where the schema is not PostgreSQL's own, or has been closed.
LET_IN = """
DO $$ BEGIN
    IF NOT has_schema_privilege('slotcast_service', current_schema(), 'USAGE') THEN
        EXECUTE format(
            'GRANT USAGE ON SCHEMA %I TO slotcast_service, slotcast_operator', current_schema());
    END IF;
END $$
"""


def upgrade() -> None:
    """Let the service see one business at a time, and the operator all of them."""
    op.execute(LET_IN)
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


def downgrade() -> None:
    """Let whoever may read the tables see all of them."""
    for table in TABLES:
        op.execute(f"REVOKE ALL ON {table} FROM slotcast_service, slotcast_operator")
        op.execute(f"DROP POLICY all_businesses ON {table}")
        op.execute(f"DROP POLICY one_business ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY")
