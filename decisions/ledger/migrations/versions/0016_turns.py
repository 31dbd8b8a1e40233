"""Turns of channels and people, and by which connection a message goes next."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table and the columns; messages that wait find their route when they are claimed."""
    op.create_table('turns',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('free_at', INSTANT, nullable=False),
    sa.Column('holder', sa.String(), nullable=True),
    sa.Column('paused_at', INSTANT, nullable=True),
    sa.Column('paused_because', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('name', name='pk_turns')
    )
    op.add_column('notifications', sa.Column('route', sa.String(), nullable=True))
    op.add_column('notifications', sa.Column('absences', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('notifications', sa.Column('silences', sa.Integer(), nullable=False, server_default='0'))
