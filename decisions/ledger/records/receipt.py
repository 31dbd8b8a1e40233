"""What other systems told us was done, whether or not a case fits it."""

from datetime import datetime

from sqlmodel import Field, UniqueConstraint

from decisions.ledger.columns import identity, instant, reference
from decisions.ledger.records.record import Record


class ProofReceipt(Record, table=True):
    """One receipt of another system; what no case fits is kept all the same."""

    __tablename__ = "receipts"
    __table_args__ = (UniqueConstraint("source", "receipt_id"),)

    id: int = identity()
    source: str
    """The connection it came through."""
    receipt_id: str
    """Names it over there; the same one counts once."""
    decision: str
    named_case: str | None = None
    """The case's key, where it names one."""
    subject: str | None = None
    """The subject, where it names no case."""
    what: str | None = None
    acted_at: datetime = instant()
    received_at: datetime = instant()
    case_id: int | None = reference("cases.id", nullable=True)
    """The case it proves something of; None while none fits."""
    unfit: str | None = Field(default=None)
    """Why none does."""
