"""Why an outcome can never be known, and where one was read that was handed in."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; outcomes recorded before have neither."""
    op.add_column("outcomes", sa.Column("reason", sa.String(), nullable=True))
    op.add_column("outcomes", sa.Column("source", sa.String(), nullable=True))
