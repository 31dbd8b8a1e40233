"""The looks published at measurement periods: added once, in their order, and never changed."""

from sqlalchemy import Connection, select

from decisions.effectiveness.look import Look as Published
from decisions.ledger.periods import COMPLETE, close_period
from decisions.ledger.records import Look, Period
from decisions.ledger.store import Store

_looks, _periods = Look.__table__, Period.__table__


class Looks:
    """Published looks in the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def publish(self, decision: str, look: Published, *, known: int) -> bool:
        """Record a look, and end its period where the plan is complete.

        Args:
            decision: The decision.
            look: What is published.
            known: How many looks at its period it was made in knowledge of: its interval depends
                on them.

        Returns:
            Whether it was recorded; False where somebody published another in between.
        """
        with self._store.writing() as transaction:
            connection = transaction.connection
            found = select(_periods).where(
                _periods.c.decision == decision, _periods.c.name == look.period
            )
            period = Period(**connection.execute(found).mappings().one())
            mine = select(_looks.c.id).where(_looks.c.period_id == period.id)
            if len(connection.execute(mine).all()) != known:
                return False
            told = look.model_dump(mode="json", exclude={"period", "as_of"})
            transaction.add(
                Look(period_id=period.id, as_of=look.as_of, taken_at=transaction.at, **told)
            )
            transaction.enter("look", f"{decision}/{look.period}", look.model_dump(mode="json"))
            if look.information >= 1 and period.closed_at is None:
                close_period(transaction, period, because=COMPLETE)
            return True


def published(connection: Connection, decision: str) -> tuple[Published, ...]:
    """Return every look at a decision's periods, first one first."""
    query = (
        select(_looks, _periods.c.name.label("period"))
        .join(_periods, _periods.c.id == _looks.c.period_id)
        .where(_periods.c.decision == decision)
        .order_by(_looks.c.id)
    )
    names = Published.model_fields
    return tuple(
        Published(**{name: row[name] for name in names})
        for row in connection.execute(query).mappings()
    )
