"""Many rows at once: keys into a query, Arrow into a table, without an object a row."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import repeat
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.exc import DBAPIError

from decisions import columnar
from decisions.ledger.columns import Instant
from decisions.ledger.records import Record

CHUNK = 50_000
"""Rows handed to the database at once; bounds memory, not the transaction."""

_ENDS_A_COPY = b"\n\\."
"""Before PostgreSQL 18 a line that begins so ends a copy, even inside quotes."""


def among(
    wanted: ColumnElement[Any], keys: Sequence[str] | Sequence[int], connection: Connection
) -> ColumnElement[bool]:
    """Return the condition that the column holds one of the keys.

    One parameter however many keys: the ledger is probed with a batch's keys, so the cost follows
    the batch, not what is stored.
    """
    if connection.dialect.name == "postgresql":
        return wanted == func.any(list(keys))
    each = func.json_each(json.dumps(list(keys))).table_valued("value")
    return wanted.in_(select(each.c.value))


def as_table(rows: Iterable[Sequence[Any]], **types: pa.DataType) -> pa.Table:
    """Return rows as an Arrow table with the named, typed columns."""
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types.values(), strict=True)]
    return pa.table(dict(zip(types, arrays, strict=True)))


def insert_rows(
    connection: Connection,
    record: type[Record],
    rows: pa.Table,
    *,
    same: Mapping[str, Any] | None = None,
    skip_known: bool = False,
) -> None:
    """Insert rows whose columns already are what the database stores: text, numbers, null.

    COPY on PostgreSQL, one prepared statement on SQLite; in the transaction that is open.

    Args:
        connection: The writing connection.
        record: The table.
        rows: Columns named like the table's; JSON as text, instants as ``instant_sql`` writes them.
        same: Columns that are the same in every row; instants as ``stored_instant`` writes them.
        skip_known: Leave out rows that would break a unique constraint.
    """
    if rows.num_rows == 0:
        return
    arrivals = _Arrivals(connection, record.__table__.name, rows.column_names, dict(same or {}))
    if connection.dialect.name == "sqlite":
        arrivals.insert(rows, unless=" ON CONFLICT DO NOTHING" if skip_known else "")
    elif skip_known:
        arrivals.copy_by_way_of_another_table(rows)
    else:
        arrivals.copy(rows)


def insert_row(
    connection: Connection,
    record: type[Record],
    row: Mapping[str, Any],
    *,
    skip_known: bool = False,
) -> None:
    """Insert one row as ``insert_rows`` does many, without Arrow."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join([mark] * len(row))
    unless = " ON CONFLICT DO NOTHING" if skip_known else ""
    statement = f"INSERT INTO {record.__table__.name} ({names}) VALUES ({marks}){unless}"
    connection.exec_driver_sql(statement, tuple(row.values()))


def instant_sql(expression: str, connection: Connection) -> str:
    """Return DuckDB SQL that writes a UTC instant as the ledger's database stores it.

    Args:
        expression: DuckDB SQL of a TIMESTAMPTZ, in a session whose time zone is UTC.
        connection: A connection to the ledger.
    """
    zone = "" if connection.dialect.name == "sqlite" else "+00"
    return f"strftime({expression}, '%Y-%m-%d %H:%M:%S.%f{zone}')"


def stored_instant(at: datetime | None, connection: Connection) -> str | None:
    """Return an instant (timezone-aware) as ``instant_sql`` writes it."""
    bound = Instant().process_bind_param(at, connection.dialect)
    return bound.isoformat(sep=" ", timespec="microseconds") if bound else None


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """Rows on their way into a table, column names and constants settled."""

    connection: Connection
    table: str
    names: Sequence[str]
    constants: Mapping[str, Any]

    def insert(self, rows: pa.Table, *, unless: str = "") -> None:
        mark = "?" if self.connection.dialect.name == "sqlite" else "%s"
        marks = ", ".join([mark] * (len(self.names) + len(self.constants)))
        statement = f"INSERT INTO {self.table} ({self._listed()}) VALUES ({marks}){unless}"
        for chunk in _chunks(rows):
            columns = [values.to_pylist() for values in chunk.columns]
            # Constants are repeated here, which costs a tenth of reading them out of Arrow.
            tuples = zip(*columns, *map(repeat, self.constants.values()), strict=False)
            self.connection.exec_driver_sql(statement, list(tuples))

    def copy(self, rows: pa.Table) -> None:
        statement = f"COPY {self.table} ({self._listed()}) FROM STDIN (FORMAT csv)"
        for chunk in _chunks(rows):
            text = _csv(chunk, self.constants)
            if _ENDS_A_COPY in text:
                self.insert(chunk)
            else:
                _stream(self.connection, statement, text)

    def copy_by_way_of_another_table(self, rows: pa.Table) -> None:
        arriving, names = f"arriving_{self.table}", self._listed()
        self.connection.exec_driver_sql(f"CREATE TEMP TABLE {arriving} (LIKE {self.table})")
        replace(self, table=arriving).copy(rows)
        self.connection.exec_driver_sql(
            f"INSERT INTO {self.table} ({names}) SELECT {names} FROM {arriving} "
            "ON CONFLICT DO NOTHING"
        )
        self.connection.exec_driver_sql(f"DROP TABLE {arriving}")

    def _listed(self) -> str:
        return ", ".join(f'"{name}"' for name in [*self.names, *self.constants])


def _chunks(rows: pa.Table) -> Iterator[pa.Table]:
    return (rows.slice(start, CHUNK) for start in range(0, rows.num_rows, CHUNK))


def _csv(rows: pa.Table, constants: Mapping[str, Any]) -> bytes:
    from pyarrow import csv

    if constants:
        same = ", ".join(f'${place} AS "{name}"' for place, name in enumerate(constants, 1))
        values = {str(place): value for place, value in enumerate(constants.values(), 1)}
        with columnar.session() as engine:
            engine.register("rows_alone", rows)
            query = f"SELECT *, {same} FROM rows_alone"
            rows = engine.sql(query, params=values).to_arrow_table()
    written = pa.BufferOutputStream()
    csv.write_csv(rows, written, csv.WriteOptions(include_header=False))
    text: bytes = written.getvalue().to_pybytes()
    return text


def _stream(connection: Connection, statement: str, text: bytes) -> None:
    import psycopg

    cursor = connection.connection.cursor()
    try:
        with cursor.copy(statement) as copy:
            copy.write(text)
    except psycopg.Error as error:
        # As SQLAlchemy would raise it, had it known how to copy.
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect
        ) from error
    finally:
        cursor.close()
