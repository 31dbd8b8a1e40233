"""What the ledger already knows of a batch's subjects and assignees."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlalchemy import Connection, Integer, Row, cast, func, select

from decisions import columnar
from decisions.deciding.limits import History, Known, month_of
from decisions.definition import Definition
from decisions.ledger.bulk import among
from decisions.ledger.records import UNFINISHED, Case, Run
from decisions.ownership import People

_LONGEST_LOCAL_DAY = timedelta(hours=48)


def history_of(
    connection: Connection,
    definition: Definition,
    routed: pa.Table,
    people: People,
    *,
    at: datetime,
    batch: str,
) -> History:
    """Return what limits need to know, asked with the batch's own keys.

    Args:
        connection: The writing connection, so that nothing changes meanwhile.
        definition: The decision.
        routed: Columns ``subject`` and ``assignee``.
        people: Who there is.
        at: The run's instant (timezone-aware).
        batch: Fingerprint of the batch.
    """
    are_limited = definition.limits.per_assignee is not None
    assignees = sorted(set(routed.column("assignee").to_pylist())) if are_limited else []
    cases = columnar.table(
        _cases_of(connection, definition, routed.column("subject").to_pylist(), at),
        subject="VARCHAR",
        unfinished="BIGINT",
        last_scored_at="TIMESTAMPTZ",
        recent="BIGINT",
    )
    return History(
        cases=cases,
        today=_opened_today(connection, definition, assignees, people, at),
        in_batch=_opened_from(connection, definition, batch),
        spent=spent(connection, definition, at),
    )


def known_of(
    connection: Connection,
    definition: Definition,
    subject: str,
    assignee: str,
    people: People,
    *,
    at: datetime,
    batch: str,
) -> Known:
    """Return what limits need to know of one subject; else as ``history_of``."""
    cases = _cases_of(connection, definition, [subject], at)
    _, unfinished, last_scored_at, recent = cases[0] if cases else (subject, 0, None, 0)
    return Known(
        is_unfinished=bool(unfinished),
        last_scored_at=last_scored_at,
        recent=recent,
        today=_opened_today(connection, definition, [assignee], people, at).get(assignee, 0),
        in_batch=_opened_from(connection, definition, batch),
        spent=spent(connection, definition, at),
    )


def _cases_of(
    connection: Connection, definition: Definition, subjects: Sequence[str], at: datetime
) -> Sequence[Row[Any]]:
    table = Case.__table__
    cooldown = definition.limits.per_subject
    since = at - cooldown.per.elapsed if cooldown else at
    query = select(
        table.c.subject,
        func.max(cast(table.c.state.in_(UNFINISHED), Integer)),
        func.max(table.c.scored_at),
        func.sum(cast(table.c.opened_at > since, Integer)),
    ).where(table.c.decision == definition.decision, among(table.c.subject, subjects, connection))
    return connection.execute(query.group_by(table.c.subject)).all()


def _opened_from(connection: Connection, definition: Definition, batch: str) -> int:
    if definition.limits.per_run is None:
        return 0
    runs = Run.__table__
    # From the runs' own counts: few rows, however many cases there are.
    query = select(runs.c.counts).where(
        runs.c.decision == definition.decision, runs.c.batch == batch
    )
    found = connection.execute(query).scalars()
    return sum(counts.get("opened", 0) + counts.get("held_out", 0) for counts in found)


def spent(connection: Connection, definition: Definition, at: datetime) -> Decimal:
    """Return what the cases opened this month cost so far; 0 where no limit is set on it."""
    limit, runs = definition.limits.cost, Run.__table__
    if limit is None:
        return Decimal(0)
    query = select(runs.c.cost).where(
        runs.c.decision == definition.decision,
        runs.c.recorded_at >= month_of(definition, at),
        runs.c.cost_unit == limit.at_most.unit,
    )
    return sum((Decimal(str(cost)) for cost in connection.execute(query).scalars()), Decimal(0))


def _opened_today(
    connection: Connection,
    definition: Definition,
    assignees: Sequence[str],
    people: People,
    at: datetime,
) -> Mapping[str, int]:
    if definition.limits.per_assignee is None:
        return {}
    table = Case.__table__
    # Few rows: the cases of a run all open at one instant.
    rows = connection.execute(
        select(table.c.assignee, table.c.opened_at, func.count())
        .where(
            table.c.decision == definition.decision,
            table.c.assignee.in_(assignees),
            table.c.opened_at > at - _LONGEST_LOCAL_DAY,
        )
        .group_by(table.c.assignee, table.c.opened_at)
    )
    today: Counter[str] = Counter()
    for assignee, opened_at, count in rows:
        zone = ZoneInfo(people.person(assignee).zone)
        if opened_at.astimezone(zone).date() == at.astimezone(zone).date():
            today[assignee] += count
    return today
