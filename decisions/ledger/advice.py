"""What a run tells its owners that withholds nothing: drift, and money that runs out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from decisions.deciding.drift import Shift
from decisions.deciding.limits import COST, month_of
from decisions.definition import Definition
from decisions.ledger.drifts import Reference
from decisions.ledger.probing import spent
from decisions.ledger.records import FieldDrift, Run
from decisions.ledger.transaction import Transaction
from decisions.ownership import People, resolve
from decisions.ports import Kind

_REMEDY = "look at the data, retrain the model, or set the reference anew"


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that a run's owners should know.

    Attributes:
        about: What it is about, such as ``drift: risk``.
        text: What was found, and what to do.
        to: The owners' roles.
        is_news: Whether they have not been told of it yet.
    """

    about: str
    text: str
    to: tuple[str, ...]
    is_news: bool


def of_drift(
    connection: Connection, decision: str, moved: Mapping[str, tuple[Reference, Shift]]
) -> list[Advice]:
    """Return advice for each field that has moved too far; news if it had not the run before."""
    before = _flagged_last(connection, decision) if moved else set()
    return [
        Advice(
            about=f"drift: {name}",
            text=(
                f"{name} has moved: index {found.psi:.2f} against the batch of "
                f"{known.set_at:%Y-%m-%d}; at most {found.bound:.2f} was expected; {_REMEDY}"
            ),
            to=("technical",),
            is_news=name not in before,
        )
        for name, (known, found) in moved.items()
        if found.is_flagged
    ]


def of_cost(
    transaction: Transaction,
    definition: Definition,
    cost: Decimal,
    suppressed: Mapping[str, int],
) -> list[Advice]:
    """Return advice where a month's budget is nearly or wholly used; news once a month each.

    Args:
        transaction: The run's transaction; the run is not recorded in it yet.
        definition: The decision.
        cost: What the run's cases cost.
        suppressed: Subjects that a limit left out, by reason.
    """
    limit = definition.limits.cost
    if limit is None:
        return []
    at, budget = transaction.at, limit.at_most
    used = spent(transaction.connection, definition, at) + cost
    month = month_of(definition, at)
    left_out = suppressed.get(f"{COST}: {budget}", 0)
    said = f"{_amount(used)} of {budget} are used in {month:%B %Y}"
    if left_out:
        about = f"cost: {budget} used up"
        subjects = "subject was" if left_out == 1 else "subjects were"
        text = f"{said}; {left_out:,} {subjects} left out, and so are more until next month"
    elif used >= budget.size * Decimal(str(limit.warn_at.of_one)):
        about = f"cost: {limit.warn_at} of {budget} used"
        text = f"{said}, {used / budget.size:.0%}; beyond it nobody is taken on until next month"
    else:
        return []
    is_news = about not in _said_since(transaction.connection, definition.decision, month)
    return [Advice(about, text, ("technical", "business"), is_news)]


def _amount(size: Decimal) -> str:
    return f"{size.quantize(Decimal('0.01')):,f}"


def _said_since(connection: Connection, decision: str, since: datetime) -> set[str]:
    """Return what runs since an instant have told their owners about."""
    run = Run.__table__
    query = select(run.c.warnings).where(run.c.decision == decision, run.c.recorded_at >= since)
    found = connection.execute(query).scalars()
    return {each["about"] for warnings in found for each in warnings if each["told"]}


def kept(
    found: Sequence[Advice], definition: Definition, people: People, transaction: Transaction
) -> list[dict[str, Any]]:
    """Return the advice as a run keeps it, with the people who are told of it now."""
    owners, at = definition.owners, transaction.at

    def person(role: str) -> str:
        return resolve(role, people=people, owners=owners, assignee=None, at=at).person

    return [
        {
            "about": each.about,
            "text": each.text,
            "told": sorted({person(role) for role in each.to}) if each.is_news else [],
        }
        for each in found
    ]


def tell(transaction: Transaction, run: Run) -> None:
    """Queue one message for each person who is told of a run's warnings."""
    for name in sorted({name for each in run.warnings for name in each["told"]}):
        key = f"run {run.id}:{name}:{Kind.WARNED}"
        transaction.queue(key, Kind.WARNED, name, "an owner of the decision", run_id=run.id)


def _flagged_last(connection: Connection, decision: str) -> set[str]:
    """Return the fields that had moved too far in the last run that looked."""
    drift, run = FieldDrift.__table__, Run.__table__
    looked = select(run.c.id).join(drift, drift.c.run_id == run.c.id)
    last = looked.where(run.c.decision == decision).order_by(run.c.id.desc()).limit(1)
    query = select(drift.c.field).where(
        drift.c.run_id == last.scalar_subquery(), drift.c.psi > drift.c.bound
    )
    return set(connection.execute(query).scalars())
