"""What an operator must mend. It imports nothing, so that a command can name it and start fast."""

from __future__ import annotations


class RowSecurityMissing(Exception):
    """PostgreSQL would not keep the businesses apart; the message says what to do."""
