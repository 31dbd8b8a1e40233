"""One transaction of the ledger: rows, the entries that tell of them, and the seal over those."""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, func, insert, select, update

from decisions.canonical import canonical_json
from decisions.definition import Definition
from decisions.errors import LifecycleError
from decisions.ledger import chain
from decisions.ledger.bulk import insert_rows, stored_instant
from decisions.ledger.columns import storable
from decisions.ledger.records import (
    Answer,
    Assignment,
    Case,
    Entry,
    Notification,
    NotificationState,
    Record,
    Seal,
    Version,
)
from decisions.ledger.versions import pinned
from decisions.ownership import Standin
from decisions.ports import Kind

SYSTEM = "followthrough"
"""The actor of what no person did."""

_SHOWN = {"state", "assignee", "snoozed_until"}
"""What a message that was sent says of its case; when one changes, it has to be amended."""


class Transaction:
    """What may be written, all together or not at all.

    Attributes:
        connection: The connection that holds the write lock.
        at: The instant every row and entry of this transaction carries (timezone-aware, UTC).
    """

    def __init__(self, connection: Connection, at: datetime) -> None:
        self.connection = connection
        self.at = at
        self._entries: list[dict[str, Any] | pa.Table] = []
        self._last_acts: list[Callable[[], None]] = []

    def case(self, key: str) -> Case:
        """Return the case as it stands, with nobody else writing.

        Raises:
            LifecycleError: There is no such case.
        """
        row = (
            self.connection.execute(
                select(Case.__table__).where(Case.__table__.c.key == storable(key))
            )
            .mappings()
            .first()
        )
        if row is None:
            raise LifecycleError(f"there is no case {key!r}; `followthrough cases` lists them")
        return Case(**row)

    def definition(self, case: Case) -> Definition:
        """Return the definition that the case is pinned to."""
        query = select(Version.__table__).where(Version.__table__.c.id == case.version_id)
        return pinned(Version(**self.connection.execute(query).mappings().one()))

    def answer_to(self, interaction: str) -> Answer | None:
        """Return the answer this click or command has already given, if it has."""
        row = (
            self.connection.execute(
                select(Answer.__table__).where(Answer.__table__.c.interaction == interaction)
            )
            .mappings()
            .first()
        )
        return Answer(**row) if row else None

    def last_answer(self, case: Case) -> Answer | None:
        """Return the answer that last changed the case."""
        table = Answer.__table__
        row = (
            self.connection.execute(
                select(table)
                .where(table.c.case_id == case.id, table.c.accepted)
                .order_by(table.c.id.desc())
                .limit(1)
            )
            .mappings()
            .first()
        )
        return Answer(**row) if row else None

    def told(self, case: Case) -> set[str]:
        """Return everybody who was sent a message about the case."""
        table = Notification.__table__
        return set(
            self.connection.execute(
                select(table.c.recipient).where(
                    table.c.case_id == case.id, table.c.sent_at.is_not(None)
                )
            ).scalars()
        )

    def asked_at(self, case: Case) -> datetime | None:
        """Return when the assignee was last sent the question; None if nobody was yet."""
        table = Notification.__table__
        asked = select(func.max(table.c.sent_at)).where(
            table.c.case_id == case.id, table.c.kind == Kind.ASKED
        )
        at: datetime | None = self.connection.execute(asked).scalar()
        return at

    def add(self, record: Record) -> None:
        """Insert one row; its id is given by the database."""
        values = {name: value for name, value in dict(record).items() if name != "id"}
        self.connection.execute(insert(type(record).__table__).values(**values))

    def change(self, case: Case, **changes: Any) -> Case:
        """Write the changed columns, provided that nobody has changed the case since it was read.

        Raises:
            LifecycleError: Somebody else changed it in between.
        """
        table = Case.__table__
        changes["revision"] = case.revision + 1
        done = self.connection.execute(
            update(table)
            .where(table.c.id == case.id, table.c.revision == case.revision)
            .values(**changes)
        )
        if done.rowcount != 1:
            raise LifecycleError(f"{case.key} was changed by somebody else meanwhile; look again")
        if _SHOWN & changes.keys():
            self._outdate_messages(case)
        return case.model_copy(update=changes)

    def _outdate_messages(self, case: Case) -> None:
        table = Notification.__table__
        self.connection.execute(
            update(table)
            .where(table.c.case_id == case.id, table.c.reference.is_not(None))
            .values(stale_at=self.at)
        )

    def assign(self, case: Case, to: Standin, *, by: str, because: str) -> None:
        """Record who holds the case from now on, by whose doing and why."""
        self.add(
            Assignment(
                case_id=case.id,
                assignee=to.person,
                in_place_of=to.in_place_of,
                by=by,
                at=self.at,
                because=f"{because}; {to.because}" if to.because else because,
            )
        )

    def notify(self, case: Case, *, kind: Kind, recipient: str, because: str) -> None:
        """Queue one message; the same step of the same cycle reaches a person once."""
        key = f"{case.key}:{case.cycle}:{case.step}:{recipient}:{kind}"
        table = Notification.__table__
        if self.connection.execute(select(table.c.id).where(table.c.key == key)).first():
            return
        self.queue(key, kind, recipient, because, case_id=case.id)

    def queue(self, key: str, kind: Kind, recipient: str, because: str, **about: Any) -> None:
        """Put one message into the outbox, to be sent by the next sweep.

        Args:
            key: Names the message; a second one of the same key is refused by the database.
            kind: What it says.
            recipient: Who gets it; a key of ``people.yaml``.
            because: Why that person.
            about: Columns of what it is about: the ``case_id``, ``run_id`` or ``standing_id``,
                and the ``message`` itself where it is written already.
        """
        self.add(
            Notification(
                key=key,
                kind=kind,
                recipient=recipient,
                because=because,
                state=NotificationState.PENDING,
                next_at=self.at,
                created_at=self.at,
                **about,
            )
        )

    def queue_once(self, key: str, kind: Kind, recipient: str, because: str, **about: Any) -> bool:
        """Put a message into the outbox unless one of its key ever was; see ``queue``.

        Returns:
            Whether it was put there.
        """
        table = Notification.__table__
        if self.connection.execute(select(table.c.id).where(table.c.key == key)).first():
            return False
        self.queue(key, kind, recipient, because, **about)
        return True

    def supersede(self, case: Case) -> None:
        """Take back what has not been handed over yet."""
        table = Notification.__table__
        self.connection.execute(
            update(table)
            .where(
                table.c.case_id == case.id,
                table.c.state.in_([NotificationState.PENDING, NotificationState.UNKNOWN]),
            )
            .values(state=NotificationState.SUPERSEDED, next_at=None)
        )

    def enter(
        self,
        act: str,
        object_: str,
        body: Mapping[str, Any],
        *,
        actor: str = SYSTEM,
        in_place_of: str | None = None,
    ) -> None:
        """Tell what happened: who did what to what, and what changed."""
        texts = (actor, in_place_of, act, object_, canonical_json(body))
        row = dict(zip(chain.COVERED, texts, strict=True))
        self._entries.append(row | {"at": self.at, "sha256": chain.leaf(self.at, texts)})

    def enter_all(self, rows: pa.Table) -> None:
        """Tell of many things at once that no person did.

        Args:
            rows: ``act``, ``object``, ``body`` and the ``sha256`` over them; one row an entry.
        """
        if rows.num_rows:
            self._entries.append(rows)

    def before_commit(self, act: Callable[[], None]) -> None:
        """Do something outside the database once all is written, while nobody else writes.

        If it fails nothing is stored; if the commit after it fails it is not taken back.
        """
        self._last_acts.append(act)

    def finish(self) -> None:
        """Seal what was told, then do what was put off until now."""
        self.seal()
        for act in self._last_acts:
            act()

    def seal(self) -> None:
        """Write the entries and close them with a seal; without an entry there is none."""
        if not self._entries:
            return
        table = Seal.__table__
        head = (
            self.connection.execute(select(table).order_by(table.c.id.desc()).limit(1))
            .mappings()
            .first()
        )
        position, previous = (head["id"] + 1, head["sha256"]) if head else (1, chain.GENESIS)
        leaves = [leaf for told in self._entries for leaf in _leaves(told)]
        root = chain.merkle_root(leaves)
        self.connection.execute(
            insert(table).values(
                id=position,
                at=self.at,
                count=len(leaves),
                root=root,
                previous=previous,
                sha256=chain.seal_hash(position, self.at, len(leaves), root, previous),
            )
        )
        at = stored_instant(self.at, self.connection)
        same = {"seal": position, "at": at, "actor": SYSTEM}
        for are_single, told in groupby(self._entries, lambda each: isinstance(each, dict)):
            if are_single:
                rows = [row | {"seal": position} for row in told]
                self.connection.execute(insert(Entry.__table__), rows)
            else:
                insert_rows(self.connection, Entry, pa.concat_tables(told), same=same)
        self._entries = []


def _leaves(told: dict[str, Any] | pa.Table) -> list[str]:
    if isinstance(told, dict):
        return [told["sha256"]]
    found: list[str] = told.column("sha256").to_pylist()
    return found
