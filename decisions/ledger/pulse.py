"""How the ledger's work stands: what is due and since when, and how messages and cases ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Select, func, select, union_all

from decisions.ledger.records import Answer, Case, Notification
from decisions.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is due of one kind of work.

    Attributes:
        count: How many rows are due.
        oldest: For how long the first of them has been; zero when none is.
    """

    count: int
    oldest: timedelta


@dataclass(frozen=True, slots=True)
class Totals:
    """How everything that was ever recorded stands.

    Attributes:
        messages: By state.
        cases: By state.
        answers: Accepted ones by kind, and ``late`` ones.
    """

    messages: dict[str, int]
    cases: dict[str, int]
    answers: dict[str, int]


class Pulse:
    """Questions of whoever keeps the machine running."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def backlog(self, now: datetime) -> dict[str, Backlog]:
        """Return what is due, by kind: ``messages``, ``amendments``, ``steps``.

        Costs as much as is due, however much is stored. Outcomes wait for the warehouse, not for
        us, and are left out.

        Args:
            now: The present instant (timezone-aware).
        """
        message, case = Notification.__table__.c, Case.__table__.c
        due = {
            "messages": _due(message.next_at, now),
            "amendments": _due(message.stale_at, now),
            "steps": _due(case.due_at, now),
        }
        with self._store.reading() as connection:
            found = {kind: connection.execute(query).one() for kind, query in due.items()}
        return {
            kind: Backlog(count, max(now - oldest, timedelta()) if oldest else timedelta())
            for kind, (count, oldest) in found.items()
        }

    def totals(self) -> Totals:
        """Return how everything stands; this counts every row."""
        answers = Answer.__table__.c
        kinds = union_all(
            select(answers.kind, func.count()).where(answers.accepted).group_by(answers.kind),
            select(func.max("late"), func.count()).where(~answers.accepted),
        )
        with self._store.reading() as connection:
            return Totals(
                messages=dict(
                    connection.execute(_by(Notification.__table__.c.state)).tuples().all()
                ),
                cases=dict(connection.execute(_by(Case.__table__.c.state)).tuples().all()),
                answers=dict(connection.execute(kinds).tuples().all()),
            )


def _due(at: Column[Any], now: datetime) -> Select[Any]:
    return select(func.count(), func.min(at)).where(at <= now)


def _by(state: Column[Any]) -> Select[Any]:
    return select(state, func.count()).group_by(state)
