"""How the ledger's work stands: what is due and since when, and how messages and cases ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Select, func, select, union_all

from decisions.ledger.records import Answer, Case, Notification
from decisions.ledger.store import Store

LATELY = timedelta(hours=1)
"""Over which span deliveries are timed; at the pace of one a second a few thousand rows."""


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
        delivered: How many messages were sent within the last hour.
        mean_delivery: How long those had waited on average; None where there were none.
        longest_delivery: How long the slowest of them had; None where there were none.
    """

    messages: dict[str, int]
    cases: dict[str, int]
    answers: dict[str, int]
    delivered: int
    mean_delivery: timedelta | None
    longest_delivery: timedelta | None


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

    def totals(self, now: datetime) -> Totals:
        """Return how everything stands; this counts every row.

        Args:
            now: The present instant (timezone-aware).
        """
        answers = Answer.__table__.c
        kinds = union_all(
            select(answers.kind, func.count()).where(answers.accepted).group_by(answers.kind),
            select(func.max("late"), func.count()).where(~answers.accepted),
        )
        message = Notification.__table__.c
        lately = select(message.created_at, message.sent_at).where(
            message.sent_at > now - LATELY, message.sent_at <= now
        )
        with self._store.reading() as connection:
            waits = [sent - made for made, sent in connection.execute(lately)]
            return Totals(
                delivered=len(waits),
                mean_delivery=sum(waits, timedelta()) / len(waits) if waits else None,
                longest_delivery=max(waits, default=None),
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
