"""The same job, done in different ways; each is run as a process of its own.

The job: judge a batch of scores by two rules, and store a case, a message and a history entry for
every subject that one of them selects (about 1 %). Every way prints how many it stored.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import duckdb

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)

_BATCH = """
CREATE TABLE scores AS
SELECT i AS account_id, hash(i) % 100000 / 100000.0::DOUBLE AS risk,
    (hash(i + 1) % 100000)::DOUBLE AS arr, TIMESTAMPTZ '2026-11-16 05:00Z' AS scored_at
FROM range({rows}) AS t(i)
"""
_WHEN = "CASE WHEN risk >= 0.995 AND arr > 10000 THEN 0 WHEN risk >= 0.99 AND arr > 5000 THEN 1 END"


def make_batch(folder: Path, rows: int) -> None:
    """Write the batch: deterministic, without a file of anybody's data."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(_BATCH.format(rows=rows))


def scan(folder: Path) -> int:
    """The limit of reading: DuckDB evaluates the two rules and counts."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as engine:
        query = f"SELECT count(*) FROM scores WHERE ({_WHEN}) IS NOT NULL"
        return int(engine.sql(query).fetchall()[0][0])


def floor(folder: Path) -> int:
    """The limit of the job: DuckDB selects, sqlite3 stores the same rows, nothing is checked."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as engine:
        rows = engine.sql(
            f"SELECT account_id, risk, arr, {_WHEN} AS rule FROM scores "
            f"WHERE ({_WHEN}) IS NOT NULL ORDER BY account_id"
        ).fetchall()
    connection = sqlite3.connect(folder / "floor.db")
    connection.execute("PRAGMA journal_mode = WAL")
    for table in ("cases", "notifications", "entries"):
        connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, a, b, c, d)")
        connection.executemany(f"INSERT INTO {table} (a, b, c, d) VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return len(rows)


def ours(folder: Path) -> int:
    """Followthrough: gate, rules, limits, routes, and everything recorded and sealed on SQLite."""
    from connectors.warehouse.duckdb import DuckDBConfig, DuckDBWarehouse
    from decisions.deciding.evaluation import selected
    from decisions.deciding.gate import inspected
    from decisions.ledger import Ledger

    definition, people = _definition(), _people()
    config = DuckDBConfig(path="warehouse.duckdb")
    warehouses = {"warehouse": DuckDBWarehouse("warehouse", config, folder)}
    ledger = Ledger(f"sqlite:///{folder / 'ours.db'}", lambda: NOW)
    batch = inspected(definition, warehouses, as_of=NOW, earlier=[])
    matches = selected(definition, warehouses, as_of=NOW)
    run = ledger.runs.record(definition, batch, matches, people)
    ledger.close()
    return int(run.counts["opened"])


def by_row(folder: Path) -> int:
    """What is written first, mostly: a loop over rows and an ORM session."""
    from sqlmodel import Field, Session, SQLModel, create_engine

    class Case(SQLModel, table=True):
        """A case."""

        id: int | None = Field(default=None, primary_key=True)
        account_id: int
        risk: float
        rule: int

    class Notification(SQLModel, table=True):
        """A message."""

        id: int | None = Field(default=None, primary_key=True)
        account_id: int

    class Entry(SQLModel, table=True):
        """A line of history."""

        id: int | None = Field(default=None, primary_key=True)
        account_id: int

    engine = create_engine(f"sqlite:///{folder / 'rows.db'}")
    SQLModel.metadata.create_all(engine)
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as source:
        rows = source.sql("SELECT account_id, risk, arr FROM scores").fetchall()
    count = 0
    with Session(engine) as session:
        for account_id, risk, arr in rows:
            if risk >= 0.995 and arr > 10000:
                rule = 0
            elif risk >= 0.99 and arr > 5000:
                rule = 1
            else:
                continue
            session.add(Case(account_id=account_id, risk=risk, rule=rule))
            session.add(Notification(account_id=account_id))
            session.add(Entry(account_id=account_id))
            count += 1
        session.commit()
    return count


JOBS = {"scan": scan, "floor": floor, "ours": ours, "by_row": by_row}


def _people():  # noqa: ANN202  imported late, so that the other jobs do not pay for it
    from decisions.ownership import People

    people = {"dana.reyes": {"name": "Dana Reyes", "email": "dana@larkfield.example"}}
    return People.model_validate({"people": people})


def _definition():  # noqa: ANN202
    from decisions.definition import Definition

    rules = [("rich", "risk >= 0.995 AND arr > 10000"), ("rest", "risk >= 0.99 AND arr > 5000")]
    return Definition.model_validate(
        {
            "decision": "bench-call",
            "purpose": {"question": "Call?", "metric": "renewals"},
            "owners": {"business": "dana.reyes", "technical": "dana.reyes"},
            "review_by": "2030-01-01",
            "signal": {
                "from": "warehouse",
                "table": "scores",
                "subject": "account_id",
                "score": "risk",
                "scored_at": "scored_at",
                "model": {"name": "m", "version": "'1'"},
                "fields": {
                    "risk": {"type": "float", "min": 0, "max": 1},
                    "arr": {"type": "float", "min": 0},
                },
            },
            "match": "first",
            "rules": [
                {"name": name, "when": when, "do": "call", "because": "{{ risk | percent }}"}
                for name, when in rules
            ],
            "otherwise": "nothing",
            "actions": {
                "call": {
                    "autonomy": "notify",
                    "through": ["slack"],
                    "title": "Call {{ account_id }}",
                    "respond_within": "4h",
                    "override_reasons": ["no"],
                }
            },
        }
    )
