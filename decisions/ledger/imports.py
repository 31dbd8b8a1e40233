"""Measurement periods brought in from files: beside the cases, never among them.

An imported subject opens no case, tells nobody and counts against no limit; only the report on its
period reads it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import RowMapping, insert, select

from decisions import columnar
from decisions.canonical import canonical_json
from decisions.definition import Definition
from decisions.errors import NotUnderstood
from decisions.history import Trial, same_rows
from decisions.ledger.bulk import insert_rows, instant_sql
from decisions.ledger.records import Import, ImportedSubject
from decisions.ledger.store import Store
from decisions.ledger.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ImportedPeriod:
    """A measurement period that came from a file.

    Attributes:
        id: Number of its row.
        definition: The decision as declared for it.
        file: Name of the file.
        sha256: Hash of its rows and declaration.
        subjects: How many it holds.
        share_declared: Whether somebody said which share was to be left alone.
        by: Who brought it in.
        imported_at: When (timezone-aware).
    """

    id: int
    definition: Definition
    file: str
    sha256: str
    subjects: int
    share_declared: bool
    by: str
    imported_at: datetime

    @property
    def decision(self) -> str:
        """The decision's name."""
        return self.definition.decision

    @property
    def name(self) -> str:
        """What the period is called."""
        return _name(self.definition)


class Imports:
    """Imported measurement periods in the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def bring_in(
        self, trial: Trial, definition: Definition, *, share_declared: bool, by: str
    ) -> tuple[ImportedPeriod, bool]:
        """Record a finished measurement as one period, in one transaction.

        Args:
            trial: Its rows.
            definition: The decision as declared for it; the salt names the period.
            share_declared: Whether the share left alone was declared, or is the one found.
            by: Who brings it in.

        Returns:
            The period, and whether it is new: the same rows under the same declaration are taken
            once.

        Raises:
            NotUnderstood: The decision has another measurement of that name.
        """
        with self._store.writing() as transaction:
            name = same_rows(trial, definition)
            known = _known(transaction, definition)
            if known is not None and known["sha256"] == name:
                return _period(known), False
            if known is not None:
                raise NotUnderstood(
                    f"{definition.decision} already has an imported period "
                    f"{_name(definition)!r} with other rows or another declaration, from "
                    f"{known['file']}; what is recorded stays: name this one with --period"
                )
            row = {
                "decision": definition.decision,
                "period": _name(definition),
                "file": trial.file,
                "sha256": name,
                "definition": definition.model_dump(mode="json", by_alias=True),
                "share_declared": share_declared,
                "subjects": trial.rows.num_rows,
                "by": by,
                "imported_at": transaction.at,
            }
            table = Import.__table__
            adding = insert(table).values(**row).returning(table)
            made = transaction.connection.execute(adding).mappings().one()
            _insert_subjects(transaction, made["id"], trial.rows)
            transaction.enter("imported", _object(definition), _told(row, trial), actor=by)
            return _period(made), True

    def foreseen(self, trial: Trial, definition: Definition) -> ImportedPeriod:
        """Return the period a trial would become; nothing is recorded."""
        return ImportedPeriod(
            id=0,
            definition=definition,
            file=trial.file,
            sha256=same_rows(trial, definition),
            subjects=trial.rows.num_rows,
            share_declared=False,
            by="",
            imported_at=self._store.clock(),
        )

    def periods(self, decision: str | None = None) -> list[ImportedPeriod]:
        """Return the imported periods, of one decision or of all, first imported first."""
        table = Import.__table__
        query = select(table).order_by(table.c.id)
        if decision is not None:
            query = query.where(table.c.decision == decision)
        with self._store.reading() as connection:
            return [_period(row) for row in connection.execute(query).mappings()]


def _known(transaction: Transaction, definition: Definition) -> RowMapping | None:
    table = Import.__table__
    query = select(table).where(
        table.c.decision == definition.decision, table.c.period == _name(definition)
    )
    return transaction.connection.execute(query).mappings().first()


def _period(row: RowMapping) -> ImportedPeriod:
    definition = Definition.model_validate_json(canonical_json(row["definition"]))
    names = ("id", "file", "sha256", "subjects", "share_declared", "by", "imported_at")
    return ImportedPeriod(definition=definition, **{name: row[name] for name in names})


def _insert_subjects(transaction: Transaction, import_id: int, rows: pa.Table) -> None:
    decided_at = instant_sql("decided_at", transaction.connection)
    with columnar.session() as engine:
        engine.register("subjects", rows)
        stored: pa.Table = engine.sql(
            f"SELECT * REPLACE ({decided_at} AS decided_at) FROM subjects"
        ).to_arrow_table()
    insert_rows(transaction.connection, ImportedSubject, stored, same={"import_id": import_id})


def _told(row: dict[str, Any], trial: Trial) -> dict[str, Any]:
    arms = trial.rows.column("arm").to_pylist()
    told = {name: row[name] for name in ("file", "sha256", "subjects", "share_declared")}
    return told | {"control": arms.count("control"), "treatment": arms.count("treatment")}


def _name(definition: Definition) -> str:
    return definition.holdout.salt if definition.holdout else ""


def _object(definition: Definition) -> str:
    return f"{definition.decision}/{_name(definition)}"
