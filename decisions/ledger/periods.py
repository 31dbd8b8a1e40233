"""Measurement periods: when each began, under which declaration, and why it ended."""

from datetime import datetime

from sqlalchemy import Connection, func, select, update

from decisions.definition import Definition
from decisions.effectiveness.declaration import Declaration
from decisions.ledger.records import Allocation, Case, Period, Run
from decisions.ledger.transaction import Transaction

_periods = Period.__table__

CHANGED = "the declaration was changed"
WITHDRAWN = "no holdout is declared any more"
COMPLETE = "the planned sample is complete"


def period_name(connection: Connection, definition: Definition) -> str:
    """Return the name of the period that arms are drawn in now; empty where nobody is held out.

    A changed declaration asks for a new period: the arms before cannot show what is asked now.
    """
    return _name(connection, definition, _running(connection, definition.decision))


def current_period(transaction: Transaction, definition: Definition, version_id: int) -> str:
    """Return the same name, having ended the period before and begun the new one if need be.

    Args:
        transaction: The run's transaction.
        definition: The decision.
        version_id: Its version, already recorded.
    """
    running = _running(transaction.connection, definition.decision)
    name = _name(transaction.connection, definition, running)
    declared = Declaration.of(definition)
    if running and running.name != name:
        close_period(transaction, running, because=CHANGED if declared else WITHDRAWN)
    if declared and (running is None or running.name != name):
        begin_period(transaction, definition, declared, version_id, name=name)
    return name


def begin_period(
    transaction: Transaction,
    definition: Definition,
    declared: Declaration,
    version_id: int,
    *,
    name: str,
) -> Period:
    """Begin a measurement period.

    Args:
        transaction: What it is written in.
        definition: The decision.
        declared: What it declares.
        version_id: Its version, already recorded.
        name: What to call it; see ``unused_name``.
    """
    period = Period(
        decision=definition.decision,
        name=name,
        version_id=version_id,
        declaration=dict(declared.content),
        sha256=declared.sha256,
        began_at=transaction.at,
    )
    transaction.add(period)
    said = {"declaration": period.declaration, "sha256": period.sha256}
    transaction.enter("period began", f"{definition.decision}/{name}", said)
    query = select(_periods).where(
        _periods.c.decision == definition.decision, _periods.c.name == name
    )
    return Period(**transaction.connection.execute(query).mappings().one())


def close_period(transaction: Transaction, period: Period, *, because: str) -> None:
    """End a period: no arm is drawn in it any more."""
    transaction.connection.execute(
        update(_periods)
        .where(_periods.c.id == period.id, _periods.c.closed_at.is_(None))
        .values(closed_at=transaction.at, closed_because=because)
    )
    transaction.enter("period ended", f"{period.decision}/{period.name}", {"because": because})


def period_at(connection: Connection, decision: str, at: datetime) -> Period | None:
    """Return the newest period that had begun at an instant (timezone-aware)."""
    query = (
        select(_periods)
        .where(_periods.c.decision == decision, _periods.c.began_at <= at)
        .order_by(_periods.c.began_at.desc(), _periods.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return Period(**row) if row else None


def new_subjects(connection: Connection, decision: str) -> list[tuple[datetime, int, int]]:
    """Return for each run of the newest period when it was, and what it drew for the first time.

    Returns:
        The instant (timezone-aware), subjects whose first case came of it, and subjects that it
        selected first and of which no run has made a case yet: limits held them back.
    """
    runs, drawn = Run.__table__, Allocation.__table__
    newest = select(_periods.c.name).where(_periods.c.decision == decision)
    period = newest.order_by(_periods.c.id.desc()).limit(1).scalar_subquery()
    cases = Case.__table__
    first = (
        select(cases.c.subject, func.min(cases.c.run_id).label("run_id"))
        .where(cases.c.decision == decision, cases.c.period == period)
        .group_by(cases.c.subject)
        .cte("first_cases")
    )
    counted = func.coalesce(first.c.run_id, drawn.c.run_id)
    query = (
        select(
            runs.c.as_of,
            func.count(first.c.subject),
            func.count().filter(first.c.subject.is_(None)),
        )
        .select_from(drawn)
        .outerjoin(first, first.c.subject == drawn.c.subject)
        .join(runs, runs.c.id == counted)
        .where(drawn.c.decision == decision, drawn.c.period == period)
        .group_by(runs.c.id, runs.c.as_of)
        .order_by(runs.c.as_of)
    )
    return [(at, opened, waiting) for at, opened, waiting in connection.execute(query)]


def _name(connection: Connection, definition: Definition, running: Period | None) -> str:
    declared = Declaration.of(definition)
    if declared is None or definition.holdout is None:
        return ""
    if running and running.sha256 == declared.sha256:
        return running.name
    return unused_name(connection, definition.decision, definition.holdout.salt)


def _running(connection: Connection, decision: str) -> Period | None:
    query = select(_periods).where(
        _periods.c.decision == decision,
        _periods.c.closed_at.is_(None),
    )
    row = connection.execute(query.order_by(_periods.c.id.desc())).mappings().first()
    return Period(**row) if row else None


def unused_name(connection: Connection, decision: str, salt: str) -> str:
    """Return the salt, or the first of salt/2, salt/3 … that names no period yet."""
    query = select(func.count()).where(
        _periods.c.decision == decision,
        (_periods.c.name == salt) | _periods.c.name.startswith(f"{salt}/", autoescape=True),
    )
    used = connection.execute(query).scalar_one()
    return f"{salt}/{used + 1}" if used else salt
