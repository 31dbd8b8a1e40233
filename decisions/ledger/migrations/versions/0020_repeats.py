"""Since when a message's connection is tried, how often in vain, and how often it was repeated."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns; messages that wait are given their full time from the next try on."""
    op.add_column('notifications', sa.Column('tried_at', INSTANT, nullable=True))
    op.add_column('notifications', sa.Column('failures', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('notifications', sa.Column('repeats', sa.Integer(), nullable=False, server_default='0'))
