"""What batches are held against, and how far each had moved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from decisions.canonical import canonical_json, sha256
from decisions.deciding.distribution import Measured
from decisions.deciding.drift import Distribution, Shift, shift
from decisions.definition import Definition
from decisions.ledger.records import DriftReference, FieldDrift, Run
from decisions.ledger.store import Store
from decisions.ledger.transaction import SYSTEM, Transaction


@dataclass(frozen=True, slots=True)
class Reference:
    """What a field is held against.

    Attributes:
        id: Its row in the ledger.
        distribution: How the values were distributed.
        set_at: Since when (timezone-aware).
        set_by: The person who set it, or ``followthrough`` where it was the first batch.
    """

    id: int
    distribution: Distribution
    set_at: datetime
    set_by: str


@dataclass(frozen=True, slots=True)
class Drifted:
    """How far one field of one run's batch had moved.

    Attributes:
        run: Number of the run.
        at: When it was recorded (timezone-aware).
        field: The field.
        psi: Population stability index against the reference.
        bound: What the index may be before somebody is told.
        reference_at: When the reference was set (timezone-aware).
    """

    run: int
    at: datetime
    field: str
    psi: float
    bound: float
    reference_at: datetime

    @property
    def is_flagged(self) -> bool:
        """Whether it had moved further than it may."""
        return self.psi > self.bound


class Drifts:
    """The drift of decisions over time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def references(self, decision: str) -> dict[str, Reference]:
        """Return what each field of a decision is held against at present."""
        with self._store.reading() as connection:
            return references_of(connection, decision)

    def history(self, decision: str, *, most: int = 1_000) -> list[Drifted]:
        """Return how far each run's batch had moved, field by field, latest run first."""
        query = _drifted().where(Run.__table__.c.decision == decision).limit(most)
        with self._store.reading() as connection:
            return [Drifted(*row) for row in connection.execute(query)]

    def of_runs(self, runs: Iterable[int]) -> dict[int, list[Drifted]]:
        """Return how far the batches of some runs had moved, by run."""
        query = _drifted().where(Run.__table__.c.id.in_(list(runs)))
        found: dict[int, list[Drifted]] = {}
        with self._store.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row[0], []).append(Drifted(*row))
        return found

    def set_reference(
        self, definition: Definition, found: Mapping[str, Distribution], *, batch: str, by: str
    ) -> None:
        """Hold later batches against this one, by a person's decision.

        Args:
            definition: The decision.
            found: The distributions by field.
            batch: The batch's fingerprint.
            by: Who says so.
        """
        with self._store.writing() as transaction:
            add_references(transaction, definition, found, batch=batch, by=by)


def _drifted() -> Select[Any]:
    drift, run, reference = FieldDrift.__table__, Run.__table__, DriftReference.__table__
    columns = (run.c.id, run.c.recorded_at, *(drift.c[n] for n in ("field", "psi", "bound")))
    return (
        select(*columns, reference.c.set_at)
        .join(drift, drift.c.run_id == run.c.id)
        .join(reference, reference.c.id == drift.c.reference_id)
        .order_by(run.c.id.desc(), drift.c.field)
    )


def references_of(connection: Connection, decision: str) -> dict[str, Reference]:
    """Return what each field is held against: the row that was added last."""
    table = DriftReference.__table__
    latest = select(func.max(table.c.id)).where(table.c.decision == decision)
    query = select(table).where(table.c.id.in_(latest.group_by(table.c.field)))
    return {
        row["field"]: Reference(row["id"], _distribution(row), row["set_at"], row["set_by"])
        for row in connection.execute(query).mappings()
    }


def add_references(
    transaction: Transaction,
    definition: Definition,
    found: Mapping[str, Distribution],
    *,
    batch: str,
    by: str = SYSTEM,
) -> None:
    """Add a reference for each field; its entry pins the content by hash."""
    for name, each in found.items():
        content: dict[str, Any] = {
            "edges": list(each.edges),
            "values": list(each.values),
            "counts": list(each.counts),
        }
        transaction.add(
            DriftReference(
                decision=definition.decision,
                field=name,
                batch=batch,
                set_at=transaction.at,
                set_by=by,
                **content,
            )
        )
        told = {"batch": batch, "reference": sha256(canonical_json(content)), "rows": each.rows}
        transaction.enter("reference set", f"{definition.decision}/{name}", told, actor=by)


def shifts(
    connection: Connection, definition: Definition, measured: Measured
) -> dict[str, tuple[Reference, Shift]]:
    """Return how far each field has moved; one whose reference was set anew meanwhile is left out.

    Args:
        connection: A connection to the ledger.
        definition: The decision.
        measured: What was counted.
    """
    references = references_of(connection, definition.decision) if measured.known else {}
    watched = definition.signal.gate.drift
    return {
        name: (known, shift(known.distribution, found, declared=watched[name].psi))
        for name, found in measured.known.items()
        if (known := references.get(name)) and known.distribution.is_binned_like(found)
    }


def store_drift(
    transaction: Transaction,
    definition: Definition,
    run: Run,
    measured: Measured,
    moved: Mapping[str, tuple[Reference, Shift]],
) -> None:
    """Store how far a run's batch had moved; a field without a reference gets one of it.

    Args:
        transaction: The run's transaction.
        definition: The decision.
        run: The run, already recorded.
        measured: What was counted.
        moved: What ``shifts`` returned.
    """
    for name, (known, found) in moved.items():
        transaction.add(
            FieldDrift(
                run_id=run.id, field=name, reference_id=known.id, psi=found.psi, bound=found.bound
            )
        )
    if measured.new:
        known_by_now = references_of(transaction.connection, definition.decision)
        first = {name: each for name, each in measured.new.items() if name not in known_by_now}
        add_references(transaction, definition, first, batch=run.batch)


def _distribution(row: RowMapping) -> Distribution:
    return Distribution(tuple(row["edges"]), tuple(row["values"]), tuple(row["counts"]))
