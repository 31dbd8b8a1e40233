"""Small definitions, people and batches to test the domain with."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from decisions.deciding.gate import Batch
from decisions.definition import Definition
from decisions.ownership import People

MONDAY = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
"""A working Monday, the instant most stories start at."""


def people(**changes: Any) -> People:
    """Return five colleagues: mia and ben are account managers, omar leads them."""
    return People.model_validate(
        {
            "people": {
                "dana.reyes": {"name": "Dana Reyes", "email": "dana@larkfield.example"},
                "lee.park": {"name": "Lee Park", "email": "lee@larkfield.example"},
                "sam.ortiz": {"name": "Sam Ortiz", "email": "sam@larkfield.example"},
                "omar.haddad": {"name": "Omar Haddad", "email": "omar@larkfield.example"},
                "mia.chen": {
                    "name": "Mia Chen",
                    "email": "mia@larkfield.example",
                    "slack": "U01MIA",
                    "manager": "omar.haddad",
                },
                "ben.okafor": {
                    "name": "Ben Okafor",
                    "email": "ben@larkfield.example",
                    "manager": "omar.haddad",
                },
            },
            **changes,
        }
    )


def definition(**changes: Any) -> Definition:
    """Return a decision with one rule and one action; ``changes`` replace top-level keys."""
    return Definition.model_validate(
        {
            "decision": "churn-save-call",
            "purpose": {"question": "Call this account?", "metric": "renewals"},
            "owners": {"business": "dana.reyes", "technical": "lee.park", "backup": "sam.ortiz"},
            "review_by": "2027-06-30",
            "signal": {
                "from": "warehouse",
                "table": "scores",
                "subject": "account_id",
                "score": "risk",
                "scored_at": "scored_at",
                "model": {"name": "gbm", "version": "'1'"},
                "fields": {
                    "risk": {"type": "float", "min": 0, "max": 1},
                    "arr": {"type": "decimal", "unit": "USD", "min": 0},
                    "account_manager": {"type": "string", "nulls": "allowed"},
                },
            },
            "match": "first",
            "rules": [
                {
                    "name": "critical",
                    "when": "risk >= 0.8",
                    "do": "call",
                    "because": "{{ risk | percent }} likely to leave",
                }
            ],
            "otherwise": "nothing",
            "actions": {"call": action()},
            **changes,
        }
    )


def action(**changes: Any) -> dict[str, Any]:
    """Return an action with two escalation steps, as a definition writes it."""
    return {
        "autonomy": "notify",
        "assign": "account_manager",
        "through": ["slack"],
        "title": "Call {{ account_id }}",
        "show": ["risk", "arr"],
        "respond_within": "4h",
        "complete_within": "2d",
        "escalate": [
            {"after": "4h", "to": "assignee.manager"},
            {"after": "8h", "to": "business"},
        ],
        "override_reasons": ["already in contact", "data is wrong"],
        **changes,
    }


def matches(*rows: Mapping[str, Any]) -> pa.Table:
    """Return what evaluation would have selected, one row per subject, sorted by it."""
    schema = pa.schema(
        [
            ("subject", pa.string()),
            ("score", pa.float64()),
            ("scored_at", pa.timestamp("us", tz="UTC")),
            ("model_version", pa.string()),
            ("rule", pa.string()),
            ("action", pa.string()),
            ("assign", pa.string()),
            ("facts", pa.string()),
            ("priority", pa.float64()),
            ("value", pa.float64()),
        ]
    )
    filled = [
        {
            "score": 0.9,
            "scored_at": MONDAY,
            "model_version": "1",
            "rule": "critical",
            "action": "call",
            "assign": "mia.chen",
            "facts": '{"account_id":"' + row["subject"] + '","risk":0.9,"arr":1000.0}',
            "priority": 0.9,
            "value": None,
        }
        | dict(row)
        for row in sorted(rows, key=lambda row: row["subject"])
    ]
    return pa.Table.from_pylist(filled, schema=schema)


def batch(rows: int) -> Batch:
    """Return what the gate says of a sound batch."""
    return Batch(rows=rows, fingerprint=f"{rows:064x}", faults=())


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def wait(self, span: timedelta) -> None:
        self.now += span

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
