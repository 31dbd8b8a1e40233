"""Finished trials and earlier decisions, brought in from files."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Text, UniqueConstraint
from sqlmodel import Field

from decisions.ledger.columns import Id, identity, instant, json_value
from decisions.ledger.records.measurement import Arm
from decisions.ledger.records.record import Record


class Import(Record, table=True):
    """A finished trial or earlier decisions, brought in from a file as one measurement period."""

    __tablename__ = "imports"
    __table_args__ = (UniqueConstraint("decision", "period"),)

    id: int = identity()
    decision: str
    period: str
    file: str
    """Name of the file it came from."""
    sha256: str
    """Hash of its rows and its declaration."""
    definition: dict[str, Any] = json_value()
    """The decision as it was declared for this period."""
    share_declared: bool
    """Whether somebody said which share was to be left alone; else the share found stands."""
    subjects: int
    by: str
    """Who brought it in."""
    imported_at: datetime = instant()


class ImportedSubject(Record, table=True):
    """One subject of an imported measurement period."""

    __tablename__ = "imported_subjects"

    import_id: int = Field(
        sa_column=Column(Id, ForeignKey("imports.id"), primary_key=True, autoincrement=False)
    )
    subject: str = Field(primary_key=True)
    arm: Arm = Field(sa_column=Column(Text, nullable=False))
    decided_at: datetime = instant()
    acted: bool | None = None
    """Whether the subject was in fact acted on; NULL where the file does not say."""
    outcome: float | None = None
    """The measure's value; NULL where it is not known."""
    value: float | None = None
    """What one success is worth."""
