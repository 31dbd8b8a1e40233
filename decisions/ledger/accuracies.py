"""How right a model was on each batch that was judged: recorded once, read by reports."""

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Connection, select

from decisions.definition import Definition
from decisions.effectiveness.judgement import Accuracy, Judgement
from decisions.ledger.bulk import as_table
from decisions.ledger.recording import RECORDED
from decisions.ledger.records import Case, ModelAccuracy, Run, Version
from decisions.ledger.store import Store
from decisions.ledger.versions import pinned

_accuracies, _cases, _runs = ModelAccuracy.__table__, Case.__table__, Run.__table__


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A batch whose outcomes are final and whose scores were not judged yet.

    Attributes:
        definition: What decided on it.
        run: The run.
        cases: Cases open within its outcome window: ``subject``, ``arm``.
    """

    definition: Definition
    run: Run
    cases: pa.Table


class Accuracies:
    """Judged batches in the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def awaiting(self, at: datetime) -> list[Awaiting]:
        """Return the first archived batch of each month that can be judged and was not yet.

        Args:
            at: The instant by which its outcomes must be final (timezone-aware).
        """
        found, seen = [], set()
        with self._store.reading() as connection:
            done = set(connection.execute(select(_accuracies.c.run_id)).scalars())
            query = (
                select(_runs)
                .where(_runs.c.state == RECORDED, _runs.c.archive_sha256.is_not(None))
                .order_by(_runs.c.id)
            )
            for row in connection.execute(query).mappings():
                month = (row["decision"], f"{row['as_of']:%Y-%m}")
                if month in seen:
                    continue
                seen.add(month)
                run = Run(**row)
                definition = None if run.id in done else _definition(connection, run)
                if definition is None or not _is_final(definition, run, at):
                    continue
                found.append(Awaiting(definition, run, _touched(connection, definition, run)))
        return found

    def record(self, run: Run, accuracy: Accuracy | None, *, missing: str | None) -> None:
        """Record how right the model was on a batch, or why nobody can say; once."""
        with self._store.writing() as transaction:
            table = _accuracies
            known = select(table.c.run_id).where(table.c.run_id == run.id)
            if transaction.connection.execute(known).first():
                return
            found = accuracy.model_dump(mode="json") if accuracy else None
            transaction.connection.execute(
                table.insert().values(
                    run_id=run.id, recorded_at=transaction.at, found=found, missing=missing
                )
            )
            told = {"found": found, "missing": missing}
            transaction.enter("model judged", f"run {run.id}", told)


def judgements(connection: Connection, decision: str, at: datetime) -> tuple[Judgement, ...]:
    """Return what was known of a decision's model at an instant (timezone-aware), oldest first."""
    query = (
        select(_accuracies, _runs.c.as_of)
        .join(_runs, _runs.c.id == _accuracies.c.run_id)
        .where(_runs.c.decision == decision, _accuracies.c.recorded_at <= at)
        .order_by(_runs.c.id)
    )
    return tuple(
        Judgement(
            run=row["run_id"],
            scored_at=row["as_of"],
            accuracy=Accuracy.model_validate(row["found"]) if row["found"] else None,
            missing=row["missing"],
        )
        for row in connection.execute(query).mappings()
    )


def _definition(connection: Connection, run: Run) -> Definition | None:
    table = Version.__table__
    row = connection.execute(select(table).where(table.c.id == run.version_id)).mappings().one()
    return pinned(Version(**row)) if row["definition"] else None


def _is_final(definition: Definition, run: Run, at: datetime) -> bool:
    return definition.outcome is not None and run.as_of + definition.outcome.matures_after <= at


def _touched(connection: Connection, definition: Definition, run: Run) -> pa.Table:
    window = definition.outcome.window.elapsed if definition.outcome else None
    query = select(_cases.c.subject, _cases.c.arm).where(_cases.c.decision == run.decision)
    if window:
        # Whoever was acted on shortly before may still feel it.
        since, until = run.as_of - window, run.as_of + window
        query = query.where(_cases.c.opened_at > since, _cases.c.opened_at < until)
    rows = connection.execute(query).all()
    return as_table(rows, subject=pa.string(), arm=pa.string())
