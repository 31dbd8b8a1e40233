"""What a run tells its owners that withholds nothing: drift, and money that runs out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from decisions.deciding.drift import Shift
from decisions.definition import Definition
from decisions.ledger.drifts import Reference
from decisions.ledger.records import FieldDrift, Notification, NotificationState, Run
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
        transaction.add(
            Notification(
                key=f"run {run.id}:{name}:{Kind.WARNED}",
                run_id=run.id,
                kind=Kind.WARNED,
                recipient=name,
                because="an owner of the decision",
                state=NotificationState.PENDING,
                next_at=transaction.at,
                created_at=transaction.at,
            )
        )


def _flagged_last(connection: Connection, decision: str) -> set[str]:
    """Return the fields that had moved too far in the last run that looked."""
    drift, run = FieldDrift.__table__, Run.__table__
    looked = select(run.c.id).join(drift, drift.c.run_id == run.c.id)
    last = looked.where(run.c.decision == decision).order_by(run.c.id.desc()).limit(1)
    query = select(drift.c.field).where(
        drift.c.run_id == last.scalar_subquery(), drift.c.psi > drift.c.bound
    )
    return set(connection.execute(query).scalars())
