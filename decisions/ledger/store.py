"""The database under the ledger: opening, migrating, reading, and one writer at a time."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

from decisions.errors import LedgerError
from decisions.ledger import migrations
from decisions.ledger.moments import Time
from decisions.ledger.transaction import Transaction
from decisions.ports import Clock

_WRITING = "followthrough_writing"
_WRITER_LOCK = 7_305_417_992_083
"""Key of PostgreSQL's advisory lock: entries are chained, so writers come one after another."""

BUSY_SECONDS = 30
"""How long a writer waits for another before it gives up, unless told otherwise."""

_patience: ContextVar[timedelta | None] = ContextVar("patience", default=None)


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
        self._url = _supported(url)
        self._time = Time(clock)
        self._writing = threading.Lock()
        self.engine = _reading_engine(self._url) if read_only else _engine(self._url)
        self._writer = self.engine.execution_options(**{_WRITING: True})
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
        """Wait at most so long for other writers, and for any one statement, within the block."""
        token = _patience.set(most)
        try:
            yield
        finally:
            _patience.reset(token)

    @contextmanager
    def _exclusive(self) -> Iterator[Connection]:
        with self._turn(), self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = {_milliseconds()}"))
                if _patience.get() is not None:
                    connection.execute(text(f"SET LOCAL statement_timeout = {_milliseconds()}"))
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
        if not self._writing.acquire(timeout=_milliseconds() / 1000):
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


def is_missing(url: str) -> bool:
    """Return whether a URL names an SQLite file that is not there; of a server nobody knows."""
    parsed = _supported(url)
    file = parsed.database if parsed.get_backend_name() == "sqlite" else None
    return bool(file) and file != ":memory:" and not Path(str(file)).exists()


def _supported(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise LedgerError(
            "the ledger's address is not a database URL; write it like "
            "'sqlite:///ledger.db' or 'postgresql://user:password@host/database'"
        ) from None
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise LedgerError(
            f"the ledger cannot be kept in {parsed.get_backend_name()!r}; "
            "supported are 'sqlite' and 'postgresql'"
        )
    return parsed


def _engine(url: URL) -> Engine:
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        options["connect_args"] = {"timeout": BUSY_SECONDS}
    else:
        options["pool_pre_ping"] = True
        options["connect_args"] = {"connect_timeout": 10}
    try:
        engine = create_engine(url, **options)
    except NoSuchModuleError:
        raise LedgerError(
            f"there is no driver {url.drivername!r}; write 'sqlite:///…' or 'postgresql://…'"
        ) from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _reading_engine(url: URL) -> Engine:
    """Return an engine whose database refuses every write, and creates nothing."""
    if url.get_backend_name() == "sqlite":
        if not url.database or not Path(url.database).is_file():
            raise LedgerError(f"there is no ledger {url.render_as_string(hide_password=True)}")
        file = Path(url.database).absolute()
        query = {"mode": "ro", "uri": "true"}
        if not os.access(file.parent, os.W_OK) and not file.with_name(f"{file.name}-wal").exists():
            # SQLite's log needs a file beside the database; here nobody can write one, nor a row.
            query["immutable"] = "1"
        return create_engine(url.set(database=file.as_uri(), query=query), hide_parameters=True)
    options = {"options": "-c default_transaction_read_only=on", "connect_timeout": 10}
    return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=options)


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # the driver's own BEGIN is deferred; ours is below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING)
    if writing:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_milliseconds()}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _milliseconds() -> int:
    patience = _patience.get() or timedelta(seconds=BUSY_SECONDS)
    return max(1, int(patience / timedelta(milliseconds=1)))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _locked(name: str) -> LedgerError:
    waited = _milliseconds() / 1000
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
    except DatabaseError as error:
        if "file is not a database" in str(error.orig) or "malformed" in str(error.orig):
            raise LedgerError(f"{name} is not a ledger or is damaged ({error.orig})") from error
        raise
