"""What all tables share."""

from __future__ import annotations

from sqlalchemy import DateTime, MetaData

metadata = MetaData()

instant = DateTime(timezone=True)
"""Of UTC."""
