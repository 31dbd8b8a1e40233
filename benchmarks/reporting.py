"""What a report costs over very many cases, and how much of it is ours and not the database's.

The ledger is filled by SQL: a year of cases, one in ten held out, with what people were told,
answered and did, and what came of it. One subject in four has a second case.
"""

from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.sweeps import insertion, instant_sql, series
from benchmarks.workload import DECISION, NOW

DAYS = 300
"""Days over which the cases opened; the report is made when the last ones have matured."""
REPORTED = NOW + timedelta(days=DAYS + 45)

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
    written.write_text(written.read_text() + _MEASURED)
    layer = assemble(Settings(workspace=place, home=place / "home", ledger=url), lambda: NOW)
    decide(layer, DECISION)  # of one row that no rule selects: run, version and period
    declared = Declaration.of(layer.definition(DECISION))
    store = layer.ledger._store  # noqa: SLF001  filled from below, as no command could
    with store.writing() as transaction:
        connection = transaction.connection
        for statement in _statements(int(cases), declared.sha256 if declared else "", connection):
            connection.exec_driver_sql(statement)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    layer.ledger.close()


def report(folder: str, url: str) -> Answer:
    """Write the report, page and all; its seconds without those of the database's driver."""
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


def _statements(cases: int, declaration: str, connection: Any) -> list[str]:
    from decisions.ledger import records

    is_sqlite = connection.dialect.name == "sqlite"
    many, opened = series(cases, connection), _later(NOW, "(i % 300)", is_sqlite=is_sqlite)
    subjects = cases * 4 // 5
    subject, held_out = f"((i - 1) % {subjects})", f"((i - 1) % {subjects}) % 10 = 0"
    acted, answered = f"NOT ({held_out})", f"NOT ({held_out}) AND i % 7 > 0"
    arm = f"CASE WHEN {held_out} THEN 'control' ELSE 'treatment' END"
    person, score = "'person.' || (i % 20)", "0.985 + (i % 15) / 1000.0"
    kind = "CASE WHEN i % 11 = 0 THEN 'override' ELSE 'acknowledge' END"
    known = {"decision": f"'{DECISION}'", "period": "'bench'", "run_id": "1"}
    day = {n: _later(NOW, f"(i % 300 + {n})", is_sqlite=is_sqlite) for n in (1, 3, 35)}
    case = known | {
        "id": "i",
        "key": "'BC-' || i",
        "prefix": "'BC'",
        "number": "i",
        "version_id": "1",
        "subject": f"'a' || {subject}",
        "arm": arm,
        "rule": "'critical'",
        "action": "'call'",
        "score": score,
        "scored_at": opened,
        "model_name": "'bench'",
        "model_version": "'1'",
        "facts": f"""'{{"account_id":"a' || {subject} || '","risk":0.99,"arr":60000.0}}'""",
        "state": f"CASE WHEN {held_out} THEN 'released' ELSE 'completed' END",
        "assignee": person,
        "opened_at": opened,
        "respond_by": day[1],
        "closed_at": day[35],
    }
    told = {
        "key": f"'BC-' || i || ':0:0:' || {person} || ':asked'",
        "case_id": "i",
        "kind": "'asked'",
        "recipient": person,
        "because": "'assigned'",
        "state": "'sent'",
        "created_at": opened,
        "sent_at": opened,
    }
    held = {"case_id": "i", "assignee": person, "by": "'followthrough'", "at": opened}
    said = {
        "interaction": "'bench-' || i",
        "case_id": "i",
        "kind": kind,
        "by": person,
        "at": day[1],
        "respond_by": day[1],
        "worked": "(i % 48) * 1800",
        "via": "'slack'",
        "reason": "CASE WHEN i % 11 = 0 THEN 'data is wrong' END",
        "accepted": "true",
    }
    done = {"case_id": "i", "what": "'a call'", "acted_at": day[3], "recorded_at": day[3]}
    chance = f"CASE WHEN {held_out} THEN 60 ELSE 63 END"
    came = {
        "case_id": "i",
        "state": "'observed'",
        "value": f"CASE WHEN ({subject} * 7919 % 1000) / 10 < {chance} THEN 1.0 ELSE 0.0 END",
        "recorded_at": day[35],
    }
    drawn = known | {"subject": f"'a' || {subject}", "arm": arm, "declaration": f"'{declaration}'"}
    wanted = [
        (records.Allocation, drawn, f"i <= {subjects}"),
        (records.Case, case, "true"),
        (records.Assignment, held | {"because": "'account_manager'"}, acted),
        (records.Notification, told, acted),
        (records.Answer, said, answered),
        (records.Intervention, done | {"source": "'reported'"}, f"{answered} AND i % 11 > 2"),
        (records.Intervention, done | {"source": "'proven'"}, f"{answered} AND i % 11 > 3"),
        (records.Outcome, came, "i % 53 > 0"),
    ]
    return [insertion(record, row, many, f" FROM n WHERE {when}") for record, row, when in wanted]


def _later(instant: Any, days: str, *, is_sqlite: bool) -> str:
    if is_sqlite:
        start = f"'{instant:%Y-%m-%d %H:%M:%S}'"
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', {start}, {days} || ' days')"
    return f"{instant_sql(instant, is_sqlite=False)}::timestamptz + {days} * interval '1 day'"
