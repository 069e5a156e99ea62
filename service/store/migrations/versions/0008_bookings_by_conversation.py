"""Find what one chat has booked by an index."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Only bookings that belong to a conversation are in it."""
    op.execute(
        "CREATE INDEX bookings_by_conversation"
        " ON bookings (business_id, conversation, starts_at, booking_id) WHERE conversation <> ''"
    )


def downgrade() -> None:
    """Drop the index."""
    op.execute("DROP INDEX bookings_by_conversation")
