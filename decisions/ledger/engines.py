"""Engines of the databases that a ledger is kept in, and what each connection begins with."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from decisions.errors import LedgerError
from decisions.ledger.patience import LONGEST, is_limited, left, left_milliseconds

WRITING = "followthrough_writing"
"""The execution option of a connection that is to write."""

MOST_CONNECTIONS = 48
"""Connections of one process: the web server answers on 40 threads, and some work beside them."""

POOL_SECONDS = 2
"""How long one waits for a connection where all are in use."""


def is_missing(url: str) -> bool:
    """Return whether a URL names an SQLite file that is not there; of a server nobody knows."""
    parsed = supported(url)
    file = parsed.database if parsed.get_backend_name() == "sqlite" else None
    return bool(file) and file != ":memory:" and not Path(str(file)).exists()


def supported(url: str) -> URL:
    """Return the address of a database that a ledger can be kept in.

    Raises:
        LedgerError: It is none.
    """
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


def writing_engine(url: URL) -> Engine:
    """Return an engine that writes where ``WRITING`` is set, and creates what is not there."""
    options: dict[str, Any] = {"hide_parameters": True} | _pool(url)
    if url.get_backend_name() == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        options["connect_args"] = {"timeout": LONGEST.total_seconds()}
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
    else:
        event.listen(engine, "do_connect", _connect_in_time)
    return engine


def reading_engine(url: URL) -> Engine:
    """Return an engine whose database refuses every write, and creates nothing."""
    if url.get_backend_name() == "sqlite":
        if not url.database or not Path(url.database).is_file():
            raise LedgerError(f"there is no ledger {url.render_as_string(hide_password=True)}")
        file = Path(url.database).absolute()
        query = {"mode": "ro", "uri": "true"}
        if not os.access(file.parent, os.W_OK) and not file.with_name(f"{file.name}-wal").exists():
            # SQLite's log needs a file beside the database; here nobody can write one, nor a row.
            query["immutable"] = "1"
        url = url.set(database=file.as_uri(), query=query)
        return create_engine(url, hide_parameters=True, **_pool(url))
    options = {"options": "-c default_transaction_read_only=on", "connect_timeout": 10}
    return create_engine(
        url, hide_parameters=True, pool_pre_ping=True, connect_args=options, **_pool(url)
    )


def _pool(url: URL) -> dict[str, Any]:
    """Return how many connections may be open: one for each thread of the inbox, and some."""
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        return {}
    return {"pool_size": 5, "max_overflow": MOST_CONNECTIONS - 5, "pool_timeout": POOL_SECONDS}


def _connect_in_time(
    _dialect: object, _record: object, _args: object, options: dict[str, Any]
) -> None:
    if is_limited():
        options["connect_timeout"] = max(1, round(left().total_seconds()))


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # the driver's own BEGIN is deferred; ours is below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(WRITING)
    if writing:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {left_milliseconds()}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
