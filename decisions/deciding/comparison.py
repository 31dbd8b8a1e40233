"""Two versions over the same past batches, side by side, in the numbers of a business."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from decisions import columnar
from decisions.definition import Definition

MOST_EXAMPLES = 5
_WEEK = timedelta(days=7)

_COUNTS = """
SELECT count(*) AS selected,
    count(*) FILTER (reason IS NULL AND arm = 'treatment') AS opened,
    count(*) FILTER (reason IS NULL AND arm = 'control') AS held_out,
    sum(value) FILTER (reason IS NULL AND arm = 'treatment') AS value
FROM verdicts
"""
_BY_REASON = """
SELECT split_part(reason, ':', 1) AS kind, count(*) AS n
FROM verdicts WHERE reason IS NOT NULL GROUP BY kind ORDER BY kind
"""
_BY_ASSIGNEE = """
SELECT assignee, count(*) FILTER (reason IS NULL AND arm = 'treatment') AS opened,
    count(*) FILTER (split_part(reason, ':', 1) = 'per_assignee') AS beyond
FROM verdicts GROUP BY assignee ORDER BY assignee
"""
_CHANGES = """
WITH one AS (
    SELECT subject, arg_min(action, place) AS action FROM before
    WHERE reason IS NULL GROUP BY subject
), other AS (
    SELECT subject, arg_min(action, place) AS action FROM after
    WHERE reason IS NULL GROUP BY subject
), changed AS (
    SELECT coalesce(one.subject, other.subject) AS subject,
        one.action AS before, other.action AS after,
        CASE WHEN one.action IS NULL THEN 'newly' WHEN other.action IS NULL THEN 'no longer'
            ELSE 'changed' END AS kind
    FROM one FULL JOIN other USING (subject)
    WHERE one.action IS DISTINCT FROM other.action
)
SELECT *, count(*) OVER (PARTITION BY kind) AS n FROM changed
QUALIFY row_number() OVER (PARTITION BY kind ORDER BY subject) <= $most
ORDER BY kind, subject
"""


class Side(BaseModel):
    """What one version would have done.

    Attributes:
        label: What a person calls the version.
        selected: Subjects that a rule selected, batch by batch.
        opened: Cases opened for somebody.
        held_out: Subjects left alone on purpose.
        suppressed: Subjects a limit left out, by which.
        opened_per_week: Cases opened, per week of the span.
        value: What one more success each is worth, summed over the opened cases; None if the
            version does not say.
        unit: The unit of that value.
    """

    label: str
    selected: int
    opened: int
    held_out: int
    suppressed: dict[str, int]
    opened_per_week: float
    value: float | None
    unit: str | None


class Share(BaseModel):
    """One assignee's cases under both versions, per week.

    Attributes:
        assignee: Key of the person.
        before: Cases per week under the version compared with; 0 without one.
        after: Cases per week under the version that is tried.
        limit: The tried version's limit for one person, as it is written.
        beyond: Cases per week that this limit keeps from them under the tried version.
    """

    assignee: str
    before: float
    after: float
    limit: str | None
    beyond: float


class Change(BaseModel):
    """A subject that fares otherwise; None stands for no case."""

    subject: str
    before: str | None
    after: str | None


class Comparison(BaseModel):
    """Two versions over the same batches.

    Attributes:
        decision: The decision.
        batches: How many were decided on.
        first: The instant of the first.
        last: The instant of the last.
        weeks: The span they stand for, at least one week.
        before: The version compared with; None where there is none.
        after: The version that is tried.
        assignees: Who would get how much, the greatest difference first.
        newly_opened: Subjects with a case under the tried version alone.
        no_longer_opened: Subjects with a case under the other alone.
        changed_action: Subjects with a case under both, whose first one asks for something else.
        examples: Some of each.
    """

    decision: str
    batches: int
    first: datetime
    last: datetime
    weeks: float
    before: Side | None
    after: Side
    assignees: list[Share]
    newly_opened: int
    no_longer_opened: int
    changed_action: int
    examples: list[Change]


def compared(
    tried: tuple[str, Definition, pa.Table],
    other: tuple[str, Definition, pa.Table] | None,
    instants: Sequence[datetime],
) -> Comparison:
    """Return two versions side by side.

    Args:
        tried: Label, version, and its verdicts over all batches, each with the ``place`` of its
            batch.
        other: The same of the version compared with, if there is one.
        instants: When the batches were decided on, oldest first (timezone-aware); not empty.
    """
    weeks = span_in_weeks(instants)
    before = _side(*other, weeks) if other else None
    changes = _asked(
        _CHANGES,
        {"most": MOST_EXAMPLES},
        before=other[2] if other else tried[2].slice(0, 0),
        after=tried[2],
    )
    counted = {row["kind"]: row["n"] for row in changes}
    return Comparison(
        decision=tried[1].decision,
        batches=len(instants),
        first=instants[0],
        last=instants[-1],
        weeks=weeks,
        before=before,
        after=_side(*tried, weeks),
        assignees=_shares(tried, other, weeks),
        newly_opened=counted.get("newly", 0),
        no_longer_opened=counted.get("no longer", 0),
        changed_action=counted.get("changed", 0),
        examples=[Change.model_validate(row) for row in changes],
    )


def span_in_weeks(instants: Sequence[datetime]) -> float:
    """Return the weeks that batches stand for: from the first to one usual gap behind the last.

    Args:
        instants: Oldest first; not empty.

    Returns:
        At least 1: of less than a week nothing is said per week that was not seen.
    """
    gaps = len(instants) - 1
    apart = instants[-1] - instants[0]
    whole = apart + apart / gaps if gaps else timedelta()
    return max(1.0, whole / _WEEK)


def _asked(
    query: str, parameters: dict[str, int] | None = None, **tables: pa.Table
) -> list[dict[str, Any]]:
    with columnar.session() as engine:
        for name, table in tables.items():
            engine.register(name, table)
        rows: list[dict[str, Any]] = (
            engine.sql(query, params=parameters).to_arrow_table().to_pylist()
        )
    return rows


def _side(label: str, definition: Definition, verdicts: pa.Table, weeks: float) -> Side:
    (counts,) = _asked(_COUNTS, verdicts=verdicts)
    field = definition.outcome.value if definition.outcome else None
    reasons = {row["kind"]: row["n"] for row in _asked(_BY_REASON, verdicts=verdicts)}
    return Side.model_validate(
        counts
        | {
            "label": label,
            "suppressed": reasons,
            "opened_per_week": counts["opened"] / weeks,
            "value": (counts["value"] or 0.0) if field else None,
            "unit": definition.fields[field].unit if field else None,
        }
    )


def _shares(
    tried: tuple[str, Definition, pa.Table],
    other: tuple[str, Definition, pa.Table] | None,
    weeks: float,
) -> list[Share]:
    after = {row["assignee"]: row for row in _asked(_BY_ASSIGNEE, verdicts=tried[2])}
    rows = _asked(_BY_ASSIGNEE, verdicts=other[2]) if other else []
    before = {row["assignee"]: row for row in rows}
    limit = tried[1].limits.per_assignee
    shares = [
        Share(
            assignee=name,
            before=_per_week(before, name, "opened", weeks),
            after=_per_week(after, name, "opened", weeks),
            limit=str(limit) if limit else None,
            beyond=_per_week(after, name, "beyond", weeks),
        )
        for name in sorted({*before, *after})
    ]
    return sorted(shares, key=lambda each: (-abs(each.after - each.before), -each.after))


def _per_week(rows: dict[str, dict[str, Any]], name: str, column: str, weeks: float) -> float:
    return float(rows[name][column]) / weeks if name in rows else 0.0
