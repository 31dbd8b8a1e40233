"""What ends the wait for an outcome, and what is told of it."""

from collections.abc import Sequence

import pyarrow as pa
from sqlalchemy import update

from decisions import columnar
from decisions.ledger import chain
from decisions.ledger.bulk import among
from decisions.ledger.records import Case, CaseState
from decisions.ledger.transaction import SYSTEM, Transaction


def tell(transaction: Transaction, act: str, rows: pa.Table, names: Sequence[str]) -> None:
    """Enter an act on each row's case, column ``key``, with the named columns."""
    packed = ", ".join(f'"{name}" := "{name}"' for name in sorted(names))
    query = f"""
        WITH told AS (
            SELECT CAST($act AS VARCHAR) AS act, key AS object,
                CAST(to_json(struct_pack({packed})) AS VARCHAR) AS body
            FROM rows_told
        )
        SELECT *, {chain.LEAF_SQL} AS sha256 FROM told
    """
    known = {"act": act, "actor": SYSTEM, "written_at": chain.written(transaction.at)}
    with columnar.session() as engine:
        engine.register("rows_told", rows)
        transaction.enter_all(engine.sql(query, params=known).to_arrow_table())


def end_wait(transaction: Transaction, case_ids: Sequence[int]) -> None:
    """Stop waiting for the outcomes of cases, and release those among them that were held out."""
    table, connection = Case.__table__, transaction.connection
    are_these = among(table.c.id, case_ids, connection)
    connection.execute(update(table).where(are_these).values(outcome_due_at=None))
    connection.execute(
        update(table)
        .where(are_these, table.c.state == CaseState.HELD_OUT)
        .values(state=CaseState.RELEASED, closed_at=transaction.at)
    )
