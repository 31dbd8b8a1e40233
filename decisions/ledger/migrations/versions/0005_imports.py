"""Finished trials and earlier decisions, brought in from files."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables of imported measurement periods."""
    op.create_table('imports',
    sa.Column('id', ID, nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('period', sa.String(), nullable=False),
    sa.Column('file', sa.String(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('definition', sa.JSON(), nullable=False),
    sa.Column('share_declared', sa.Boolean(), nullable=False),
    sa.Column('subjects', sa.Integer(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('imported_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('id', name='pk_imports'),
    sa.UniqueConstraint('decision', 'period', name='uq_imports_decision_period')
    )
    op.create_table('imported_subjects',
    sa.Column('import_id', ID, autoincrement=False, nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('arm', sa.Text(), nullable=False),
    sa.Column('decided_at', INSTANT, nullable=False),
    sa.Column('acted', sa.Boolean(), nullable=True),
    sa.Column('outcome', sa.Float(), nullable=True),
    sa.Column('value', sa.Float(), nullable=True),
    sa.ForeignKeyConstraint(['import_id'], ['imports.id'], name='fk_imported_subjects_import_id'),
    sa.PrimaryKeyConstraint('import_id', 'subject', name='pk_imported_subjects')
    )
