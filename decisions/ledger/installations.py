"""Which app each connection of this ledger speaks through, so that no two ledgers share one."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from decisions.ledger.records import Entry, Seal
from decisions.ledger.store import Store
from decisions.ledger.transaction import SYSTEM

CONNECTED: Final = "connected"


@dataclass(frozen=True, slots=True)
class Installation:
    """An app that a connection speaks through.

    Attributes:
        app: The other side's id of the app.
        team: The other side's id of the workspace.
        since: When it was recorded (timezone-aware).
    """

    app: str
    team: str
    since: datetime


class Installations:
    """The apps that this ledger speaks through, as its history has them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._origin: str | None = None

    def origin(self) -> str | None:
        """Return what tells this ledger from any other: its first seal; None while it is empty."""
        if self._origin is None:
            table = Seal.__table__
            with self._store.reading() as connection:
                first = connection.execute(select(table.c.sha256).where(table.c.id == 1))
                found: str | None = first.scalar()
            self._origin = found[:16] if found else None
        return self._origin

    def of(self, connection: str) -> Installation | None:
        """Return the app that a connection speaks through; None where none is recorded yet."""
        table = Entry.__table__
        query = (
            select(table.c.body, table.c.at)
            .where(table.c.object == _name(connection), table.c.act == CONNECTED)
            .order_by(table.c.id.desc())
            .limit(1)
        )
        with self._store.reading() as reader:
            row = reader.execute(query).first()
        if row is None:
            return None
        body = json.loads(row.body)
        return Installation(app=body["app"], team=body["team"], since=row.at)

    def connect(self, connection: str, *, app: str, team: str) -> None:
        """Record that a connection speaks through an app from now on."""
        with self._store.writing() as transaction:
            about = {"app": app, "team": team}
            transaction.enter(CONNECTED, _name(connection), about, actor=SYSTEM)


def _name(connection: str) -> str:
    return f"connection {connection}"
