"""What follows once a message was tried: clocks that start, turns that move, alarms."""

from datetime import datetime

from sqlalchemy import select, update

from decisions.ledger import turns
from decisions.ledger.claims import Alarm, Claim, Delivery
from decisions.ledger.records import Case, Notification, NotificationState
from decisions.ledger.transaction import Transaction
from decisions.ports import Kind


def follow(transaction: Transaction, claim: Claim, delivery: Delivery) -> None:
    """Write what follows from how one try ended.

    Args:
        transaction: The one that records the end.
        claim: What was tried.
        delivery: How it ended.
    """
    is_sent = delivery.state is NotificationState.SENT
    if delivery.is_settled:
        _set_due(transaction, claim, delivery.due and delivery.due(transaction.at))
        _tell(transaction, claim, delivery)
    if is_sent and claim.case is not None:
        _outdate_if_moved(transaction, claim, claim.case)
    if claim.pace is not None:
        turns.give_back(transaction.connection, transaction.at, claim.notification, claim.pace)
    paused_at = _move_turns(transaction, delivery)
    if delivery.alarm is not None:
        _raise(transaction, claim, delivery.alarm, paused_at)


def _move_turns(transaction: Transaction, delivery: Delivery) -> datetime | None:
    """Hold back or release what goes through the channel; return since when it is out of order."""
    connection, at, channel = transaction.connection, transaction.at, delivery.channel
    if channel is None:
        return None
    if delivery.state is NotificationState.SENT:
        turns.resume(connection, channel)
        turns.forget(connection, at)
    if delivery.closed_for is not None:
        turns.hold_back(connection, at, channel, at + delivery.closed_for)
    if delivery.out_of_order is not None:
        return turns.pause(connection, at, channel, delivery.out_of_order)
    return None


def _raise(
    transaction: Transaction, claim: Claim, alarm: Alarm, paused_at: datetime | None
) -> None:
    """Queue an alarm, once a matter; of a channel out of order, once an outage."""
    key = (
        alarm.key if paused_at is None else f"{alarm.key}:{paused_at:%Y-%m-%dT%H:%M:%S}:{alarm.to}"
    )
    about: dict[str, object] = {"route": alarm.route}
    if claim.run_id is not None:
        about["run_id"] = claim.run_id
    elif claim.standing is not None:
        about["standing_id"] = claim.standing.id
    transaction.queue_once(key, Kind.ALARMED, alarm.to, alarm.because, **about)


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
