"""Where batches are computed on between warehouse and ledger: one DuckDB in this process's memory.

To open a database takes longer than most of what is asked here; so it is opened once, and
everybody gets a session of their own in it. Tables made in a session must be temporary ones.

Values go from Python to Arrow and back by way of DuckDB as well: Arrow would load pandas for them,
which takes longer than all of a small run.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any

import duckdb
import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_opening = Lock()


@contextmanager
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a session whose time zone is UTC; what it registers or makes ends with it."""
    with _opening:
        opened = _database().cursor()
    with opened as connection:
        yield connection


def table(rows: Iterable[Sequence[Any]], **types: str) -> pa.Table:
    """Return rows as an Arrow table.

    Args:
        rows: Each as long as there are columns.
        **types: DuckDB's type of each column, by name.
    """
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    lists = ", ".join(
        f'unnest(CAST(${place} AS {kind}[])) AS "{name}"'
        for place, (name, kind) in enumerate(types.items(), 1)
    )
    values = {str(place): list(column) for place, column in enumerate(columns, 1)}
    with session() as engine:
        found: pa.Table = engine.sql(f"SELECT {lists}", params=values).to_arrow_table()
    return found


def dicts(rows: pa.Table) -> list[dict[str, Any]]:
    """Return the few rows of a table as dicts; instants are aware, in UTC."""
    columns = [_values(rows.column(name)) for name in rows.column_names]
    names = rows.column_names
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    if not (pa.types.is_timestamp(column.type) and column.type.tz and column.type.unit == "us"):
        values: list[Any] = column.to_pylist()
        return values
    counts = [count for chunk in column.chunks for count in chunk.view(pa.int64()).to_pylist()]
    return [None if count is None else _EPOCH + timedelta(microseconds=count) for count in counts]


@cache
def _database() -> duckdb.DuckDBPyConnection:
    database = duckdb.connect(":memory:")
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database
