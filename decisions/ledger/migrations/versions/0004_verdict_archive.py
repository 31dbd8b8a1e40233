"""Runs know the file that holds every subject's verdict."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the file's hash and its number of subjects; runs of before have none."""
    op.add_column("runs", sa.Column("archive_sha256", sa.String(), nullable=True))
    op.add_column("runs", sa.Column("archive_rows", sa.Integer(), nullable=True))
