"""Larkfield Software: a small company to test with, as a workspace on disk and its warehouse."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from flows import wiring
from flows.settings import Settings
from flows.wiring import Layer

DECISION = "churn-save-call"

PEOPLE = """\
people:
  dana.reyes: {name: Dana Reyes, email: dana@larkfield.example, slack: U01DANA,
               manager: omar.haddad, zone: Europe/London, hours: mon-fri 09:00-17:30}
  lee.park: {name: Lee Park, email: lee@larkfield.example, manager: omar.haddad}
  sam.ortiz: {name: Sam Ortiz, email: sam@larkfield.example, manager: omar.haddad,
              zone: America/New_York}
  omar.haddad: {name: Omar Haddad, email: omar@larkfield.example, zone: Europe/London}
  mia.chen: {name: Mia Chen, email: mia@larkfield.example, slack: U01MIA, manager: omar.haddad,
             zone: Europe/Berlin}
"""

CONNECTIONS = """\
warehouse: {type: duckdb, path: warehouse.duckdb}
slack: {type: slack, token: "${SLACK_BOT_TOKEN}", signing_secret: "${SLACK_SIGNING_SECRET}"}
"""

CHURN_SAVE_CALL = """\
decision: churn-save-call
purpose:
  question: Should the account manager call this account this week?
  metric: share of accounts that renew
owners: {business: dana.reyes, technical: lee.park, backup: sam.ortiz}
review_by: 2027-06-30
signal:
  from: warehouse
  table: churn_scores
  subject: account_id
  score: churn_probability
  scored_at: scored_at
  model: {name: churn-gbm, version: model_version}
  fields:
    churn_probability: {type: float, min: 0, max: 1}
    arr: {type: decimal, unit: USD, min: 0}
    company: string
    account_manager: {type: string, nulls: allowed}
    renewal_on: date
    top_reason: {type: string, nulls: allowed}
    model_version: string
match: first
rules:
  - name: critical
    when: churn_probability >= 0.8 AND arr >= 50000
    do: call
    because: >-
      {{ churn_probability | percent }} likely to leave, {{ arr | money }} a year,
      renews {{ renewal_on | date }}
  - name: watch
    when: churn_probability >= 0.6
    do: write
    because: "{{ churn_probability | percent }} likely to leave"
otherwise: nothing
actions:
  call:
    autonomy: notify
    assign: account_manager
    through: [slack]
    title: "Call {{ company }} before {{ renewal_on | date }}"
    show: [churn_probability, arr, renewal_on, top_reason]
    respond_within: 4 working hours
    complete_within: 2 working days
    escalate:
      - {after: 4 working hours, to: assignee.manager}
      - {after: 1 working day, to: business}
    override_reasons: [already in contact, data is wrong, right but nothing can be done]
  write:
    autonomy: notify
    assign: account_manager
    through: [slack]
    title: "Write to {{ company }}"
    show: [churn_probability, arr]
    respond_within: 2 working days
    override_reasons: [already in contact, data is wrong]
limits: {prefer: churn_probability * arr}
outcome:
  from: warehouse
  table: renewals
  on: account_id
  at: decided_at
  measure: renewed
  window: 60d
  better: higher
  value: arr
"""

_SCORES = """
CREATE OR REPLACE TABLE churn_scores (
    account_id VARCHAR, company VARCHAR, account_manager VARCHAR, churn_probability DOUBLE,
    arr DECIMAL(12, 2), renewal_on DATE, top_reason VARCHAR, model_version VARCHAR,
    scored_at TIMESTAMPTZ
)
"""
_RENEWALS = """
CREATE TABLE IF NOT EXISTS renewals (
    account_id VARCHAR, renewed BOOLEAN, decided_at TIMESTAMPTZ
)
"""


def write_workspace(
    folder: Path, *, holdout: str | None = None, definition: str = CHURN_SAVE_CALL
) -> Path:
    """Write people, connections and one decision; return the folder.

    Args:
        folder: Where to; created if need be.
        holdout: The share held out, such as ``10%``; nobody if left out.
        definition: The decision.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "people.yaml").write_text(PEOPLE)
    (folder / "connections.yaml").write_text(CONNECTIONS)
    held_out = f"holdout: {{share: {holdout}, salt: first}}\n" if holdout else ""
    (folder / f"{DECISION}.yaml").write_text(definition + held_out)
    return folder


def write_scores(folder: Path, rows: Iterable[Mapping[str, Any]], *, scored_at: datetime) -> None:
    """Replace the warehouse's scores; what a row leaves out is filled in.

    Args:
        folder: The workspace.
        rows: At least ``account_id`` each.
        scored_at: When the model is to have scored them (timezone-aware).
    """
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        warehouse.execute(_SCORES)
        warehouse.execute(_RENEWALS)
        for row in rows:
            filled = score(**row) | {"scored_at": scored_at}
            names, marks = ", ".join(filled), ", ".join("?" * len(filled))
            warehouse.execute(
                f"INSERT INTO churn_scores ({names}) VALUES ({marks})", [*filled.values()]
            )


def score(account_id: str, **changes: Any) -> dict[str, Any]:
    """Return a row of scores that the critical rule selects, for Mia Chen to call."""
    return {
        "account_id": account_id,
        "company": f"{account_id.title()} Ltd",
        "account_manager": "mia.chen",
        "churn_probability": 0.91,
        "arr": 80_000,
        "renewal_on": "2027-01-03",
        "top_reason": "fewer logins",
        "model_version": "7",
        **changes,
    }


def assembled(folder: Path, clock: Callable[[], datetime]) -> Layer:
    """Return everything over a workspace, with a ledger of its own beside it."""
    return wiring.assemble(Settings(workspace=folder, home=folder / "home"), clock)
