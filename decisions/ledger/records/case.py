"""Cases, the signals that came later, and who held them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from decisions.ledger.columns import Id, identity, instant, json_value, reference
from decisions.ledger.records.measurement import Arm
from decisions.ledger.records.record import Record


class CaseState(StrEnum):
    """Where a case stands; the allowed moves are in ``decisions.lifecycle``."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    COMPLETED = "completed"
    OVERRIDDEN = "overridden"
    UNANSWERED = "unanswered"
    SUPERSEDED = "superseded"
    HELD_OUT = "held_out"
    """Left alone on purpose and hidden from assignees, until its outcome window has closed."""
    RELEASED = "released"
    """Held out until its outcome window closed."""


UNFINISHED = (CaseState.OPEN, CaseState.ACKNOWLEDGED, CaseState.HELD_OUT)
_UNFINISHED_SQL = "state IN ('open', 'acknowledged', 'held_out')"


class Case(Record, table=True):
    """One subject for which one decision has to be taken."""

    __tablename__ = "cases"
    __table_args__ = (
        # The last guard against a second open case, whatever the code above it believes.
        Index(
            "uq_cases_unfinished_subject",
            "decision",
            "subject",
            unique=True,
            sqlite_where=text(_UNFINISHED_SQL),
            postgresql_where=text(_UNFINISHED_SQL),
        ),
        UniqueConstraint("prefix", "number"),
        Index(None, "decision", "id"),
        Index(None, "decision", "subject", "opened_at"),
        Index(None, "decision", "assignee", "opened_at"),
        Index(
            "ix_cases_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_cases_queue",
            "assignee",
            "due_at",
            sqlite_where=text("state IN ('open', 'acknowledged')"),
            postgresql_where=text("state IN ('open', 'acknowledged')"),
        ),
        Index(
            "ix_cases_outcome_due",
            "outcome_due_at",
            sqlite_where=text("outcome_due_at IS NOT NULL"),
            postgresql_where=text("outcome_due_at IS NOT NULL"),
        ),
        CheckConstraint("(arm = 'control') = (state IN ('held_out', 'released'))", name="arm"),
    )

    id: int = identity()
    key: str = Field(sa_column=Column(Text, unique=True, nullable=False))
    decision: str
    prefix: str
    number: int
    """Counts per prefix, so that a decision that is renamed goes on counting."""
    version_id: int = reference("versions.id")
    run_id: int = reference("runs.id")
    subject: str
    arm: Arm = Field(sa_column=Column(Text, nullable=False))
    period: str
    rule: str
    action: str
    score: float
    scored_at: datetime = instant()
    model_name: str
    model_version: str
    facts: dict[str, Any] = json_value()
    """Signal and context fields, frozen at opening."""
    priority: float | None = None
    """The value of ``limits.prefer``."""
    value: float | None = None
    """What one success is worth, in the unit of the outcome's value field."""
    state: CaseState = Field(sa_column=Column(Text, nullable=False))
    assignee: str | None = None
    """Who holds the case now; of a held-out case, who would: limits treat both arms alike."""
    opened_at: datetime = instant()
    respond_by: datetime | None = instant(nullable=True)
    answered_at: datetime | None = instant(nullable=True)
    complete_by: datetime | None = instant(nullable=True)
    closed_at: datetime | None = instant(nullable=True)
    snoozed_until: datetime | None = instant(nullable=True)
    cycle: int = 0
    """Counts how often the asking began anew: reassigned, snoozed, acknowledged."""
    step: int = 0
    """Steps taken in this cycle."""
    due_at: datetime | None = instant(nullable=True)
    """When the next step falls due; None while a message is on its way or nothing is due."""
    outcome_due_at: datetime | None = instant(nullable=True)
    """When the outcome window and its lag have passed; None once looked up or not declared."""
    revision: int = 0
    """Grows with every change; answers compare and set it."""


class LaterSignal(Record, table=True):
    """What a later run knew of the subject of an unfinished case; beside what people wrote."""

    __tablename__ = "later_signals"

    case_id: int = Field(
        sa_column=Column(Id, ForeignKey("cases.id"), primary_key=True, autoincrement=False)
    )
    run_id: int = Field(
        sa_column=Column(
            Id, ForeignKey("runs.id"), primary_key=True, autoincrement=False, index=True
        )
    )
    rule: str
    """The rule that would have opened a case."""
    score: float
    scored_at: datetime = instant()
    model_version: str
    facts: dict[str, Any] = json_value()
    priority: float | None = None


class Assignment(Record, table=True):
    """Who was made to hold a case, when, by whom and why."""

    __tablename__ = "assignments"
    __table_args__ = (
        Index(
            "ix_assignments_in_place_of",
            "in_place_of",
            sqlite_where=text("in_place_of IS NOT NULL"),
            postgresql_where=text("in_place_of IS NOT NULL"),
        ),
    )

    id: int = identity()
    case_id: int = reference("cases.id", index=True)
    assignee: str
    in_place_of: str | None = None
    """Who would have held it, were they not away."""
    by: str
    at: datetime = instant()
    because: str
