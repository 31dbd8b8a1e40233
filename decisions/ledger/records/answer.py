"""What people said to a case, what was done for it, and what came of it."""

from datetime import datetime

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field

from decisions.ledger.columns import identity, instant, reference
from decisions.ledger.records.record import Record


class Answer(Record, table=True):
    """What a person said to a case, whether or not it came first."""

    __tablename__ = "answers"
    __table_args__ = (Index(None, "case_id", "id"), Index(None, "by", "id"))

    id: int = identity()
    interaction: str = Field(sa_column=Column(Text, unique=True, nullable=False))
    """Names the click or the command; the same one counts once."""
    case_id: int = reference("cases.id")
    kind: str
    by: str
    in_place_of: str | None = None
    at: datetime = instant()
    respond_by: datetime | None = instant(nullable=True)
    """The case's deadline when it was given; that of the case itself may move on."""
    worked: int | None = None
    """Seconds of the assignee's working time since they were told of the question."""
    via: str
    """Where it was given: slack, inbox, command line or api."""
    reason: str | None = None
    note: str | None = None
    until: datetime | None = instant(nullable=True)
    to: str | None = None
    """To whom it was reassigned."""
    accepted: bool
    """Whether it changed the case; a late or refused one is kept all the same."""
    told: str | None = None
    """What its author was told when it was not accepted."""


class Intervention(Record, table=True):
    """What was done for a case: as somebody reported it, or as another system proves it."""

    __tablename__ = "interventions"
    __table_args__ = (UniqueConstraint("case_id", "source"),)

    id: int = identity()
    case_id: int = reference("cases.id")
    source: str
    """reported, or proven."""
    by: str | None = None
    what: str
    acted_at: datetime = instant()
    recorded_at: datetime = instant()


class Outcome(Record, table=True):
    """What came of a case; a later look appends a correction, the last row counts."""

    __tablename__ = "outcomes"
    __table_args__ = (Index(None, "case_id", "id"),)

    id: int = identity()
    case_id: int = reference("cases.id")
    state: str
    """observed; missing: window and lag have passed and no row was found; censored: it can never
    be known."""
    value: float | None = None
    reason: str | None = None
    """Why it can never be known."""
    source: str | None = None
    """Where it was read, if it was handed in as a file."""
    observed_at: datetime | None = instant(nullable=True)
    recorded_at: datetime = instant()
