"""The batch, the rules and the workspace that every way is given; deterministic, nobody's data."""

from datetime import UTC, datetime
from pathlib import Path

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
DECISION = "bench-call"
BATCH = "scores.parquet"
RULES = {
    "critical": "risk >= 0.995 AND arr > 50000",
    "young": "risk >= 0.99 AND tenure < 12",
    "near": "risk >= 0.985 AND region IN ('north', 'east')",
    "rest": "risk >= 0.998",
}
"""First match wins; about one row in a hundred meets one."""

FIELDS = ("account_id", "risk", "arr", "tenure", "region")
CASE = "CASE " + " ".join(f"WHEN {when} THEN {n}" for n, when in enumerate(RULES.values(), 1))
CASE += " END"
"""The number of the rule that decides, from 1, in the SQL of DuckDB and of Polars."""

_ROWS = """
SELECT i AS account_id, (hash(i) % 100000) / 100000.0::DOUBLE AS risk,
    (hash(i, 1) % 100000)::DOUBLE AS arr, (hash(i, 2) % 120)::INTEGER AS tenure,
    ['north', 'east', 'south', 'west'][1 + (hash(i, 3) % 4)::INTEGER] AS region,
    'person.' || (hash(i, 4) % 20) AS account_manager,
    TIMESTAMPTZ '2026-11-16 05:00Z' AS scored_at
FROM range({rows}) AS t(i)
"""

_PEOPLE = """\
people:
  dana.reyes: {name: Dana Reyes, email: dana@larkfield.example}
"""
_PERSON = "  person.{0}: {{name: Person {0}, email: p{0}@larkfield.example, manager: dana.reyes}}\n"
_CONNECTIONS = """\
warehouse: {type: duckdb}
slack: {type: slack, token: "${SLACK_BOT_TOKEN}", signing_secret: "${SLACK_SIGNING_SECRET}"}
"""
_DEFINITION = """\
decision: bench-call
purpose: {question: "Call this account?", metric: renewals}
owners: {business: dana.reyes, technical: dana.reyes}
review_by: 2030-01-01
signal:
  from: warehouse
  path: scores.parquet
  subject: account_id
  score: risk
  scored_at: scored_at
  model: {name: bench, version: "'1'"}
  fields:
    risk: {type: float, min: 0, max: 1}
    arr: {type: float, min: 0}
    tenure: {type: integer, min: 0}
    region: {type: string}
    account_manager: {type: string}
match: first
rules:
"""
_RULE = (
    '  - {{name: {name}, when: "{when}", do: call, because: "{{{{ risk | percent }}}} likely"}}\n'
)
_ACTION = """\
otherwise: nothing
actions:
  call:
    autonomy: notify
    assign: account_manager
    through: [slack]
    title: "Call {{ account_id }}"
    show: [risk, arr]
    respond_within: 4h
    escalate:
      - {after: 4h, to: assignee.manager}
    override_reasons: [data is wrong]
"""


def write_batch(folder: Path, rows: int) -> Path:
    """Write the batch of so many rows as Parquet, once."""
    import duckdb

    file = folder / BATCH
    if not file.exists():
        with duckdb.connect() as engine:
            engine.execute("SET TimeZone = 'UTC'")
            engine.execute(f"COPY ({_ROWS.format(rows=rows)}) TO '{file}' (FORMAT parquet)")
    return file


def write_workspace(folder: Path) -> None:
    """Write the definition that asks the rules of the batch, and who there is."""
    people = _PEOPLE + "".join(map(_PERSON.format, range(20)))
    rules = "".join(_RULE.format(name=name, when=when) for name, when in RULES.items())
    (folder / "people.yaml").write_text(people)
    (folder / "connections.yaml").write_text(_CONNECTIONS)
    (folder / f"{DECISION}.yaml").write_text(_DEFINITION + rules + _ACTION)


def make(folder: str, rows: str) -> None:
    """Write batch and workspace."""
    write_batch(Path(folder), int(rows))
    write_workspace(Path(folder))
