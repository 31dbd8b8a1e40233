"""The tables of the way that is written first; a module of its own, since SQLModel reads hints."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

from sqlalchemy import Engine
from sqlmodel import Field, SQLModel


class Case(SQLModel, table=True):
    """A case."""

    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(index=True)
    rule: int
    score: float
    facts: str
    assignee: str = Field(index=True)
    state: str = "open"
    opened_at: datetime

    @classmethod
    def of(cls, row: dict[str, Any], now: datetime) -> Self:
        """Return the case of a row that a rule selects."""
        return cls(
            subject=str(row["account_id"]),
            rule=row["rule"],
            score=row["risk"],
            facts=json.dumps({name: row[name] for name in ("risk", "arr", "tenure", "region")}),
            assignee=row["account_manager"],
            opened_at=now,
        )


class Notification(SQLModel, table=True):
    """A message."""

    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(index=True)
    recipient: str
    next_at: datetime = Field(index=True)

    @classmethod
    def of(cls, case: Case, now: datetime) -> Self:
        """Return the message that asks about a case."""
        return cls(subject=case.subject, recipient=case.assignee, next_at=now)


class Entry(SQLModel, table=True):
    """A line of history."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    body: str
    sha256: str

    @classmethod
    def of(cls, case: Case, now: datetime) -> Self:
        """Return the line that tells of a case."""
        body = json.dumps({"subject": case.subject, "rule": case.rule, "score": case.score})
        return cls(at=now, body=body, sha256=sha256(body.encode()).hexdigest())


def create(engine: Engine) -> None:
    """Create the tables."""
    SQLModel.metadata.create_all(engine)
