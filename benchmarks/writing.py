"""The rows of one run written to an empty ledger: raw statements beside the ledger's own writer.

All ways write the rows that ``deciding.prepare`` kept, into the same schema, and commit once.
"""

import sqlite3
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.deciding import KEPT, TABLES

Answer = tuple[int, float]


def executemany_sqlite(folder: str, ledger: str) -> Answer:
    """sqlite3's ``executemany`` with tuples."""
    rows = {table: _rows(folder, table) for table in TABLES}
    connection = sqlite3.connect(ledger, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    started = perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for table, found in rows.items():
        names = ", ".join(f'"{name}"' for name in found.column_names)
        marks = ", ".join("?" * found.num_columns)
        tuples = zip(*(column.to_pylist() for column in found.columns), strict=True)
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuples)
    connection.execute("COMMIT")
    seconds = perf_counter() - started
    connection.close()
    return rows["cases"].num_rows, seconds


def session_sqlite(folder: str, ledger: str) -> Answer:
    """An SQLModel session over the ledger's own classes."""
    from sqlmodel import Session, create_engine

    from decisions.ledger import records

    rows = {table: _rows(folder, table).to_pylist() for table in TABLES}
    known = {each.__tablename__: each for each in records.Record.__subclasses__()}
    engine = create_engine(f"sqlite:///{ledger}")
    started = perf_counter()
    with Session(engine) as session:
        for table, found in rows.items():
            session.add_all(known[table](**_read(known[table], row)) for row in found)
            session.flush()
        session.commit()
    return len(rows["cases"]), perf_counter() - started


def ours_sqlite(folder: str, ledger: str) -> Answer:
    """The ledger's writer, on SQLite."""
    return _ours(folder, f"sqlite:///{ledger}")


def copy_postgresql(folder: str, url: str) -> Answer:
    """Psycopg's COPY, as CSV that Arrow writes."""
    import psycopg
    import pyarrow as pa
    from pyarrow import csv

    rows = {table: _rows(folder, table) for table in TABLES}
    with psycopg.connect(url) as connection:
        started = perf_counter()
        cursor = connection.cursor()
        for table, found in rows.items():
            names = ", ".join(f'"{name}"' for name in found.column_names)
            text = pa.BufferOutputStream()
            csv.write_csv(found, text, csv.WriteOptions(include_header=False))
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)") as copy:
                copy.write(text.getvalue())
        connection.commit()
        return rows["cases"].num_rows, perf_counter() - started


def adbc_postgresql(folder: str, url: str) -> Answer:
    """ADBC's ingest into tables beside; one statement each then reads instants from text."""
    from adbc_driver_postgresql import dbapi

    rows = {table: _rows(folder, table) for table in TABLES}
    with dbapi.connect(url) as connection:
        types = _types(connection)
        started = perf_counter()
        cursor = connection.cursor()
        for table, found in rows.items():
            cursor.adbc_ingest(f"arriving_{table}", found, mode="create")
            names = ", ".join(f'"{name}"' for name in found.column_names)
            values = ", ".join(f'"{name}"::{types[table, name]}' for name in found.column_names)
            query = f"INSERT INTO {table} ({names}) SELECT {values} FROM arriving_{table}"
            cursor.execute(query)
            cursor.execute(f"DROP TABLE arriving_{table}")
        connection.commit()
        seconds = perf_counter() - started
        cursor.close()
    return rows["cases"].num_rows, seconds


def ours_postgresql(folder: str, url: str) -> Answer:
    """The ledger's writer, on PostgreSQL."""
    return _ours(folder, url)


def _ours(folder: str, url: str) -> Answer:
    from decisions.ledger import records
    from decisions.ledger.bulk import insert_rows
    from decisions.ledger.store import Store
    from decisions.ports import wall_clock

    rows = {table: _rows(folder, table) for table in TABLES}
    known = {each.__tablename__: each for each in records.Record.__subclasses__()}
    store = Store(url, wall_clock)
    started = perf_counter()
    with store.writing() as transaction:
        for table, found in rows.items():
            insert_rows(transaction.connection, known[table], found)
    seconds = perf_counter() - started
    store.close()
    return rows["cases"].num_rows, seconds


def _rows(folder: str, table: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = pq.read_table(Path(folder) / KEPT / f"{table}.parquet")
    for place, each in enumerate(found.schema):
        if pa.types.is_null(each.type):
            nothing = pa.nulls(found.num_rows, pa.string())
            found = found.set_column(place, each.name, nothing)
    return found


def _types(connection: Any) -> dict[tuple[str, str], str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name, column_name, data_type FROM information_schema.columns")
        return {(table, column): kind for table, column, kind in cursor.fetchall()}


def _read(record: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row's values as the class takes them: instants and JSON read, not text."""
    import json
    from datetime import UTC, datetime

    from sqlalchemy import JSON

    from decisions.ledger.columns import Instant

    read = dict(row)
    for column in record.__table__.columns:
        value = read.get(column.name)
        if value is not None and isinstance(column.type, Instant):
            read[column.name] = datetime.fromisoformat(value).replace(tzinfo=UTC)
        elif value is not None and isinstance(column.type, JSON):
            read[column.name] = json.loads(value)
    return read
