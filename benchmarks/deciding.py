"""One batch decided and recorded: by raw statements, by Followthrough, and as one writes it first.

``prepare`` lets Followthrough decide once and keeps the very rows it wrote. The floor writes those
rows again, into empty tables of the same schema, with the same indexes, triggers, checks and
commit; so it is what deciding costs if nothing is looked at, compared, drawn, limited or hashed.
"""

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from benchmarks.workload import BATCH, CASE, DECISION, NOW

KEPT = "kept"
"""Folder of the rows to write: one Parquet file a table."""

EMPTY = "empty.db"
"""A ledger in which nothing has been recorded."""

TABLES = ("versions", "runs", "allocations", "cases", "assignments", "notifications", "seals")
TABLES = (*TABLES, "entries")
"""In the order in which references allow them to be written."""

Answer = tuple[int, None]


def migrate(url: str) -> None:
    """Make an empty ledger."""
    from decisions.ledger import Ledger

    Ledger(url).close()


def empty(folder: str) -> None:
    """Make an empty ledger on SQLite."""
    migrate(f"sqlite:///{Path(folder) / EMPTY}")


def prepare(folder: str) -> None:
    """Decide once on SQLite, untimed, and keep the rows; and keep an empty ledger."""
    import duckdb

    place = Path(folder)
    (place / KEPT).mkdir(exist_ok=True)
    empty(folder)
    made = place / "made.db"
    shutil.copy(place / EMPTY, made)
    _decide(place, f"sqlite:///{made}", place / "made")
    connection = sqlite3.connect(made)
    with duckdb.connect() as engine:
        for table in TABLES:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()
            arrow = _arrow(columns, rows)
            engine.register("arrow", arrow)
            engine.execute(f"COPY arrow TO '{place / KEPT / table}.parquet'")
    connection.close()


def scan(folder: str, _ledger: str) -> Answer:
    """The limit of reading: DuckDB evaluates the rules over the file and counts."""
    import duckdb

    with duckdb.connect() as engine:
        query = f"SELECT count(*) FROM '{folder}/{BATCH}' WHERE ({CASE}) IS NOT NULL"
        return int(engine.sql(query).fetchall()[0][0]), None


def floor_sqlite(folder: str, ledger: str) -> Answer:
    """The limit on SQLite: scan, archive, and one prepared statement a table."""
    import duckdb

    connection = sqlite3.connect(ledger, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    with duckdb.connect() as engine:
        count = _select_and_archive(engine, folder, ledger)
        connection.execute("BEGIN IMMEDIATE")
        for table in TABLES:
            found = engine.execute(f"SELECT * FROM '{folder}/{KEPT}/{table}.parquet'")
            names = ", ".join(f'"{name}"' for name, *_ in found.description)
            marks = ", ".join("?" * len(found.description))
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
            while rows := found.fetchmany(50_000):
                connection.executemany(statement, rows)
        connection.execute("COMMIT")
    connection.close()
    return count, None


def floor_postgresql(folder: str, url: str) -> Answer:
    """The limit on PostgreSQL: scan, archive, and one COPY a table."""
    import duckdb
    import psycopg
    import pyarrow as pa
    from pyarrow import csv

    options = csv.WriteOptions(include_header=False)
    with duckdb.connect() as engine, psycopg.connect(url) as connection:
        count = _select_and_archive(engine, folder, f"{folder}/floor")
        cursor = connection.cursor()
        for table in TABLES:
            rows = engine.sql(f"SELECT * FROM '{folder}/{KEPT}/{table}.parquet'").to_arrow_table()
            names = ", ".join(f'"{name}"' for name in rows.column_names)
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)") as copy:
                for start in range(0, rows.num_rows, 50_000):
                    text = pa.BufferOutputStream()
                    csv.write_csv(rows.slice(start, 50_000), text, options)
                    copy.write(text.getvalue())
    return count, None


def ours_sqlite(folder: str, ledger: str) -> Answer:
    """Followthrough: gate, rules, arms, limits, routes, archive, everything recorded and sealed."""
    return ours_postgresql(folder, f"sqlite:///{ledger}")


def ours_postgresql(folder: str, url: str) -> Answer:
    """The same on PostgreSQL."""
    return _decide(Path(folder), url, Path(folder) / "home"), None


def naive(folder: str, ledger: str) -> Answer:
    """What one writes first: Polars for the rules, an SQLModel session for the rows."""
    import polars as pl
    from sqlmodel import Session, create_engine

    from benchmarks.naive import Case, Entry, Notification, create

    rows = pl.scan_parquet(f"{folder}/{BATCH}").sql(f"SELECT *, {CASE} AS rule FROM self")
    chosen = rows.filter(pl.col("rule").is_not_null()).collect().to_dicts()
    engine = create_engine(f"sqlite:///{ledger}.naive")
    create(engine)
    with Session(engine) as session:
        for row in chosen:
            case = Case.of(row, NOW)
            session.add(case)
            session.add(Notification.of(case, NOW))
            session.add(Entry.of(case, NOW))
        session.commit()
    return len(chosen), None


def _decide(folder: Path, url: str, home: Path) -> int:
    from flows.settings import Settings
    from flows.sweep import decide
    from flows.wiring import assemble

    os.environ.setdefault("DO_NOT_TRACK", "1")
    layer = assemble(Settings(workspace=folder, home=home, ledger=url), lambda: NOW)
    try:
        return decide(layer, DECISION).opened
    finally:
        layer.ledger.close()


def _select_and_archive(engine: Any, folder: str, beside: str) -> int:
    """Evaluate the rules, keep what they select, and write every subject's verdict as Parquet."""
    engine.execute("SET TimeZone = 'UTC'")
    engine.execute(
        f"CREATE TEMP TABLE chosen AS SELECT *, {CASE} AS rule FROM '{folder}/{BATCH}' "
        "WHERE rule IS NOT NULL"
    )
    engine.execute("SET preserve_insertion_order = false")
    engine.execute(
        f"""COPY (
            SELECT CAST(s.account_id AS VARCHAR) AS subject,
                CASE WHEN c.rule IS NULL THEN 'not_met' ELSE 'opened' END AS verdict,
                NULL::VARCHAR AS reason, c.rule, 'call' AS action, 'treatment' AS arm,
                c.account_manager AS assignee, s.risk AS score, s.scored_at,
                '1' AS model_version, struct_pack(arr := s.arr, tenure := s.tenure,
                    region := s.region, account_manager := s.account_manager) AS inputs
            FROM '{folder}/{BATCH}' s LEFT JOIN chosen c USING (account_id)
        ) TO '{beside}.parquet' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2)"""
    )
    return int(engine.sql("SELECT count(*) FROM chosen").fetchall()[0][0])


def _arrow(columns: list[str], rows: list[tuple[Any, ...]]) -> Any:
    import pyarrow as pa

    values = zip(*rows, strict=True) if rows else [[] for _ in columns]
    return pa.table(dict(zip(columns, map(pa.array, map(list, values)), strict=True)))
