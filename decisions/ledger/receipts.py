"""Receipts of other systems that something was done: kept, and matched to the case they prove.

A receipt is proof, kept apart from what people report. It counts for a case of either arm, so that
what was done for somebody left alone on purpose shows as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, insert, select, update

from decisions.definition import Definition
from decisions.errors import LifecycleError, NotUnderstood
from decisions.ledger.columns import storable
from decisions.ledger.records import Case, Intervention, ProofReceipt
from decisions.ledger.results import PROVEN, Witness
from decisions.ledger.store import Store
from decisions.ledger.transaction import SYSTEM, Transaction
from decisions.ports import Deed


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What became of a receipt.

    Attributes:
        case: The key of the case it proves something of; None where none fits.
        repeated: Whether this very receipt was recorded before.
        unfit: Why no case fits; None where one does.
    """

    case: str | None
    repeated: bool
    unfit: str | None


class Receipts:
    """Receipts in the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, deed: Deed) -> Acceptance:
        """Record a receipt, and the proof it is; the same one again changes nothing.

        One that fits no case is kept and looked at anew when it is sent again.

        Args:
            deed: What another system says was done.

        Raises:
            NotUnderstood: Its id was used for something else.
        """
        with self._store.writing() as transaction:
            known = _known(transaction, deed)
            if known is not None and known.case_id is not None:
                return Acceptance(_key_of(transaction, known.case_id), repeated=True, unfit=None)
            case, unfit = _fitting(transaction, deed)
            _keep(transaction, deed, known, case, unfit)
            if case is not None:
                _prove(transaction, deed, case)
            return Acceptance(case.key if case else None, known is not None, unfit)

    def vouch(self, key: str, by: Witness, *, acted_at: datetime, what: str) -> bool:
        """Record what a person's program says proves that something was done for a case.

        Args:
            key: The case's key.
            by: Who says so.
            acted_at: When it was done (timezone-aware).
            what: What proves it, such as the other system's name and number.

        Returns:
            Whether it was recorded; not where the case has a proof already, which stands.

        Raises:
            LifecycleError: There is no such case, its definition knows no proof, or it was not
                done between its opening and the end of its window, or is still to come.
        """
        with self._store.writing() as transaction:
            case = transaction.case(key)
            definition = transaction.definition(case)
            if definition.intervention is None:
                raise LifecycleError(
                    f"{case.key} was opened under a definition that knows no proof; say under "
                    "intervention what is one"
                )
            if acted_at > transaction.at:
                raise LifecycleError(f"{_written(acted_at)} is still to come; say when it was done")
            if reason := _untimely(case, definition, acted_at):
                raise LifecycleError(reason)
            body = by.told | {"acted_at": acted_at.isoformat(), "what": storable(what)}
            return _record(transaction, case, acted_at, storable(what), body, actor=by.person)

    def unfit(self, *, most: int = 50) -> list[ProofReceipt]:
        """Return the receipts that fit no case, the latest first."""
        table = ProofReceipt.__table__
        query = select(table).where(table.c.case_id.is_(None)).order_by(table.c.id.desc())
        with self._store.reading() as connection:
            rows = connection.execute(query.limit(most)).mappings()
            return [ProofReceipt(**row) for row in rows]

    def unfit_count(self) -> int:
        """Return how many receipts fit no case."""
        query = select(func.count()).where(ProofReceipt.__table__.c.case_id.is_(None))
        with self._store.reading() as connection:
            return int(connection.execute(query).scalar_one())


def _known(transaction: Transaction, deed: Deed) -> ProofReceipt | None:
    table = ProofReceipt.__table__
    query = select(table).where(
        table.c.source == deed.source, table.c.receipt_id == storable(deed.id)
    )
    row = transaction.connection.execute(query).mappings().first()
    if row is None:
        return None
    known = ProofReceipt(**row)
    said = (known.decision, known.named_case, known.subject, known.acted_at)
    if said != (deed.decision, deed.case, deed.subject, deed.acted_at):
        raise NotUnderstood(f"the id {deed.id!r} was used for another receipt; give each its own")
    return known


def _key_of(transaction: Transaction, case_id: int) -> str:
    table = Case.__table__
    query = select(table.c.key).where(table.c.id == case_id)
    return str(transaction.connection.execute(query).scalar_one())


def _fitting(transaction: Transaction, deed: Deed) -> tuple[Case | None, str | None]:
    """Return the case that the receipt proves something of, or why there is none."""
    rows = transaction.connection.execute(_candidates(deed)).mappings().all()
    if not rows:
        of = f"case {deed.case!r}" if deed.case else f"case of {deed.subject!r}"
        return None, f"{deed.decision} has no {of}"
    reasons = []
    for case in (Case(**row) for row in rows):
        reason = _misfit(case, transaction.definition(case), deed)
        if reason is None:
            return case, None
        reasons.append(reason)
    return None, reasons[0]


def _candidates(deed: Deed) -> Select[Any]:
    table = Case.__table__
    named = (
        table.c.key == storable(deed.case)
        if deed.case is not None
        else table.c.subject == storable(str(deed.subject))
    )
    mine = select(table).where(table.c.decision == storable(deed.decision), named)
    return mine.order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(20)


def _misfit(case: Case, definition: Definition, deed: Deed) -> str | None:
    declared = definition.intervention
    if declared is None or declared.receipts != deed.source:
        return (
            f"{case.key} was opened under a definition that takes no receipts from "
            f"{deed.source!r}; name it under intervention.receipts"
        )
    return _untimely(case, definition, deed.acted_at)


def _untimely(case: Case, definition: Definition, acted_at: datetime) -> str | None:
    if acted_at < case.opened_at:
        return f"{case.key} was opened at {_written(case.opened_at)}, after it was done"
    window = definition.outcome.window.elapsed if definition.outcome else timedelta.max
    if acted_at - case.opened_at >= window:
        return f"the window of {case.key}, opened at {_written(case.opened_at)}, was over by then"
    return None


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _keep(
    transaction: Transaction,
    deed: Deed,
    known: ProofReceipt | None,
    case: Case | None,
    unfit: str | None,
) -> None:
    table = ProofReceipt.__table__
    matched = {"case_id": case.id if case else None, "unfit": unfit}
    if known is not None:
        transaction.connection.execute(
            update(table).where(table.c.id == known.id).values(**matched)
        )
        return
    transaction.connection.execute(
        insert(table).values(
            source=deed.source,
            receipt_id=storable(deed.id),
            decision=storable(deed.decision),
            named_case=deed.case and storable(deed.case),
            subject=deed.subject and storable(deed.subject),
            what=deed.what and storable(deed.what),
            acted_at=deed.acted_at,
            received_at=transaction.at,
            **matched,
        )
    )
    if case is None:
        transaction.enter("receipt kept", f"{deed.source}/{storable(deed.id)}", {"unfit": unfit})


def _prove(transaction: Transaction, deed: Deed, case: Case) -> None:
    what = f"a receipt of {deed.source}" + (f": {storable(deed.what)}" if deed.what else "")
    body = {"acted_at": deed.acted_at.isoformat(), "what": what, "receipt": storable(deed.id)}
    _record(transaction, case, deed.acted_at, what, body, actor=SYSTEM)


def _record(
    transaction: Transaction,
    case: Case,
    acted_at: datetime,
    what: str,
    body: Mapping[str, object],
    *,
    actor: str,
) -> bool:
    """Record a proof and enter it, unless the case has one, which stands."""
    table = Intervention.__table__
    is_proven = select(table.c.id).where(table.c.case_id == case.id, table.c.source == PROVEN)
    if transaction.connection.execute(is_proven).first():
        return False
    transaction.add(
        Intervention(
            case_id=case.id, source=PROVEN, what=what, acted_at=acted_at, recorded_at=transaction.at
        )
    )
    transaction.enter(PROVEN, case.key, body, actor=actor)
    return True
