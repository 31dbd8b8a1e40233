"""The verdict archive: one Parquet file a run, every subject of its batch with what became of it.

The engine that holds the batch writes the file. Only a warehouse that is not embedded gives less:
what a rule selected, because only that has left it.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
from sqlglot import exp

from decisions import columnar
from decisions.deciding import verdict_rows
from decisions.definition import Definition
from decisions.errors import LedgerError
from decisions.ports import Embedded, Warehouse

_STALE = timedelta(days=1)
"""A draft older than this belongs to no run that still lives."""
_DRAFT = ".draft-"
_PARQUET = "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2"


@dataclass(frozen=True, slots=True)
class Archived:
    """What the history says of an archive.

    Attributes:
        decision: The decision.
        run: The number of its run.
        sha256: Hash of the file's bytes, hexadecimal.
        rows: Subjects in it.
    """

    decision: str
    run: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A written archive whose run has no number yet.

    Attributes:
        file: Where it lies meanwhile.
        sha256: Hash of its bytes, hexadecimal.
        rows: Subjects in it.
    """

    file: Path
    sha256: str
    rows: int

    def keep(self, run: int) -> None:
        """Give it its place, where a killed run of the same number may have left another.

        Call it last before the run is committed, while nobody else records: what lies there under
        this or a later number belongs to no run.
        """
        folder = self.file.parent
        for number, left in archives_in(folder):
            if number > run:
                left.unlink(missing_ok=True)
        self.file.replace(folder / _name(run))
        _persist(folder)

    def discard(self) -> None:
        """Remove it, if it was not kept."""
        self.file.unlink(missing_ok=True)


class VerdictArchive:
    """A folder of archives, one folder a decision.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, decision: str, run: int) -> Path:
        """Return where the archive of a run lies or would lie."""
        return self.folder / decision / _name(run)

    def write(
        self,
        definition: Definition,
        warehouses: Mapping[str, Warehouse],
        verdicts: pa.Table,
        *,
        as_of: datetime,
    ) -> Draft:
        """Write what became of every subject of the batch.

        Args:
            definition: The decision.
            warehouses: By connection name.
            verdicts: One row for each subject a rule selected: ``subject``, ``rule``, ``action``,
                ``arm``, ``assignee`` and ``reason`` (null where nothing speaks against it), and
                what ``evaluation.selected`` returned.
            as_of: What ``today()`` is (timezone-aware).

        Raises:
            ConnectorError: The warehouse did not answer.
        """
        warehouse = warehouses[definition.signal.connection]
        file, selected = self._draft(definition.decision), verdict_rows.selected_rows(definition)
        if isinstance(warehouse, Embedded):
            others = verdict_rows.other_rows(definition, warehouse, as_of=as_of)
            beside = {"verdicts": verdicts, "boundary": verdict_rows.reasons(definition)}
            rows = warehouse.write(f"{selected} UNION ALL {others}", file, beside=beside)
        else:
            rows = _write(selected, verdicts, file)
        return _sealed(file, rows)

    def write_withheld(
        self,
        definition: Definition,
        warehouses: Mapping[str, Warehouse],
    ) -> Draft | None:
        """Write that the gate withheld every subject; None where the warehouse is not embedded.

        Args:
            definition: The decision.
            warehouses: By connection name.

        Raises:
            ConnectorError: The batch cannot be read.
        """
        warehouse = warehouses[definition.signal.connection]
        if not isinstance(warehouse, Embedded):
            return None
        file = self._draft(definition.decision)
        query = verdict_rows.withheld_rows(definition, warehouse)
        rows = warehouse.write(query, file, beside={})
        return _sealed(file, rows)

    def verdict_on(self, decision: str, run: int, subject: str) -> dict[str, Any] | None:
        """Return the row of one subject, by column; None where it was not in the batch.

        Raises:
            LedgerError: The file is missing or cannot be read.
        """
        file = self.place(decision, run)
        if not file.is_file():
            raise LedgerError(f"the archive of run {run} is missing; {file} is where it should lie")
        with columnar.session() as engine:
            query = "SELECT * FROM read_parquet($file) WHERE subject = $subject LIMIT 1"
            try:
                found = engine.sql(query, params={"file": str(file), "subject": subject})
                rows = found.to_arrow_table().to_pylist()
            except duckdb.Error as error:
                raise LedgerError(f"the archive of run {run}, {file}, cannot be read") from error
        return rows[0] if rows else None

    def breach(self, archived: Archived) -> str | None:
        """Return in words what is wrong with a recorded archive; None if it is as recorded."""
        file = self.place(archived.decision, archived.run)
        if not file.is_file():
            return f"the archive of run {archived.run}, {file}, is missing"
        if digest(file) != archived.sha256:
            return f"the archive of run {archived.run}, {file}, was changed after it was recorded"
        return None

    def strays(self, recorded: Iterable[Archived]) -> list[Path]:
        """Return the archives that no run has recorded: what killed runs left behind."""
        known = {(each.decision, each.run) for each in recorded}
        return [
            file
            for folder in sorted(self.folder.glob("*/"))
            for number, file in archives_in(folder)
            if (folder.name, number) not in known
        ]

    def _draft(self, decision: str) -> Path:
        folder = self.folder / decision
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_DRAFT}*"):
            if time.time() - left.stat().st_mtime > _STALE.total_seconds():
                left.unlink(missing_ok=True)
        return (folder / f"{_DRAFT}{uuid4().hex}.parquet").resolve()


def archives_in(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the archives in a decision's folder with the number of their run."""
    for file in sorted(folder.glob("run-*.parquet")):
        if found := re.fullmatch(r"run-(\d+)", file.stem):
            yield int(found[1]), file


def digest(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _write(query: str, verdicts: pa.Table, file: Path) -> int:
    place = exp.Literal.string(str(file)).sql("duckdb")
    with columnar.session() as engine:
        engine.register("verdicts", verdicts)
        (rows,) = engine.execute(f"COPY ({query}) TO {place} ({_PARQUET})").fetchone() or (0,)
    return int(rows)


def _sealed(file: Path, rows: int) -> Draft:
    with file.open("rb") as written:
        os.fsync(written.fileno())
    return Draft(file, digest(file), rows)


def _persist(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _name(run: int) -> str:
    return f"run-{run}.parquet"
