"""Measurement periods with their declarations, and the looks taken at them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add both tables; a period begins with the next run of its decision."""
    op.create_table('periods',
    sa.Column('id', ID, nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('version_id', ID, nullable=False),
    sa.Column('declaration', sa.JSON(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('began_at', INSTANT, nullable=False),
    sa.Column('closed_at', INSTANT, nullable=True),
    sa.Column('closed_because', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['version_id'], ['versions.id'], name='fk_periods_version_id'),
    sa.PrimaryKeyConstraint('id', name='pk_periods'),
    sa.UniqueConstraint('decision', 'name', name='uq_periods_decision_name')
    )
    op.create_table('looks',
    sa.Column('id', ID, nullable=False),
    sa.Column('period_id', ID, nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('as_of', INSTANT, nullable=False),
    sa.Column('taken_at', INSTANT, nullable=False),
    sa.Column('information', sa.Float(), nullable=False),
    sa.Column('spent', sa.Float(), nullable=True),
    sa.Column('critical', sa.Float(), nullable=True),
    sa.Column('effect', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('verdict', sa.String(), nullable=False),
    sa.Column('sentences', sa.String(), nullable=False),
    sa.Column('recommendation', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['period_id'], ['periods.id'], name='fk_looks_period_id'),
    sa.PrimaryKeyConstraint('id', name='pk_looks'),
    sa.UniqueConstraint('period_id', 'label', name='uq_looks_period_id_label')
    )
