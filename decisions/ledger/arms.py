"""The arms of subjects: read where they were drawn before, drawn and stored where not."""

import pyarrow as pa
from sqlalchemy import Connection, select

from decisions import columnar
from decisions.deciding import allocation
from decisions.definition import Definition
from decisions.effectiveness.declaration import Declaration
from decisions.ledger.bulk import among, insert_rows
from decisions.ledger.records import Allocation, Arm


def arms_of(
    connection: Connection, definition: Definition, matches: pa.Table, period: str
) -> pa.ChunkedArray:
    """Return the arm of each match; a stored one is never redrawn.

    Args:
        connection: A connection to the ledger.
        definition: The decision.
        matches: Column ``subject``.
        period: Name of the measurement period; empty without a holdout.

    Returns:
        Shape (matches,), ``treatment`` or ``control``, in the order of ``matches``.
    """
    holdout = definition.holdout
    if holdout is None:
        return _treatment(matches)
    table = Allocation.__table__
    stored = connection.execute(
        select(table.c.subject, table.c.arm).where(
            table.c.decision == definition.decision,
            table.c.period == period,
            among(table.c.subject, matches.column("subject").to_pylist(), connection),
        )
    ).all()
    number = allocation.draw_sql(period=period, decision=definition.decision, subject="m.subject")
    query = f"""
        SELECT coalesce(
            s.arm, CASE WHEN {number} < $share THEN 'control' ELSE 'treatment' END
        ) AS arm
        FROM (SELECT *, row_number() OVER () AS position FROM matches) m
            LEFT JOIN stored s USING (subject) ORDER BY m.position
    """
    with columnar.session() as engine:
        engine.register("matches", matches.select(["subject"]))
        engine.register("stored", columnar.table(stored, subject="VARCHAR", arm="VARCHAR"))
        drawn: pa.Table = engine.sql(query, params={"share": holdout.share.of_one}).to_arrow_table()
    return drawn.column("arm")


def store_arms(
    connection: Connection,
    definition: Definition,
    matches: pa.Table,
    arms: pa.ChunkedArray,
    *,
    period: str,
    run_id: int,
) -> None:
    """Store the arms that are not stored yet, with the hash of what was declared when drawn."""
    declared = Declaration.of(definition)
    if declared is None:
        return
    same = {
        "decision": definition.decision,
        "period": period,
        "run_id": run_id,
        "declaration": declared.sha256,
    }
    rows = pa.table({"subject": matches.column("subject"), "arm": arms})
    insert_rows(connection, Allocation, rows, same=same, skip_known=True)


def _treatment(matches: pa.Table) -> pa.ChunkedArray:
    with columnar.session() as engine:
        engine.register("matches", matches.select(["subject"]))
        all_alike = engine.sql(f"SELECT '{Arm.TREATMENT}' AS arm FROM matches")
        return all_alike.to_arrow_table().column("arm")
