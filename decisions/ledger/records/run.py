"""Runs, and what was found about a batch and its model."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index
from sqlmodel import Field

from decisions.ledger.columns import Id, identity, instant, json_value, reference
from decisions.ledger.records.record import Record


class Run(Record, table=True):
    """One evaluation of one version over one batch of signals."""

    __tablename__ = "runs"
    __table_args__ = (Index(None, "decision", "id"), Index(None, "decision", "batch"))

    id: int = identity()
    decision: str
    version_id: int = reference("versions.id")
    as_of: datetime = instant()
    recorded_at: datetime = instant()
    state: str
    """recorded, shadow where nobody was acted on, or withheld by the gate."""
    batch: str
    """Fingerprint of the batch."""
    evaluated: int
    counts: dict[str, Any] = json_value()
    """Subjects by verdict; suppressed and withheld ones by reason."""
    faults: list[str] = json_value()
    """What the gate found; empty when it passed."""
    withheld: list[dict[str, Any]] = json_value()
    """Whom the operating boundary kept back: reason, to, told, count and examples."""
    archive_sha256: str | None = None
    """Hash of the file with every subject's verdict; None where none could be written."""
    archive_rows: int | None = None
    """Subjects in that file; fewer than evaluated where only matches leave the warehouse."""
    cost: float = 0.0
    """What its cases cost, by the field of ``limits.cost``; 0 without such a limit."""
    cost_unit: str | None = None
    """In what; None without a limit on the cost."""
    warnings: list[dict[str, Any]] = json_value()
    """What its owners should know: ``about``, ``text`` and who is ``told`` of it now."""
    examples: list[dict[str, Any]] = json_value()
    """Keys of rows at fault: ``fault`` (place among the faults), ``subject``, ``value``."""


class ModelAccuracy(Record, table=True):
    """How right a model was on one run's batch, judged once its outcomes were final."""

    __tablename__ = "accuracies"

    run_id: int = Field(
        sa_column=Column(Id, ForeignKey("runs.id"), primary_key=True, autoincrement=False)
    )
    recorded_at: datetime = instant()
    found: dict[str, Any] | None = json_value(nullable=True)
    """The figures; None where nobody can say."""
    missing: str | None = None
    """Why not."""


class DriftReference(Record, table=True):
    """How a field's values were distributed in the batch that later ones are held against."""

    __tablename__ = "drift_references"
    __table_args__ = (Index(None, "decision", "id"),)

    id: int = identity()
    decision: str
    field: str
    edges: list[float] = json_value()
    """Upper ends of a number's bins, inclusive; empty for a text."""
    values: list[str] = json_value()
    """A text's bins; empty for a number."""
    counts: list[int] = json_value()
    """Rows by bin: one more than edges or values, then NULL."""
    batch: str
    """Fingerprint of the batch."""
    set_at: datetime = instant()
    set_by: str
    """A person, or followthrough where it was the first batch."""


class FieldDrift(Record, table=True):
    """How far a field of one run's batch had moved from its reference."""

    __tablename__ = "drifts"

    run_id: int = Field(
        sa_column=Column(Id, ForeignKey("runs.id"), primary_key=True, autoincrement=False)
    )
    field: str = Field(primary_key=True)
    reference_id: int = reference("drift_references.id")
    psi: float
    """Population stability index against the reference."""
    bound: float
    """What the index may be before somebody is told."""
