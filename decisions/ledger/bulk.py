"""Many rows at once: keys into a query, Arrow into a table, without an object a row."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, column, func, select
from sqlalchemy import table as plain_table
from sqlalchemy.dialects import postgresql, sqlite

from decisions.ledger.records import Record


def among(
    wanted: ColumnElement[Any], keys: Sequence[str], connection: Connection
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
    connection: Connection, record: type[Record], rows: pa.Table, *, skip_known: bool = False
) -> None:
    """Insert rows whose columns already are what the database stores: text, numbers, null.

    Args:
        connection: The writing connection.
        record: The table.
        rows: Columns named like the table's; JSON as text, instants as ``instant_sql`` writes them.
        skip_known: Leave out rows that would break a unique constraint.
    """
    if rows.num_rows == 0:
        return
    # Columns without a type: JSON text and instants go in as they are, not encoded once more.
    target = plain_table(record.__table__.name, *(column(name) for name in rows.column_names))
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(target)
    if skip_known:
        statement = statement.on_conflict_do_nothing()
    connection.execute(statement, rows.to_pylist())


def instant_sql(expression: str, connection: Connection) -> str:
    """Return DuckDB SQL that writes a UTC instant as the ledger's database stores it.

    Args:
        expression: DuckDB SQL of a TIMESTAMPTZ, in a session whose time zone is UTC.
        connection: A connection to the ledger.
    """
    zone = "" if connection.dialect.name == "sqlite" else "+00"
    return f"strftime({expression}, '%Y-%m-%d %H:%M:%S.%f{zone}')"
