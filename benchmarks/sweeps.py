"""What a sweep costs when much is stored and little is due.

The ledger is filled by SQL: so many cases, nearly all of them closed, a hundred of them due. Steps
are taken and messages handed over to a channel that draws them; both look at what is due alone.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.workload import DECISION, NOW

DUE = 100
OPEN = 2_000
"""Cases that wait, not due yet, however many there are in all."""

Answer = tuple[int, float]
LATER = NOW + timedelta(hours=2)

_MANY = """
WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})
"""
_SERIES = "WITH n(i) AS (SELECT generate_series({first}, {last}))"
CHUNK = 250_000
"""Cases filled in at once, so that the log beside the database stays small."""


def prepare(folder: str, url: str, cases: str) -> None:
    """Fill a ledger with so many cases; the same rows for the same number."""
    from flows.settings import Settings
    from flows.sweep import decide
    from flows.wiring import assemble

    place, stored = Path(folder), int(cases)
    layer = assemble(Settings(workspace=place, home=place / "home", ledger=url), lambda: NOW)
    decide(
        layer, DECISION
    )  # of one row that no rule selects: the run and version of all that follows
    store = layer.ledger._store  # noqa: SLF001  filled from below, as no command could
    for first in range(1, stored + 1, CHUNK):
        last = min(first + CHUNK - 1, stored)
        with store.writing() as transaction:
            connection = transaction.connection
            for statement in _statements(series(last, connection, first), stored, connection):
                connection.exec_driver_sql(statement)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    layer.ledger.close()


def escalate_and_deliver(folder: str, url: str) -> Answer:
    """Take the steps that are due, and hand over the messages that follow."""
    os.environ.pop("SLACK_BOT_TOKEN", None)
    from flows.settings import Settings
    from flows.sweep import dispatch
    from flows.wiring import assemble

    settings = Settings(workspace=Path(folder), home=Path(folder) / "home", ledger=url)
    layer = assemble(settings, lambda: LATER)
    started = perf_counter()
    done = dispatch(layer)
    seconds = perf_counter() - started
    layer.ledger.close()
    return len(done.escalated.steps) + done.delivered.sent, seconds


def open_the_inbox(_folder: str, url: str) -> Answer:
    """Ask what the first page of somebody's inbox shows."""
    from decisions.ledger import Filter, Ledger

    ledger = Ledger(url, lambda: LATER)
    mine = Filter(assignee="person.1")
    started = perf_counter()
    shown = ledger.cases.found(mine)
    ledger.cases.count(mine)
    ledger.outbox.sent_to("person.1")
    seconds = perf_counter() - started
    ledger.close()
    return len(shown), seconds


def _statements(many: str, stored: int, connection: Any) -> list[str]:
    from decisions.ledger.records import Case, Notification

    is_sqlite = connection.dialect.name == "sqlite"
    now, due, later = (
        instant_sql(at, is_sqlite=is_sqlite)
        for at in (NOW, NOW + timedelta(hours=1), NOW + timedelta(days=30))
    )
    waits, is_due = f"i > {stored - OPEN}", f"i > {stored - DUE}"
    case = {
        "id": "i",
        "key": "'BC-' || i",
        "decision": f"'{DECISION}'",
        "prefix": "'BC'",
        "number": "i",
        "version_id": "1",
        "run_id": "1",
        "subject": "'a' || i",
        "arm": "'treatment'",
        "period": "''",
        "rule": "'critical'",
        "action": "'call'",
        "score": "0.99",
        "scored_at": now,
        "model_name": "'bench'",
        "model_version": "'1'",
        "facts": """'{"account_id":"a' || i || '","risk":0.99,"arr":60000.0}'""",
        "state": f"CASE WHEN {waits} THEN 'open' ELSE 'completed' END",
        "assignee": "'person.' || (i - i / 20 * 20)",
        "opened_at": now,
        "respond_by": due,
        "closed_at": f"CASE WHEN NOT ({waits}) THEN {now} END",
        "cycle": "0",
        "step": "0",
        "revision": "0",
        "due_at": f"CASE WHEN {is_due} THEN {due} WHEN {waits} THEN {later} END",
    }
    told = {
        "key": "'BC-' || i || ':0:0:person.' || (i - i / 20 * 20) || ':asked'",
        "case_id": "i",
        "kind": "'asked'",
        "recipient": "'person.' || (i - i / 20 * 20)",
        "because": "'assigned'",
        "state": "'sent'",
        "attempts": "1",
        "created_at": now,
        "sent_at": now,
        "channel": "'slack'",
    }
    return [insertion(Case, case, many), insertion(Notification, told, many)]


def series(last: int, connection: Any, first: int = 1) -> str:
    """Return the head of a statement in which ``n`` holds the numbers ``i`` from first to last."""
    many = _MANY if connection.dialect.name == "sqlite" else _SERIES
    return many.format(first=first, last=last)


def instant_sql(at: datetime, *, is_sqlite: bool) -> str:
    """Return an instant as the ledger stores it there."""
    return f"'{at:%Y-%m-%d %H:%M:%S}.000000{'' if is_sqlite else '+00'}'"


def insertion(record: Any, values: dict[str, str], many: str, tail: str = " FROM n") -> str:
    """Return the statement, with every other column that may not be empty at its default."""
    table = record.__table__
    for column in table.columns:
        missing = not column.nullable and column.name not in values and not column.primary_key
        if missing:
            values[column.name] = "'[]'" if "JSON" in str(column.type) else "0"
    names = ", ".join(f'"{name}"' for name in values)
    return f"INSERT INTO {table.name} ({names}) {many}SELECT {', '.join(values.values())}{tail}"
