"""What later runs knew of the subjects of unfinished cases."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table."""
    op.create_table('later_signals',
    sa.Column('case_id', ID, autoincrement=False, nullable=False),
    sa.Column('run_id', ID, autoincrement=False, nullable=False),
    sa.Column('rule', sa.String(), nullable=False),
    sa.Column('score', sa.Float(), nullable=False),
    sa.Column('scored_at', INSTANT, nullable=False),
    sa.Column('model_version', sa.String(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('priority', sa.Float(), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name='fk_later_signals_case_id'),
    sa.ForeignKeyConstraint(['run_id'], ['runs.id'], name='fk_later_signals_run_id'),
    sa.PrimaryKeyConstraint('case_id', 'run_id', name='pk_later_signals')
    )
    op.create_index('ix_later_signals_run_id', 'later_signals', ['run_id'], unique=False)
