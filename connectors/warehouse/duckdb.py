"""The embedded warehouse: a DuckDB database, or a folder of Parquet and CSV files."""

import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Lock
from weakref import finalize

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field
from sqlglot import exp

from connectors.warehouse.sources import named_or_asked
from decisions.errors import PermanentFailure, TemporaryFailure, Unreadable

_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".tsv": "read_csv"}
# Written straight to its name: the file is a draft that its caller moves. Version 2 encodes
# numbers and keys by their differences, in two thirds of the time; a dictionary is tried for words
# that repeat, and given up early for keys that do not.
_PARQUET = (
    "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, USE_TMP_FILE false, "
    "DICTIONARY_SIZE_LIMIT 2000"
)
_BAD_LINE = re.compile(r"CSV Error on Line: (\d+)")
_IN_FILE = re.compile(r"^\s*file = (.+)$", re.MULTILINE)
_REASON = re.compile(r"^(?:Error when|Expected Number).+$", re.MULTILINE)
_locks: dict[str, Lock] = {}
"""One for each database file: connections of one process to one file share its settings."""


MEMORY = "1GiB"
"""What one query may hold; a batch that needs more is put down on disk meanwhile, not refused."""


SETTLED = timedelta(seconds=1)
"""From what age on another change of a file cannot fall on the same tick of its clock."""
_SEVERAL = re.compile(r"[*?\[{]")


class DuckDBConfig(BaseModel):
    """What ``connections.yaml`` may say about it; relative paths start at the workspace.

    Attributes:
        path: A DuckDB database file, opened for reading only; none means files alone.
        folder: Where the files that definitions name by ``path`` lie; the workspace by default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | None = Field(default=None, min_length=1)
    folder: str | None = Field(default=None, min_length=1)


class DuckDBWarehouse:
    """Answers SELECTs; touches no file but the database and those below the folder.

    Args:
        name: The connection's name.
        config: The connection.
        workspace: Where relative paths start.
        settled: From what age on a file's stamp can be relied on.
    """

    dialect = "duckdb"

    def __init__(
        self, name: str, config: DuckDBConfig, workspace: Path, *, settled: timedelta = SETTLED
    ) -> None:
        self.name = name
        self._settled = settled
        self._database = (workspace / config.path).resolve() if config.path else None
        self._lock = _locks.setdefault(str(self._database), Lock())
        self._folder = (workspace / (config.folder or ".")).resolve()
        self._files: duckdb.DuckDBPyConnection | None = None
        self._opening = Lock()

    def relation(self, *, table: str | None, query: str | None, path: str | None) -> str:
        """Return SQL that can stand after FROM; see ``Warehouse.relation``."""
        if path is not None:
            return self._reader(path)
        return named_or_asked(self.dialect, self.name, table=table, query=query)

    def columns(self, relation: str) -> Mapping[str, str]:
        """Return column names and types; see ``Warehouse.columns``."""
        rows = self.select(f"DESCRIBE SELECT * FROM {relation} AS r").to_pylist()
        return {row["column_name"]: row["column_type"] for row in rows}

    def select(self, query: str) -> pa.Table:
        """Run one SELECT; see ``Warehouse.select``.

        A connection a query: the database's writer is locked out no longer than that.
        """
        try:
            with self._connected() as connection:
                table: pa.Table = connection.sql(query).to_arrow_table()
                return table
        except duckdb.Error as error:
            raise self._failure(error) from error

    def write(self, query: str, file: Path, *, beside: Mapping[str, pa.Table]) -> int:
        """Write the rows of one SELECT to a Parquet file; see ``Embedded.write``."""
        place = exp.Literal.string(str(file)).sql(self.dialect)
        try:
            with self._connected(writes=file) as connection:
                for name, table in beside.items():
                    connection.register(name, table)
                copied = connection.execute(f"COPY ({query}) TO {place} ({_PARQUET})").fetchone()
                return int(copied[0]) if copied else 0
        except duckdb.Error as error:
            raise self._failure(error) from error

    def stamp(self, path: str) -> str | None:
        """Return a file's identity, size and instants of change; see ``Stamped.stamp``.

        None for what may be several files and for one that was changed a moment ago.
        """
        if _SEVERAL.search(path):
            return None
        try:
            found = (self._folder / path).stat()
        except OSError:
            return None
        if time.time() - max(found.st_mtime, found.st_ctime) < self._settled.total_seconds():
            return None
        changed = (found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        return ":".join(map(str, (found.st_dev, found.st_ino, *changed)))

    @contextmanager
    def _connected(self, *, writes: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._database is None:
            with self._restricted(duckdb.connect(), writes) if writes else self._beside() as opened:
                yield opened
            return
        if not self._database.is_file():
            raise PermanentFailure(
                f"there is no database {self._database}; check 'path' in connections.yaml",
                connector=self.name,
            )
        with (
            self._lock,
            self._restricted(
                duckdb.connect(str(self._database), read_only=True), writes
            ) as connection,
        ):
            yield connection

    def _beside(self) -> duckdb.DuckDBPyConnection:
        """Return a session in one database for all questions about files: opening takes longest."""
        with self._opening:
            if self._files is None:
                self._files = self._restricted(duckdb.connect(), None)
                finalize(self, self._files.close)
            return self._files.cursor()

    def _restricted(
        self, connection: duckdb.DuckDBPyConnection, writes: Path | None
    ) -> duckdb.DuckDBPyConnection:
        connection.execute("SET GLOBAL TimeZone = 'UTC'")  # for every session in it
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        place = Path(tempfile.gettempdir(), f"followthrough-{os.getpid()}")
        connection.execute(f"SET temp_directory = {exp.Literal.string(str(place)).sql('duckdb')}")
        if writes is not None:
            file = exp.Literal.string(str(writes)).sql(self.dialect)
            connection.execute(f"SET allowed_paths = [{file}]")
            connection.execute("SET preserve_insertion_order = false")
        folder = str(self._folder).replace("'", "''")
        connection.execute(f"SET allowed_directories = ['{folder}/']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection

    def _reader(self, path: str) -> str:
        reader = _READERS.get(Path(path).suffix.lower())
        if reader is None:
            raise PermanentFailure(
                f"path {path!r} ends in none of {', '.join(_READERS)}", connector=self.name
            )
        found = [*self._folder.glob(path)] if not Path(path).is_absolute() else [Path(path)]
        if not found:
            raise PermanentFailure(
                f"there is no file {path!r} in {self._folder}; check 'path' in the definition and "
                "'folder' in connections.yaml",
                connector=self.name,
            )
        return f"{reader}({exp.Literal.string(str(self._folder / path)).sql(self.dialect)})"

    def _failure(self, error: duckdb.Error) -> PermanentFailure | TemporaryFailure:
        found = next(iter(str(error).strip().splitlines()), type(error).__name__)
        if isinstance(error, duckdb.IOException) and "lock" in found.lower():
            return TemporaryFailure(
                f"{self._database} is being written by another program", connector=self.name
            )
        if bad := _BAD_LINE.search(str(error)):
            return self._unreadable(int(bad[1]), str(error))
        return PermanentFailure(found, connector=self.name)

    def _unreadable(self, line: int, told: str) -> Unreadable:
        """Return where a file cannot be read, and why; the line's text is not repeated."""
        file, reason = _IN_FILE.search(told), _REASON.search(told)
        where = f"{Path(file[1]).name}, line {line:,}" if file else f"line {line:,}"
        why = reason[0] if reason else "it is not of the form of the lines before"
        return Unreadable(f"{where}: {why}", connector=self.name)
