"""How much working time an answer took."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of answers given before it is not known."""
    op.add_column("answers", sa.Column("worked", sa.Integer(), nullable=True))
