"""Outcomes that come later or by another way: matched to cases, appended, the first one kept."""

from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from decisions import columnar
from decisions.ledger.bulk import among, as_table, insert_rows, instant_sql, stored_instant
from decisions.ledger.records import Case, Outcome, Version
from decisions.ledger.transaction import Transaction
from decisions.ledger.versions import pinned
from decisions.ledger.waiting import end_wait, tell

# By its key a case is named outright; by its subject it is the one whose window the outcome lies
# in, or the latest where the outcome has no date. Days count whole: a file often knows no hour.
_MATCHED = """
CREATE TEMP TABLE matched AS
SELECT r.*, c.case_id, c.key, c.is_mature, c.state, c.old_value, c.old_reason
FROM handed_in r LEFT JOIN (
    SELECT k.*, w.window, k.opened_at + w.matures_after <= $now AS is_mature
    FROM known k JOIN windows w USING (version_id)
) c ON CASE
    WHEN r."case" IS NOT NULL THEN upper(r."case") = c.key
    ELSE r.subject = c.subject AND (r."at" IS NULL
        OR (r."at" >= date_trunc('day', c.opened_at) AND r."at" < c.opened_at + c.window)) END
QUALIFY row_number() OVER (PARTITION BY r.line ORDER BY c.opened_at DESC, c.case_id DESC) = 1
"""

_FATES = """
SELECT line, case_id, key, value, censored, "at",
    CASE WHEN case_id IS NULL THEN 'unknown'
        WHEN count(*) OVER (PARTITION BY case_id) > 1 THEN 'twice'
        WHEN NOT is_mature THEN 'early'
        WHEN state IS NULL THEN 'new'
        WHEN state = CASE WHEN censored IS NULL THEN 'observed' ELSE 'censored' END
            AND value IS NOT DISTINCT FROM old_value
            AND censored IS NOT DISTINCT FROM old_reason THEN 'unchanged'
        ELSE 'corrected' END AS fate,
    CASE WHEN state IS NULL THEN NULL ELSE coalesce(CAST(old_value AS VARCHAR), old_reason, state)
        END AS before
FROM matched ORDER BY line
"""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of the rows of a file.

    Attributes:
        new: Outcomes of cases that had none.
        corrected: Outcomes that differ from the one before, which is kept beside.
        unchanged: Outcomes that are known already.
        early: Outcomes of cases whose window or lag has not passed; not taken.
        unknown: Rows that no case fits; not taken.
        twice: Rows about a case that another row is about as well; not taken.
        lines: The first lines of each of the last three, by their name.
    """

    new: int = 0
    corrected: int = 0
    unchanged: int = 0
    early: int = 0
    unknown: int = 0
    twice: int = 0
    lines: dict[str, list[int]] = field(default_factory=dict)


def take_in(
    transaction: Transaction, rows: pa.Table, *, decision: str, source: str, dry_run: bool = False
) -> TakenIn:
    """Append the outcomes that are news.

    Args:
        transaction: What it is written in.
        rows: ``line``, ``case``, ``subject``, ``value``, ``at`` (UTC), ``censored``.
        decision: Whose cases the subjects are looked up among.
        source: Where the rows came from, such as a file's name.
        dry_run: Whether only to say what would be done.
    """
    wanted = _wanted(transaction.connection, rows, decision)
    with columnar.session() as engine:
        engine.register("handed_in", rows)
        engine.register("known", _known(transaction.connection, wanted))
        engine.register("windows", _windows(transaction.connection, wanted))
        engine.execute(_MATCHED, {"now": transaction.at})
        engine.execute(f"CREATE TEMP TABLE fates AS {_FATES}")
        counts = dict(engine.sql("SELECT fate, count(*) FROM fates GROUP BY fate").fetchall())
        lines = {
            fate: [line for (line,) in engine.sql(_first_lines(fate)).fetchall()]
            for fate in ("early", "unknown", "twice")
            if fate in counts
        }
        if not dry_run:
            _append(transaction, engine, source)
    return TakenIn(**counts, lines=lines)


def _first_lines(fate: str) -> str:
    return f"SELECT line FROM fates WHERE fate = '{fate}' ORDER BY line LIMIT 10"


def _append(transaction: Transaction, engine: duckdb.DuckDBPyConnection, source: str) -> None:
    observed_at = instant_sql('"at"', transaction.connection)
    news = engine.sql(
        "SELECT case_id, CASE WHEN censored IS NULL THEN 'observed' ELSE 'censored' END AS state, "
        f"value, censored AS reason, {observed_at} AS observed_at, key, before, fate "
        "FROM fates WHERE fate IN ('new', 'corrected') ORDER BY case_id"
    ).to_arrow_table()
    if not news.num_rows:
        return
    same = {
        "source": source,
        "recorded_at": stored_instant(transaction.at, transaction.connection),
    }
    rows = news.drop_columns(["key", "before", "fate"])
    insert_rows(transaction.connection, Outcome, rows, same=same)
    end_wait(transaction, news.column("case_id").to_pylist())
    sourced = news.append_column("source", pa.repeat(source, news.num_rows))
    for fate, act in (("new", "outcome"), ("corrected", "outcome corrected")):
        named = ("observed_at", "state", "value", "reason", "source")
        names = named if fate == "new" else (*named, "before")
        chosen = [each == fate for each in sourced.column("fate").to_pylist()]
        tell(transaction, act, sourced.filter(pa.array(chosen)), names)


def _wanted(connection: Connection, rows: pa.Table, decision: str) -> ColumnElement[bool]:
    """Return which cases the rows may be about."""
    import pyarrow.compute as pc

    table = Case.__table__
    keys = pc.utf8_upper(rows.column("case").drop_null().unique()).to_pylist()
    subjects = rows.column("subject").drop_null().unique().to_pylist()
    named = or_(among(table.c.key, keys, connection), among(table.c.subject, subjects, connection))
    return and_(table.c.decision == decision, named)


def _known(connection: Connection, wanted: ColumnElement[bool]) -> pa.Table:
    """Return these cases with the outcome that counts now."""
    table, outcomes = Case.__table__, Outcome.__table__
    nth = func.row_number().over(partition_by=outcomes.c.case_id, order_by=outcomes.c.id.desc())
    names = ("case_id", "state", "value", "reason")
    last = (
        select(*(outcomes.c[name] for name in names), nth.label("nth"))
        .where(outcomes.c.case_id.in_(select(table.c.id).where(wanted)))
        .subquery()
    )
    found = connection.execute(
        select(
            table.c.id, table.c.key, table.c.subject, table.c.opened_at, table.c.version_id,
            last.c.state, last.c.value, last.c.reason,
        )
        .outerjoin(last, (last.c.case_id == table.c.id) & (last.c.nth == 1))
        .where(wanted)
    )  # fmt: skip
    return as_table(
        found.all(),
        case_id=pa.int64(),
        key=pa.string(),
        subject=pa.string(),
        opened_at=pa.timestamp("us", tz="UTC"),
        version_id=pa.int64(),
        state=pa.string(),
        old_value=pa.float64(),
        old_reason=pa.string(),
    )


def _windows(connection: Connection, wanted: ColumnElement[bool]) -> pa.Table:
    """Return window, and window with lag, of each version that declares an outcome."""
    table = Version.__table__
    ids = select(Case.__table__.c.version_id).where(wanted).distinct()
    versions = connection.execute(select(table).where(table.c.id.in_(ids))).mappings()
    outcomes = ((row["id"], pinned(Version(**row)).outcome) for row in versions)
    return as_table(
        [(key, each.window.elapsed, each.matures_after) for key, each in outcomes if each],
        version_id=pa.int64(),
        window=pa.duration("us"),
        matures_after=pa.duration("us"),
    )
