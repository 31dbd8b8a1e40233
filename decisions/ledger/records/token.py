"""Tokens: what programs show in place of a person."""

from datetime import datetime

from decisions.ledger.columns import identity, instant, json_value
from decisions.ledger.records.record import Record


class Token(Record, table=True):
    """A program's leave to act in a person's name, within bounds and for a while."""

    __tablename__ = "tokens"

    id: int = identity()
    name: str
    """What it is for, in its owner's words."""
    person: str
    """In whose name it acts: never more than they may."""
    scopes: list[str] = json_value()
    """What of that it may: read, answer, decide, record."""
    sha256: str
    """Hash of the secret; the secret itself is shown once and kept nowhere."""
    created_at: datetime = instant()
    expires_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)
