"""What the cases of each run cost."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; runs of before had no limit on it."""
    op.add_column('runs', sa.Column('cost', sa.Float(), nullable=False, server_default='0'))
    op.add_column('runs', sa.Column('cost_unit', sa.String(), nullable=True))
