"""Databases: sources, context and probes are read through them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import pyarrow as pa


@runtime_checkable
class Warehouse(Protocol):
    """A database that answers SQL with Arrow; sources, context and probes are read through it.

    Attributes:
        name: The connection's name in ``connections.yaml``.
        dialect: The sqlglot dialect it speaks, such as ``duckdb``.
    """

    name: str
    dialect: str

    def relation(self, *, table: str | None, query: str | None, path: str | None) -> str:
        """Return SQL, in this dialect, that can stand after FROM for the one that is given.

        Raises:
            PermanentFailure: The kind of source is one this warehouse cannot read.
        """

    def columns(self, relation: str) -> Mapping[str, str]:
        """Return the relation's column names and their types, in the dialect's own words.

        Raises:
            PermanentFailure: The table or file does not exist, or may not be read.
            TemporaryFailure: The warehouse is away or locked.
        """

    def select(self, query: str) -> pa.Table:
        """Run one SELECT in the warehouse's dialect.

        Raises:
            PermanentFailure: The query cannot be answered as written.
            TemporaryFailure: The warehouse is away or locked.
        """


@runtime_checkable
class Embedded(Warehouse, Protocol):
    """A warehouse whose engine runs in this process, and so can write a file by itself."""

    def write(self, query: str, file: Path, *, beside: Mapping[str, pa.Table]) -> int:
        """Write the rows of one SELECT to a new Parquet file, in bounded memory.

        Args:
            query: The SELECT.
            file: Where to (absolute); its folder exists.
            beside: Tables that the query may name, beside those of the warehouse.

        Returns:
            How many rows there were.

        Raises:
            PermanentFailure: The query cannot be answered as written, or the file not be written.
            TemporaryFailure: The warehouse is away or locked.
        """


@runtime_checkable
class Stamped(Warehouse, Protocol):
    """A warehouse that may know of a file without reading it that it is as it was."""

    def stamp(self, path: str) -> str | None:
        """Return what is another text once the file may hold other rows.

        None where nothing cheap tells that for certain.
        """
