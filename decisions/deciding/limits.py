"""Who comes first when not all may: one verdict for every subject a rule has selected.

Held-out subjects take their place in every limit like the others, so that both arms are chosen by
the same rule and stay comparable.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from decisions import columnar
from decisions.definition import Limits

ALREADY_OPEN = "already open"
ALREADY_DECIDED = "already decided"
PER_SUBJECT = "per_subject"
PER_ASSIGNEE = "per_assignee"
PER_RUN = "per_run"


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger knows of the subjects of a batch before it is recorded.

    Attributes:
        cases: One row for each subject that ever had a case of this decision: ``subject``,
            ``unfinished`` (0 or 1), ``last_scored_at`` (UTC), ``recent`` (cases opened within the
            span of ``per_subject``).
        today: Cases opened since the assignee's midnight, by assignee.
        in_batch: Cases opened by earlier runs over this very batch; they take places of
            ``per_run``, so that running again is no way around it.
    """

    cases: pa.Table
    today: Mapping[str, int]
    in_batch: int = 0


_VERDICTS = """
WITH known AS (
    SELECT m.position, m.subject, m.assignee, m.priority,
        CASE
            WHEN h.unfinished = 1 THEN $already_open
            WHEN m.scored_at <= h.last_scored_at THEN $already_decided
            WHEN h.recent >= $per_subject_count THEN $per_subject
        END AS reason
    FROM matches m LEFT JOIN history h USING (subject)
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
    SELECT *, row_number() OVER (
        PARTITION BY reason IS NULL ORDER BY priority DESC NULLS LAST, subject) AS run_place
    FROM within_day
)
SELECT position,
    CASE WHEN reason IS NULL AND run_place > $per_run_count THEN $per_run ELSE reason END AS reason
FROM by_run ORDER BY position
"""

_UNLIMITED = 2**62


def reasons(matches: pa.Table, history: History, limits: Limits) -> pa.ChunkedArray:
    """Return for every match why it is suppressed, or null where it may go on.

    Args:
        matches: Columns ``subject``, ``scored_at``, ``assignee``, ``priority``; one row a subject.
        history: What the ledger knows of them.
        limits: The definition's limits.

    Returns:
        Shape (matches,), strings or null, in the order of ``matches``.
    """
    positioned = matches.append_column("position", pa.array(range(matches.num_rows), pa.int64()))
    today = pa.table(
        {
            "assignee": pa.array(list(history.today), pa.string()),
            "count": pa.array(list(history.today.values()), pa.int64()),
        }
    )
    bounds = {
        "already_open": ALREADY_OPEN,
        "already_decided": ALREADY_DECIDED,
        "per_subject": PER_SUBJECT,
        "per_assignee": PER_ASSIGNEE,
        "per_run": PER_RUN,
        "per_subject_count": limits.per_subject.count if limits.per_subject else _UNLIMITED,
        "per_assignee_count": limits.per_assignee.count if limits.per_assignee else _UNLIMITED,
        "per_run_count": max(0, (limits.per_run or _UNLIMITED) - history.in_batch),
    }
    with columnar.session() as engine:
        engine.register("matches", positioned)
        engine.register("history", history.cases)
        engine.register("today", today)
        verdicts: pa.Table = engine.sql(_VERDICTS, params=bounds).to_arrow_table()
    return verdicts.column("reason")
