"""Alembic's entry point; the connection comes from ``decisions.ledger.migrations.upgrade``."""

from alembic import context

from decisions.ledger.records import Record

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Record.metadata,
    transactional_ddl=False,
)
context.run_migrations()
