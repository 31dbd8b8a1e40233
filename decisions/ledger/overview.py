"""How decisions stand, counted: loops that are open, and what became of what was opened since."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy import case as case_sql

from decisions.effectiveness.look import Look
from decisions.ledger.cases import deadline_of, waits
from decisions.ledger.columns import storable
from decisions.ledger.looks import published
from decisions.ledger.records import Case, CaseState, Entry, Notification, Seal
from decisions.ledger.store import Store

_cases, _entries, _messages = Case.__table__, Entry.__table__, Notification.__table__
_seals = Seal.__table__
_LAST: Final = "\U0010ffff"
"""Sorts behind whatever a name may go on with, where text is compared by its bytes."""

EXPORTED_AT_ONCE = 5_000
"""Rows of the history read at once."""


@dataclass(frozen=True, slots=True)
class Loops:
    """What is still open of a decision's cases.

    Attributes:
        waiting: Cases that wait for somebody.
        overdue: Those of them whose deadline has passed.
        outcomes: Cases whose outcome is not known yet.
    """

    waiting: int = 0
    overdue: int = 0
    outcomes: int = 0


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries are asked for; what is None does not narrow.

    Attributes:
        about: What they are about: a case's key, a version, a run; from its beginning on.
        actor: Key of who did it.
        act: What was done.
        shown: Decisions whose held-out cases may be shown.
        before: Only entries with a smaller number.
    """

    about: str | None = None
    actor: str | None = None
    act: str | None = None
    shown: Collection[str] = ()
    before: int | None = None


class Overview:
    """Questions of those who look over decisions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def loops(self, now: datetime) -> dict[str, Loops]:
        """Return what is open, by decision.

        Args:
            now: The present instant (timezone-aware).
        """
        late = and_(_cases.c.snoozed_until.is_(None), deadline_of() < now)
        waiting = (
            select(_cases.c.decision, func.count(), func.sum(case_sql((late, 1), else_=0)))
            .where(waits())
            .group_by(_cases.c.decision)
        )
        awaited = (
            select(_cases.c.decision, func.count())
            .where(_cases.c.outcome_due_at.is_not(None))
            .group_by(_cases.c.decision)
        )
        with self._store.reading() as connection:
            held = {row[0]: (row[1], row[2]) for row in connection.execute(waiting)}
            outcomes: dict[str, int] = dict(connection.execute(awaited).tuples().all())
        return {
            name: Loops(*held.get(name, (0, 0)), outcomes=outcomes.get(name, 0))
            for name in held.keys() | outcomes.keys()
        }

    def states_since(self, decision: str, since: datetime) -> dict[str, int]:
        """Return how many of the cases opened since an instant are in which state."""
        query = (
            select(_cases.c.state, func.count())
            .where(_cases.c.decision == decision, _cases.c.opened_at >= since)
            .group_by(_cases.c.state)
        )
        return self._counts(query)

    def messages_since(self, decision: str, since: datetime) -> dict[str, int]:
        """Return how far the messages about cases opened since an instant got, by state."""
        query = (
            select(_messages.c.state, func.count())
            .join(_cases, _cases.c.id == _messages.c.case_id)
            .where(_cases.c.decision == decision, _cases.c.opened_at >= since)
            .group_by(_messages.c.state)
        )
        return self._counts(query)

    def last_look(self, decision: str) -> Look | None:
        """Return what was published last about whether a decision helps."""
        with self._store.reading() as connection:
            found = published(connection, decision)
        return found[-1] if found else None

    def entries(self, sought: Sought, *, most: int) -> list[Entry]:
        """Return entries of the history, newest first."""
        query = (
            select(_entries).where(*_conditions(sought)).order_by(_entries.c.id.desc()).limit(most)
        )
        with self._store.reading() as connection:
            if sought.about and connection.dialect.name == "sqlite":
                # There an index answers this and not LIKE; elsewhere words sort otherwise.
                about = storable(sought.about)
                query = query.where(_entries.c.object.between(about, about + _LAST))
            return [Entry(**row) for row in connection.execute(query).mappings()]

    def begin_export(self, person: str, via: str) -> int:
        """Enter that somebody takes the whole history away.

        Args:
            person: Who does.
            via: Where they asked.

        Returns:
            The seal that covers this very entry: what is exported ends with it.
        """
        with self._store.writing() as transaction:
            transaction.enter("exported", "the ledger", {"via": via}, actor=person)
            transaction.seal()
            return int(transaction.connection.execute(select(func.max(_seals.c.id))).scalar_one())

    def exported(self, until: int) -> Iterator[dict[str, Any]]:
        """Yield the history up to a seal, seals first, each row as plain values.

        Nothing that is sealed changes any more, so it is of one piece however long it takes.

        Args:
            until: The last seal.
        """
        for table, ends in ((_seals, _seals.c.id), (_entries, _entries.c.seal)):
            last = 0
            while True:
                query = select(table).where(table.c.id > last, ends <= until).order_by(table.c.id)
                with self._store.reading() as connection:
                    rows = connection.execute(query.limit(EXPORTED_AT_ONCE)).mappings().all()
                for row in rows:
                    yield {"table": table.name, **row}
                if len(rows) < EXPORTED_AT_ONCE:
                    break
                last = rows[-1]["id"]

    def _counts(self, query: Select[Any]) -> dict[str, int]:
        with self._store.reading() as connection:
            return dict(connection.execute(query).tuples().all())


def _conditions(sought: Sought) -> Iterator[ColumnElement[bool]]:
    if sought.about:
        about = storable(sought.about)
        yield or_(_entries.c.object == about, _entries.c.object.startswith(about, autoescape=True))
    if sought.actor:
        yield _entries.c.actor == storable(sought.actor)
    if sought.act:
        yield _entries.c.act == storable(sought.act)
    if sought.before is not None:
        yield _entries.c.id < sought.before
    hidden = (
        select(_cases.c.id)
        .where(
            _cases.c.key == _entries.c.object,
            _cases.c.state == CaseState.HELD_OUT,
            _cases.c.decision.not_in(sorted(sought.shown)),
        )
        .exists()
    )
    yield ~hidden
