"""The workspace that ``followthrough init`` makes: one small decision, ready to run.

The scores are dated when the workspace is made, since a decision refuses stale ones.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from io import StringIO
from pathlib import Path

from connectors import registry
from decisions.workspace.schema import write_schemas

DEFINITION = "late-invoice-call"
"""The decision in it."""
AUTHOR = "lee.park"
"""Who releases its first version."""
SIGNER = "dana.reyes"
"""Who signs it."""

FIRST_CASE = "LIC-1"
"""The first case that its first run opens."""
FIRST_ASSIGNEE = "mia.chen"
"""Who is asked."""

SCHEMAS = "schema"
"""The folder beside them with what an editor needs to complete and check the files."""
_COPIED = ("people.yaml", "connections.yaml", f"{DEFINITION}.yaml")
_REVIEWED_AFTER = timedelta(days=182)
_GRACE_DAYS = 7
"""Days after the due date up to which an invoice counts as paid in time."""


def make_workspace(folder: Path, now: datetime) -> list[Path]:
    """Write the workspace and return its files, and the folder of the schemas.

    Args:
        folder: Where to; made if it does not exist.
        now: When the scores were made (timezone-aware).
    """
    folder.mkdir(parents=True, exist_ok=True)
    review_by = (now + _REVIEWED_AFTER).date().isoformat()
    texts = {name: _shipped(name).replace("<in half a year>", review_by) for name in _COPIED}
    made = []
    for name, text in (texts | _tables(now)).items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        made.append(path)
    write_schemas(folder / SCHEMAS, registry.connection_kinds())
    return [*made, folder / SCHEMAS]


def _shipped(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _tables(now: datetime) -> dict[str, str]:
    """Return the signal, the context and the outcomes, made of one shipped table.

    The outcomes are those still to come, so that the whole loop can be tried: nothing reads one
    before its instant.
    """
    invoices = list(csv.DictReader(StringIO(_shipped("invoices.csv"))))
    scored_at = now.strftime("%Y-%m-%d %H:%M:%S+00")
    scores = [
        (row["invoice_id"], row["late_probability"], row["amount"], scored_at, "v3")
        for row in invoices
    ]
    facts = [
        (row["invoice_id"], row["customer"], row["account_manager"], _day(now, row["due_in_days"]))
        for row in invoices
    ]
    payments = [
        (row["invoice_id"], f"{_day(now, row['paid_in_days'])} 12:00:00+00", _in_time(row))
        for row in invoices
    ]
    score_columns = ("invoice_id", "late_probability", "amount", "scored_at", "model_version")
    return {
        "scores.csv": _written(score_columns, scores),
        "invoices.csv": _written(("invoice_id", "customer", "account_manager", "due_on"), facts),
        "payments.csv": _written(("invoice_id", "settled_at", "paid_in_time"), payments),
    }


def _day(now: datetime, days: str) -> str:
    return (now + timedelta(days=int(days))).date().isoformat()


def _in_time(row: dict[str, str]) -> str:
    return str(int(row["paid_in_days"]) <= int(row["due_in_days"]) + _GRACE_DAYS).lower()


def _written(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return text.getvalue()
