"""The rows that open cases: computed over the whole batch in DuckDB, inserted in bulk."""

from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, func, select

from decisions import columnar
from decisions.definition import Definition
from decisions.ledger import chain
from decisions.ledger.bulk import CHUNK, insert_rows, instant_sql, stored_instant
from decisions.ledger.records import (
    Assignment,
    Case,
    Notification,
    NotificationState,
    Record,
    Run,
)
from decisions.ledger.transaction import SYSTEM, Transaction
from decisions.ports import Kind

# Only places are sorted and kept; the rows themselves stay where they are until they are written.
_PLACES = """
CREATE TEMP TABLE places AS
SELECT position, row_number() OVER (ORDER BY priority DESC NULLS LAST, subject) AS place
FROM (SELECT position, priority, subject FROM placed WHERE reason IS NULL)
"""

_OPENING = """
WITH opening AS (
    SELECT v.*, $prefix || '-' || ($last_number + p.place) AS key, $last_id + p.place AS id,
        $last_number + p.place AS number
    FROM placed v JOIN places p USING (position)
)
"""

_CASES = """
SELECT id, key, number, subject, arm, rule, action, score, {scored_at} AS scored_at,
    coalesce(model_version, '') AS model_version, facts, priority, value,
    CASE arm WHEN 'control' THEN 'held_out' ELSE 'open' END AS state, assignee,
    CASE arm WHEN 'treatment' THEN {respond_by} END AS respond_by
FROM opening ORDER BY id
"""

_ASSIGNMENTS = """
SELECT id AS case_id, assignee, in_place_of, because
FROM opening WHERE arm = 'treatment' ORDER BY id
"""

_NOTIFICATIONS = """
SELECT key || ':0:0:' || assignee || ':asked' AS key, id AS case_id, assignee AS recipient,
    because, map($actions, $routes)[action] AS route
FROM opening WHERE arm = 'treatment' ORDER BY id
"""

# An entry names the case and pins its evidence by hash; the evidence itself lies beside the chain.
_ENTRIES = """
, told AS (
    SELECT id, key AS object, CASE arm WHEN 'control' THEN 'held out' ELSE 'opened' END AS act,
        CAST(to_json({{
            'action': action, 'arm': arm, 'assignee': assignee,
            'evidence': sha256(key || '|' || subject || '|' || facts), 'rule': rule,
            'run': $run_id, 'score': score
        }}) AS VARCHAR) AS body
    FROM opening
)
SELECT act, object, body, {leaf} AS sha256 FROM told ORDER BY id
"""

_WRITTEN: dict[type[Record], str] = {
    Case: _CASES,
    Assignment: _ASSIGNMENTS,
    Notification: _NOTIFICATIONS,
}


def open_cases(
    transaction: Transaction, definition: Definition, run: Run, verdicts: pa.Table, period: str
) -> None:
    """Open a case for every verdict without a reason against it.

    Args:
        transaction: The run's transaction.
        definition: The decision.
        run: The run, already recorded.
        verdicts: ``evaluation.selected``'s columns with ``assignee``, ``in_place_of``,
            ``because``, ``respond_by``, ``arm`` and ``reason``.
        period: Name of the measurement period; empty without a holdout.
    """
    known, connection = _known(transaction, definition, run), transaction.connection
    same = constants(transaction, definition, run, period)
    with columnar.session() as engine:
        engine.register("placed", _placed(verdicts))
        engine.execute(_PLACES)
        for record, query in _WRITTEN.items():
            # A chunk after the other: of a million cases not all need be here at once.
            for rows in _rows(engine, query, known, connection).to_arrow_reader(CHUNK):
                chunk = pa.Table.from_batches([rows])
                insert_rows(connection, record, chunk, same=same[record])
        transaction.enter_all(_rows(engine, _ENTRIES, known, connection).to_arrow_table())


def _placed(verdicts: pa.Table) -> pa.Table:
    """Return the verdicts with their positions; no other column is copied."""
    with columnar.session() as engine:
        query = "SELECT range AS position FROM range($rows)"
        positions = engine.sql(query, params={"rows": verdicts.num_rows}).to_arrow_table()
    return verdicts.append_column("position", positions.column("position"))


def next_numbers(connection: Connection, definition: Definition) -> tuple[int, int]:
    """Return the id of the last case, and the number of the decision's last, 0 for none.

    Ids are ours to give: nobody else writes until this transaction ends.
    """
    table = Case.__table__
    numbered = select(func.coalesce(func.max(table.c.number), 0))
    of_prefix = numbered.where(table.c.prefix == definition.prefix).scalar_subquery()
    query = select(func.coalesce(func.max(table.c.id), 0), of_prefix)
    last_id, last_number = connection.execute(query).one()
    return int(last_id), int(last_number)


def _known(transaction: Transaction, definition: Definition, run: Run) -> dict[str, Any]:
    last_id, last_number = next_numbers(transaction.connection, definition)
    return {
        "last_id": last_id,
        "last_number": last_number,
        "prefix": definition.prefix,
        "run_id": run.id,
        "actions": list(definition.actions),
        "routes": [action.through[0] for action in definition.actions.values()],
        "actor": SYSTEM,
        "written_at": chain.written(transaction.at),
    }


def constants(
    transaction: Transaction, definition: Definition, run: Run, period: str
) -> dict[type[Record], dict[str, Any]]:
    """Return, for each table, the columns that are the same in all rows of the run."""
    connection, outcome = transaction.connection, definition.outcome
    now = stored_instant(transaction.at, connection)
    due_at = transaction.at + outcome.matures_after if outcome else None
    case = {
        "decision": definition.decision,
        "prefix": definition.prefix,
        "version_id": run.version_id,
        "run_id": run.id,
        "period": period,
        "model_name": definition.signal.model.name,
        "opened_at": now,
        "outcome_due_at": stored_instant(due_at, connection),
    }
    queued = {"kind": Kind.ASKED.value, "state": NotificationState.PENDING.value, "attempts": 0}
    return {
        Case: case | dict.fromkeys(("cycle", "step", "revision"), 0),
        Assignment: {"by": SYSTEM, "at": now},
        Notification: queued | {"next_at": now, "created_at": now},
    }


def _rows(
    engine: duckdb.DuckDBPyConnection, query: str, known: dict[str, Any], connection: Connection
) -> duckdb.DuckDBPyRelation:
    filled = (_OPENING + query).format(
        scored_at=instant_sql("scored_at", connection),
        respond_by=instant_sql("respond_by", connection),
        leaf=chain.LEAF_SQL,
    )
    return engine.sql(filled, params=_named_in(filled, known))


def _named_in(query: str, known: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in known.items() if f"${name}" in query}
