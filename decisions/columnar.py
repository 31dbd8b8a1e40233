"""Where batches are computed on between warehouse and ledger: one DuckDB in this process's memory.

To open a database takes longer than most of what is asked here; so it is opened once, and
everybody gets a session of their own in it. Tables made in a session must be temporary ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

import duckdb

_opening = Lock()


@contextmanager
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a session whose time zone is UTC; what it registers or makes ends with it."""
    with _opening:
        opened = _database().cursor()
    with opened as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")
