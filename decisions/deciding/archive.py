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
from decisions.deciding import boundary
from decisions.deciding.boundary import can_withhold
from decisions.deciding.evaluation import (
    MODEL_VERSION,
    SCORED_AT,
    SUBJECT,
    WITHHELD,
    judged_sql,
    relations_of,
    subjects_query,
)
from decisions.definition import Definition, FieldSpec
from decisions.errors import LedgerError
from decisions.ports import Embedded, Warehouse
from decisions.rules.columns import quoted
from decisions.rules.expression import parse
from decisions.rules.language import COLUMN_TYPES

_STALE = timedelta(days=1)
"""A draft older than this belongs to no run that still lives."""
_DRAFT = ".draft-"
_PARQUET = "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2"
WITHHELD_BY_GATE = "gate"
"""The reason of a subject whose whole batch was withheld; what was found is in the run's row."""
_FATES = ("verdict", "reason", "rule", "action", "arm", "assignee")
COLUMNS = ("subject", *_FATES, "score", "scored_at", "model_version", "inputs")
"""What a file holds of each subject."""
_FATES_QUERY = """
SELECT subject, CASE WHEN reason IS NOT NULL THEN 'suppressed'
        WHEN arm = 'control' THEN 'held_out' ELSE 'opened' END AS verdict,
    reason, rule, action, arm, assignee
FROM verdicts
"""


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
        file = self._draft(definition.decision)
        if isinstance(warehouse, Embedded):
            query = _whole_query(definition, warehouse, as_of)
            beside = {"fates": _fates(verdicts), "boundary": _boundary(definition)}
            rows = warehouse.write(query, file, beside=beside)
        else:
            rows = _write_selected(definition, verdicts, file)
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
        rows = warehouse.write(_withheld_query(definition, warehouse), file, beside={})
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


def inputs_of(definition: Definition) -> dict[str, FieldSpec]:
    """Return the fields beside the score that a verdict can turn on.

    What rules, the operating boundary, limits and routing read, and what a success is worth; what
    is only shown to people stays out, so that an archive costs what it must.
    """
    columns = definition.columns
    texts = [rule.when for rule in definition.rules]
    texts += [each.when for each in definition.withhold]
    texts += [definition.limits.prefer] if definition.limits.prefer else []
    named = {node.name for text in texts for node in parse(text, columns).find_all(exp.Column)}
    named |= {definition.limits.cost.of} if definition.limits.cost else set()
    named |= {action.assign for action in definition.actions.values() if action.assign}
    named |= (
        {definition.outcome.value} if definition.outcome and definition.outcome.value else set()
    )
    named -= {definition.signal.score}
    return {name: spec for name, spec in definition.fields.items() if name in named}


def _whole_query(definition: Definition, warehouse: Embedded, as_of: datetime) -> str:
    """Return the query of every row of a file: what was recorded, else what was said of it.

    Rules are not asked again: what they selected is among the fates.
    """
    dialect = warehouse.dialect
    relations = relations_of(definition, warehouse)
    source = f"({subjects_query(definition, relations, dialect)})"
    verdict, reason, joined = "'not_met'", "f.reason", ""
    if can_withhold(definition):
        source = f"({judged_sql(definition, source, dialect=dialect, as_of=as_of)})"
        verdict = "CASE WHEN b.code IS NULL THEN 'not_met' ELSE 'withheld' END"
        reason = "coalesce(f.reason, b.reason)"
        joined = f" LEFT JOIN boundary AS b ON b.code = s.{quoted(WITHHELD, dialect)}"
    subject = f"s.{quoted(SUBJECT, dialect)}"
    return (
        f"SELECT {subject} AS subject, coalesce(f.verdict, {verdict}) AS verdict, "
        f"{reason} AS reason, f.rule, f.action, f.arm, f.assignee, {_scored(definition)} "
        f"FROM {source} AS s LEFT JOIN fates AS f ON f.subject = {subject}{joined}"
    )


def _withheld_query(definition: Definition, warehouse: Embedded) -> str:
    dialect = warehouse.dialect
    subjects = subjects_query(definition, relations_of(definition, warehouse), dialect)
    nothing = ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" for name in _FATES[2:])
    return (
        f"SELECT s.{quoted(SUBJECT, dialect)} AS subject, 'withheld' AS verdict, "
        f"'{WITHHELD_BY_GATE}' AS reason, {nothing}, {_scored(definition)} FROM ({subjects}) AS s"
    )


def _scored(definition: Definition) -> str:
    return (
        f"CAST(s.{quoted(definition.signal.score, 'duckdb')} AS DOUBLE) AS score, "
        f"s.{quoted(SCORED_AT, 'duckdb')} AS scored_at, "
        f"s.{quoted(MODEL_VERSION, 'duckdb')} AS model_version, "
        f"{_inputs_sql(definition, 's.{0}')} AS inputs"
    )


def _boundary(definition: Definition) -> pa.Table:
    rules = len(definition.rules) if definition.match == "unique" else 0
    codes = range(len(definition.withhold) + rules**2)
    reasons = [boundary.reason(definition, code)[0] for code in codes]
    return columnar.table(zip(codes, reasons, strict=True), code="BIGINT", reason="VARCHAR")


def _inputs_sql(definition: Definition, place: str) -> str:
    """Return a STRUCT of the inputs; NULL where there are none, since a STRUCT is never empty."""
    packed = [
        f"{quoted(name, 'duckdb')} := "
        f"CAST({place.format(quoted(name, 'duckdb'))} AS {COLUMN_TYPES[spec.type]})"
        for name, spec in inputs_of(definition).items()
    ]
    return f"struct_pack({', '.join(packed)})" if packed else "CAST(NULL AS BOOLEAN)"


def _fates(verdicts: pa.Table) -> pa.Table:
    with columnar.session() as engine:
        engine.register("verdicts", verdicts)
        found: pa.Table = engine.sql(_FATES_QUERY).to_arrow_table()
    return found


def _write_selected(definition: Definition, verdicts: pa.Table, file: Path) -> int:
    query = f"""
        SELECT subject, {", ".join(f"f.{name}" for name in _FATES)}, v.score, v.scored_at,
            v.model_version, {_inputs_sql(definition, "json_extract_string(v.facts, '$.{0}')")}
            AS inputs
        FROM verdicts AS v JOIN fates AS f USING (subject)
    """
    with columnar.session() as engine:
        engine.register("verdicts", verdicts)
        engine.register("fates", _fates(verdicts))
        return _written(engine, query, file)


def _written(engine: duckdb.DuckDBPyConnection, query: str, file: Path) -> int:
    place = exp.Literal.string(str(file)).sql("duckdb")
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
