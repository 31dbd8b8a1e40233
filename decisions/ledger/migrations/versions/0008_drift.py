"""References that batches are held against, how far each run had moved, and its warnings."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add two tables and a column; runs of before have no warnings."""
    op.create_table('drift_references',
    sa.Column('id', ID, nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('field', sa.String(), nullable=False),
    sa.Column('edges', sa.JSON(), nullable=False),
    sa.Column('values', sa.JSON(), nullable=False),
    sa.Column('counts', sa.JSON(), nullable=False),
    sa.Column('batch', sa.String(), nullable=False),
    sa.Column('set_at', INSTANT, nullable=False),
    sa.Column('set_by', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name='pk_drift_references')
    )
    op.create_index(
        'ix_drift_references_decision_id', 'drift_references', ['decision', 'id'], unique=False
    )
    op.create_table('drifts',
    sa.Column('run_id', ID, autoincrement=False, nullable=False),
    sa.Column('field', sa.String(), nullable=False),
    sa.Column('reference_id', ID, nullable=False),
    sa.Column('psi', sa.Float(), nullable=False),
    sa.Column('bound', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(
        ['reference_id'], ['drift_references.id'], name='fk_drifts_reference_id'
    ),
    sa.ForeignKeyConstraint(['run_id'], ['runs.id'], name='fk_drifts_run_id'),
    sa.PrimaryKeyConstraint('run_id', 'field', name='pk_drifts')
    )
    op.add_column(
        'runs', sa.Column('warnings', sa.JSON(), nullable=False, server_default=sa.text("'[]'"))
    )
