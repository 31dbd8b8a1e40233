"""The ledger's schema, step by step; applied on opening, inside one transaction."""

from pathlib import Path

from sqlalchemy import Connection

HEAD = "0020"
"""The revision this program reads and writes; revisions sort by their number."""


def upgrade(connection: Connection) -> None:
    """Bring the schema to ``HEAD`` on a connection whose transaction the caller ends."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
