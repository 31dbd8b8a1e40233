"""What a report costs over very many cases, and how much of it is ours and not the database's.

The ledger is filled by SQL: a year of cases, one in ten held out, with what people were told,
answered and did, and what came of it. One subject in four has a second case.
"""

from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.workload import DECISION, NOW
from benchmarks.year import DAYS, Year

REPORTED = NOW + timedelta(days=DAYS + 45)
"""When the last cases have matured (timezone-aware)."""

Answer = tuple[str, float]

_MEASURED = """
holdout: {share: 10%, salt: bench}
intervention: {proof: {from: warehouse, table: calls, on: account_id, at: called_at}}
outcome:
  from: warehouse
  table: renewals
  on: account_id
  measure: renewed
  window: 30d
  better: higher
  planned: 100000
  looks: 12
"""


def prepare(folder: str, url: str, cases: str) -> None:
    """Fill a ledger with so many cases; the same rows for the same number."""
    from decisions.effectiveness.declaration import Declaration
    from flows.settings import Settings
    from flows.sweep import decide
    from flows.wiring import assemble

    place, written = Path(folder), Path(folder) / f"{DECISION}.yaml"
    if not written.read_text().endswith(_MEASURED):
        written.write_text(written.read_text() + _MEASURED)
    layer = assemble(Settings(workspace=place, home=place / "home", ledger=url), lambda: NOW)
    decide(layer, DECISION)  # of one row that no rule selects: run, version and period
    declared = Declaration.of(layer.definition(DECISION))
    store = layer.ledger._store  # noqa: SLF001  filled from below, as no command could
    with store.writing() as transaction:
        connection = transaction.connection
        year = Year(int(cases), declared.sha256 if declared else "", connection)
        for statement in year.statements():
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    layer.ledger.close()


def report_from_sqlite(folder: str, url: str) -> Answer:
    """Write the report, page and all; its seconds without those of the database's driver."""
    return _report(folder, url)


def report_from_postgresql(folder: str, url: str) -> Answer:
    """Write the same report from the same rows there."""
    return _report(folder, url)


def _report(folder: str, url: str) -> Answer:
    from flows.reporting import report_now
    from flows.settings import Settings
    from flows.wiring import assemble

    place = Path(folder)
    settings = Settings(workspace=place, home=place / "home", ledger=url)
    layer = assemble(settings, lambda: REPORTED)
    spent = _spent_in_driver(layer.ledger._store.engine)  # noqa: SLF001
    started = perf_counter()
    (written,) = report_now(layer, [DECISION])
    seconds = perf_counter() - started
    layer.ledger.close()
    arms = written.report.control, written.report.treatment
    answer = f"{written.report.verdict.kind}: " + ", ".join(f"{arm.observed:,}" for arm in arms)
    return answer, seconds - sum(spent)


def _spent_in_driver(engine: Any) -> list[float]:
    """Return what grows by the seconds of every statement that is put, its rows fetched."""
    import sqlite3

    import psycopg
    from sqlalchemy import event

    spent: list[float] = []

    def timed(cursor: type[Any]) -> type[Any]:
        def within(name: str) -> Any:
            def call(self: Any, *arguments: Any, **named: Any) -> Any:
                started = perf_counter()
                try:
                    return getattr(super(found, self), name)(*arguments, **named)
                finally:
                    spent.append(perf_counter() - started)

            return call

        names = ("execute", "fetchone", "fetchmany", "fetchall")
        found = type("TimedCursor", (cursor,), {name: within(name) for name in names})
        return found

    counting = timed(sqlite3.Cursor)

    class TimedConnection(sqlite3.Connection):
        def cursor(self, factory: Any = counting) -> Any:
            return super().cursor(factory)

    def connecting(dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            named["factory"] = TimedConnection
        else:
            named["cursor_factory"] = timed(psycopg.Cursor)

    engine.dispose()
    event.listen(engine, "do_connect", connecting)
    return spent
