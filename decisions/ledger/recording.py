"""How one run gets into the ledger, be it of a batch or of one record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import func, select

from decisions.canonical import canonical_json, sha256
from decisions.deciding.archive import Draft
from decisions.deciding.boundary import Withheld
from decisions.deciding.gate import Batch
from decisions.definition import Definition
from decisions.errors import UnknownPerson
from decisions.ledger import advice, drifts
from decisions.ledger.periods import current_period
from decisions.ledger.records import Run, Version
from decisions.ledger.standings import Mandate, admitted
from decisions.ledger.transaction import Transaction
from decisions.ownership import People, resolve
from decisions.ports import Kind

RECORDED = "recorded"
SHADOW = "shadow"
WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the subjects that a rule selected or that were kept back.

    Attributes:
        opened: Cases for somebody.
        held_out: Cases that are left alone on purpose.
        suppressed: Subjects that a limit left out, by reason.
        cost: What the cases cost together, in the unit of the limit.
        withheld: Whom the operating boundary keeps back.
    """

    opened: int = 0
    held_out: int = 0
    suppressed: Mapping[str, int] = field(default_factory=dict)
    cost: Decimal = Decimal(0)
    withheld: Sequence[Withheld] = ()

    @property
    def count(self) -> int:
        """How many subjects these are."""
        selected = self.opened + self.held_out + sum(self.suppressed.values())
        return selected + sum(each.count for each in self.withheld)


def record_tally(
    transaction: Transaction,
    definition: Definition,
    batch: Batch,
    tally: Tally,
    people: People,
    *,
    under: Mandate | None,
    draft: Draft | None = None,
    write: Callable[[Run, str], None],
) -> Run:
    """Record a run, and what follows from it unless it ran in shadow.

    Args:
        transaction: What it is written in.
        definition: The decision.
        batch: What the gate saw.
        tally: What became of its subjects.
        people: Who there is.
        under: The stage it runs in; None for a content that nobody has to sign.
        draft: The archive of verdicts, if there is one.
        write: Writes arms, cases and what belongs to them; is told the run, already recorded, and
            the name of the measurement period.

    Raises:
        Halted: The decision was halted meanwhile.
        NotInForce: The content has to be signed, or another has come into force meanwhile.
    """
    version, at = admitted(transaction, definition, under), transaction.at
    counts = _counts(batch, tally)
    handed_over = [_handed_over(each, definition, people, at=at) for each in tally.withheld]
    is_news = bool(handed_over) and not _was_told(
        transaction, definition.decision, batch, handed_over
    )
    noted: dict[str, Any] = {"withheld": handed_over}
    if under is not None and not under.acts:
        return add_run(transaction, version, batch, SHADOW, counts, noted=noted, archived=draft)
    moved = drifts.shifts(transaction.connection, definition, batch.measured)
    found = advice.of_drift(transaction.connection, definition.decision, moved)
    found += advice.of_cost(transaction, definition, tally.cost, tally.suppressed)
    limit = definition.limits.cost
    noted |= {
        "warnings": advice.kept(found, definition, people, transaction),
        "cost": float(tally.cost),
        "cost_unit": limit.at_most.unit if limit else None,
    }
    run = add_run(transaction, version, batch, RECORDED, counts, noted=noted, archived=draft)
    drifts.store_drift(transaction, definition, run, batch.measured, moved)
    advice.tell(transaction, run)
    write(run, current_period(transaction, definition, run.version_id))
    if is_news:
        for person in sorted({each["told"] for each in handed_over}):
            tell_of_run(transaction, run, person, "named in the operating boundary")
    return run


def _counts(batch: Batch, tally: Tally) -> dict[str, Any]:
    return {
        "opened": tally.opened,
        "held_out": tally.held_out,
        "suppressed": dict(sorted(tally.suppressed.items())),
        "not_met": batch.rows - tally.count,
        "withheld": {each.reason: each.count for each in tally.withheld},
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


def add_run(
    transaction: Transaction,
    version: Version,
    batch: Batch,
    state: str,
    counts: dict[str, Any],
    *,
    noted: dict[str, Any] | None = None,
    archived: Draft | None = None,
) -> Run:
    """Record a run and tell of it; its archive is kept last, once all is written."""
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


def tell_of_run(transaction: Transaction, run: Run, person: str, because: str) -> None:
    """Queue word of a run to somebody who answers for it."""
    key = f"run {run.id}:{person}:{Kind.WITHHELD}"
    transaction.queue(key, Kind.WITHHELD, person, because, run_id=run.id)
