"""Questions about the versions of a decision, and what an owner's act writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from decisions.definition import Definition
from decisions.ledger.records import Run, Signature, Standing, Version
from decisions.ledger.standings import Mandate, in_force, needs_signing, standing_of
from decisions.ledger.store import Store
from decisions.ledger.transaction import Transaction
from decisions.ledger.versions import pinned, signatures_of, version_by_id, versions_of
from decisions.release import Placing, Stage


@dataclass(frozen=True, slots=True)
class Account:
    """One version with everything that happened to it.

    Attributes:
        version: The version.
        stage: Where it stands, in words: ``ramp 25%``, ``halted``, ``retired``.
        since: Since when (timezone-aware).
        signatures: Who has signed it, oldest first.
        runs: How often it was run.
    """

    version: Version
    stage: str
    since: datetime
    signatures: Sequence[Signature]
    runs: int


class Releases:
    """The versions in the ledger and how decisions stand."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def standing(self, decision: str) -> Standing | None:
        """Return how a decision stands; None if it never ran and nobody released anything."""
        with self._store.reading() as connection:
            return standing_of(connection, decision)

    def halts(self) -> list[Standing]:
        """Return the halts that hold, by decision."""
        table = Standing.__table__
        latest = select(func.max(table.c.id)).group_by(table.c.decision)
        query = select(table).where(table.c.halted, table.c.id.in_(latest))
        with self._store.reading() as connection:
            rows = connection.execute(query.order_by(table.c.decision)).mappings()
            return [Standing(**row) for row in rows]

    def version(self, version_id: int) -> Version:
        """Return the version of that row."""
        with self._store.reading() as connection:
            return version_by_id(connection, version_id)

    def mandates(self, definition: Definition) -> tuple[Mandate, ...]:
        """Return what may run of a decision: one in shadow first, then the version that acts.

        In this order, so that the shadow finds open only what was open before.

        A content that nobody has to sign may run as it is. Whether a halt holds is not asked here.

        Args:
            definition: The decision as its file says it now.

        Returns:
            Empty where it has to be signed and no version is in a stage.
        """
        with self._store.reading() as connection:
            standing = standing_of(connection, definition.decision)
            acting = in_force(connection, standing)
            if not needs_signing(definition, acting):
                return (Mandate(definition),)
            if standing is None:
                return ()
            found = []
            if standing.shadow_id is not None:
                shadow = pinned(version_by_id(connection, standing.shadow_id))
                found.append(Mandate(shadow, Placing(Stage.SHADOW), standing.id))
            if acting is not None and acting.signed_at is not None:
                found.append(Mandate(pinned(acting), Placing.ramp(standing.share), standing.id))
            return tuple(found)

    def accounts(self, decision: str) -> list[Account]:
        """Return every version of a decision with its stage, newest first."""
        with self._store.reading() as connection:
            history = _history(connection, decision)
            ran = _runs(connection, decision)
            return [
                Account(
                    version,
                    *_stage(version, history),
                    signatures_of(connection, version),
                    ran.get(version.id, 0),
                )
                for version in reversed(versions_of(connection, decision))
            ]


def stage_of(connection: Connection, version: Version) -> Placing | Stage:
    """Return where a version stands now."""
    found = place_in(version, standing_of(connection, version.decision))
    if found is not None:
        return found
    return _unplaced(version, _history(connection, version.decision))


def place_in(version: Version, standing: Standing | None) -> Placing | Stage | None:
    """Return the stage that a standing gives a version, or None if it gives it none."""
    if standing is None or version.id not in {standing.version_id, standing.shadow_id}:
        return None
    if standing.halted:
        return Stage.HALTED
    if version.id == standing.version_id:
        return Placing.ramp(standing.share)
    return Placing(Stage.SHADOW)


def change_version(transaction: Transaction, version: Version, **changes: Any) -> Version:
    """Write what has become of a version; its content never changes."""
    table = Version.__table__
    transaction.connection.execute(update(table).where(table.c.id == version.id).values(**changes))
    return version.model_copy(update=changes)


def _history(connection: Connection, decision: str) -> list[Standing]:
    table = Standing.__table__
    query = select(table).where(table.c.decision == decision).order_by(table.c.id)
    return [Standing(**row) for row in connection.execute(query).mappings()]


def _runs(connection: Connection, decision: str) -> dict[int, int]:
    table = Run.__table__
    query = (
        select(table.c.version_id, func.count())
        .where(table.c.decision == decision)
        .group_by(table.c.version_id)
    )
    return dict(connection.execute(query).tuples().all())


def _stage(version: Version, history: Sequence[Standing]) -> tuple[str, datetime]:
    """Return where a version stands, and since when."""
    places = [place_in(version, each) for each in history]
    now = places[-1] if places else None
    if now is None and not any(places):
        waits = _unplaced(version, history)
        known = (version.signed_at, version.released_at, version.recorded_at)
        return str(waits), next(at for at in known if at is not None)
    began = len(places) - 1
    while began and places[began - 1] == now:
        began -= 1
    return str(now or Stage.RETIRED), history[began].at


def _unplaced(version: Version, history: Sequence[Standing]) -> Stage:
    if any(version.id in {each.version_id, each.shadow_id} for each in history):
        return Stage.RETIRED
    if version.signed_at is not None:
        return Stage.SIGNED
    return Stage.DRAFT if version.released_at is None else Stage.RELEASED
