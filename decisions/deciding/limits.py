"""Who comes first when not all may: one verdict for every subject a rule has selected.

Held-out subjects take their place in every limit like the others, so that both arms are chosen by
the same rule and stay comparable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa

from decisions import columnar
from decisions.canonical import sha256
from decisions.deciding.allocation import draw, draw_sql
from decisions.definition import Definition, Limits
from decisions.quantities import Rate, Share
from decisions.release import Placing, Stage

ALREADY_OPEN = "already open"
ALREADY_DECIDED = "already decided"
PER_SUBJECT = "per_subject"
PER_ASSIGNEE = "per_assignee"
PER_RUN = "per_run"
RAMP = "ramp"
COST = "cost"
"""What the reason of a limit begins with; the limit itself follows: ``per_run: 200``."""


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger knows of the subjects of a batch before it is recorded.

    Attributes:
        cases: One row for each subject that ever had a case of this decision: ``subject``,
            ``unfinished`` (0 or 1), ``last_scored_at`` (UTC), ``recent`` (cases opened within the
            span of ``per_subject``).
        today: Cases opened since the assignee's midnight, by assignee.
        spent: What this month's cases cost so far, in the unit of the limit.
        in_batch: Cases opened by earlier runs over this very batch; they take places of
            ``per_run``, so that running again is no way around it.
    """

    cases: pa.Table
    today: Mapping[str, int]
    in_batch: int = 0
    spent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of one subject before its record is decided on.

    Attributes:
        is_unfinished: Whether a case of theirs is.
        last_scored_at: The latest score that a case of theirs was opened for (timezone-aware).
        recent: Their cases opened within the span of ``per_subject``.
        today: Cases opened since the assignee's midnight.
        in_batch: As in ``History``.
        spent: As in ``History``.
    """

    is_unfinished: bool = False
    last_scored_at: datetime | None = None
    recent: int = 0
    today: int = 0
    in_batch: int = 0
    spent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Ramp:
    """The share of subjects that a version may act on while it ramps.

    The same subjects at every run, and all of them still when the share grows; drawn apart from
    the arms, so that both arms are let through alike.

    Attributes:
        decision: The decision's name.
        placing: The stage, such as ``ramp 25%``.
    """

    decision: str
    placing: Placing

    @classmethod
    def of(cls, decision: str, placing: Placing) -> "Ramp | None":
        """Return the ramp of a stage, None for a stage that lets everybody through."""
        return cls(decision, placing) if placing.stage is Stage.RAMP else None

    @property
    def reason(self) -> str:
        """Why the others are suppressed, such as ``ramp: 25%``."""
        return f"{RAMP}: {Share(self.placing.share)}"

    @property
    def is_outside(self) -> str:
        """DuckDB SQL of whether the subject ``m.subject`` is not among those let through."""
        place = draw_sql(period=self._period, decision=self.decision, subject="m.subject")
        return f"{place} >= {self.placing.share!r}"

    def leaves_out(self, subject: str) -> bool:
        """Whether a subject is not among those let through."""
        place = draw(period=self._period, decision=self.decision, subject=subject)
        return place >= self.placing.share

    @property
    def _period(self) -> str:
        return sha256(f"ramp|{self.decision}")


_VERDICTS = """
WITH known AS (
    SELECT m.position, m.subject, m.assignee, m.priority, {cost} AS cost,
        CASE
            WHEN h.unfinished = 1 THEN $already_open
            WHEN m.scored_at <= h.last_scored_at THEN $already_decided
            WHEN {outside} THEN $ramp
            WHEN h.recent >= $per_subject_count THEN $per_subject
        END AS reason
    FROM (SELECT *, row_number() OVER () AS position FROM matches) m
        LEFT JOIN history h USING (subject)
), by_assignee AS (
    SELECT k.*, coalesce(t.count, 0) + row_number() OVER (
        PARTITION BY k.reason IS NULL, k.assignee
        ORDER BY k.priority DESC NULLS LAST, k.subject) AS place
    FROM known k LEFT JOIN today t USING (assignee)
), within_day AS (
    SELECT * REPLACE (
        CASE WHEN reason IS NULL AND place > $per_assignee_count THEN $per_assignee ELSE reason END
        AS reason)
    FROM by_assignee
), by_run AS (
    SELECT *, row_number() OVER places AS run_place,
        sum(cost) OVER (places ROWS UNBOUNDED PRECEDING) AS spent
    FROM within_day
    WINDOW places AS (PARTITION BY reason IS NULL ORDER BY priority DESC NULLS LAST, subject)
)
SELECT position,
    CASE
        WHEN reason IS NULL AND run_place > $per_run_count THEN $per_run
        WHEN reason IS NULL AND spent > CAST($left AS DECIMAL(38, 6)) THEN $cost
        ELSE reason
    END AS reason
FROM by_run ORDER BY position
"""

_UNLIMITED = 2**62
_SMALLEST = Decimal("0.000001")


def reasons(
    matches: pa.Table, history: History, limits: Limits, ramp: Ramp | None = None
) -> pa.ChunkedArray:
    """Return for every match why it is suppressed, or null where it may go on.

    Args:
        matches: Columns ``subject``, ``scored_at``, ``assignee``, ``priority``, ``facts``; one row
            a subject.
        history: What the ledger knows of them.
        limits: The definition's limits.
        ramp: The share that may pass at all; None for everybody. Whoever does not takes no place
            of another in any limit.

    Returns:
        Shape (matches,), strings or null, in the order of ``matches``.
    """
    bounds = {
        "already_open": ALREADY_OPEN,
        "already_decided": ALREADY_DECIDED,
        "per_subject": f"{PER_SUBJECT}: {limits.per_subject}",
        "per_assignee": f"{PER_ASSIGNEE}: {limits.per_assignee}",
        "per_run": f"{PER_RUN}: {limits.per_run}",
        "cost": f"{COST}: {limits.cost.at_most if limits.cost else None}",
        "ramp": ramp.reason if ramp else RAMP,
        "per_subject_count": limits.per_subject.count if limits.per_subject else _UNLIMITED,
        "per_assignee_count": limits.per_assignee.count if limits.per_assignee else _UNLIMITED,
        "per_run_count": max(0, (limits.per_run or _UNLIMITED) - history.in_batch),
        "left": str(limits.cost.at_most.size - history.spent if limits.cost else 0),
    }
    today = columnar.table(history.today.items(), assignee="VARCHAR", count="BIGINT")
    with columnar.session() as engine:
        engine.register("matches", matches)
        engine.register("history", history.cases)
        engine.register("today", today)
        query = _VERDICTS.format(
            cost=_cost_sql(limits), outside=ramp.is_outside if ramp else "false"
        )
        verdicts: pa.Table = engine.sql(query, params=bounds).to_arrow_table()
    return verdicts.column("reason")


def reason_of_one(
    subject: str,
    scored_at: datetime,
    cost: Decimal,
    known: Known,
    limits: Limits,
    ramp: Ramp | None = None,
) -> str | None:
    """Return why one subject is suppressed, or None: as ``reasons`` says of a batch of one.

    Args:
        subject: The subject.
        scored_at: When it was scored (timezone-aware).
        cost: What its case costs, in the limit's unit; see ``cost_of_one``.
        known: What the ledger knows of it.
        limits: The definition's limits.
        ramp: The share that may pass at all; None for everybody.
    """
    last, budget = known.last_scored_at, limits.cost
    speaks_against = (
        (known.is_unfinished, ALREADY_OPEN),
        (last is not None and scored_at <= last, ALREADY_DECIDED),
        (ramp is not None and ramp.leaves_out(subject), ramp.reason if ramp else RAMP),
        (_is_used(known.recent, limits.per_subject), f"{PER_SUBJECT}: {limits.per_subject}"),
        (_is_used(known.today, limits.per_assignee), f"{PER_ASSIGNEE}: {limits.per_assignee}"),
        (
            limits.per_run is not None and known.in_batch >= limits.per_run,
            f"{PER_RUN}: {limits.per_run}",
        ),
        (
            budget is not None and cost > budget.at_most.size - known.spent,
            f"{COST}: {budget.at_most if budget else None}",
        ),
    )
    return next((reason for holds, reason in speaks_against if holds), None)


def cost_of_one(facts: Mapping[str, object], limits: Limits) -> Decimal:
    """Return what one case costs, as ``cost`` counts it; 0 without a limit on it."""
    value = facts.get(limits.cost.of) if limits.cost else None
    if value is None:
        return Decimal(0)
    return Decimal(str(min(float(str(value)), 1e15))).quantize(_SMALLEST, ROUND_HALF_UP)


def _is_used(count: int, limit: Rate | None) -> bool:
    return limit is not None and count >= limit.count


def kind(reason: str) -> str:
    """Return which limit a reason is of: one of the constants above."""
    return reason.partition(":")[0]


def month_of(definition: Definition, at: datetime) -> datetime:
    """Return when the month began that a decision's costs are counted in (timezone-aware).

    Args:
        definition: The decision; its schedule names the zone, else it is UTC.
        at: An instant of that month (timezone-aware).
    """
    zone = ZoneInfo(definition.schedule.zone if definition.schedule else "UTC")
    local = at.astimezone(zone)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def cost(verdicts: pa.Table, limits: Limits) -> Decimal:
    """Return what the cases cost together that nothing speaks against, in the limit's unit.

    Args:
        verdicts: Columns ``facts`` and ``reason``.
        limits: The definition's limits; without one on the cost, it is 0.
    """
    if limits.cost is None:
        return Decimal(0)
    query = f"SELECT sum({_cost_sql(limits)}) AS total FROM verdicts AS m WHERE reason IS NULL"
    with columnar.session() as engine:
        engine.register("verdicts", verdicts.select(["facts", "reason"]))
        total = engine.sql(query).to_arrow_table().column(0)[0].as_py()
    return Decimal(total or 0)


def _cost_sql(limits: Limits) -> str:
    """Return SQL of what a match costs: exact, so that no sum depends on the order it is made in.

    Both arms cost alike here, since both take their place; a larger cost than a quadrillion is
    one, and beyond any budget all the same.
    """
    if limits.cost is None:
        return "0::DECIMAL(38, 6)"
    # A field's name is made of letters, digits and underscores.
    found = f"CAST(m.facts ->> '$.{limits.cost.of}' AS DOUBLE)"
    return f"CAST(round(least({found}, 1e15), 6) AS DECIMAL(38, 6))"
