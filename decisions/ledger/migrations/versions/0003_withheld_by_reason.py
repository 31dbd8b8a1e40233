"""Runs keep whom the operating boundary kept back, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; earlier runs kept nobody back."""
    op.add_column('runs', sa.Column('withheld', sa.JSON(), nullable=False, server_default='[]'))
