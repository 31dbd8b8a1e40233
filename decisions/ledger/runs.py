"""What is written when a batch was decided: the run, its arms, its cases, its first messages."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, func, select

from decisions import columnar
from decisions.canonical import canonical_json, sha256
from decisions.deciding import limits
from decisions.deciding.archive import Archived, Draft
from decisions.deciding.boundary import Withheld
from decisions.deciding.gate import Batch
from decisions.deciding.routing import routed
from decisions.definition import Definition
from decisions.errors import UnknownPerson
from decisions.ledger import advice, chain, drifts
from decisions.ledger.arms import arms_of, store_arms
from decisions.ledger.openings import open_cases
from decisions.ledger.periods import current_period, period_name
from decisions.ledger.probing import history_of
from decisions.ledger.records import Arm, Entry, Run, Version
from decisions.ledger.signals import append_signals
from decisions.ledger.standings import Mandate, admitted
from decisions.ledger.store import Store
from decisions.ledger.transaction import Transaction
from decisions.ownership import People, Standin, resolve
from decisions.ports import Kind

RECORDED = "recorded"
SHADOW = "shadow"
WITHHELD = "withheld"
SINGLE = "record:"
"""How the fingerprint of a batch of one begins that a program sent."""
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

    def in_force(self, decision: str, at: datetime) -> Run | None:
        """Return the last run of a decision that was recorded by then.

        Args:
            decision: Its name.
            at: The instant (timezone-aware).
        """
        table = Run.__table__
        query = select(table).where(table.c.decision == decision, table.c.recorded_at <= at)
        with self._store.reading() as connection:
            row = connection.execute(query.order_by(table.c.id.desc()).limit(1)).mappings().first()
        return Run(**row) if row else None

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
                return _add_run(transaction, version, batch, SHADOW, counts, archived=archived)
            is_news = _last_faults(transaction, definition.decision) != list(batch.faults)
            run = _add_run(transaction, version, batch, WITHHELD, counts, archived=archived)
            owner = resolve(
                "technical",
                people=people,
                owners=definition.owners,
                assignee=None,
                at=transaction.at,
            )
            if is_news:
                _tell_of_run(transaction, run, owner.person, _because("technical", owner))
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
        once: bool = False,
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
            once: Return the earlier run over this very batch instead, if there is one.

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
                if once and (earlier := _run_over(connection, definition, batch)):
                    return earlier
                if draft is None or archive is None:
                    verdicts = judged(connection)
                elif chain.head(connection) == head:
                    verdicts = proposed
                else:
                    verdicts = judged(connection)
                    if not verdicts.equals(proposed):
                        draft.discard()
                        draft = archive(verdicts)
                return _add_verdicts(
                    transaction, definition, batch, verdicts, people, withheld, draft, under
                )
        finally:
            if draft is not None:
                draft.discard()


def _run_over(connection: Connection, definition: Definition, batch: Batch) -> Run | None:
    table = Run.__table__
    query = select(table).where(
        table.c.decision == definition.decision, table.c.batch == batch.fingerprint
    )
    row = connection.execute(query.order_by(table.c.id).limit(1)).mappings().first()
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


def _add_verdicts(
    transaction: Transaction,
    definition: Definition,
    batch: Batch,
    verdicts: pa.Table,
    people: People,
    withheld: Sequence[Withheld],
    draft: Draft | None,
    under: Mandate | None,
) -> Run:
    version = admitted(transaction, definition, under)
    at, arms = transaction.at, verdicts.column("arm")
    counts = _counts(batch, arms, verdicts.column("reason"), withheld)
    handed_over = [_handed_over(each, definition, people, at=at) for each in withheld]
    is_news = bool(withheld) and not _was_told(transaction, definition.decision, batch, handed_over)
    if under is not None and not under.acts:
        return _add_run(
            transaction,
            version,
            batch,
            SHADOW,
            counts,
            noted={"withheld": handed_over},
            archived=draft,
        )
    moved = drifts.shifts(transaction.connection, definition, batch.measured)
    found = advice.of_drift(transaction.connection, definition.decision, moved)
    cost = limits.cost(verdicts, definition.limits)
    found += advice.of_cost(transaction, definition, cost, verdicts.column("reason"))
    limit = definition.limits.cost
    noted = {
        "withheld": handed_over,
        "warnings": advice.kept(found, definition, people, transaction),
        "cost": float(cost),
        "cost_unit": limit.at_most.unit if limit else None,
    }
    run = _add_run(transaction, version, batch, RECORDED, counts, noted=noted, archived=draft)
    drifts.store_drift(transaction, definition, run, batch.measured, moved)
    advice.tell(transaction, run)
    period = current_period(transaction, definition, run.version_id)
    store_arms(transaction.connection, definition, verdicts, arms, period=period, run_id=run.id)
    open_cases(transaction, definition, run, verdicts, period)
    append_signals(transaction, definition, run, verdicts)
    if is_news:
        for person in sorted({each["told"] for each in handed_over}):
            _tell_of_run(transaction, run, person, "named in the operating boundary")
    return run


def _counts(
    batch: Batch, arms: pa.ChunkedArray, reasons: pa.ChunkedArray, withheld: Iterable[Withheld]
) -> dict[str, Any]:
    with columnar.session() as engine:
        engine.register("verdicts", pa.table({"arm": arms, "reason": reasons}))
        tally = "SELECT {0}, count(*) FROM verdicts WHERE reason IS {1} NULL GROUP BY ALL"
        opened = dict(engine.sql(tally.format("arm", "")).fetchall())
        suppressed = dict(engine.sql(tally.format("reason", "NOT")).fetchall())
    kept_back = {each.reason: each.count for each in withheld}
    return {
        "opened": opened.get(Arm.TREATMENT, 0),
        "held_out": opened.get(Arm.CONTROL, 0),
        "suppressed": dict(sorted(suppressed.items())),
        "not_met": batch.rows - len(arms) - sum(kept_back.values()),
        "withheld": kept_back,
    }


def _handed_over(
    each: Withheld, definition: Definition, people: People, *, at: datetime
) -> dict[str, Any]:
    """Return what the run keeps of a reason to withhold, with the person who is told."""
    owners = definition.owners
    try:
        told = resolve(each.to, people=people, owners=owners, assignee=None, at=at)
    except UnknownPerson:
        # Nobody is left behind that name; those who answer for the decision must hear of it.
        told = resolve("business", people=people, owners=owners, assignee=None, at=at)
    return asdict(each) | {"examples": list(each.examples), "told": told.person}


def _was_told(
    transaction: Transaction, decision: str, batch: Batch, handed_over: list[dict[str, Any]]
) -> bool:
    """Whether an earlier run over this very batch told the same people the same."""
    table = Run.__table__
    query = select(table.c.withheld).where(
        table.c.decision == decision,
        table.c.batch == batch.fingerprint,
        table.c.state == RECORDED,
    )
    return handed_over in transaction.connection.execute(query).scalars().all()


def _add_run(
    transaction: Transaction,
    version: Version,
    batch: Batch,
    state: str,
    counts: dict[str, Any],
    *,
    noted: dict[str, Any] | None = None,
    archived: Draft | None = None,
) -> Run:
    told: dict[str, Any] = {
        "batch": batch.fingerprint,
        "evaluated": batch.rows,
        "counts": counts,
        "faults": list(batch.faults),
        "withheld": [],
        "warnings": [],
        "cost": 0.0,
        "cost_unit": None,
    } | (noted or {})
    examples = [asdict(each) for each in batch.examples]
    run = Run(
        decision=version.decision,
        version_id=version.id,
        as_of=transaction.at,
        recorded_at=transaction.at,
        state=state,
        archive_sha256=archived.sha256 if archived else None,
        archive_rows=archived.rows if archived else None,
        examples=examples,
        **told,
    )
    transaction.add(run)
    run.id = transaction.connection.execute(select(func.max(Run.__table__.c.id))).scalar_one()
    named = {"decision": version.decision, "version": version.number, "definition": version.sha256}
    if archived is not None:
        told["archive"] = {"rows": archived.rows, "sha256": archived.sha256}
        transaction.before_commit(partial(archived.keep, run.id))
    # Subjects' keys lie beside the chain, so that they can be erased; in it stands their hash.
    pinned = {"examples": sha256(canonical_json(examples))} if examples else {}
    transaction.enter(state, f"run {run.id}", named | told | pinned)
    return run


def _last_faults(transaction: Transaction, decision: str) -> list[str]:
    table = Run.__table__
    query = select(table.c.faults).where(table.c.decision == decision, table.c.state != SHADOW)
    last = query.order_by(table.c.id.desc()).limit(1)
    return transaction.connection.execute(last).scalars().first() or []


def _because(role: str, found: Standin) -> str:
    return f"{role} owner; {found.because}" if found.because else f"{role} owner"


def _tell_of_run(transaction: Transaction, run: Run, person: str, because: str) -> None:
    key = f"run {run.id}:{person}:{Kind.WITHHELD}"
    transaction.queue(key, Kind.WITHHELD, person, because, run_id=run.id)
