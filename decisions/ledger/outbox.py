"""The outbox: messages that wait to be handed over, claimed by one sender at a time.

A claim is a lease. Whoever resumes after their lease ran out finds it gone and writes nothing;
the row has been read back and settled by somebody else.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, func, select, update

from decisions.doubt import SETTLE
from decisions.ledger import turns
from decisions.ledger.claims import Claim, Delivery, claimed
from decisions.ledger.records import Case, Notification, NotificationState, Turn
from decisions.ledger.settling import follow
from decisions.ledger.standings import is_halted, not_held
from decisions.ledger.store import Store
from decisions.ledger.transaction import Transaction
from decisions.ledger.turns import Paces, unpaced
from decisions.ports import Message

SENDING = timedelta(seconds=30)
"""How long a channel may take over one message: three calls of ten seconds."""

LEASE = SENDING + SENDING + SETTLE
"""How long a sender may take over one claim: to look, to send, and for what it sent to settle."""

_ROUNDS = 100
"""Messages that find their channel taken before one claim gives up; those keep their place."""


class Outbox:
    """Messages to people, from queued to settled."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(self, *, most: int = 20, paces: Paces = unpaced) -> list[Claim]:
        """Take what is due and has its turn, under leases of our own, the longest due first.

        Args:
            most: How many; all of them have to be handed over before the lease runs out.
            paces: How fast each channel may be sent to.
        """
        found: list[Claim] = []
        with self._store.writing() as transaction:
            for _ in range(_ROUNDS):
                due = _due(transaction, most - len(found))
                found += [claim for told in due if (claim := _taken(transaction, told, paces))]
                if not due or len(found) >= most:
                    break
        return found

    def next_turn(self) -> datetime | None:
        """Return when the first message that is due gets its turn; None if none waits for one."""
        with self._store.reading() as connection:
            at = self._store.clock()
            due = [Notification.__table__.c.next_at <= at, *not_held(connection)]
            found: datetime | None = turns.next_turn(connection, at, due)
            return found

    def waiting(self) -> int:
        """Return how many messages are due."""
        table = Notification.__table__
        with self._store.reading() as connection:
            due = [table.c.next_at <= self._store.clock(), *not_held(connection)]
            return int(connection.execute(select(func.count()).where(*due)).scalar_one())

    def paused(self) -> list[Turn]:
        """Return the channels that are out of order, the longest so first."""
        with self._store.reading() as connection:
            return turns.paused(connection)

    def settle(self, claim: Claim, delivery: Delivery) -> bool:
        """Record how the try ended, unless the lease was lost meanwhile.

        A message that is settled for good gives its case a new ``due_at``: waits count from when
        the person was told, or found to be out of reach.

        Returns:
            Whether the lease still was ours and the end was recorded.
        """
        with self._store.writing() as transaction:
            is_sent = delivery.state is NotificationState.SENT
            done = transaction.connection.execute(
                update(Notification.__table__)
                .where(*_ours(claim))
                .values(
                    state=delivery.state,
                    reference=delivery.reference,
                    failure=delivery.failure,
                    lease=None,
                    sent_at=transaction.at if is_sent else None,
                    **_on_its_way(claim, delivery, transaction.at),
                    **_written(delivery),
                )
            )
            if done.rowcount != 1:
                return False
            follow(transaction, claim, delivery)
            return True

    def is_held(self, claim: Claim) -> bool:
        """Whether the message may not leave at this instant; asked right before it would.

        Somebody has halted the decision or changed the case, our lease is about to run out, or
        another sender has the channel's turn. The turn is taken anew: a slow start is no burst.
        """
        if claim.pace is None:
            with self._store.reading() as connection:
                return not self._stands(connection, self._store.clock(), claim)
        told = claim.notification
        with self._store.writing() as transaction:
            connection, at = transaction.connection, transaction.at
            if not self._stands(connection, at, claim):
                return True
            route, lease = str(told.route), str(told.lease)
            return not turns.take(connection, at, route, told.recipient, claim.pace, lease)

    @staticmethod
    def _stands(connection: Connection, at: datetime, claim: Claim) -> bool:
        """Whether it is still ours to send, with time to spare, and says what is the case."""
        if claim.standing is None and is_halted(connection, claim.definition.decision):
            return False
        table, cases = Notification.__table__, Case.__table__
        ours = select(table.c.next_at).where(*_ours(claim))
        until = connection.execute(ours).scalar()
        if until is None or until - at < SENDING + SETTLE:
            return False
        if claim.case is None:
            return True
        now = select(cases.c.revision).where(cases.c.id == claim.case.id)
        return bool(connection.execute(now).scalar_one() == claim.case.revision)

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

    def taken(self, since: datetime) -> dict[tuple[str, str], list[str]]:
        """Return the keys of what was sent since an instant, by connection and person.

        Args:
            since: From when on (timezone-aware).
        """
        table = Notification.__table__.c
        is_lost = func.coalesce(table.failure, "").startswith("lost:")
        query = (
            select(table.channel, table.recipient, table.key)
            .where(table.state == NotificationState.SENT, table.sent_at >= since, ~is_lost)
            .order_by(table.channel, table.recipient, table.id)
        )
        found: dict[tuple[str, str], list[str]] = {}
        with self._store.reading() as connection:
            for channel, recipient, key in connection.execute(query):
                found.setdefault((channel, recipient), []).append(key)
        return found

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


def _due(transaction: Transaction, most: int) -> list[Notification]:
    table, at = Notification.__table__, transaction.at
    query = (
        select(table)
        .where(table.c.next_at <= at, *not_held(transaction.connection), turns.has_turn(at))
        .order_by(table.c.next_at, table.c.id)
        .limit(most)
    )
    return [Notification(**row) for row in transaction.connection.execute(query).mappings()]


def _taken(transaction: Transaction, told: Notification, paces: Paces) -> Claim | None:
    """Claim one message; where its channel has no turn for it, note its route alone."""
    connection, at = transaction.connection, transaction.at
    lease = uuid4().hex
    found = claimed(transaction, told, {"lease": lease, "attempts": told.attempts + 1})
    found = _on_route(connection, at, found, paces)
    taken: dict[str, object] = {"route": found.notification.route}
    if found.has_turn or _is_given_up(found, at):
        taken |= {
            "state": NotificationState.SENDING,
            "lease": lease,
            "next_at": at + LEASE,
            "attempts": told.attempts + 1,
        }
    table = Notification.__table__
    connection.execute(update(table).where(table.c.id == told.id).values(**taken))
    found.notification.sqlmodel_update(taken)
    return found if "lease" in taken else None


def _on_route(connection: Connection, at: datetime, claim: Claim, paces: Paces) -> Claim:
    """Take the turn of the connection that it goes through, past those that are out of order.

    What may have been taken stays where it may have been. Of a connection out of order one
    message tries every while whether it is mended; the others go by the next.
    """
    told, names = claim.notification, claim.routes
    of_first: Claim | None = None
    for route in names[:1] if claim.doubtful else names:
        pace = paces(route)
        has_turn = turns.take(
            connection, at, route, told.recipient, pace, str(told.lease), anew=True
        )
        on = told.model_copy(update={"route": route})
        found = replace(claim, notification=on, pace=pace, has_turn=has_turn)
        if (trouble := turns.trouble(connection, route)) is not None:
            since, because = trouble
            found = replace(found, paused_at=since, paused_because=because)
        if has_turn or found.paused_at is None:
            return found
        of_first = of_first or found
    return of_first or claim


def _is_given_up(claim: Claim, at: datetime) -> bool:
    return claim.paused_at is not None and at - claim.paused_at >= turns.PATIENCE


def _on_its_way(claim: Claim, delivery: Delivery, at: datetime) -> dict[str, object]:
    """Return by which connection it goes on and when, and what is known of that connection."""
    told, doubt = claim.notification, delivery.doubt
    tried_at = told.tried_at or (at if delivery.is_tried else None)
    return {
        "route": delivery.route or told.route,
        "next_at": delivery.next_at if delivery.wait is None else at + delivery.wait,
        "tried_at": None if delivery.route else tried_at,
        "failures": delivery.failures,
        "absences": doubt.absences,
        "silences": doubt.silences,
        "repeats": doubt.repeats,
    }


def _written(delivery: Delivery) -> dict[str, object]:
    """Return what was handed over and to whom; a try that came to nothing leaves what is there."""
    written: dict[str, object] = {}
    if delivery.channel is not None:
        written["channel"] = delivery.channel
    if delivery.message is not None:
        written["message"] = delivery.message.model_dump(mode="json")
    return written


def _ours(claim: Claim) -> list[ColumnElement[bool]]:
    table, told = Notification.__table__, claim.notification
    return [
        table.c.id == told.id,
        table.c.lease == told.lease,
        table.c.attempts == told.attempts,
    ]
