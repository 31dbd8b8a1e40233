"""Receipts of other systems that something was done."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table('receipts',
    sa.Column('id', ID, nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('receipt_id', sa.String(), nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('named_case', sa.String(), nullable=True),
    sa.Column('subject', sa.String(), nullable=True),
    sa.Column('what', sa.String(), nullable=True),
    sa.Column('acted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('case_id', ID, nullable=True),
    sa.Column('unfit', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name='fk_receipts_case_id'),
    sa.PrimaryKeyConstraint('id', name='pk_receipts'),
    sa.UniqueConstraint('source', 'receipt_id', name='uq_receipts_source_receipt_id')
    )
