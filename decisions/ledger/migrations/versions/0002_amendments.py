"""Messages that were sent can be found again when their case moves on."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add when a message became outdated."""
    op.add_column("notifications", sa.Column("stale_at", INSTANT, nullable=True))
    op.create_index(
        "ix_notifications_stale",
        "notifications",
        ["stale_at"],
        unique=False,
        sqlite_where=sa.text("stale_at IS NOT NULL"),
        postgresql_where=sa.text("stale_at IS NOT NULL"),
    )
