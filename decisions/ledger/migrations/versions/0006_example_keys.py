"""Example keys of what a gate found, beside the run."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; runs before it have no examples."""
    op.add_column(
        'runs', sa.Column('examples', sa.JSON(), nullable=False, server_default=sa.text("'[]'"))
    )
