"""What time it is, for all who share a ledger.

On PostgreSQL the database says so: workers whose clocks differ go by one. On SQLite, one machine's
clock counts, but never goes back behind what is recorded: time then stands until it has caught up,
so that no wait is negative and none is over too soon. A clock that is not the machine's is a
story's, a test's or ``--as-of``; it is taken at its word.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from time import monotonic

from sqlalchemy import ColumnClause, Connection, Select, func, literal_column, select, table

from decisions.ledger.records import Seal
from decisions.ports import Clock, MachineClock

ASKED_AGAIN = 10.0
"""Seconds for which the database's clock is reckoned on from here before it is asked again."""

_VERSION: ColumnClause[str] = literal_column("version_num")


class Time:
    """The present instant as a ledger's database sees it.

    Args:
        clock: The machine's, or one that is taken at its word.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_machine = isinstance(clock, MachineClock)
        self._latest: datetime | None = None
        self._read_at = 0.0

    def clock(self, reading: Callable[[], AbstractContextManager[Connection]]) -> Clock:
        """Return the clock to go by outside of a writing transaction.

        Args:
            reading: Opens a connection that sees the ledger.
        """
        if not self._is_machine:
            return self._clock

        def now() -> datetime:
            if self._latest is None or monotonic() - self._read_at > ASKED_AGAIN:
                with reading() as connection:
                    return self.asked(connection)[0]
            passed = timedelta(seconds=monotonic() - self._read_at)
            return self._latest + passed

        return now

    def asked(self, connection: Connection) -> tuple[datetime, str]:
        """Return the present instant (timezone-aware) and the schema that the database has now."""
        is_postgresql = connection.dialect.name == "postgresql"
        said, schema = connection.execute(_question(is_postgresql=is_postgresql)).one()
        if not self._is_machine:
            return self._clock(), schema
        now = said.astimezone(UTC) if is_postgresql else self._guarded(said)
        self._latest, self._read_at = now, monotonic()
        return now, schema

    def _guarded(self, recorded: datetime | None) -> datetime:
        """Return the machine's instant, or the last one recorded if that is later."""
        known = [at for at in (recorded, self._latest) if at is not None]
        return max([self._clock(), *known])


def _question(*, is_postgresql: bool) -> Select[tuple[datetime, str]]:
    seals = Seal.__table__
    last = select(seals.c.at).order_by(seals.c.id.desc()).limit(1).scalar_subquery()
    instant = func.clock_timestamp() if is_postgresql else last
    return select(instant, _VERSION).select_from(table("alembic_version"))
