"""Messages that were sent and say less than is known by now, claimed by one amender at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from decisions.definition import Definition
from decisions.ledger.cases import WAITING
from decisions.ledger.columns import storable
from decisions.ledger.records import Answer, Case, Notification
from decisions.ledger.standings import not_held
from decisions.ledger.store import Store
from decisions.ledger.transaction import Transaction
from decisions.ports import Kind

AGAIN = ":again"
"""Ends the key of a message that stands in for one that is gone."""

LEASE = timedelta(seconds=60)
"""How long one amender may take; whoever comes later tries again, which does no harm."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """One message to amend, with what is needed to write it anew.

    Attributes:
        notification: The row, as claimed.
        definition: The definition that the case is pinned to.
        case: The case as it stands now.
        answer: The answer that last changed it, if one did.
        is_current: Whether it is of the cycle that the case is in, or that an acknowledgement
            ended: its recipient may still answer on it.
    """

    notification: Notification
    definition: Definition
    case: Case
    answer: Answer | None
    is_current: bool


class Amendments:
    """Messages that no longer say how their case stands."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(self, *, most: int = 1) -> list[Outdated]:
        """Take what is outdated, the longest so first; what is halted waits."""
        table = Notification.__table__
        with self._store.writing() as transaction:
            query = (
                select(table)
                .where(table.c.stale_at <= transaction.at, *not_held(transaction.connection))
                .order_by(table.c.stale_at, table.c.id)
                .limit(most)
            )
            rows = transaction.connection.execute(query).mappings().all()
            until = transaction.at + LEASE
            transaction.connection.execute(
                update(table)
                .where(table.c.id.in_([row["id"] for row in rows]))
                .values(stale_at=until)
            )
            found = []
            for row in rows:
                notification = Notification(**row).model_copy(update={"stale_at": until})
                case = transaction.case(notification.key.split(":")[0])
                _, cycle, *_ = notification.key.split(":")
                answer = transaction.last_answer(case)
                found.append(
                    Outdated(
                        notification=notification,
                        definition=transaction.definition(case),
                        case=case,
                        answer=answer,
                        is_current=_is_current(case, int(cycle), answer),
                    )
                )
            return found

    def refresh(self, reference: str) -> None:
        """Have a message written anew: somebody looks at one that may not say how its case stands.

        Args:
            reference: Where it stands, as a receipt names it.
        """
        table = Notification.__table__
        with self._store.writing() as transaction:
            transaction.connection.execute(
                update(table)
                .where(table.c.reference == storable(reference), table.c.case_id.is_not(None))
                .values(stale_at=transaction.at)
            )

    def settle(self, outdated: Outdated, *, again_at: datetime | None) -> None:
        """Record that it was amended, or when to try again.

        Where the case has moved on meanwhile, the message stays outdated.

        Args:
            outdated: As claimed.
            again_at: When to try again (timezone-aware); None when nothing more is to be done.
        """
        with self._store.writing() as transaction:
            _write(transaction, outdated, stale_at=again_at)

    def lose(self, outdated: Outdated, failure: str) -> bool:
        """Record that a message is gone; whoever may still answer on it is sent it once more.

        Args:
            outdated: As claimed.
            failure: What the channel said.

        Returns:
            Whether it is sent once more.
        """
        told, case = outdated.notification, outdated.case
        again = f"{case.key}:{case.cycle}:{case.step}:{told.recipient}:{told.kind}{AGAIN}"
        is_wanted = (
            outdated.is_current
            and case.state in WAITING
            and case.assignee == told.recipient
            and not told.key.endswith(AGAIN)
        )
        because = "the message before it is gone"
        with self._store.writing() as transaction:
            _write(transaction, outdated, stale_at=None, failure=f"lost: {failure}")
            return is_wanted and transaction.queue_once(
                again, Kind(told.kind), told.recipient, because, case_id=case.id
            )


def _write(transaction: Transaction, outdated: Outdated, **values: Any) -> None:
    table, told = Notification.__table__, outdated.notification
    transaction.connection.execute(
        update(table)
        .where(table.c.id == told.id, table.c.stale_at == told.stale_at)
        .values(**values)
    )


def _is_current(case: Case, cycle: int, answer: Answer | None) -> bool:
    acknowledged = answer is not None and answer.kind == "acknowledge"
    return cycle == case.cycle or (acknowledged and cycle == case.cycle - 1)
