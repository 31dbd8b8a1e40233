"""Rows that somebody hands in as a file: CSV or Parquet, every fault at once with its line."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from decisions import columnar
from decisions.errors import Fault, UnusableFile
from decisions.suggestions import choices

MOST_ALIKE = 10
"""Faults of one kind that are named one by one; of the rest, how many there are."""

_LONGEST_FIELD = 1_000_000

Kind = Literal["text", "number", "measure", "flag", "instant"]

_FLAG = """
CASE WHEN lower(trim({0})) IN ('true', 'yes', 't', 'y') THEN TRUE
     WHEN lower(trim({0})) IN ('false', 'no', 'f', 'n') THEN FALSE
     WHEN TRY_CAST(trim({0}) AS DOUBLE) IN (0, 1) THEN TRY_CAST(trim({0}) AS DOUBLE) = 1
END"""
_MEASURE = f"coalesce(TRY_CAST(trim({{0}}) AS DOUBLE), CAST({_FLAG} AS DOUBLE))"

_READ: dict[Kind, tuple[str, str]] = {
    "text": ("nullif(trim({0}), '')", "text"),
    "number": ("TRY_CAST(trim({0}) AS DOUBLE)", "a number such as 1 or 12.50"),
    "measure": (_MEASURE, "a number, or true or false"),
    "flag": (_FLAG, "true or false"),
    "instant": (
        "TRY_CAST(trim({0}) AS TIMESTAMPTZ)",
        "a date like 2026-11-20 or an instant like 2026-11-20T09:00Z",
    ),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column a file must or may have.

    Attributes:
        name: What the file calls it.
        meaning: What we call it.
        kind: What its values are; instants without an offset are UTC.
        filled: Whether every row needs a value.
    """

    name: str
    meaning: str
    kind: Kind
    filled: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold of the rows.

    Attributes:
        faults: SQL over ``rows`` (the columns by their meaning, with ``line``) that returns
            ``line`` and ``found`` of each row at fault. ``given`` has the same columns as texts,
            so that a value that cannot be read is not taken for one that is not there.
        text: What is wrong, with ``{found}`` in it, and ``{rows}`` for how often.
        is_one: Whether rows with the same value are one fault, named by the first of them.
    """

    faults: str
    text: str
    is_one: bool = False


def read_rows(path: Path, columns: Sequence[Column], checks: Sequence[Check] = ()) -> pa.Table:
    """Return the rows of a file, typed and checked.

    Args:
        path: Ends in .csv, .tsv or .parquet.
        columns: Which columns to read.
        checks: What must hold beyond each value's form.

    Returns:
        The columns by their meaning, and ``line``: of a CSV file the line a row starts on, of a
        Parquet file the number of the row; both count from 1.

    Raises:
        UnusableFile: It cannot be read, or something in it is wrong; all of it at once.
    """
    texts = _texts(path)
    places = _places(path, columns, texts)
    with columnar.session() as engine:
        engine.register("texts", texts.values)
        typed = ", ".join(
            f'{_READ[each.kind][0].format(place)} AS "{each.meaning}"'
            for each, place in zip(columns, places, strict=True)
        )
        engine.execute(f"CREATE TEMP TABLE rows AS SELECT line, {typed} FROM texts ORDER BY line")
        written = ", ".join(
            f"nullif(trim({place}), '') AS \"{each.meaning}\""
            for each, place in zip(columns, places, strict=True)
        )
        engine.execute(f"CREATE TEMP VIEW given AS SELECT line, {written} FROM texts")
        forms = (each for pair in zip(columns, places, strict=True) for each in _forms(*pair))
        faults = [fault for check in (*forms, *checks) for fault in _found(engine, check, path)]
        if faults:
            raise UnusableFile(faults)
        rows: pa.Table = engine.sql("SELECT * FROM rows ORDER BY line").to_arrow_table()
    return rows


def names_in(path: Path) -> tuple[str, ...]:
    """Return the names of a file's columns.

    Raises:
        UnusableFile: It cannot be read.
    """
    return _texts(path).names


@dataclass(frozen=True, slots=True)
class _Texts:
    """A file as text: its column names, and ``line``, ``c0``, ``c1`` … as they stand in it."""

    names: tuple[str, ...]
    values: pa.Table


def _texts(path: Path) -> _Texts:
    if path.is_dir():
        raise UnusableFile([Fault(str(path), 0, "is a folder; name one file in it")])
    if not path.is_file():
        raise UnusableFile([Fault(str(path), 0, "there is no such file")])
    match path.suffix.lower():
        case ".csv" | ".tsv":
            return _csv_texts(path)
        case ".parquet":
            return _parquet_texts(path)
    raise UnusableFile([Fault(str(path), 0, "name a file that ends in .csv, .tsv or .parquet")])


def _csv_texts(path: Path) -> _Texts:
    # Python's own reader: it knows a row's line even where texts span lines and lines are blank.
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=_delimiter(head), strict=True)
            header = next(reader, [])
            starts, rows, last = [], [], reader.line_num
            for row in reader:
                if row:
                    starts.append(last + 1)
                    rows.append(row)
                last = reader.line_num
    except (UnicodeDecodeError, csv.Error) as found:
        raise UnusableFile([Fault(str(path), 0, f"it cannot be read as CSV: {found}")]) from found
    _refuse_uneven(path, header, starts, rows)
    values = list(zip(*rows, strict=True)) or [()] * len(header)
    return _with_lines(starts, header, [pa.array(column, pa.string()) for column in values])


def _delimiter(head: str) -> str:
    return max(",;\t", key=head.count)


def _refuse_uneven(
    path: Path, header: Sequence[str], starts: Sequence[int], rows: Sequence[Sequence[str]]
) -> None:
    wide = len(header)
    faults = [
        Fault(str(path), line, f"{len(row)} values where the first line names {wide} columns")
        for line, row in zip(starts, rows, strict=True)
        if len(row) != wide
    ]
    twice = sorted({name for name in header if header.count(name) > 1})
    faults += [Fault(str(path), 1, f"the column {name!r} is there twice") for name in twice]
    if faults:
        raise UnusableFile(_and_more(faults, len(faults)))


def _parquet_texts(path: Path) -> _Texts:
    name = str(path).replace("'", "''")
    with columnar.session() as engine:
        try:
            found = engine.sql(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet('{name}')")
            texts = found.to_arrow_table()
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
            raise UnusableFile([Fault(str(path), 0, f"it cannot be read: {said}")]) from error
    return _with_lines(range(1, texts.num_rows + 1), texts.column_names, texts.columns)


def _with_lines(lines: Sequence[int], names: Sequence[str], columns: Sequence[pa.Array]) -> _Texts:
    values = {f"c{place}": column for place, column in enumerate(columns)}
    return _Texts(tuple(names), pa.table({"line": pa.array(lines, pa.int64())} | values))


def _places(path: Path, columns: Sequence[Column], texts: _Texts) -> list[str]:
    """Return under which name each column is found among the texts."""
    faults = [
        Fault(str(path), 1, f"there is no column {each.name!r}; {choices(each.name, texts.names)}")
        for each in columns
        if each.name not in texts.names
    ]
    if not faults and not texts.values.num_rows:
        faults = [Fault(str(path), 0, "there is no row in it")]
    if faults:
        raise UnusableFile(faults)
    return [f"c{texts.names.index(each.name)}" for each in columns]


def _forms(column: Column, place: str) -> Iterator[Check]:
    """Yield what must hold of a column's values by their kind alone."""
    given, read = f"nullif(trim(t.{place}), '')", f'r."{column.meaning}"'
    bad = f"{read} IS NULL" + (
        f" OR NOT isfinite({read})" if column.kind in {"number", "measure"} else ""
    )
    yield Check(
        f"SELECT line, {given} AS found FROM texts t JOIN rows r USING (line) "
        f"WHERE {given} IS NOT NULL AND ({bad})",
        f"{column.name} is {{found!r}}; write {_READ[column.kind][1]}",
    )
    if column.filled:
        yield Check(
            f"SELECT line, '' AS found FROM texts t WHERE {given} IS NULL",
            f"{column.name} is empty",
        )


def _found(engine: duckdb.DuckDBPyConnection, check: Check, path: Path) -> list[Fault]:
    rows = engine.sql(
        "SELECT min(line) AS line, found, count(*) AS times, count(*) OVER () AS many "
        f"FROM ({check.faults}) GROUP BY {'found' if check.is_one else 'line, found'} "
        f"ORDER BY 1 LIMIT {MOST_ALIKE}"
    ).fetchall()
    faults = [
        Fault(str(path), line, check.text.format(found=found, rows=_in_rows(times)))
        for line, found, times, _ in rows
    ]
    return _and_more(faults, rows[0][3], "value" if check.is_one else "row") if rows else []


def _in_rows(times: int) -> str:
    return f" in {times:,} rows" if times > 1 else ""


def _and_more(faults: Sequence[Fault], count: int, what: str = "row") -> list[Fault]:
    """Return the first faults of one kind, the last of them saying how many more there are."""
    shown, more = list(faults[:MOST_ALIKE]), count - MOST_ALIKE
    if more > 0:
        like_it = f"{more:,} more {what}{'s' if more > 1 else ''} like it"
        shown[-1] = replace(shown[-1], text=f"{shown[-1].text}; and {like_it}")
    return shown
