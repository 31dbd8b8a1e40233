"""What was sent to people who have gone since, and will not be read."""

from collections.abc import Mapping

import pyarrow as pa
from sqlalchemy import ColumnElement, Text, cast, func, select, update

from decisions.errors import UnknownPerson
from decisions.ledger.bulk import among, as_table
from decisions.ledger.cases import WAITING
from decisions.ledger.records import Case, Notification, NotificationState, Version
from decisions.ledger.store import Store
from decisions.ledger.transaction import Transaction
from decisions.ledger.versions import pinned
from decisions.ledger.waiting import tell
from decisions.ownership import People, resolve
from decisions.ports import Kind

_ID, _TEXT = pa.int64(), pa.string()


class Losses:
    """Messages that were taken and yet tell nobody anything."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def awaited(self) -> list[tuple[str, str]]:
        """Return whose answer is waited for just now, and through which connection they were told.

        Costs as much as there are cases that wait.
        """
        told = Notification.__table__.c
        query = (
            select(told.recipient, told.channel)
            .join(Case.__table__, Case.__table__.c.id == told.case_id)
            .where(*_awaited(), told.channel.is_not(None))
            .distinct()
            .order_by(told.recipient, told.channel)
        )
        with self._store.reading() as connection:
            return [(who, channel) for who, channel in connection.execute(query).tuples()]

    def person(self, recipient: str, channel: str, because: str, people: People) -> int:
        """Record that somebody will not read what they were sent; their next step is due at once.

        The technical owners of what they were asked hear of it, once a day.

        Args:
            recipient: Key of the person.
            channel: The connection they were told through.
            because: Why not.
            people: Who there is.

        Returns:
            How many messages that concerns.
        """
        told, cases = Notification.__table__, Case.__table__
        query = (
            select(told.c.id, told.c.kind, cases.c.id, cases.c.key, cases.c.version_id)
            .join(cases, cases.c.id == told.c.case_id)
            .where(*_awaited(), told.c.recipient == recipient, told.c.channel == channel)
            .order_by(told.c.id)
        )
        gone = {"state": NotificationState.UNREACHABLE, "failure": because}
        with self._store.writing() as transaction:
            connection = transaction.connection
            rows = connection.execute(query).tuples().all()
            found = as_table(rows, id=_ID, kind=_TEXT, case_id=_ID, key=_TEXT, version=_ID)
            messages = among(told.c.id, found.column("id").to_pylist(), connection)
            connection.execute(update(told).where(messages).values(**gone))
            theirs = among(cases.c.id, found.column("case_id").to_pylist(), connection)
            connection.execute(update(cases).where(theirs).values(due_at=transaction.at))
            _tell(transaction, found, gone | {"recipient": recipient, "channel": channel})
            _alarm(transaction, found, recipient, because, people)
        return len(rows)


def _tell(transaction: Transaction, found: pa.Table, same: Mapping[str, str]) -> None:
    for name, value in same.items():
        found = found.append_column(name, pa.repeat(pa.scalar(str(value)), found.num_rows))
    if found.num_rows:
        tell(transaction, "not told", found, [*same, "kind"])


def _alarm(
    transaction: Transaction, found: pa.Table, recipient: str, because: str, people: People
) -> None:
    """Let the technical owner of every decision that asked somebody hear that they are gone."""
    import pyarrow.compute as pc  # takes long to load, and hardly anybody leaves

    versions, cases = Version.__table__, Case.__table__
    name = people.name(recipient)
    for version in found.column("version").unique().to_pylist():
        row = transaction.connection.execute(select(versions).where(versions.c.id == version))
        owners = pinned(Version(**row.mappings().one())).owners
        of_it = found.filter(pc.equal(found.column("version"), version))
        first, count = of_it.column("case_id")[0].as_py(), of_it.num_rows
        of_first = select(cases.c.key, cases.c.run_id).where(cases.c.id == first)
        key, run = transaction.connection.execute(of_first).tuples().one()
        try:
            to = resolve(
                "technical", people=people, owners=owners, assignee=None, at=transaction.at
            ).person
        except UnknownPerson:
            continue
        about = f"{key} and {count - 1:,} more" if count > 1 else key
        why = f"{name} will not read what was sent about {about}: {because}"
        alarm = f"alarm:{recipient}:{transaction.at:%Y-%m-%d}:{to}"
        transaction.queue_once(alarm, Kind.ALARMED, to, why, run_id=run)


def _awaited() -> list[ColumnElement[bool]]:
    """Say which messages a case waits on: the one of the step and the cycle that it stands at."""
    told, case = Notification.__table__.c, Case.__table__.c
    place = case.key + ":" + cast(case.cycle, Text) + ":"
    place = place + cast(case.step, Text) + ":"
    return [
        case.state.in_(WAITING),
        case.due_at.is_not(None),
        case.snoozed_until.is_(None),
        told.state == NotificationState.SENT,
        func.substr(told.key, 1, func.length(place)) == place,
    ]
