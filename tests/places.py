"""The places where an expression is judged: DuckDB, PostgreSQL, Spark, and a Python function."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from decisions.definition import FieldSpec
from decisions.rules.columns import cast, quoted
from decisions.rules.compiled import TODAY, compiled
from decisions.rules.expression import parse, sql
from decisions.rules.moment import day_number
from decisions.rules.normal import normal
from decisions.rules.reading import read

AS_OF = date(2026, 11, 20)
FIELDS = {
    "x": FieldSpec(type="float"),
    "y": FieldSpec(type="decimal"),
    "n": FieldSpec(type="integer"),
    "s": FieldSpec(type="string"),
    "t": FieldSpec(type="string"),
    "b": FieldSpec(type="boolean"),
    "d": FieldSpec(type="date"),
    "at": FieldSpec(type="timestamp"),
}
SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("x", pa.float32()),
        ("y", pa.float64()),
        ("n", pa.int64()),
        ("s", pa.string()),
        ("t", pa.string()),
        ("b", pa.bool_()),
        ("d", pa.date32()),
        ("at", pa.timestamp("us", tz="UTC")),
    ]
)
"""A float32 column on purpose: compared as it is, 0.7 is not 0.7."""


def rows_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Return rows as a table; a field that is not given is NULL."""
    numbered = [{"row": place} | row for place, row in enumerate(rows)]
    return pa.Table.from_pylist(numbered, schema=SCHEMA)


class Place(Protocol):
    """Somewhere that a table can be put and judged."""

    def answers(self, rows: pa.Table, texts: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the value of every expression, row by row."""


def query(texts: Sequence[str], source: str, dialect: str) -> str:
    """Return the SELECT that judges all expressions over all rows, in their order."""
    columns = ", ".join(
        f"{cast(quoted(name, dialect), spec.type, dialect, leniently=True)} "
        f"AS {quoted(name, dialect)}"
        for name, spec in FIELDS.items()
    )
    values = ", ".join(
        f"{sql(parse(text, FIELDS), dialect=dialect, as_of=AS_OF)} AS v{place}"
        for place, text in enumerate(texts)
    )
    row = quoted("row", dialect)
    return f"SELECT {values} FROM (SELECT {row}, {columns} FROM {source}) AS r ORDER BY {row}"


def _tuples(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


class InProcess:
    """One record after the other, through the compiled function."""

    def answers(self, rows: pa.Table, texts: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the value of every expression, row by row."""
        functions = [compiled(normal(parse(text, FIELDS))) for text in texts]
        found = []
        for record in rows.drop_columns(["row"]).to_pylist():
            values = read(record, FIELDS) | {TODAY: day_number(AS_OF)}
            found.append(tuple(function(values) for function in functions))
        return found


class InDuckDB:
    """The embedded engine."""

    def answers(self, rows: pa.Table, texts: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the value of every expression, row by row."""
        with duckdb.connect(config={"threads": "1"}) as engine:
            engine.execute("SET TimeZone = 'UTC'")
            engine.register("given", rows)
            return _tuples(engine.sql(query(texts, "given", "duckdb")).to_arrow_table())


class InPostgreSQL:
    """A real server, spoken to by ADBC.

    Args:
        uri: libpq's address of a database.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def answers(self, rows: pa.Table, texts: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the value of every expression, row by row."""
        from adbc_driver_postgresql import dbapi

        with dbapi.connect(self._uri, autocommit=True) as server, server.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
            cursor.adbc_ingest("given", rows, mode="replace", temporary=True)
            cursor.execute(query(texts, "given", "postgres"))
            return _tuples(cursor.fetch_arrow_table())


class InSpark:
    """A local session.

    Args:
        session: Where SQL is run; its time zone is UTC.
        folder: Where rows are put.
    """

    def __init__(self, session: Any, folder: Path) -> None:
        self._session, self._folder = session, folder

    def answers(self, rows: pa.Table, texts: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the value of every expression, row by row."""
        file = self._folder / f"{datetime.now(UTC).timestamp()}.parquet"
        pq.write_table(rows, file)
        found = self._session.sql(query(texts, f"parquet.`{file}`", "spark"))
        return _tuples(found.toArrow())
