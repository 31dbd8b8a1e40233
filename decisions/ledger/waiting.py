"""What ends the wait for an outcome, and what is told of it."""

import pyarrow as pa
from sqlalchemy import update

from decisions.ledger.records import Case, CaseState
from decisions.ledger.transaction import Transaction


def tell(transaction: Transaction, act: str, rows: pa.Table, names: tuple[str, ...]) -> None:
    """Enter an act on each row's case, column ``key``, with the named columns."""
    for row in rows.to_pylist():
        transaction.enter(act, row["key"], {name: row[name] for name in names})


def end_wait(transaction: Transaction, case_ids: list[int]) -> None:
    """Stop waiting for the outcomes of cases, and release those among them that were held out."""
    table = Case.__table__
    for start in range(0, len(case_ids), 500):
        chunk = case_ids[start : start + 500]
        transaction.connection.execute(
            update(table).where(table.c.id.in_(chunk)).values(outcome_due_at=None)
        )
        transaction.connection.execute(
            update(table)
            .where(table.c.id.in_(chunk), table.c.state == CaseState.HELD_OUT)
            .values(state=CaseState.RELEASED, closed_at=transaction.at)
        )
