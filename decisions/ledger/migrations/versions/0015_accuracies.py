"""How right models were, batch by batch."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table; batches archived before are judged by the next look at outcomes."""
    op.create_table('accuracies',
    sa.Column('run_id', ID, autoincrement=False, nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('found', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('missing', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['runs.id'], name='fk_accuracies_run_id'),
    sa.PrimaryKeyConstraint('run_id', name='pk_accuracies')
    )
