"""Questions about cases; nothing here writes."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    Text,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy import case as case_sql

from decisions.definition import Definition
from decisions.errors import LifecycleError
from decisions.ledger.columns import storable
from decisions.ledger.records import (
    Answer,
    Assignment,
    Case,
    CaseState,
    Entry,
    Intervention,
    LaterSignal,
    Notification,
    Outcome,
    Record,
    Version,
)
from decisions.ledger.standings import halted
from decisions.ledger.store import Store
from decisions.ledger.versions import pinned
from decisions.lifecycle import Move
from decisions.ports import Kind

R = TypeVar("R", bound=Record)

WAITING = (CaseState.OPEN, CaseState.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cases are asked for; what is None does not narrow.

    Attributes:
        decision: Name of the decision.
        assignee: Key of the person who holds the case.
        states: States to include; by default the two that wait for somebody.
        text: Found in the case's key, the subject or what is known of it, such as a name; upper or
            lower case alike.
        overdue_at: Only cases whose present deadline has passed at this instant.
        assignees: Keys of people; only cases that one of them holds.
        least_value: Only cases of which one success is worth this much.
        snoozed: Only those that sleep, or only those that do not.
    """

    decision: str | None = None
    assignee: str | None = None
    states: tuple[str, ...] | None = WAITING
    text: str | None = None
    overdue_at: datetime | None = None
    assignees: frozenset[str] | None = None
    least_value: float | None = None
    snoozed: bool | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """One case with everything that happened to it, oldest first.

    Attributes:
        case: The case as it stands.
        version: The pinned version.
        definition: The pinned version's definition.
        later_signals: What later runs knew of the subject while it was unfinished.
        assignments: Who held it.
        notifications: Who was told, and how far each message got.
        answers: What people said, late answers included.
        interventions: What was done, as reported and as proven.
        outcomes: What came of it; the last counts.
        entries: Its lines in the append-only history.
    """

    case: Case
    version: Version
    definition: Definition
    later_signals: Sequence[LaterSignal]
    assignments: Sequence[Assignment]
    notifications: Sequence[Notification]
    answers: Sequence[Answer]
    interventions: Sequence[Intervention]
    outcomes: Sequence[Outcome]
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Late:
    """Steps of one decision that nobody has taken up in time.

    Attributes:
        first: The case that is due the longest.
        since: Since when.
        count: How many cases.
    """

    first: Case
    since: datetime
    count: int


class Cases:
    """The cases in the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def found(self, wanted: Filter, *, most: int = 50, skip: int = 0) -> list[Case]:
        """Return the cases that match, the most urgent first."""
        table = Case.__table__
        # The rows are read once it is known which: what is sorted by is a tenth of them.
        first = (
            select(table.c.id)
            .where(*_conditions(wanted))
            .order_by(*_most_urgent_first())
            .limit(most)
            .offset(skip)
        )
        query = select(table).where(table.c.id.in_(first)).order_by(*_most_urgent_first())
        with self._store.reading() as connection:
            return [Case(**row) for row in connection.execute(query).mappings()]

    def newest(self, wanted: Filter, *, before: int | None, most: int) -> list[Case]:
        """Return the cases that match, newest first, whatever is opened or answered meanwhile.

        Args:
            wanted: Which ones.
            before: Only those with a smaller id; None for the first.
            most: How many at most.
        """
        table = Case.__table__
        query = select(table).where(*_conditions(wanted)).order_by(table.c.id.desc()).limit(most)
        if before is not None:
            query = query.where(table.c.id < before)
        with self._store.reading() as connection:
            return [Case(**row) for row in connection.execute(query).mappings()]

    def count(self, wanted: Filter) -> int:
        """Return how many cases match."""
        query = select(func.count()).select_from(Case.__table__).where(*_conditions(wanted))
        with self._store.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def held_by(self) -> dict[str, int]:
        """Return how many cases wait for each person."""
        table = Case.__table__
        query = (
            select(table.c.assignee, func.count())
            .where(_is_one_of(WAITING))
            .group_by(table.c.assignee)
        )
        with self._store.reading() as connection:
            return dict(connection.execute(query).tuples().all())

    def handed_over(self, by: str, *, most: int) -> list[Case]:
        """Return the waiting cases that a person has handed to somebody else, latest first."""
        table, said = Case.__table__, Answer.__table__
        query = (
            select(table)
            .join(said, said.c.case_id == table.c.id)
            .where(said.c.by == by, said.c.kind == Move.REASSIGN, said.c.accepted)
            .where(waits(), table.c.assignee != by)
            .order_by(said.c.id.desc())
        )
        return self._once_each(query, most)

    def covered(self, person: str, *, most: int) -> list[Case]:
        """Return the waiting cases that somebody holds in a person's place, latest first."""
        table, given = Case.__table__, Assignment.__table__
        query = (
            select(table)
            .join(given, given.c.case_id == table.c.id)
            .where(given.c.in_place_of == person, given.c.assignee == table.c.assignee)
            .where(waits(), table.c.assignee != person)
            .order_by(given.c.id.desc())
        )
        return self._once_each(query, most)

    def escalated_to(self, person: str, *, most: int) -> list[Case]:
        """Return the waiting cases of others that a person was told of, the last told first."""
        table, told = Case.__table__, Notification.__table__
        query = (
            select(table)
            .join(told, told.c.case_id == table.c.id)
            .where(told.c.recipient == person, told.c.sent_at.is_not(None))
            .where(told.c.kind == Kind.ESCALATED, waits(), table.c.assignee != person)
            .order_by(told.c.sent_at.desc(), told.c.id.desc())
        )
        return self._once_each(query, most)

    def _once_each(self, query: Select[Any], most: int) -> list[Case]:
        with self._store.reading() as connection:
            found = [Case(**row) for row in connection.execute(query.limit(4 * most)).mappings()]
        return list({each.id: each for each in found}.values())[:most]

    def named(self, key: str) -> Case:
        """Return the case.

        Raises:
            LifecycleError: There is no such case.
        """
        with self._store.reading() as connection:
            return _named(connection, key)

    def dossier(self, key: str) -> Dossier:
        """Return the case and everything that happened to it.

        Raises:
            LifecycleError: There is no such case.
        """
        with self._store.reading() as connection:
            found = _named(connection, key)
            version = _version(connection, found.version_id)
            entries = select(Entry.__table__).where(Entry.__table__.c.object == key)
            return Dossier(
                case=found,
                version=version,
                definition=pinned(version),
                later_signals=_later_signals(connection, found),
                assignments=_of_case(connection, Assignment, found),
                notifications=_of_case(connection, Notification, found),
                answers=_of_case(connection, Answer, found),
                interventions=_of_case(connection, Intervention, found),
                outcomes=_of_case(connection, Outcome, found),
                entries=_all(connection, Entry, entries.order_by(Entry.__table__.c.id)),
            )

    def about(self, decision: str, subject: str, *, most: int = 20) -> list[Case]:
        """Return the latest cases of one subject, newest first; held-out ones included."""
        table = Case.__table__
        query = (
            select(table)
            .where(table.c.decision == decision, table.c.subject == storable(subject))
            .order_by(table.c.id.desc())
            .limit(most)
        )
        with self._store.reading() as connection:
            return [Case(**row) for row in connection.execute(query).mappings()]

    def definition_of(self, case: Case) -> Definition:
        """Return the definition that the case is pinned to."""
        with self._store.reading() as connection:
            return pinned(_version(connection, case.version_id))

    def late(self, at: datetime) -> list[Late]:
        """Return, for each decision that is not halted, what has been due since an instant.

        Args:
            at: The instant (timezone-aware).
        """
        table = Case.__table__
        query = (
            select(table.c.decision, func.min(table.c.due_at), func.count())
            .where(table.c.due_at <= at)
            .group_by(table.c.decision)
            .order_by(table.c.decision)
        )
        with self._store.reading() as connection:
            held = halted(connection)
            found = [row for row in connection.execute(query) if row[0] not in held]
            return [
                Late(_due_at(connection, decision, since), since, count)
                for decision, since, count in found
            ]

    def due(self, at: datetime, *, page: int = 500) -> Iterator[str]:
        """Yield the keys of the cases whose next step has fallen due, the longest due first.

        Those of a halted decision are not among them.

        Each is yielded once, whatever becomes of it: one that cannot be helped keeps nobody else
        waiting.

        Args:
            at: The instant (timezone-aware).
            page: How many are read at once.
        """
        table = Case.__table__
        query = select(table.c.key, table.c.due_at, table.c.id).where(table.c.due_at <= at)
        with self._store.reading() as connection:
            if held := halted(connection):
                query = query.where(table.c.decision.not_in(held))
        query = query.order_by(table.c.due_at, table.c.id).limit(page)
        last: tuple[datetime, int] | None = None
        while True:
            following = query if last is None else query.where(_after(*last))
            with self._store.reading() as connection:
                rows = connection.execute(following).all()
            for row in rows:
                yield row.key
            if len(rows) < page:
                return
            last = (rows[-1].due_at, rows[-1].id)


def _due_at(connection: Connection, decision: str, at: datetime) -> Case:
    table = Case.__table__
    query = select(table).where(table.c.decision == decision, table.c.due_at == at)
    row = connection.execute(query.order_by(table.c.id).limit(1)).mappings().one()
    return Case(**row)


def _after(due_at: datetime, last_id: int) -> ColumnElement[bool]:
    table = Case.__table__
    return (table.c.due_at > due_at) | ((table.c.due_at == due_at) & (table.c.id > last_id))


def deadline_of() -> ColumnElement[datetime | None]:
    """Return what the case waits for next: to wake up, to be completed, or to be answered."""
    table = Case.__table__
    return case_sql(
        (table.c.snoozed_until.is_not(None), table.c.snoozed_until),
        (table.c.state == CaseState.ACKNOWLEDGED, table.c.complete_by),
        else_=table.c.respond_by,
    )


def _most_urgent_first() -> list[ColumnElement[Any]]:
    table, deadline = Case.__table__, deadline_of()
    return [deadline.is_(None), deadline, table.c.priority.desc().nulls_last(), table.c.id]


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    table = Case.__table__
    conditions: list[ColumnElement[bool]] = []
    if wanted.decision is not None:
        conditions.append(table.c.decision == wanted.decision)
    if wanted.assignee is not None:
        conditions.append(table.c.assignee == wanted.assignee)
    if wanted.states is not None:
        conditions.append(_is_one_of(wanted.states))
    if wanted.text:
        text = storable(wanted.text)
        as_json = json.dumps(text)[1:-1]
        conditions.append(
            table.c.key.icontains(text, autoescape=True)
            | table.c.subject.icontains(text, autoescape=True)
            | cast(table.c.facts, Text).icontains(as_json, autoescape=True)
        )
    if wanted.overdue_at is not None:
        conditions += [deadline_of() < wanted.overdue_at, table.c.snoozed_until.is_(None)]
    if wanted.assignees is not None:
        conditions.append(table.c.assignee.in_(sorted(wanted.assignees)))
    if wanted.least_value is not None:
        conditions.append(table.c.value >= wanted.least_value)
    if wanted.snoozed is not None:
        sleeps = table.c.snoozed_until.is_not(None)
        conditions.append(sleeps if wanted.snoozed else ~sleeps)
    return conditions


def waits() -> ColumnElement[bool]:
    """Whether a case waits for somebody, so that the index of those serves."""
    return _is_one_of(WAITING)


def _is_one_of(states: Sequence[str]) -> ColumnElement[bool]:
    # Written out: an index of those that wait serves only a query that names the same states.
    names = [str(state) for state in states]
    written: BindParameter[str] = bindparam(None, names, expanding=True, literal_execute=True)
    return Case.__table__.c.state.in_(written)


def _named(connection: Connection, key: str) -> Case:
    query = select(Case.__table__).where(Case.__table__.c.key == storable(key))
    row = connection.execute(query).mappings().first()
    if row is None:
        raise LifecycleError(f"there is no case {key!r}; `followthrough cases` lists them")
    return Case(**row)


def _version(connection: Connection, version_id: int) -> Version:
    query = select(Version.__table__).where(Version.__table__.c.id == version_id)
    return Version(**connection.execute(query).mappings().one())


def _later_signals(connection: Connection, case: Case) -> list[LaterSignal]:
    table = LaterSignal.__table__
    query = select(table).where(table.c.case_id == case.id).order_by(table.c.run_id)
    return _all(connection, LaterSignal, query)


def _of_case(connection: Connection, record: type[R], case: Case) -> list[R]:
    table = record.__table__
    return _all(
        connection, record, select(table).where(table.c.case_id == case.id).order_by(table.c.id)
    )


def _all(connection: Connection, record: type[R], query: Select[Any]) -> list[R]:
    return [record(**row) for row in connection.execute(query).mappings()]
