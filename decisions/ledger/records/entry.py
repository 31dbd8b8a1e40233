"""The append-only history and the seals that chain it."""

from datetime import datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field

from decisions.ledger.columns import Id, identity, instant, reference
from decisions.ledger.records.record import Record


class Entry(Record, table=True):
    """One line of the append-only history."""

    __tablename__ = "entries"
    __table_args__ = (Index(None, "object", "id"),)

    id: int = identity()
    seal: int = reference("seals.id", index=True)
    """The seal that covers it."""
    at: datetime = instant()
    actor: str
    in_place_of: str | None = None
    act: str
    object: str
    """What it is about: a case's key, ``decision/version`` or ``run N``."""
    body: str = Field(sa_column=Column(Text, nullable=False))
    """Canonical JSON of what changed."""
    sha256: str


class Seal(Record, table=True):
    """Closes the entries of one transaction: their Merkle root, chained to the seal before."""

    __tablename__ = "seals"

    id: int = Field(sa_column=Column(Id, primary_key=True, autoincrement=False))
    """Position in the chain, from 1 without gaps."""
    at: datetime = instant()
    count: int
    """Entries covered."""
    root: str
    previous: str
    sha256: str
