"""The database under the ledger: opening, migrating, reading, and one writer at a time."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from decisions.errors import LedgerError
from decisions.ledger import migrations
from decisions.ledger.engines import WRITING, reading_engine, supported, writing_engine
from decisions.ledger.moments import Time
from decisions.ledger.patience import (
    LONGEST,
    allowed,
    is_limited,
    left,
    left_milliseconds,
    patience,
    patience_or,
)
from decisions.ledger.transaction import Transaction
from decisions.ports import Clock

_WRITER_LOCK = 7_305_417_992_083
"""Key of PostgreSQL's advisory lock: entries are chained, so writers come one after another."""


class Store:
    """One database, reached through SQLAlchemy.

    Args:
        url: A SQLAlchemy URL; ``sqlite:///path`` or ``postgresql+psycopg://…``.
        clock: Where instants written to the ledger come from.
        read_only: Open what is there, write nothing and migrate nothing.

    Raises:
        LedgerError: The URL names no supported database, it cannot be reached, or its schema is
            newer than this program.
    """

    def __init__(self, url: str, clock: Clock, *, read_only: bool = False) -> None:
        self._url = supported(url)
        self._time = Time(clock)
        self._writing = threading.Lock()
        self.engine = reading_engine(self._url) if read_only else writing_engine(self._url)
        self._writer = self.engine.execution_options(**{WRITING: True})
        try:
            with _explained(self._url):
                if read_only:
                    self._refuse_other_schema()
                else:
                    self._migrate()
        except BaseException:
            self.close()
            raise

    @property
    def clock(self) -> Clock:
        """Where instants come from: the one clock that all who share the database go by."""
        return self._time.clock(self.reading)

    @property
    def name(self) -> str:
        """The database's address without its password."""
        return self._url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one consistent state and writes nothing."""
        with _explained(self._url), self.engine.connect() as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                )
                if is_limited():
                    _limit(connection)
            yield connection

    @contextmanager
    def counting(self) -> Iterator[Connection]:
        """Yield one like ``reading``'s that may keep temporary tables; nothing else is kept."""
        with _explained(self._url), self.engine.connect() as connection:
            transaction = connection.begin()
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE")
                )
            yield connection
            transaction.rollback()

    @contextmanager
    def writing(self, at: datetime | None = None) -> Iterator[Transaction]:
        """Yield a transaction; all of it is stored and sealed, or none of it.

        Args:
            at: The instant to record; the clock's if left out (timezone-aware).
        """
        with _explained(self._url), self._exclusive() as connection:
            now, schema = self._time.asked(connection)
            if schema > migrations.HEAD:
                raise self._outdated(schema)
            transaction = Transaction(connection, at or now)
            yield transaction
            transaction.finish()

    @contextmanager
    def patience(self, most: timedelta) -> Iterator[None]:
        """Wait at most so long within the block: for other writers, connections and statements."""
        with patience(most):
            yield

    @contextmanager
    def _exclusive(self) -> Iterator[Connection]:
        limited = is_limited()
        with ExitStack() as stack:
            with patience_or(LONGEST):
                stack.enter_context(self._turn())
                connection = stack.enter_context(self._writer.begin())
                if connection.dialect.name == "postgresql":
                    connection.execute(text(f"SET LOCAL lock_timeout = {left_milliseconds()}"))
                    if limited:
                        _limit(connection)
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})"))
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let the threads of this process write one after the other, as they came.

        SQLite has whoever finds it locked look again after a while, so that under load some wait
        for seconds while others go first. PostgreSQL keeps a queue itself.
        """
        if self.engine.dialect.name != "sqlite":
            yield
            return
        if not self._writing.acquire(timeout=left().total_seconds()):
            raise _locked(self.name)
        try:
            yield
        finally:
            self._writing.release()

    def _migrate(self) -> None:
        with self.engine.connect() as connection:
            if _revision(connection) == migrations.HEAD:
                return
        with self._exclusive() as connection:
            found = _revision(connection)
            if found == migrations.HEAD:
                return
            if found is not None and found > migrations.HEAD:
                raise self._outdated(found)
            migrations.upgrade(connection)

    def _outdated(self, found: str) -> LedgerError:
        return LedgerError(
            f"the ledger {self.name} has schema {found}, this program knows "
            f"{migrations.HEAD}; use the newer followthrough that wrote it"
        )

    def _refuse_other_schema(self) -> None:
        with self.engine.connect() as connection:
            found = _revision(connection)
        if found is None:
            raise LedgerError(f"{self.name} holds no ledger; `followthrough run` begins one")
        if found != migrations.HEAD:
            raise LedgerError(
                f"the ledger {self.name} has schema {found}, this program reads "
                f"{migrations.HEAD}; `followthrough runs` brings it up to date"
            )

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _limit(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL statement_timeout = {left_milliseconds()}"))


def _locked(name: str) -> LedgerError:
    waited = allowed().total_seconds()
    return LedgerError(
        f"the ledger {name} was locked by another program for {waited:g} s; "
        "nothing was written, try again"
    )


@contextmanager
def _explained(url: URL) -> Iterator[None]:
    name = url.render_as_string(hide_password=True)
    try:
        yield
    except OperationalError as error:
        found = str(error.orig).strip().splitlines()[0]
        if any(said in found for said in ("locked", "lock timeout", "statement timeout")):
            raise _locked(name) from error
        raise LedgerError(
            f"the ledger {name} cannot be used ({found}); nothing was written"
        ) from error
    except NoConnection as error:
        raise LedgerError(
            f"every connection to the ledger {name} is in use; nothing was written, try again"
        ) from error
    except DatabaseError as error:
        if "file is not a database" in str(error.orig) or "malformed" in str(error.orig):
            raise LedgerError(f"{name} is not a ledger or is damaged ({error.orig})") from error
        raise
