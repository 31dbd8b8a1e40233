"""Versions as the ledger keeps them: exact contents, numbered per decision, and who signed them."""

from functools import lru_cache

from sqlalchemy import Connection, select

from decisions.canonical import canonical_json
from decisions.definition import Definition
from decisions.ledger.records import Signature, Version


def pinned(version: Version) -> Definition:
    """Return the definition that the version holds."""
    return _parsed(canonical_json(version.definition))


@lru_cache(maxsize=256)
def _parsed(content: str) -> Definition:
    return Definition.model_validate_json(content)


def versions_of(connection: Connection, decision: str) -> list[Version]:
    """Return every version of a decision that was ever recorded, oldest first."""
    table = Version.__table__
    query = select(table).where(table.c.decision == decision).order_by(table.c.number)
    return [Version(**row) for row in connection.execute(query).mappings()]


def version_by_id(connection: Connection, version_id: int) -> Version:
    """Return the version of that row."""
    query = select(Version.__table__).where(Version.__table__.c.id == version_id)
    return Version(**connection.execute(query).mappings().one())


def version_of(connection: Connection, definition: Definition) -> Version | None:
    """Return the version of exactly this content, or None if it was never recorded.

    Contents are compared, and not only their hashes: a key that a later release has added with a
    default makes no other content of it.
    """
    table = Version.__table__
    mine = table.c.decision == definition.decision
    query = select(table).where(mine, table.c.sha256 == definition.sha256)
    row = connection.execute(query).mappings().first()
    if row is not None:
        return Version(**row)
    known = reversed(versions_of(connection, definition.decision))
    return next((version for version in known if pinned(version) == definition), None)


def signatures_of(connection: Connection, version: Version) -> list[Signature]:
    """Return the signatures under a version, oldest first."""
    table = Signature.__table__
    query = select(table).where(table.c.version_id == version.id).order_by(table.c.id)
    return [Signature(**row) for row in connection.execute(query).mappings()]


def signed(connection: Connection, version: Version) -> dict[str, list[str]]:
    """Return as whom each person has signed a version, by their key."""
    found: dict[str, list[str]] = {}
    for each in signatures_of(connection, version):
        found.setdefault(each.person, []).extend(each.roles)
    return found
