"""A claimed message, and how one try to hand it over ended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from decisions.definition import Definition
from decisions.doubt import Doubt
from decisions.errors import LedgerError
from decisions.ledger.records import (
    Case,
    Notification,
    NotificationState,
    Run,
    Standing,
    Version,
)
from decisions.ledger.transaction import Transaction
from decisions.ledger.versions import pinned
from decisions.ports import Message, Pace

IN_DOUBT = frozenset({NotificationState.UNKNOWN, NotificationState.SENDING})
"""States in which an earlier try may have been taken."""


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
        due_at: Since when it was due; its place in the queue.
        pace: How fast its channel may be sent to; None for one that takes whatever comes.
        paused_at: Since when its channel is out of order; None where nobody knows of anything.
        paused_because: What is wrong with it.
        has_turn: Whether it may be posted; without a turn it may be looked up or given up.
    """

    notification: Notification
    definition: Definition
    case: Case | None
    run: Run | None
    doubtful: bool
    standing: Standing | None = None
    due_at: datetime | None = None
    pace: Pace | None = None
    paused_at: datetime | None = None
    paused_because: str | None = None
    has_turn: bool = True

    @property
    def doubt(self) -> Doubt:
        """What is known of it, where it may have been taken."""
        told = self.notification
        return Doubt(told.absences, told.silences, told.repeats)

    @property
    def run_id(self) -> int | None:
        """The run that it rests on, if it rests on one."""
        if self.case is not None:
            return self.case.run_id
        return self.run.id if self.run else None

    @property
    def routes(self) -> tuple[str, ...]:
        """The connections it may go through, in order; the one it is on comes first."""
        names = routes(self.definition, self.case)
        on = self.notification.route
        if on is None:
            return names
        return names[names.index(on) :] if on in names else (on,)


@dataclass(frozen=True, slots=True)
class Alarm:
    """What somebody who keeps the machine running has to hear of.

    Attributes:
        key: Names the matter; it is told once, of a channel out of order once an outage.
        to: Who hears of it.
        because: What is wrong, in a sentence or two.
        route: The connection that it goes through; None for the usual one.
    """

    key: str
    to: str
    because: str
    route: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one try ended.

    Attributes:
        state: Where the message stands now.
        channel: The connection that was tried last.
        reference: The other side's id for it, once sent.
        failure: What the channel said, unless it was sent.
        message: What was handed over; None if it could not even be written.
        next_at: Its place in the queue, where it keeps one.
        wait: How long after this end it is looked at again, where it keeps no place.
        due: Gives when the case's next step falls due, by the instant at which this one is
            settled; None where nothing follows.
        route: The connection it goes through next; None where it stays.
        doubt: What is known of it, where it may have been taken.
        failures: How often its connection did not take it, and said so.
        is_tried: Whether the channel was asked anything.
        closed_for: How long nothing may pass through the channel, if it said so.
        out_of_order: What is wrong with the channel; None where it works or nobody knows.
        alarm: What somebody has to hear of.
    """

    state: NotificationState
    channel: str | None
    message: Message | None
    reference: str | None = None
    failure: str | None = None
    next_at: datetime | None = None
    wait: timedelta | None = None
    due: Callable[[datetime], datetime | None] | None = None
    route: str | None = None
    doubt: Doubt = field(default_factory=Doubt)
    failures: int = 0
    is_tried: bool = True
    closed_for: timedelta | None = None
    out_of_order: str | None = None
    alarm: Alarm | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is to be done about the message."""
        return self.next_at is None and self.wait is None


def routes(definition: Definition, case: Case | None) -> tuple[str, ...]:
    """Return the connections a message may go through, the first that works.

    Args:
        definition: What it is about.
        case: The case it is about; without one, every channel of the decision will do.
    """
    actions = definition.actions
    asked = actions.values() if case is None else [actions[case.action]]
    return tuple(dict.fromkeys(name for action in asked for name in action.through))


def claimed(transaction: Transaction, found: Notification, taken: dict[str, Any]) -> Claim:
    """Return a row with all that it is about.

    Args:
        transaction: The one that claims it.
        found: The row as it was.
        taken: What claiming changes.
    """
    case, run, standing = (
        _one(transaction, record, key)
        for record, key in (
            (Case, found.case_id),
            (Run, found.run_id),
            (Standing, found.standing_id),
        )
    )
    about = case or run or standing
    if about is None:
        raise LedgerError(f"notification {found.key} is about nothing")
    version = _one(transaction, Version, about.version_id or 0)
    return Claim(
        notification=found.model_copy(update=taken),
        definition=pinned(version),
        case=case,
        run=None if case else run,
        doubtful=found.state in IN_DOUBT,
        standing=None if case or run else standing,
        due_at=found.next_at,
    )


def _one(transaction: Transaction, record: Any, key: int | None) -> Any:
    if key is None:
        return None
    table = record.__table__
    row = transaction.connection.execute(select(table).where(table.c.id == key))
    return record(**row.mappings().one())
