"""Later signals of subjects whose case is unfinished: evidence beside what people wrote.

In bulk, like the openings. They may raise a case's priority; its frozen facts, its deadlines and
its revision, by which answers compare and set, stay as they are.
"""

import pyarrow as pa
from sqlalchemy import func, select, update

from decisions import columnar
from decisions.deciding.limits import ALREADY_OPEN
from decisions.definition import Definition
from decisions.ledger.bulk import among, as_table, insert_rows, instant_sql
from decisions.ledger.records import UNFINISHED, Case, LaterSignal, Run
from decisions.ledger.transaction import Transaction

_NEWER = """
SELECT o.case_id, v.rule, v.score, {scored_at} AS scored_at,
    coalesce(v.model_version, '') AS model_version, v.facts, v.priority
FROM verdicts AS v JOIN unfinished AS o USING (subject)
WHERE v.reason = $already_open AND v.scored_at > o.seen_at ORDER BY o.case_id
"""
_DIGEST = """
SELECT count(*) AS cases, sha256(coalesce(string_agg(
    sha256(case_id || '|' || scored_at || '|' || score || '|' || facts), '' ORDER BY case_id
), '')) AS sha256
FROM newer
"""


def append_signals(
    transaction: Transaction, definition: Definition, run: Run, verdicts: pa.Table
) -> None:
    """Append what a run knows of subjects with an unfinished case, if it is newer than what is.

    One entry pins them all by hash, however many they are.

    Args:
        transaction: The run's transaction.
        definition: The decision.
        run: The run, already recorded.
        verdicts: ``evaluation.selected``'s columns with ``reason``.
    """
    connection = transaction.connection
    with columnar.session() as engine:
        engine.register("verdicts", verdicts)
        same = {"already_open": ALREADY_OPEN}
        held = engine.sql("SELECT subject FROM verdicts WHERE reason = $already_open", params=same)
        subjects = held.to_arrow_table().column("subject").to_pylist()
        if not subjects:
            return
        engine.register("unfinished", _unfinished(transaction, definition, subjects))
        query = _NEWER.format(scored_at=instant_sql("v.scored_at", connection))
        newer = engine.sql(query, params=same).to_arrow_table()
        engine.register("newer", newer)
        (digest,) = engine.sql(_DIGEST).to_arrow_table().to_pylist()
    if digest["cases"]:
        insert_rows(connection, LaterSignal, newer, same={"run_id": run.id})
        _raise_priorities(transaction, run)
        transaction.enter("signalled again", f"run {run.id}", digest)


def _unfinished(transaction: Transaction, definition: Definition, subjects: list[str]) -> pa.Table:
    """Return the unfinished cases of subjects, with the instant of the latest score they know."""
    case, later = Case.__table__, LaterSignal.__table__
    # Not more than one of a subject, by the unique index over what is unfinished.
    query = (
        select(case.c.id, case.c.subject, func.max(case.c.scored_at), func.max(later.c.scored_at))
        .outerjoin(later, later.c.case_id == case.c.id)
        .where(
            case.c.decision == definition.decision,
            case.c.state.in_(UNFINISHED),
            among(case.c.subject, subjects, transaction.connection),
        )
        .group_by(case.c.id, case.c.subject)
    )
    rows = [
        (id_, subject, max(first, last or first))
        for id_, subject, first, last in transaction.connection.execute(query)
    ]
    seen_at = pa.timestamp("us", tz="UTC")
    return as_table(rows, case_id=pa.int64(), subject=pa.string(), seen_at=seen_at)


def _raise_priorities(transaction: Transaction, run: Run) -> None:
    case, later = Case.__table__, LaterSignal.__table__
    of_run = select(later.c.case_id).where(later.c.run_id == run.id)
    seen = (
        select(later.c.priority)
        .where(later.c.run_id == run.id, later.c.case_id == case.c.id)
        .scalar_subquery()
    )
    is_higher = (seen > case.c.priority) | (case.c.priority.is_(None) & seen.is_not(None))
    # By key first: only the cases of this run are looked at, however many there are.
    transaction.connection.execute(
        update(case).where(case.c.id.in_(of_run), is_higher).values(priority=seen)
    )
