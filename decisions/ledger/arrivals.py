"""What an answer proves of the message it was given on: that it arrived."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from decisions.errors import UnknownPerson
from decisions.escalation import next_due
from decisions.ledger.cases import WAITING
from decisions.ledger.claims import IN_DOUBT
from decisions.ledger.columns import storable
from decisions.ledger.records import Case, Notification, NotificationState
from decisions.ledger.store import Store
from decisions.ledger.transaction import Transaction
from decisions.worktime import WorkingHours

_TO_COME = IN_DOUBT | {NotificationState.PENDING}


class Arrivals:
    """Messages that people answer on."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def seen(
        self,
        case: str,
        *,
        delivery: str | None,
        reference: str,
        hours: Callable[[str], WorkingHours],
    ) -> bool:
        """Say whether a message that somebody answers on is one that was sent for the case.

        One of unknown outcome counts as sent from then on, and its recipient's wait begins:
        somebody is looking at it. One that was given up or taken back stays so, and is amended.

        Args:
            case: The case's key.
            delivery: The delivery id that the message carries, if it shows it.
            reference: Where it stands, as a receipt names it.
            hours: Gives the working hours of a person.
        """
        table, cases = Notification.__table__, Case.__table__
        is_it = table.c.reference == reference
        if delivery is not None:
            is_it |= (table.c.key == storable(delivery)) & table.c.reference.is_(None)
        query = (
            select(table)
            .join(cases, cases.c.id == table.c.case_id)
            .where(cases.c.key == storable(case), is_it)
        )
        with self._store.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return False
        told = Notification(**row)
        if told.reference is None:
            with self._store.writing() as transaction:
                _arrived(transaction, told, transaction.case(case), reference, hours)
        return True


def _arrived(
    transaction: Transaction,
    told: Notification,
    case: Case,
    reference: str,
    hours: Callable[[str], WorkingHours],
) -> None:
    table, is_news = Notification.__table__, told.state in _TO_COME
    found: dict[str, Any] = {"reference": reference, "channel": told.route or told.channel}
    if is_news:
        # Whoever still holds it finds the lease gone, and writes nothing.
        found |= {"state": NotificationState.SENT, "sent_at": transaction.at}
        found |= {"next_at": None, "lease": None}
    if not is_news or not _is_current(told, case):
        found |= {"stale_at": transaction.at}
    is_as_read = (table.c.state == told.state) & table.c.reference.is_(None)
    done = transaction.connection.execute(
        update(table).where(table.c.id == told.id, is_as_read).values(**found)
    )
    if not done.rowcount:
        return
    state = NotificationState.SENT if is_news else told.state
    body = {"kind": told.kind, "recipient": told.recipient, "found by": "an answer"}
    transaction.enter("told", case.key, body | {"state": state})
    if is_news:
        _begin_wait(transaction, told, case, hours)


def _begin_wait(
    transaction: Transaction,
    told: Notification,
    case: Case,
    hours: Callable[[str], WorkingHours],
) -> None:
    """Let the case's clock start, where it stands at this message's step."""
    step = int(told.key.split(":")[2])
    if not _is_current(told, case) or step != case.step or case.due_at is not None:
        return
    table = Case.__table__
    due_at = _next_due(transaction, told, case, hours)
    transaction.connection.execute(update(table).where(table.c.id == case.id).values(due_at=due_at))


def _next_due(
    transaction: Transaction,
    told: Notification,
    case: Case,
    hours: Callable[[str], WorkingHours],
) -> datetime | None:
    action = transaction.definition(case).actions[case.action]
    try:
        theirs = hours(told.recipient)
    except UnknownPerson:  # whoever people.yaml has no longer will not answer
        return transaction.at
    at = transaction.at
    return next_due(action, state=case.state, taken=case.step, sent_at=at, hours=theirs)


def _is_current(told: Notification, case: Case) -> bool:
    """Whether the case is still as it was when the message was queued, but for its step."""
    cycle = int(told.key.split(":")[1])
    return case.state in WAITING and case.snoozed_until is None and case.cycle == cycle
