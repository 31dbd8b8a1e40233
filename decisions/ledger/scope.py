"""What a report is about and which instants it covers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_

from decisions.definition import Definition


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is about.

    Attributes:
        definition: The decision.
        period: Name of the measurement period; empty without a holdout.
        as_of: The instant (timezone-aware); rows recorded later do not count.
        since: Start of the reporting span, inclusive; None for the beginning.
        until: End of the reporting span, exclusive; None for ``as_of``.
        import_id: The imported measurement period the report is about; None for the ledger's own
            cases.
    """

    definition: Definition
    period: str
    as_of: datetime
    since: datetime | None = None
    until: datetime | None = None
    import_id: int | None = None

    @property
    def decision(self) -> str:
        """The decision's name."""
        return self.definition.decision

    @property
    def mature_from(self) -> datetime | None:
        """When a case must have opened at the latest to be mature; None without an outcome."""
        outcome = self.definition.outcome
        return self.as_of - outcome.matures_after if outcome else None

    def within(self, instant: ColumnElement[Any]) -> ColumnElement[bool]:
        """Return whether an instant lies in the reporting span."""
        bounds = [instant <= self.as_of]
        bounds += [instant >= self.since] if self.since else []
        bounds += [instant < self.until] if self.until else []
        return and_(*bounds)
