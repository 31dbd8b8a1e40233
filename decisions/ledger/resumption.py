"""What goes on after a halt: every clock that ran out meanwhile gives the full wait anew."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from decisions.escalation import next_due
from decisions.ledger.records import Case, CaseState, Notification, NotificationState, Run
from decisions.ledger.transaction import Transaction
from decisions.ownership import People
from decisions.worktime import WorkingHours, deadline

ORDINARY_HOURS = "mon-fri 09:00-17:00"
_WAITING = (CaseState.OPEN, CaseState.ACKNOWLEDGED)
_UNSENT = (NotificationState.PENDING, NotificationState.UNKNOWN, NotificationState.SENDING)


def restart_waits(
    transaction: Transaction, decision: str, people: People, *, since: datetime
) -> int:
    """Give every clock of a decision that ran out during its halt the full wait from now on.

    So nobody is escalated over for the time of the halt, and nothing held back is given up for
    having waited. Cases that sleep wake up as they would have.

    Args:
        transaction: The transaction that resumes the decision.
        decision: Its name.
        people: Who there is.
        since: When it was halted (timezone-aware).

    Returns:
        How many cases got a new wait.
    """
    connection, at = transaction.connection, transaction.at
    messages = Notification.__table__
    connection.execute(
        update(messages)
        .where(messages.c.next_at <= at, messages.c.state.in_(_UNSENT), _about(decision))
        .values(created_at=at, tried_at=None)
    )
    changed = 0
    for case, told in _run_out(transaction, decision, since):
        changes = _renewed(transaction, case, told or str(case.assignee), people, since=since)
        if changes:
            transaction.change(case, **changes)
            shown = {name: value.isoformat() for name, value in changes.items() if value}
            transaction.enter("waits anew", case.key, shown)
            changed += 1
    return changed


def _about(decision: str) -> ColumnElement[bool]:
    messages, cases, runs = Notification.__table__, Case.__table__, Run.__table__
    return or_(
        messages.c.case_id.in_(select(cases.c.id).where(cases.c.decision == decision)),
        messages.c.run_id.in_(select(runs.c.id).where(runs.c.decision == decision)),
    )


def _run_out(
    transaction: Transaction, decision: str, since: datetime
) -> Iterable[tuple[Case, str | None]]:
    """Return the waiting cases with a clock that ran out, and who was told of each last."""
    cases, messages, at = Case.__table__, Notification.__table__, transaction.at
    last = (
        select(messages.c.recipient)
        .where(messages.c.case_id == cases.c.id, messages.c.sent_at.is_not(None))
        .order_by(messages.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(cases, last.label("told")).where(
        cases.c.decision == decision,
        cases.c.state.in_(_WAITING),
        cases.c.snoozed_until.is_(None),
        or_(
            cases.c.due_at <= at,
            cases.c.respond_by.between(since, at),
            cases.c.complete_by.between(since, at),
        ),
    )
    for row in transaction.connection.execute(query.order_by(cases.c.id)).mappings().all():
        values = dict(row)
        told = values.pop("told")
        yield Case(**values), told


def _renewed(
    transaction: Transaction, case: Case, told: str, people: People, *, since: datetime
) -> dict[str, Any]:
    """Return the columns of a case whose instants passed while its decision was halted."""
    at, action = transaction.at, transaction.definition(case).actions[case.action]
    holder = _hours(people, str(case.assignee))
    changes: dict[str, Any] = {}
    if case.state == CaseState.OPEN and case.respond_by and since <= case.respond_by <= at:
        changes["respond_by"] = deadline(at, action.respond_within, holder)
    is_late = case.complete_by is not None and since <= case.complete_by <= at
    if is_late and action.complete_within:
        changes["complete_by"] = deadline(at, action.complete_within, holder)
    if case.due_at is None or case.due_at > at:
        return changes
    if case.state == CaseState.ACKNOWLEDGED and case.step == 0:
        return changes | {"due_at": changes.get("complete_by", case.due_at)}
    hours = _hours(people, told)
    wait = next_due(action, state=case.state, taken=case.step, sent_at=at, hours=hours)
    return changes | {"due_at": wait}


def _hours(people: People, key: str) -> WorkingHours:
    """Return when a person works; ordinary hours for one whom people.yaml has no longer."""
    return people.hours(key) if key in people.people else WorkingHours.parse(ORDINARY_HOURS)
