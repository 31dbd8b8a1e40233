"""The rows that open cases: computed over the whole batch in DuckDB, inserted in bulk."""

from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, func, select

from decisions.deciding.allocation import period
from decisions.definition import Definition
from decisions.ledger import chain
from decisions.ledger.bulk import insert_rows, instant_sql
from decisions.ledger.records import Assignment, Case, Notification, Run
from decisions.ledger.transaction import SYSTEM, Transaction

_OPENING = """
CREATE TABLE opening AS
SELECT *, $prefix || '-' || ($last_number + place) AS key, $last_id + place AS id,
    $last_number + place AS number
FROM (
    SELECT *, row_number() OVER (ORDER BY priority DESC NULLS LAST, subject) AS place
    FROM verdicts WHERE reason IS NULL
)
"""

_CASES = """
SELECT id, key, $decision AS decision, $prefix AS prefix, number, $version_id AS version_id,
    $run_id AS run_id, subject, arm, $period AS period, rule, action, score,
    {scored_at} AS scored_at, $model_name AS model_name,
    coalesce(model_version, '') AS model_version, facts, priority,
    value, CASE arm WHEN 'control' THEN 'held_out' ELSE 'open' END AS state, assignee,
    {opened_at} AS opened_at,
    CASE arm WHEN 'treatment' THEN {respond_by} END AS respond_by,
    {outcome_due_at} AS outcome_due_at, 0 AS cycle, 0 AS step, 0 AS revision
FROM opening ORDER BY id
"""

_ASSIGNMENTS = """
SELECT id AS case_id, assignee, in_place_of, $actor AS by, {opened_at} AS at, because
FROM opening WHERE arm = 'treatment' ORDER BY id
"""

_NOTIFICATIONS = """
SELECT key || ':0:0:' || assignee || ':asked' AS key, id AS case_id, 'asked' AS kind,
    assignee AS recipient, because, 'pending' AS state, 0 AS attempts,
    {opened_at} AS next_at, {opened_at} AS created_at
FROM opening WHERE arm = 'treatment' ORDER BY id
"""

# An entry names the case and pins its evidence by hash; the evidence itself lies beside the chain.
_ENTRIES = """
WITH told AS (
    SELECT id, key AS object, CASE arm WHEN 'control' THEN 'held out' ELSE 'opened' END AS act,
        CAST(to_json({{
            'action': action, 'arm': arm, 'assignee': assignee,
            'evidence': sha256(key || '|' || subject || '|' || facts), 'rule': rule,
            'run': $run_id, 'score': score
        }}) AS VARCHAR) AS body
    FROM opening
)
SELECT $actor AS actor, NULL::VARCHAR AS in_place_of, act, object, body,
    sha256(sha256($written_at) || sha256($actor) || sha256('') || sha256(act) || sha256(object)
        || sha256(body)) AS sha256
FROM told ORDER BY id
"""


def open_cases(
    transaction: Transaction, definition: Definition, run: Run, verdicts: pa.Table
) -> None:
    """Open a case for every verdict without a reason against it.

    Args:
        transaction: The run's transaction.
        definition: The decision.
        run: The run, already recorded.
        verdicts: ``evaluation.selected``'s columns with ``assignee``, ``in_place_of``,
            ``because``, ``respond_by``, ``arm`` and ``reason``.
    """
    connection = transaction.connection
    known = _known(transaction, definition, run)
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register("verdicts", verdicts)
        engine.execute(_OPENING, _named_in(_OPENING, known))
        for record, query in (
            (Case, _CASES),
            (Assignment, _ASSIGNMENTS),
            (Notification, _NOTIFICATIONS),
        ):
            insert_rows(connection, record, _rows(engine, query, known, connection))
        entries = _rows(engine, _ENTRIES, known, connection).to_pylist()
    transaction.enter_all([row | {"at": transaction.at} for row in entries])


def _known(transaction: Transaction, definition: Definition, run: Run) -> dict[str, Any]:
    table, connection = Case.__table__, transaction.connection
    last_number = select(func.coalesce(func.max(table.c.number), 0)).where(
        table.c.prefix == definition.prefix
    )
    outcome = definition.outcome
    return {
        # Ids are ours to give: nobody else writes until this transaction ends.
        "last_id": connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one(),
        "last_number": connection.execute(last_number).scalar_one(),
        "prefix": definition.prefix,
        "decision": definition.decision,
        "version_id": run.version_id,
        "run_id": run.id,
        "period": period(definition),
        "model_name": definition.signal.model.name,
        "opened_at": transaction.at,
        "outcome_due_at": transaction.at + outcome.matures_after if outcome else None,
        "actor": SYSTEM,
        "written_at": chain.written(transaction.at),
    }


def _rows(
    engine: duckdb.DuckDBPyConnection, query: str, known: dict[str, Any], connection: Connection
) -> pa.Table:
    filled = query.format(
        scored_at=instant_sql("scored_at", connection),
        respond_by=instant_sql("respond_by", connection),
        opened_at=instant_sql("CAST($opened_at AS TIMESTAMPTZ)", connection),
        outcome_due_at=instant_sql("CAST($outcome_due_at AS TIMESTAMPTZ)", connection),
    )
    rows: pa.Table = engine.sql(filled, params=_named_in(filled, known)).to_arrow_table()
    return rows


def _named_in(query: str, known: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in known.items() if f"${name}" in query}
