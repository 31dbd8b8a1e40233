"""What was done and what came of it: cases that await a look, and what the look found."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, select

from decisions import columnar
from decisions.definition import Definition
from decisions.ledger.bulk import among, as_table, insert_rows, instant_sql
from decisions.ledger.corrections import TakenIn, take_in
from decisions.ledger.records import Case, Intervention, Outcome, Version
from decisions.ledger.store import Store
from decisions.ledger.transaction import Transaction
from decisions.ledger.versions import pinned
from decisions.ledger.waiting import end_wait, tell

PROVEN = "proven"
REPORTED = "reported"
HANDED_IN = "outcomes handed in"


@dataclass(frozen=True, slots=True)
class Witness:
    """Who hands in what other systems say.

    Attributes:
        person: Key of the person in whose name it is handed in.
        via: What it comes by.
        token: Number of the token that the program has shown.
    """

    person: str
    via: str
    token: int

    @property
    def told(self) -> dict[str, str | int]:
        """How the history names it, beside the person."""
        return {"via": self.via, "token": self.token}


class Results:
    """Interventions and outcomes in the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def awaiting_outcome(self, at: datetime) -> list[tuple[Definition, pa.Table]]:
        """Return the cases whose outcome window and lag have passed, by pinned definition.

        Returns:
            For each definition ``case_id``, ``subject``, ``opened_at`` (UTC).
        """
        return self._awaiting(Case.__table__.c.outcome_due_at <= at)

    def looked_up(self, since: datetime) -> list[tuple[Definition, pa.Table]]:
        """Return the cases whose outcome was first looked up at or after an instant.

        Returns:
            For each definition ``case_id``, ``subject``, ``opened_at`` (UTC), ``key``.
        """
        table, outcomes = Case.__table__, Outcome.__table__
        lately = select(outcomes.c.case_id).where(outcomes.c.recorded_at >= since)
        return self._awaiting(table.c.outcome_due_at.is_(None) & table.c.id.in_(lately))

    def correct(
        self, rows: pa.Table, *, decision: str, source: str, by: Witness | None = None
    ) -> TakenIn:
        """Append the outcomes that differ from those known; see ``corrections.take_in``.

        Args:
            rows: As there.
            decision: As there.
            source: As there.
            by: Who hands them in, to be entered; None where a sweep looked them up.
        """
        with self._store.writing() as transaction:
            found = take_in(transaction, rows, decision=decision, source=source)
            if by is not None and found.new + found.corrected:
                counts = asdict(found) | {"source": source}
                counts.pop("lines")
                transaction.enter(HANDED_IN, decision, counts | by.told, actor=by.person)
            return found

    def awaiting_proof(self) -> list[tuple[Definition, pa.Table]]:
        """Return the cases of either arm whose outcome is still awaited and that lack a proof.

        Returns:
            For each definition ``case_id``, ``subject``, ``opened_at`` (UTC).
        """
        return self._awaiting(Case.__table__.c.outcome_due_at.is_not(None) & ~_is_proven())

    def _awaiting(self, condition: ColumnElement[bool]) -> list[tuple[Definition, pa.Table]]:
        table = Case.__table__
        awaiting = []
        with self._store.reading() as connection:
            version_ids = select(table.c.version_id).where(condition).distinct()
            versions = connection.execute(
                select(Version.__table__)
                .where(Version.__table__.c.id.in_(version_ids))
                .order_by(Version.__table__.c.id)
            ).mappings()
            for version in [Version(**row) for row in versions]:
                rows = connection.execute(
                    select(table.c.id, table.c.subject, table.c.opened_at, table.c.key)
                    .where(condition, table.c.version_id == version.id)
                    .order_by(table.c.id)
                ).all()
                awaiting.append((pinned(version), _cases(rows)))
        return awaiting

    def record_proofs(self, proofs: pa.Table, *, what: str) -> int:
        """Record proofs of interventions; one that is known already is left as it is.

        Args:
            proofs: ``case_id``, ``acted_at`` (UTC).
            what: What proves it, such as the table's name.

        Returns:
            How many were recorded.
        """
        with self._store.writing() as transaction:
            rows = _with_keys(
                transaction.connection,
                proofs,
                f"SELECT f.case_id, 'proven' AS source, $what AS what, "
                f"{instant_sql('f.acted_at', transaction.connection)} AS acted_at, "
                f"{_now(transaction)} AS recorded_at, f.key FROM found f WHERE NOT f.proven",
                {"what": what},
            )
            _insert(transaction, Intervention, rows)
            tell(transaction, "proven", rows, ("acted_at", "what"))
            return int(rows.num_rows)

    def record_outcomes(self, outcomes: pa.Table) -> int:
        """Record outcomes, end the wait for them, and release the held-out cases among them.

        Args:
            outcomes: ``case_id``, ``state``, ``value``, ``observed_at`` (UTC or null).

        Returns:
            How many were recorded; a case somebody else has looked up meanwhile is left out.
        """
        with self._store.writing() as transaction:
            connection = transaction.connection
            rows = _with_keys(
                connection,
                outcomes,
                f"SELECT f.case_id, f.state, f.value, "
                f"{instant_sql('f.observed_at', connection)} AS observed_at, "
                f"{_now(transaction)} AS recorded_at, f.key FROM found f WHERE f.awaited",
                {},
            )
            _insert(transaction, Outcome, rows)
            end_wait(transaction, rows.column("case_id").to_pylist())
            tell(transaction, "outcome", rows, ("observed_at", "state", "value"))
            return int(rows.num_rows)


def _is_proven() -> ColumnElement[bool]:
    proofs = Intervention.__table__
    return (
        select(proofs.c.id)
        .where(proofs.c.case_id == Case.__table__.c.id, proofs.c.source == PROVEN)
        .exists()
    )


def _cases(rows: Iterable[Any]) -> pa.Table:
    return as_table(
        rows,
        case_id=pa.int64(),
        subject=pa.string(),
        opened_at=pa.timestamp("us", tz="UTC"),
        key=pa.string(),
    )


def _now(transaction: Transaction) -> str:
    written = f"TIMESTAMPTZ '{transaction.at:%Y-%m-%d %H:%M:%S.%f}+00'"
    return instant_sql(written, transaction.connection)


def _with_keys(
    connection: Connection, found: pa.Table, query: str, parameters: dict[str, Any]
) -> pa.Table:
    table = Case.__table__
    known = connection.execute(
        select(table.c.id, table.c.key, table.c.outcome_due_at.is_not(None), _is_proven()).where(
            among(table.c.id, found.column("case_id").to_pylist(), connection)
        )
    ).all()
    types = {"case_id": pa.int64(), "key": pa.string()}
    with columnar.session() as engine:
        engine.register("rows_found", found)
        engine.register("known", as_table(known, **types, awaited=pa.bool_(), proven=pa.bool_()))
        engine.execute(
            "CREATE TEMP TABLE found AS SELECT f.*, k.key, k.awaited, k.proven FROM rows_found f "
            "JOIN known k USING (case_id) ORDER BY case_id"
        )
        rows: pa.Table = engine.sql(query, params=parameters).to_arrow_table()
    return rows


def _insert(transaction: Transaction, record: type[Any], rows: pa.Table) -> None:
    insert_rows(transaction.connection, record, rows.drop_columns(["key"]))
