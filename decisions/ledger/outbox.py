"""The outbox: messages that wait to be handed over, claimed by one sender at a time.

A claim is a lease. Whoever resumes after their lease ran out finds it gone and writes nothing;
the row has been read back and settled by somebody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update

from decisions.definition import Definition
from decisions.errors import LedgerError
from decisions.ledger.columns import storable
from decisions.ledger.records import (
    Case,
    Notification,
    NotificationState,
    Run,
    Standing,
    Version,
)
from decisions.ledger.standings import is_halted, not_held
from decisions.ledger.store import Store
from decisions.ledger.transaction import Transaction
from decisions.ledger.versions import pinned
from decisions.ports import Message

LEASE = timedelta(seconds=60)
"""How long a sender may take over one claim; longer than any channel's own time-out."""

SETTLE = timedelta(seconds=30)
"""How long after a send of unknown outcome the other side is asked what became of it."""

PATIENCE = timedelta(hours=24)
"""How long after it was queued a message may wait for a channel; then it counts as not told."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One message to hand over, with what is needed to write it.

    Attributes:
        notification: The row, held under our lease.
        definition: The definition pinned by the case's version, or the run's.
        case: The case it is about; None when it is about a run.
        run: The run it is about; None when it is about something else.
        doubtful: Whether an earlier try may have been taken: look before sending.
        standing: The halt it is about; None when it is about something else.
    """

    notification: Notification
    definition: Definition
    case: Case | None
    run: Run | None
    doubtful: bool
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one try ended.

    Attributes:
        state: Where the message stands now.
        channel: The connection that was tried last.
        reference: The other side's id for it, once sent.
        failure: What the channel said, unless it was sent.
        next_at: When to look at it again; None if nothing more is to be done.
        message: What was handed over; None if it could not even be written.
        due_at: When the case's next step falls due, now that this one is settled.
    """

    state: NotificationState
    channel: str | None
    message: Message | None
    reference: str | None = None
    failure: str | None = None
    next_at: datetime | None = None
    due_at: datetime | None = None


class Outbox:
    """Messages to people, from queued to settled."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(self, *, most: int = 20) -> list[Claim]:
        """Take what is due under a lease of our own, the longest due first.

        Args:
            most: How many; all of them have to be handed over before the lease runs out.
        """
        table = Notification.__table__
        lease = uuid4().hex
        with self._store.writing() as transaction:
            query = (
                select(table)
                .where(table.c.next_at <= transaction.at, *not_held(transaction.connection))
                .order_by(table.c.next_at, table.c.id)
                .limit(most)
            )
            due = [Notification(**row) for row in transaction.connection.execute(query).mappings()]
            taken = {
                "state": NotificationState.SENDING,
                "lease": lease,
                "next_at": transaction.at + LEASE,
            }
            transaction.connection.execute(
                update(table)
                .where(table.c.id.in_([told.id for told in due]))
                .values(**taken, attempts=table.c.attempts + 1)
            )
            return [_claim(transaction, told, taken) for told in due]

    def settle(self, claim: Claim, delivery: Delivery) -> bool:
        """Record how the try ended, unless the lease was lost meanwhile.

        A message that is settled for good gives its case a new ``due_at``: waits count from when
        the person was told, or found to be out of reach.

        Returns:
            Whether the lease still was ours and the end was recorded.
        """
        table = Notification.__table__
        told = claim.notification
        with self._store.writing() as transaction:
            is_sent = delivery.state is NotificationState.SENT
            done = transaction.connection.execute(
                update(table)
                .where(table.c.id == told.id, table.c.lease == told.lease)
                .values(
                    state=delivery.state,
                    channel=delivery.channel,
                    reference=delivery.reference,
                    failure=delivery.failure,
                    next_at=delivery.next_at,
                    lease=None,
                    sent_at=transaction.at if is_sent else None,
                    message=delivery.message and delivery.message.model_dump(mode="json"),
                )
            )
            if done.rowcount != 1:
                return False
            if delivery.next_at is None:
                _set_due(transaction, claim, delivery.due_at)
                _tell(transaction, claim, delivery)
            if is_sent and claim.case is not None:
                _outdate_if_moved(transaction, claim, claim.case)
            return True

    def is_held(self, claim: Claim) -> bool:
        """Whether the message may not leave at this instant: somebody has halted the decision."""
        if claim.standing is not None:
            return False
        with self._store.reading() as connection:
            return is_halted(connection, claim.definition.decision)

    def announce(self, run_id: int, messages: Mapping[str, Message]) -> list[str]:
        """Queue messages that are written already; one whose key was queued before is left out.

        Args:
            run_id: The latest run that they rest on.
            messages: What to hand over, by why that person is told.

        Returns:
            Whom something was queued for.
        """
        table = Notification.__table__
        told = []
        with self._store.writing() as transaction:
            keys = [message.key for message in messages.values()]
            known = set(
                transaction.connection.execute(
                    select(table.c.key).where(table.c.key.in_(keys))
                ).scalars()
            )
            for because, message in messages.items():
                if message.key in known:
                    continue
                person, written = message.to.person, message.model_dump(mode="json")
                about = {"run_id": run_id, "message": written}
                transaction.queue(message.key, message.kind, person, because, **about)
                told.append(person)
        return told

    def drop(self, claim: Claim) -> None:
        """Take back a claimed message that has lost its point."""
        table = Notification.__table__
        told = claim.notification
        with self._store.writing() as transaction:
            transaction.connection.execute(
                update(table)
                .where(table.c.id == told.id, table.c.lease == told.lease)
                .values(state=NotificationState.SUPERSEDED, next_at=None, lease=None)
            )

    def seen(self, case: str, *, delivery: str | None, reference: str) -> bool:
        """Say whether a message that somebody answers on is one that was sent for the case.

        A message of unknown outcome counts as sent from then on: somebody is looking at it.

        Args:
            case: The case's key.
            delivery: The delivery id that the message carries, if it shows it.
            reference: Where it stands, as a receipt names it.
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
        if told.state in {NotificationState.UNKNOWN, NotificationState.SENDING}:
            self._found_by_answer(told, case, reference)
        return True

    def _found_by_answer(self, told: Notification, case: str, reference: str) -> None:
        table = Notification.__table__
        with self._store.writing() as transaction:
            done = transaction.connection.execute(
                update(table)
                .where(table.c.id == told.id, table.c.state == told.state)
                .values(
                    state=NotificationState.SENT,
                    reference=reference,
                    sent_at=transaction.at,
                    next_at=None,
                    # Whoever still holds it finds the lease gone, and writes nothing.
                    lease=None,
                )
            )
            if done.rowcount:
                body = {"kind": told.kind, "recipient": told.recipient, "found by": "an answer"}
                transaction.enter("told", case, body | {"state": NotificationState.SENT})

    def sent_to(self, person: str, *, most: int = 50) -> list[Notification]:
        """Return the messages a person was sent, latest first."""
        table = Notification.__table__
        query = (
            select(table)
            .where(table.c.recipient == person, table.c.sent_at.is_not(None))
            .order_by(table.c.sent_at.desc(), table.c.id.desc())
            .limit(most)
        )
        with self._store.reading() as connection:
            return [Notification(**row) for row in connection.execute(query).mappings()]


def _claim(transaction: Transaction, found: Notification, taken: dict[str, Any]) -> Claim:
    connection = transaction.connection
    notification = found.model_copy(update=taken | {"attempts": found.attempts + 1})
    case = run = standing = None
    if notification.case_id is not None:
        row = connection.execute(
            select(Case.__table__).where(Case.__table__.c.id == notification.case_id)
        )
        case = Case(**row.mappings().one())
        version_id = case.version_id
    elif notification.run_id is not None:
        row = connection.execute(
            select(Run.__table__).where(Run.__table__.c.id == notification.run_id)
        )
        run = Run(**row.mappings().one())
        version_id = run.version_id
    elif notification.standing_id is not None:
        row = connection.execute(
            select(Standing.__table__).where(Standing.__table__.c.id == notification.standing_id)
        )
        standing = Standing(**row.mappings().one())
        version_id = standing.version_id or 0
    else:
        raise LedgerError(f"notification {notification.key} is about nothing")
    version = connection.execute(
        select(Version.__table__).where(Version.__table__.c.id == version_id)
    )
    return Claim(
        notification=notification,
        definition=pinned(Version(**version.mappings().one())),
        case=case,
        run=run,
        doubtful=found.state in {NotificationState.UNKNOWN, NotificationState.SENDING},
        standing=standing,
    )


def _set_due(transaction: Transaction, claim: Claim, due_at: datetime | None) -> None:
    if claim.case is None:
        return
    table = Case.__table__
    # Only the message of the step the case stands at moves its clock; a late one moves nothing.
    transaction.connection.execute(
        update(table)
        .where(
            table.c.id == claim.case.id,
            table.c.cycle == claim.case.cycle,
            table.c.step == claim.case.step,
            table.c.state == claim.case.state,
            table.c.due_at.is_(None),
        )
        .values(due_at=due_at)
    )


def _outdate_if_moved(transaction: Transaction, claim: Claim, written_of: Case) -> None:
    """Have a message amended that was written of a case as it stood before."""
    cases, table = Case.__table__, Notification.__table__
    now = select(cases.c.revision).where(cases.c.id == written_of.id)
    if transaction.connection.execute(now).scalar_one() != written_of.revision:
        transaction.connection.execute(
            update(table).where(table.c.id == claim.notification.id).values(stale_at=transaction.at)
        )


def _tell(transaction: Transaction, claim: Claim, delivery: Delivery) -> None:
    name = claim.definition.decision
    if claim.case or claim.run:
        name = claim.case.key if claim.case else f"run {claim.run.id if claim.run else 0}"
    transaction.enter(
        "told" if delivery.state is NotificationState.SENT else "not told",
        name,
        {
            "channel": delivery.channel,
            "failure": delivery.failure,
            "kind": claim.notification.kind,
            "recipient": claim.notification.recipient,
            "state": delivery.state,
        },
    )
