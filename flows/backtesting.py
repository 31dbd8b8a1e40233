"""A version over batches of the past, beside the version that is live; the ledger is only read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from decisions import columnar
from decisions.deciding.archive import VerdictArchive
from decisions.deciding.comparison import Comparison, compared
from decisions.deciding.simulation import PastBatch, Simulation
from decisions.definition import Definition
from decisions.errors import NotUnderstood
from decisions.ledger import Ledger
from decisions.ledger.recording import RECORDED
from decisions.ledger.records import Run
from decisions.ledger.versions import pinned
from decisions.ownership import People
from decisions.rules.columns import quoted

MOST_RUNS = 1_000
"""Archived runs that are looked back over at most."""
_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".tsv": "read_csv"}
_KEPT = ("subject", "action", "assignee", "arm", "reason", "value")


@dataclass(frozen=True, slots=True)
class Tried:
    """A version under a name that a person knows it by."""

    label: str
    definition: Definition


@dataclass(frozen=True, slots=True)
class Past:
    """The batches to decide on once more, oldest first, and what is to be known of them."""

    batches: Sequence[PastBatch]
    notes: Sequence[str] = field(default_factory=list)
    given: bool = False
    """Whether they are files that somebody gave, which can be mended, rather than archived runs."""


def archived_past(
    ledger: Ledger, archive: VerdictArchive, decision: str, *, since: datetime | None
) -> Past:
    """Return the batches of a decision's archived runs; one that was asked twice counts once.

    Args:
        ledger: Where the runs are.
        archive: Where their files are.
        decision: The decision.
        since: No run before this instant (timezone-aware); all that there are if left out.

    Raises:
        NotUnderstood: There is none.
    """
    found: dict[str, PastBatch] = {}
    gone, partly = [], []
    for run in reversed(ledger.runs.latest(decision, most=MOST_RUNS)):
        if run.state != RECORDED or (since and run.as_of < since) or run.batch in found:
            continue
        file = archive.place(decision, run.id)
        if run.archive_sha256 is None or not file.is_file():
            gone.append(str(run.id))
            continue
        found[run.batch] = _of_run(ledger, run, file)
        if (run.archive_rows or 0) < run.evaluated:
            partly.append(str(run.id))
    if not found:
        when = f" since {since:%Y-%m-%d}" if since else ""
        raise NotUnderstood(
            f"{decision} has no archived runs{when}; give batches with --batches FILE …"
        )
    notes = [f"without archive and left out: run {', '.join(gone)}"] if gone else []
    if partly:
        notes.append(
            f"of run {', '.join(partly)} only what a rule selected then is on file; what else the "
            "tried version would select is not counted"
        )
    return Past([*found.values()], notes)


def given_past(definition: Definition, files: Sequence[Path]) -> Past:
    """Return the batches that lie in files, a batch each, dated by their newest score.

    Args:
        definition: Says which columns hold subject and instant of scoring.
        files: Parquet or CSV.

    Raises:
        NotUnderstood: A file cannot be read, or lacks one of those columns.
    """
    batches = [_of_file(definition, file) for file in files]
    return Past(sorted(batches, key=lambda batch: batch.as_of), given=True)


def backtested(
    tried: Tried,
    other: Tried | None,
    past: Past,
    people: People,
    *,
    advance: Callable[[], object] = lambda: None,
) -> Comparison:
    """Decide on every batch with one version, or two, and return them side by side.

    Args:
        tried: The version in question.
        other: The version to compare with.
        past: The batches.
        people: Who there is.
        advance: Called after each batch and version.

    Raises:
        NotUnderstood: A batch lacks fields that a version needs.
    """
    sides = [each for each in (tried, other) if each]
    for each in sides:
        _refuse_lacking(each, past)
    found = [
        (each.label, each.definition, _verdicts(each, past, people, advance)) for each in sides
    ]
    instants = [batch.as_of for batch in past.batches]
    return compared(found[0], found[1] if other else None, instants)


def _verdicts(tried: Tried, past: Past, people: People, advance: Callable[[], object]) -> pa.Table:
    simulation = Simulation(tried.definition, people)
    tables = []
    for place, batch in enumerate(past.batches):
        verdicts = simulation.decide(batch).select(list(_KEPT))
        places = pa.repeat(pa.scalar(place, pa.int64()), verdicts.num_rows)
        tables.append(verdicts.append_column("place", places))
        advance()
    return pa.concat_tables(tables)


def _refuse_lacking(tried: Tried, past: Past) -> None:
    context = {name for each in tried.definition.context for name in each.fields}
    for batch in past.batches:
        lacking = batch.lacks(tried.definition)
        if not lacking:
            continue
        named = [f"{name} (from its context)" if name in context else name for name in lacking]
        reads = f"the definition ({tried.label}) reads {', '.join(named)}"
        if past.given:
            raise NotUnderstood(
                f"{reads}; {batch.name} has no such column{'s' if len(lacking) > 1 else ''}. A "
                "batch file must hold all that the definition reads, as nothing is joined to it: "
                f"add what is missing to {batch.name}"
            )
        raise NotUnderstood(
            f"{reads}; {batch.name} was archived without. Give batches as files that hold all "
            "that it reads, with --batches FILE …, or leave older runs out with --since"
        )


def _of_run(ledger: Ledger, run: Run, file: Path) -> PastBatch:
    score = pinned(ledger.version_of(run)).signal.score
    inputs = pq.read_schema(file).field("inputs").type
    names = [each.name for each in inputs] if pa.types.is_struct(inputs) else []
    columns = {score: "b.score"} | {name: f"b.inputs.{quoted(name, 'duckdb')}" for name in names}
    relation = f"read_parquet({exp.Literal.string(str(file)).sql('duckdb')})"
    return PastBatch(f"run {run.id}", run.as_of, relation, "b.subject", "b.scored_at", columns)


def _of_file(definition: Definition, file: Path) -> PastBatch:
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise NotUnderstood(f"{file} ends in none of {', '.join(_READERS)}")
    if not file.is_file():
        raise NotUnderstood(f"{file}: there is no such file; look at --batches")
    relation = f"{reader}({exp.Literal.string(str(file)).sql('duckdb')})"
    subject, scored_at = definition.signal.subject, definition.signal.scored_at
    try:
        with columnar.session() as engine:
            described = engine.sql(f"DESCRIBE SELECT * FROM {relation}").to_arrow_table()
            names = described.column("column_name").to_pylist()
            if missing := [name for name in (subject, scored_at) if name not in names]:
                raise NotUnderstood(f"{file} has no column {' and no column '.join(missing)}")
            newest = _newest(engine, relation, scored_at)
    except duckdb.Error as error:
        found = str(error).strip().splitlines()[0]
        raise NotUnderstood(f"{file} cannot be read as a batch: {found}") from error
    if newest is None:
        raise NotUnderstood(f"{file} holds no {scored_at}; a batch is dated by its newest score")
    columns = {name: f"b.{quoted(name, 'duckdb')}" for name in names}
    return PastBatch(file.name, newest, relation, columns[subject], columns[scored_at], columns)


def _newest(engine: duckdb.DuckDBPyConnection, relation: str, scored_at: str) -> datetime | None:
    query = f"SELECT max(CAST({quoted(scored_at, 'duckdb')} AS TIMESTAMPTZ)) AS at FROM {relation}"
    newest: datetime | None = engine.sql(query).to_arrow_table().column("at")[0].as_py()
    return newest.astimezone(UTC) if newest else None


def live(ledger: Ledger, decision: str) -> Tried | None:
    """Return the version that acts; None where none ever did."""
    standing = ledger.releases.standing(decision)
    if standing is None or standing.version_id is None:
        return None
    version = ledger.releases.version(standing.version_id)
    return Tried(f"version {version.number}, live", pinned(version))


def numbered(ledger: Ledger, decision: str, number: int) -> Tried:
    """Return a version by its number.

    Raises:
        NotUnderstood: There is no such version.
    """
    version = ledger.version(decision, number)
    if version is None:
        latest = ledger.latest_version(decision)
        known = f"its versions are 1 to {latest.number}" if latest else "none was ever recorded"
        raise NotUnderstood(f"{decision} has no version {number}; {known}")
    return Tried(f"version {number}", pinned(version))
