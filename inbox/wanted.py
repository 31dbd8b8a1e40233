"""What a reader wants to see of the cases."""

from datetime import datetime
from math import isfinite

from pydantic import BaseModel

from decisions.ledger import Filter
from decisions.ledger.records import CaseState
from decisions.ownership import People
from inbox.views import WAITING


class Wanted(BaseModel):
    """What a reader wants to see, as the filter's fields say it; empty does not narrow."""

    decision: str = ""
    assignee: str = ""
    state: str = ""
    text: str = ""
    overdue: bool = False
    only: str = ""
    """Of a queue: overdue, snoozed or open, which is not acknowledged yet."""
    team: str = ""
    """Key of a manager, for the cases of those who report to them."""
    stake: str = ""
    """What one success is to be worth at least."""
    page: int = 1

    def narrowed(self, people: People, now: datetime) -> Filter:
        """Return the filter of what waits."""
        overdue = self.overdue or self.only == "overdue"
        return Filter(
            decision=self.decision or None,
            states=(CaseState.OPEN,) if self.only == "open" else WAITING,
            text=self.text or None,
            overdue_at=now if overdue else None,
            assignees=people.team(self.team) if self.team else None,
            least_value=self.least,
            snoozed=True if self.only == "snoozed" else None,
        )

    @property
    def least(self) -> float | None:
        """The least value, if it is a number."""
        try:
            found = float(self.stake.replace(",", ""))
        except ValueError:
            return None
        return found if isfinite(found) else None

    @property
    def is_narrow(self) -> bool:
        """Whether anything at all is narrowed."""
        return bool(self.decision or self.text or self.only or self.team or self.stake)
