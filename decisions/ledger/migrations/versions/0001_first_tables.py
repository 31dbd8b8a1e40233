"""The first tables, and the triggers that keep entries and seals append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create everything from nothing."""
    op.create_table('seals',
    sa.Column('id', ID, autoincrement=False, nullable=False),
    sa.Column('at', INSTANT, nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('root', sa.String(), nullable=False),
    sa.Column('previous', sa.String(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name='pk_seals')
    )
    op.create_table('versions',
    sa.Column('id', ID, nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('definition', sa.JSON(), nullable=False),
    sa.Column('recorded_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('id', name='pk_versions'),
    sa.UniqueConstraint('decision', 'number', name='uq_versions_decision_number'),
    sa.UniqueConstraint('decision', 'sha256', name='uq_versions_decision_sha256')
    )
    op.create_table('entries',
    sa.Column('id', ID, nullable=False),
    sa.Column('seal', ID, nullable=False),
    sa.Column('at', INSTANT, nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('in_place_of', sa.String(), nullable=True),
    sa.Column('act', sa.String(), nullable=False),
    sa.Column('object', sa.String(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['seal'], ['seals.id'], name='fk_entries_seal'),
    sa.PrimaryKeyConstraint('id', name='pk_entries')
    )
    op.create_index('ix_entries_object_id', 'entries', ['object', 'id'], unique=False)
    op.create_index('ix_entries_seal', 'entries', ['seal'], unique=False)
    op.create_table('runs',
    sa.Column('id', ID, nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('version_id', ID, nullable=False),
    sa.Column('as_of', INSTANT, nullable=False),
    sa.Column('recorded_at', INSTANT, nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('batch', sa.String(), nullable=False),
    sa.Column('evaluated', sa.Integer(), nullable=False),
    sa.Column('counts', sa.JSON(), nullable=False),
    sa.Column('faults', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['version_id'], ['versions.id'], name='fk_runs_version_id'),
    sa.PrimaryKeyConstraint('id', name='pk_runs')
    )
    op.create_index('ix_runs_decision_id', 'runs', ['decision', 'id'], unique=False)
    op.create_table('allocations',
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('period', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('arm', sa.Text(), nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('declaration', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['runs.id'], name='fk_allocations_run_id'),
    sa.PrimaryKeyConstraint('decision', 'period', 'subject', name='pk_allocations')
    )
    op.create_table('cases',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.Column('prefix', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('version_id', ID, nullable=False),
    sa.Column('run_id', ID, nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('arm', sa.Text(), nullable=False),
    sa.Column('period', sa.String(), nullable=False),
    sa.Column('rule', sa.String(), nullable=False),
    sa.Column('action', sa.String(), nullable=False),
    sa.Column('score', sa.Float(), nullable=False),
    sa.Column('scored_at', INSTANT, nullable=False),
    sa.Column('model_name', sa.String(), nullable=False),
    sa.Column('model_version', sa.String(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('priority', sa.Float(), nullable=True),
    sa.Column('value', sa.Float(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('assignee', sa.String(), nullable=True),
    sa.Column('opened_at', INSTANT, nullable=False),
    sa.Column('respond_by', INSTANT, nullable=True),
    sa.Column('answered_at', INSTANT, nullable=True),
    sa.Column('complete_by', INSTANT, nullable=True),
    sa.Column('closed_at', INSTANT, nullable=True),
    sa.Column('snoozed_until', INSTANT, nullable=True),
    sa.Column('cycle', sa.Integer(), nullable=False),
    sa.Column('step', sa.Integer(), nullable=False),
    sa.Column('due_at', INSTANT, nullable=True),
    sa.Column('outcome_due_at', INSTANT, nullable=True),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.CheckConstraint("(arm = 'control') = (state IN ('held_out', 'released'))", name='ck_cases_arm'),
    sa.ForeignKeyConstraint(['run_id'], ['runs.id'], name='fk_cases_run_id'),
    sa.ForeignKeyConstraint(['version_id'], ['versions.id'], name='fk_cases_version_id'),
    sa.PrimaryKeyConstraint('id', name='pk_cases'),
    sa.UniqueConstraint('prefix', 'number', name='uq_cases_prefix_number'),
    sa.UniqueConstraint('key', name='uq_cases_key')
    )
    op.create_index('ix_cases_decision_assignee_opened_at', 'cases', ['decision', 'assignee', 'opened_at'], unique=False)
    op.create_index('ix_cases_decision_id', 'cases', ['decision', 'id'], unique=False)
    op.create_index('ix_cases_decision_subject_opened_at', 'cases', ['decision', 'subject', 'opened_at'], unique=False)
    op.create_index('ix_cases_due', 'cases', ['due_at'], unique=False, sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
    op.create_index('ix_cases_outcome_due', 'cases', ['outcome_due_at'], unique=False, sqlite_where=sa.text('outcome_due_at IS NOT NULL'), postgresql_where=sa.text('outcome_due_at IS NOT NULL'))
    op.create_index('ix_cases_queue', 'cases', ['assignee', 'due_at'], unique=False, sqlite_where=sa.text("state IN ('open', 'acknowledged')"), postgresql_where=sa.text("state IN ('open', 'acknowledged')"))
    op.create_index('uq_cases_unfinished_subject', 'cases', ['decision', 'subject'], unique=True, sqlite_where=sa.text("state IN ('open', 'acknowledged', 'held_out')"), postgresql_where=sa.text("state IN ('open', 'acknowledged', 'held_out')"))
    op.create_table('answers',
    sa.Column('id', ID, nullable=False),
    sa.Column('interaction', sa.Text(), nullable=False),
    sa.Column('case_id', ID, nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('in_place_of', sa.String(), nullable=True),
    sa.Column('at', INSTANT, nullable=False),
    sa.Column('respond_by', INSTANT, nullable=True),
    sa.Column('via', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('note', sa.String(), nullable=True),
    sa.Column('until', INSTANT, nullable=True),
    sa.Column('to', sa.String(), nullable=True),
    sa.Column('accepted', sa.Boolean(), nullable=False),
    sa.Column('told', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name='fk_answers_case_id'),
    sa.PrimaryKeyConstraint('id', name='pk_answers'),
    sa.UniqueConstraint('interaction', name='uq_answers_interaction')
    )
    op.create_index('ix_answers_case_id_id', 'answers', ['case_id', 'id'], unique=False)
    op.create_table('assignments',
    sa.Column('id', ID, nullable=False),
    sa.Column('case_id', ID, nullable=False),
    sa.Column('assignee', sa.String(), nullable=False),
    sa.Column('in_place_of', sa.String(), nullable=True),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('at', INSTANT, nullable=False),
    sa.Column('because', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name='fk_assignments_case_id'),
    sa.PrimaryKeyConstraint('id', name='pk_assignments')
    )
    op.create_index('ix_assignments_case_id', 'assignments', ['case_id'], unique=False)
    op.create_table('interventions',
    sa.Column('id', ID, nullable=False),
    sa.Column('case_id', ID, nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('by', sa.String(), nullable=True),
    sa.Column('what', sa.String(), nullable=False),
    sa.Column('acted_at', INSTANT, nullable=False),
    sa.Column('recorded_at', INSTANT, nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name='fk_interventions_case_id'),
    sa.PrimaryKeyConstraint('id', name='pk_interventions'),
    sa.UniqueConstraint('case_id', 'source', name='uq_interventions_case_id_source')
    )
    op.create_table('notifications',
    sa.Column('id', ID, nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('case_id', ID, nullable=True),
    sa.Column('run_id', ID, nullable=True),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('recipient', sa.String(), nullable=False),
    sa.Column('because', sa.String(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_at', INSTANT, nullable=True),
    sa.Column('lease', sa.String(), nullable=True),
    sa.Column('created_at', INSTANT, nullable=False),
    sa.Column('sent_at', INSTANT, nullable=True),
    sa.Column('channel', sa.String(), nullable=True),
    sa.Column('reference', sa.String(), nullable=True),
    sa.Column('failure', sa.String(), nullable=True),
    sa.Column('message', sa.JSON(), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name='fk_notifications_case_id'),
    sa.ForeignKeyConstraint(['run_id'], ['runs.id'], name='fk_notifications_run_id'),
    sa.PrimaryKeyConstraint('id', name='pk_notifications'),
    sa.UniqueConstraint('key', name='uq_notifications_key')
    )
    op.create_index('ix_notifications_case_id', 'notifications', ['case_id'], unique=False)
    op.create_index('ix_notifications_due', 'notifications', ['next_at'], unique=False, sqlite_where=sa.text('next_at IS NOT NULL'), postgresql_where=sa.text('next_at IS NOT NULL'))
    op.create_index('ix_notifications_recipient_sent_at', 'notifications', ['recipient', 'sent_at'], unique=False)
    op.create_table('outcomes',
    sa.Column('id', ID, nullable=False),
    sa.Column('case_id', ID, nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('value', sa.Float(), nullable=True),
    sa.Column('observed_at', INSTANT, nullable=True),
    sa.Column('recorded_at', INSTANT, nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name='fk_outcomes_case_id'),
    sa.PrimaryKeyConstraint('id', name='pk_outcomes')
    )
    op.create_index('ix_outcomes_case_id_id', 'outcomes', ['case_id', 'id'], unique=False)
    for table in ("entries", "seals"):
        _append_only(table)


def _append_only(table: str) -> None:
    refusal = f"{table} are append-only"
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )
