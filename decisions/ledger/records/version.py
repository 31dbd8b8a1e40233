"""Versions of definitions, who signed them, and how a decision stands."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint

from decisions.ledger.columns import identity, instant, json_value, reference
from decisions.ledger.records.record import Record


class Version(Record, table=True):
    """One exact content of a definition, numbered per decision."""

    __tablename__ = "versions"
    __table_args__ = (
        UniqueConstraint("decision", "number"),
        UniqueConstraint("decision", "sha256"),
    )

    id: int = identity()
    decision: str
    number: int
    sha256: str
    definition: dict[str, Any] = json_value()
    recorded_at: datetime = instant()
    released_at: datetime | None = instant(nullable=True)
    """When it was put before its owners; None for one that ran without a sign-off."""
    released_by: str | None = None
    """Its author: whoever released it."""
    because: str | None = None
    """Why it was released, in the author's words."""
    signed_at: datetime | None = instant(nullable=True)
    """When the last signature it needed was given."""
    starts: str | None = None
    """The stage it takes by its last signature, such as ``ramp 25%``."""

    @property
    def name(self) -> str:
        """What people call it: ``churn-save-call/v3``."""
        return f"{self.decision}/v{self.number}"


class Signature(Record, table=True):
    """One person's agreement to the exact content of a version."""

    __tablename__ = "signatures"

    id: int = identity()
    version_id: int = reference("versions.id", index=True)
    person: str
    roles: list[str] = json_value()
    """As whom they signed: names of ``sign_off.by``."""
    at: datetime = instant()
    via: str


class Standing(Record, table=True):
    """How a decision stands from an instant on: its last row is how it stands now."""

    __tablename__ = "standings"
    __table_args__ = (Index(None, "decision", "id"),)

    id: int = identity()
    decision: str
    act: str
    """What made it so: ran, signed, staged, advanced, halted, resumed or rolled back."""
    version_id: int | None = reference("versions.id", nullable=True)
    """The version that acts; None while none may."""
    share: float = 1.0
    """The share of subjects it may act on: below 1 while it ramps."""
    shadow_id: int | None = reference("versions.id", nullable=True)
    """The version that is judged beside it and acts on nobody."""
    halted: bool = False
    by: str
    via: str
    because: str | None = None
    at: datetime = instant()
