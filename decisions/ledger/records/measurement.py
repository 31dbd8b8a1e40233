"""Measurement periods: what was declared, who was drawn into which arm, what was published."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Text, UniqueConstraint
from sqlmodel import Field

from decisions.ledger.columns import identity, instant, json_value, reference
from decisions.ledger.records.record import Record


class Arm(StrEnum):
    """As allocated: acted on, or left alone on purpose."""

    TREATMENT = "treatment"
    CONTROL = "control"


class Period(Record, table=True):
    """One measurement of one decision, under one declaration."""

    __tablename__ = "periods"
    __table_args__ = (UniqueConstraint("decision", "name"),)

    id: int = identity()
    decision: str
    name: str
    """The holdout's salt; with a running number where that was used before."""
    version_id: int = reference("versions.id")
    """The version under which it began."""
    declaration: dict[str, Any] = json_value()
    sha256: str
    """Hash of the declaration."""
    began_at: datetime = instant()
    closed_at: datetime | None = instant(nullable=True)
    closed_because: str | None = None


class Look(Record, table=True):
    """What was published when a measurement was read on schedule; never changed afterwards."""

    __tablename__ = "looks"
    __table_args__ = (UniqueConstraint("period_id", "label"),)

    id: int = identity()
    period_id: int = reference("periods.id")
    label: str
    """The month that had ended, as 2027-03; of an extra look its day, as 2027-03-17."""
    as_of: datetime = instant()
    taken_at: datetime = instant()
    information: float
    """Share of the planned held-out subjects whose outcome was known, 0 to 1."""
    spent: float | None = None
    """Alpha spent by this and all earlier looks; None where no interval could be read."""
    critical: float | None = None
    """Standard errors to either side of the estimate that the interval reached."""
    effect: dict[str, Any] | None = json_value(nullable=True)
    """The estimate, as the report shows it."""
    verdict: str
    sentences: str
    recommendation: str


class Allocation(Record, table=True):
    """The arm of one subject in one measurement period; drawn once, never redrawn."""

    __tablename__ = "allocations"

    decision: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    """The measurement period's name."""
    subject: str = Field(primary_key=True)
    arm: Arm = Field(sa_column=Column(Text, nullable=False))
    run_id: int = reference("runs.id")
    declaration: str
    """SHA-256 of what was declared about holdout and outcome when the arm was drawn."""
