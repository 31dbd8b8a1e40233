"""Which row of another system belongs to which case: proofs of interventions, and outcomes."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from sqlglot import exp

from decisions import columnar
from decisions.deciding.evaluation import relation_sql
from decisions.definition import Outcome, Proof, Relation
from decisions.ports import Warehouse
from decisions.rules.columns import as_text, cast, quoted, zero_or_one

_AT = "timestamp"
_DAYS = (exp.DType.DATE, exp.DType.DATE32)

_FIRST_PROOF = """
SELECT c.case_id, greatest(min(r.happened_at), c.opened_at) AS acted_at
FROM cases c JOIN found r ON r.subject = c.subject
    AND r.happened_at >= c.counts_from AND r.happened_at < c.opened_at + $window
GROUP BY c.case_id, c.opened_at ORDER BY c.case_id
"""

_LAST_OUTCOME = """
WITH latest AS (
    SELECT c.case_id, min(r.value) AS value, count(DISTINCT r.value) = 1 AS is_clear,
        CASE WHEN r.happened_at < c.opened_at THEN c.opened_at ELSE r.happened_at END AS observed_at
    FROM cases c JOIN found r ON r.subject = c.subject AND r.value IS NOT NULL
        AND (r.happened_at IS NULL
            OR (r.happened_at >= c.counts_from AND r.happened_at < c.opened_at + $window))
    GROUP BY c.case_id, c.opened_at, r.happened_at
    QUALIFY row_number() OVER (
        PARTITION BY c.case_id ORDER BY r.happened_at DESC NULLS LAST) = 1
)
SELECT c.case_id, CASE WHEN l.is_clear THEN 'observed' ELSE 'missing' END AS state,
    CASE WHEN l.is_clear THEN l.value END AS value,
    CASE WHEN l.is_clear THEN l.observed_at END AS observed_at
FROM cases c LEFT JOIN latest l USING (case_id)
ORDER BY c.case_id
"""


def proofs(
    proof: Proof, warehouse: Warehouse, cases: pa.Table, *, window: timedelta, now: datetime
) -> pa.Table:
    """Return the first proof that something was done for each case within its window.

    Where only days are known, a day counts if any of it lies in the window (days of UTC).

    Args:
        proof: Where proofs are read.
        warehouse: The connection it names.
        cases: Columns ``case_id``, ``subject``, ``opened_at`` (UTC).
        window: How long after opening a proof counts.
        now: Rows dated later are not looked at (timezone-aware).

    Returns:
        ``case_id``, ``acted_at`` (UTC); cases without a proof are not in it.

    Raises:
        ConnectorError: The warehouse did not answer.
    """
    since = min(cases.column("opened_at").to_pylist())
    relation = relation_sql(proof, warehouse)
    at = cast(quoted(proof.at, warehouse.dialect), _AT, warehouse.dialect)
    query = (
        f"SELECT {_subject(proof.on, warehouse)} AS subject, {at} AS happened_at "
        f"FROM {relation} AS r WHERE {_between(at, since, now, warehouse)}"
    )
    opened = _opened(cases, in_days=_is_of(proof.at, relation, warehouse, *_DAYS))
    return _joined(_FIRST_PROOF, opened, warehouse.select(query), window)


def outcomes(outcome: Outcome, warehouse: Warehouse, cases: pa.Table) -> pa.Table:
    """Return the last outcome of each case within its window.

    Where only days are known, a day counts if any of it lies in the window (days of UTC). Rows
    that contradict one another at that instant tell nothing: the outcome is missing.

    Args:
        outcome: What is measured, and where it is read.
        warehouse: The connection it names.
        cases: Columns ``case_id``, ``subject``, ``opened_at`` (UTC); their windows have closed.

    Returns:
        ``case_id``, ``state`` (observed or missing), ``value``, ``observed_at`` (UTC or null);
        one row for each case.

    Raises:
        ConnectorError: The warehouse did not answer.
    """
    dialect, relation = warehouse.dialect, relation_sql(outcome, warehouse)
    opened = cases.column("opened_at").to_pylist()
    measure = quoted(outcome.measure, dialect)
    if _is_of(outcome.measure, relation, warehouse, exp.DType.BOOLEAN):
        measure = zero_or_one(measure)
    measure = cast(measure, "float", dialect)
    at = cast(quoted(outcome.at, dialect), _AT, dialect) if outcome.at else None
    within = (
        f" WHERE {_between(at, min(opened), max(opened) + outcome.window.elapsed, warehouse)}"
        if at
        else ""
    )
    query = (
        f"SELECT {_subject(outcome.on, warehouse)} AS subject, {measure} AS value, "
        f"{at or 'CAST(NULL AS TIMESTAMP)'} AS happened_at "
        f"FROM {relation} AS r{within}"
    )
    in_days = outcome.at is not None and _is_of(outcome.at, relation, warehouse, *_DAYS)
    found = warehouse.select(query)
    return _joined(_LAST_OUTCOME, _opened(cases, in_days=in_days), found, outcome.window.elapsed)


def _is_of(column: str, relation: str, warehouse: Warehouse, *wanted: exp.DType) -> bool:
    types = {name.lower(): kind for name, kind in warehouse.columns(relation).items()}
    kind = types.get(column.lower())
    return bool(kind and exp.DataType.build(kind, dialect=warehouse.dialect).is_type(*wanted))


def _opened(cases: pa.Table, *, in_days: bool) -> pa.Table:
    """Return the cases with ``counts_from``: the opening, or where its day began (UTC)."""
    import pyarrow.compute as pc

    opened = cases.column("opened_at")
    return cases.append_column(
        "counts_from", pc.floor_temporal(opened, unit="day") if in_days else opened
    )


def _subject(column: str, warehouse: Warehouse) -> str:
    return as_text(quoted(column, warehouse.dialect), warehouse.dialect)


def _between(at: str, since: datetime, until: datetime, warehouse: Warehouse) -> str:
    start_of_day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = (
        cast(
            exp.Literal.string(f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00").sql(
                warehouse.dialect
            ),
            _AT,
            warehouse.dialect,
        )
        for instant in (start_of_day, until)
    )
    return f"{at} >= {first} AND {at} <= {last}"


def _joined(query: str, cases: pa.Table, found: pa.Table, window: timedelta) -> pa.Table:
    with columnar.session() as engine:
        engine.register("cases", cases)
        engine.register("rows_found", found)
        engine.execute(
            "CREATE TEMP TABLE found AS SELECT * REPLACE "
            "(CAST(happened_at AS TIMESTAMPTZ) AS happened_at) FROM rows_found"
        )
        joined: pa.Table = engine.sql(query, params={"window": window}).to_arrow_table()
    return joined


def describes(relation: Relation) -> str:
    """Return a relation's name for people: its table, file or query."""
    return relation.table or relation.path or "a query"
