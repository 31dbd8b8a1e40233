"""Which row of another system belongs to which case: proofs of interventions, and outcomes."""

from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
from sqlglot import exp

from decisions.definition import Outcome, Proof, Relation
from decisions.evaluation import cast, quoted, relation_sql
from decisions.ports import Warehouse

_AT = "timestamp"

_FIRST_PROOF = """
SELECT c.case_id, min(r.happened_at) AS acted_at
FROM cases c JOIN found r ON r.subject = c.subject
    AND r.happened_at >= c.opened_at AND r.happened_at < c.opened_at + $window
GROUP BY c.case_id ORDER BY c.case_id
"""

_LAST_OUTCOME = """
SELECT c.case_id, CASE WHEN r.value IS NULL THEN 'missing' ELSE 'observed' END AS state,
    r.value, r.happened_at AS observed_at
FROM cases c LEFT JOIN LATERAL (
    SELECT value, happened_at FROM found
    WHERE subject = c.subject AND value IS NOT NULL
        AND (happened_at IS NULL
            OR (happened_at >= c.opened_at AND happened_at < c.opened_at + $window))
    ORDER BY happened_at DESC NULLS LAST LIMIT 1
) r ON true
ORDER BY c.case_id
"""


def proofs(
    proof: Proof, warehouse: Warehouse, cases: pa.Table, *, window: timedelta, now: datetime
) -> pa.Table:
    """Return the first proof that something was done for each case within its window.

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
    at = cast(quoted(proof.at, warehouse.dialect), _AT, warehouse.dialect)
    query = (
        f"SELECT {_subject(proof.on, warehouse)} AS subject, {at} AS happened_at "
        f"FROM {relation_sql(proof, warehouse)} AS r WHERE {_between(at, since, now, warehouse)}"
    )
    return _joined(_FIRST_PROOF, cases, warehouse.select(query), window)


def outcomes(outcome: Outcome, warehouse: Warehouse, cases: pa.Table) -> pa.Table:
    """Return the last outcome of each case within its window.

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
    dialect = warehouse.dialect
    opened = cases.column("opened_at").to_pylist()
    measure = cast(quoted(outcome.measure, dialect), "float", dialect)
    at = cast(quoted(outcome.at, dialect), _AT, dialect) if outcome.at else None
    within = (
        f" WHERE {_between(at, min(opened), max(opened) + outcome.window.elapsed, warehouse)}"
        if at
        else ""
    )
    query = (
        f"SELECT {_subject(outcome.on, warehouse)} AS subject, {measure} AS value, "
        f"{at or 'CAST(NULL AS TIMESTAMP)'} AS happened_at "
        f"FROM {relation_sql(outcome, warehouse)} AS r{within}"
    )
    return _joined(_LAST_OUTCOME, cases, warehouse.select(query), outcome.window.elapsed)


def _subject(column: str, warehouse: Warehouse) -> str:
    return f"CAST({quoted(column, warehouse.dialect)} AS VARCHAR)"


def _between(at: str, since: datetime, until: datetime, warehouse: Warehouse) -> str:
    first, last = (
        cast(
            exp.Literal.string(f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00").sql(
                warehouse.dialect
            ),
            _AT,
            warehouse.dialect,
        )
        for instant in (since, until)
    )
    return f"{at} >= {first} AND {at} <= {last}"


def _joined(query: str, cases: pa.Table, found: pa.Table, window: timedelta) -> pa.Table:
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register("cases", cases)
        engine.register("rows_found", found)
        engine.execute(
            "CREATE TABLE found AS SELECT * REPLACE "
            "(CAST(happened_at AS TIMESTAMPTZ) AS happened_at) FROM rows_found"
        )
        joined: pa.Table = engine.sql(query, params={"window": window}).to_arrow_table()
    return joined


def describes(relation: Relation) -> str:
    """Return a relation's name for people: its table, file or query."""
    return relation.table or relation.path or "a query"
