"""An index by which a batch that was decided before is found."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the runs by batch."""
    op.create_index('ix_runs_decision_batch', 'runs', ['decision', 'batch'], unique=False)
