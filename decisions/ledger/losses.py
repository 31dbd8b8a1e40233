"""What was sent to people who have gone since, and will not be read."""

from sqlalchemy import ColumnElement, Text, cast, func, select, update

from decisions.ledger.cases import WAITING
from decisions.ledger.records import Case, Notification, NotificationState
from decisions.ledger.store import Store


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

    def person(self, recipient: str, channel: str, because: str) -> int:
        """Record that somebody will not read what they were sent; their next step is due at once.

        Args:
            recipient: Key of the person.
            channel: The connection they were told through.
            because: Why not.

        Returns:
            How many messages that concerns.
        """
        told, cases = Notification.__table__, Case.__table__
        query = (
            select(told.c.id, told.c.kind, cases.c.id, cases.c.key)
            .join(cases, cases.c.id == told.c.case_id)
            .where(*_awaited(), told.c.recipient == recipient, told.c.channel == channel)
        )
        with self._store.writing() as transaction:
            connection = transaction.connection
            found = connection.execute(query).tuples().all()
            ids = [each[0] for each in found]
            gone = {"state": NotificationState.UNREACHABLE, "failure": because}
            connection.execute(update(told).where(told.c.id.in_(ids)).values(**gone))
            ids = [each[2] for each in found]
            connection.execute(
                update(cases).where(cases.c.id.in_(ids)).values(due_at=transaction.at)
            )
            for _, kind, _, key in found:
                about = {"channel": channel, "failure": because, "kind": kind}
                about |= {"recipient": recipient, "state": NotificationState.UNREACHABLE}
                transaction.enter("not told", key, about)
        return len(found)


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
