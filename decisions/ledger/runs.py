"""What is written when a batch was decided: the run, its arms, its cases, its first messages."""

import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial

import pyarrow as pa
from sqlalchemy import Connection, select

from decisions import columnar
from decisions.canonical import sha256
from decisions.deciding import limits
from decisions.deciding.archive import Archived, Draft
from decisions.deciding.boundary import Withheld
from decisions.deciding.gate import Batch
from decisions.deciding.routing import routed
from decisions.definition import Definition
from decisions.errors import NotUnderstood
from decisions.ledger import chain
from decisions.ledger.arms import arms_of, store_arms
from decisions.ledger.openings import open_cases
from decisions.ledger.periods import period_name
from decisions.ledger.probing import history_of
from decisions.ledger.recording import (
    RECORDED,
    SHADOW,
    WITHHELD,
    Tally,
    add_run,
    record_tally,
    tell_of_run,
)
from decisions.ledger.records import Arm, Entry, Run
from decisions.ledger.signals import append_signals
from decisions.ledger.singles import Selected, record_single
from decisions.ledger.standings import Mandate, admitted
from decisions.ledger.store import Store
from decisions.ledger.transaction import Transaction
from decisions.ownership import People, Standin, resolve

SINGLE = "record:"
"""How the fingerprint of a batch of one begins that a program sent."""


def fingerprint(key: str, record: str) -> str:
    """Return the fingerprint of a batch of one: first of its request, then of what it says.

    Args:
        key: Names the request.
        record: The record, as canonical JSON.
    """
    return f"{SINGLE}{sha256(key)}:{sha256(record)}"


GATE = "gate"
"""The reason that a batch at fault gives to all of its subjects."""


class Runs:
    """The runs in the ledger, and how one gets in."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def earlier_counts(self, decision: str, *, most: int = 100) -> list[int]:
        """Return the row counts of the runs that passed the gate, latest first."""
        table = Run.__table__
        query = (
            select(table.c.evaluated)
            .where(
                table.c.decision == decision,
                table.c.state == RECORDED,
                table.c.batch.not_like(f"{SINGLE}%"),
            )
            .order_by(table.c.id.desc())
            .limit(most)
        )
        with self._store.reading() as connection:
            return list(connection.execute(query).scalars())

    def latest(self, decision: str | None = None, *, most: int = 20) -> list[Run]:
        """Return the latest runs, newest first."""
        table = Run.__table__
        query = select(table).order_by(table.c.id.desc()).limit(most)
        if decision is not None:
            query = query.where(table.c.decision == decision)
        with self._store.reading() as connection:
            return [Run(**row) for row in connection.execute(query).mappings()]

    def in_force(self, decision: str, at: datetime, *, opening: Collection[int] = ()) -> Run | None:
        """Return the last run of a decision that was recorded by then and acted.

        Single records of others say nothing of a subject, and one in shadow counts only where
        nothing else ran.

        Args:
            decision: Its name.
            at: The instant (timezone-aware).
            opening: The runs over single records that count, as they opened a case of the subject.
        """
        table = Run.__table__
        is_batch = table.c.batch.not_like(f"{SINGLE}%") | table.c.id.in_(opening)
        query = (
            select(table)
            .where(table.c.decision == decision, table.c.recorded_at <= at, is_batch)
            .order_by(table.c.state == SHADOW, table.c.id.desc())
            .limit(1)
        )
        with self._store.reading() as connection:
            row = connection.execute(query).mappings().first()
        return Run(**row) if row else None

    def of_request(self, decision: str, batch: Batch) -> Run | None:
        """Return the run that a program's request led to; None while there is none.

        Args:
            decision: Its name.
            batch: The record as a batch, with a ``fingerprint`` of the request.

        Raises:
            NotUnderstood: The request's key was used for another record.
        """
        with self._store.reading() as connection:
            return _run_over(connection, decision, batch)

    def archived(self) -> list[Archived]:
        """Return every archive of verdicts as the history tells of it, oldest first."""
        table = Entry.__table__
        query = (
            select(table.c.object, table.c.body)
            .where(table.c.act.in_([RECORDED, WITHHELD, SHADOW]), table.c.object.like("run %"))
            .order_by(table.c.id)
        )
        with self._store.reading() as connection:
            told = [(name, json.loads(body)) for name, body in connection.execute(query)]
        return [
            Archived(body["decision"], int(name.removeprefix("run ")), **body["archive"])
            for name, body in told
            if "archive" in body
        ]

    def withhold(
        self,
        definition: Definition,
        batch: Batch,
        people: People,
        *,
        archived: Draft | None = None,
        under: Mandate | None = None,
    ) -> Run:
        """Record that the gate refused a batch, and queue word of it to the technical owner.

        A batch refused again for the same faults, with nothing decided in between, is told once,
        and nobody hears of one that a version in shadow was judged on.

        Args:
            definition: The decision.
            batch: What the gate saw.
            people: Who there is.
            archived: The batch's archive, if it could be written.
            under: The stage it runs in; None for a content that nobody has to sign.

        Raises:
            LifecycleError: As for ``record``.
        """
        with self._store.writing() as transaction:
            version = admitted(transaction, definition, under)
            counts = {"withheld": {GATE: batch.rows}}
            if under is not None and not under.acts:
                return add_run(transaction, version, batch, SHADOW, counts, archived=archived)
            is_news = _last_faults(transaction, definition.decision) != list(batch.faults)
            run = add_run(transaction, version, batch, WITHHELD, counts, archived=archived)
            owner = resolve(
                "technical",
                people=people,
                owners=definition.owners,
                assignee=None,
                at=transaction.at,
            )
            if is_news:
                tell_of_run(transaction, run, owner.person, _because("technical", owner))
            return run

    def record(
        self,
        definition: Definition,
        batch: Batch,
        matches: pa.Table,
        people: People,
        *,
        withheld: Sequence[Withheld] = (),
        archive: Callable[[pa.Table], Draft] | None = None,
        under: Mandate | None = None,
    ) -> Run:
        """Record the verdicts on a batch in one transaction.

        Arms first, then limits, then routes; what an earlier run has already opened or decided
        stays as it is, so the same batch recorded twice opens nothing twice and tells nobody twice.

        Args:
            definition: The decision.
            batch: What the gate saw.
            matches: What ``evaluation.selected`` returned.
            people: Who there is.
            withheld: Whom the operating boundary keeps back.
            archive: Writes the archive of verdicts; called before anybody else is kept waiting,
                and again if verdicts have changed by the time they are recorded.
            under: The stage it runs in; None for a content that nobody has to sign. In shadow the
                run, its counts and its archive are recorded, and nothing else.

        Raises:
            Halted: The decision was halted meanwhile; nothing was recorded.
            NotInForce: The content has to be signed, or another has come into force meanwhile.
        """
        at, draft = self._store.clock(), None
        ramp = limits.Ramp.of(definition.decision, under.placing) if under else None
        judged = partial(_verdicts, definition, batch, matches, people, at, ramp)
        if archive is not None:
            with self._store.reading() as connection:
                head, proposed = chain.head(connection), judged(connection)
            draft = archive(proposed)
        try:
            with self._store.writing(at) as transaction:
                connection = transaction.connection
                if draft is None or archive is None:
                    verdicts = judged(connection)
                elif chain.head(connection) == head:
                    verdicts = proposed
                else:
                    verdicts = judged(connection)
                    if not verdicts.equals(proposed):
                        draft.discard()
                        draft = archive(verdicts)
                return record_tally(
                    transaction,
                    definition,
                    batch,
                    _tally(verdicts, definition, withheld),
                    people,
                    under=under,
                    draft=draft,
                    write=partial(_write, transaction, definition, verdicts),
                )
        finally:
            if draft is not None:
                draft.discard()

    def record_one(
        self,
        definition: Definition,
        batch: Batch,
        selected: Selected | None,
        people: People,
        *,
        withheld: Sequence[Withheld] = (),
        under: Mandate | None = None,
    ) -> Run:
        """Record the verdict on one record, once for each batch of one; as ``record`` would.

        Args:
            definition: The decision.
            batch: The record as a batch, whose fingerprint names the request.
            selected: The record, if a rule selects it.
            people: Who there is.
            withheld: Why the operating boundary keeps it back, if it does.
            under: The stage it runs in.

        Returns:
            The run; the earlier one if there is one over this very batch.

        Raises:
            NotUnderstood: The request's key was used for another record.
            LifecycleError: As for ``record``.
        """
        with self._store.writing() as transaction:
            if earlier := _run_over(transaction.connection, definition.decision, batch):
                return earlier
            return record_single(
                transaction, definition, batch, selected, people, withheld=withheld, under=under
            )


def _run_over(connection: Connection, decision: str, batch: Batch) -> Run | None:
    # Fingerprints of requests are of one length, so that these bounds hold by any collation.
    request = batch.fingerprint.rpartition(":")[0]
    table = Run.__table__
    query = select(table).where(
        table.c.decision == decision,
        table.c.batch.between(f"{request}:{'0' * 64}", f"{request}:{'f' * 64}"),
    )
    row = connection.execute(query.order_by(table.c.id).limit(1)).mappings().first()
    if row is not None and row["batch"] != batch.fingerprint:
        raise NotUnderstood(
            "this key was used for another record of the decision; give each record its own, and "
            "the same record again the same"
        )
    return Run(**row) if row else None


def _verdicts(
    definition: Definition,
    batch: Batch,
    matches: pa.Table,
    people: People,
    at: datetime,
    ramp: limits.Ramp | None,
    connection: Connection,
) -> pa.Table:
    """Return the matches with arm, route and the reason why one is suppressed, or null."""
    period = period_name(connection, definition)
    arms = arms_of(connection, definition, matches, period)
    sent = routed(definition, matches, people, at=at)
    history = history_of(connection, definition, sent, people, at=at, batch=batch.fingerprint)
    reasons = limits.reasons(sent, history, definition.limits, ramp)
    return sent.append_column("arm", arms).append_column("reason", reasons)


def _tally(verdicts: pa.Table, definition: Definition, withheld: Sequence[Withheld]) -> Tally:
    with columnar.session() as engine:
        engine.register("verdicts", verdicts.select(["arm", "reason"]))
        tally = "SELECT {0}, count(*) FROM verdicts WHERE reason IS {1} NULL GROUP BY ALL"
        opened = dict(engine.sql(tally.format("arm", "")).fetchall())
        suppressed = dict(engine.sql(tally.format("reason", "NOT")).fetchall())
    return Tally(
        opened=opened.get(Arm.TREATMENT, 0),
        held_out=opened.get(Arm.CONTROL, 0),
        suppressed=suppressed,
        cost=limits.cost(verdicts, definition.limits),
        withheld=withheld,
    )


def _write(
    transaction: Transaction, definition: Definition, verdicts: pa.Table, run: Run, period: str
) -> None:
    connection, arms = transaction.connection, verdicts.column("arm")
    store_arms(connection, definition, verdicts, arms, period=period, run_id=run.id)
    open_cases(transaction, definition, run, verdicts, period)
    append_signals(transaction, definition, run, verdicts)


def _last_faults(transaction: Transaction, decision: str) -> list[str]:
    table = Run.__table__
    query = select(table.c.faults).where(table.c.decision == decision, table.c.state != SHADOW)
    last = query.order_by(table.c.id.desc()).limit(1)
    return transaction.connection.execute(last).scalars().first() or []


def _because(role: str, found: Standin) -> str:
    return f"{role} owner; {found.because}" if found.because else f"{role} owner"
