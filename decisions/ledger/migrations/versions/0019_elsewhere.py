"""What somebody handed over, and what others hold in their place, is found by index."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two indexes."""
    op.create_index('ix_answers_by_id', 'answers', ['by', 'id'])
    op.create_index(
        'ix_assignments_in_place_of', 'assignments', ['in_place_of'],
        sqlite_where=sa.text('in_place_of IS NOT NULL'),
        postgresql_where=sa.text('in_place_of IS NOT NULL'),
    )
