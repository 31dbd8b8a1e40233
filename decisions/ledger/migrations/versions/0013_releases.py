"""Versions that are released, signed and staged."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add signatures and standings; every decision that ever ran stands live at its last version."""
    op.add_column('versions', sa.Column('released_at', INSTANT, nullable=True))
    op.add_column('versions', sa.Column('released_by', sa.String(), nullable=True))
    op.add_column('versions', sa.Column('because', sa.String(), nullable=True))
    op.add_column('versions', sa.Column('signed_at', INSTANT, nullable=True))
    op.add_column('versions', sa.Column('starts', sa.String(), nullable=True))
    op.create_table('signatures',
    sa.Column('id', ID, nullable=False),
    sa.Column('version_id', ID, nullable=False),
    sa.Column('person', sa.String(), nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('at', INSTANT, nullable=False),
    sa.Column('via', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['version_id'], ['versions.id'], name='fk_signatures_version_id'),
    sa.PrimaryKeyConstraint('id', name='pk_signatures')
    )
    op.create_index('ix_signatures_version_id', 'signatures', ['version_id'], unique=False)
    op.create_table('standings',
    sa.Column('id', ID, nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('act', sa.String(), nullable=False),
    sa.Column('version_id', ID, nullable=True),
    sa.Column('share', sa.Float(), nullable=False),
    sa.Column('shadow_id', ID, nullable=True),
    sa.Column('halted', sa.Boolean(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('via', sa.String(), nullable=False),
    sa.Column('because', sa.String(), nullable=True),
    sa.Column('at', INSTANT, nullable=False),
    sa.ForeignKeyConstraint(['version_id'], ['versions.id'], name='fk_standings_version_id'),
    sa.ForeignKeyConstraint(['shadow_id'], ['versions.id'], name='fk_standings_shadow_id'),
    sa.PrimaryKeyConstraint('id', name='pk_standings')
    )
    op.create_index('ix_standings_decision_id', 'standings', ['decision', 'id'], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("ALTER TABLE notifications ADD COLUMN standing_id INTEGER REFERENCES standings (id)")
    else:
        op.add_column('notifications', sa.Column('standing_id', ID, nullable=True))
        op.create_foreign_key('fk_notifications_standing_id', 'notifications', 'standings', ['standing_id'], ['id'])
    op.execute(
        "INSERT INTO standings (decision, act, version_id, share, halted, by, via, at) "
        "SELECT r.decision, 'ran', r.version_id, 1, false, 'followthrough', 'run', r.recorded_at "
        "FROM runs r WHERE r.id IN (SELECT max(id) FROM runs GROUP BY decision) ORDER BY r.id"
    )
