"""How decisions stand: which version acts, on whom, which is judged beside it, what is halted."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, not_, or_, select

from decisions.definition import Definition
from decisions.errors import Halted, LifecycleError, NotInForce
from decisions.ledger.records import Case, Notification, Run, Standing, Version
from decisions.ledger.transaction import SYSTEM, Transaction
from decisions.ledger.versions import pinned, version_by_id, version_of
from decisions.release import LIVE, Placing, Stage


@dataclass(frozen=True, slots=True)
class Mandate:
    """What a run may do: decide by this content, and act as far as its stage goes.

    Attributes:
        definition: The content to decide by.
        placing: The stage it is in.
        standing: The row of the ledger that says so; None where nobody has to sign.
    """

    definition: Definition
    placing: Placing = LIVE
    standing: int | None = None

    @property
    def acts(self) -> bool:
        """Whether cases are opened and people told: not in shadow."""
        return self.placing.stage is not Stage.SHADOW


def standing_of(connection: Connection, decision: str) -> Standing | None:
    """Return how a decision stands, or None if it never ran and nobody released anything."""
    table = Standing.__table__
    query = select(table).where(table.c.decision == decision).order_by(table.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return Standing(**row) if row else None


def halted(connection: Connection) -> list[str]:
    """Return the decisions that are halted, by name."""
    table = Standing.__table__
    latest = select(func.max(table.c.id)).group_by(table.c.decision)
    query = select(table.c.decision).where(table.c.halted, table.c.id.in_(latest))
    return list(connection.execute(query.order_by(table.c.decision)).scalars())


def not_held(connection: Connection) -> list[ColumnElement[bool]]:
    """Return what keeps the messages of halted decisions back; word of a halt itself goes out."""
    held, table = halted(connection), Notification.__table__
    if not held:
        return []
    about = [
        exists().where(record.c.id == column, record.c.decision.in_(held))
        for record, column in (
            (Case.__table__, table.c.case_id),
            (Run.__table__, table.c.run_id),
        )
    ]
    return [not_(or_(*about))]


def is_halted(connection: Connection, decision: str) -> bool:
    """Whether a decision is halted at this instant."""
    found = standing_of(connection, decision)
    return found is not None and found.halted


def in_force(connection: Connection, standing: Standing | None) -> Version | None:
    """Return the version that acts, be it halted or not."""
    if standing is None or standing.version_id is None:
        return None
    return version_by_id(connection, standing.version_id)


def needs_signing(definition: Definition, acting: Version | None) -> bool:
    """Whether a content has to be signed before it decides anything.

    As it says itself, or as the version says that it would replace: an edit cannot take the
    sign-off of others away.
    """
    return definition.sign_off is not None or (
        acting is not None and pinned(acting).sign_off is not None
    )


def record_version(transaction: Transaction, definition: Definition, **told: Any) -> Version:
    """Return the version of this exact content, recorded now if it is new.

    Args:
        transaction: Where it is recorded.
        definition: The content.
        told: What its entry says besides the content's hash.
    """
    connection = transaction.connection
    if known := version_of(connection, definition):
        return known
    table = Version.__table__
    number = connection.execute(
        select(func.coalesce(func.max(table.c.number), 0) + 1).where(
            table.c.decision == definition.decision
        )
    ).scalar_one()
    transaction.add(
        Version(
            decision=definition.decision,
            number=number,
            sha256=definition.sha256,
            # Defaults written out: those of a later release are no business of this version.
            definition=definition.model_dump(mode="json", by_alias=True),
            recorded_at=transaction.at,
        )
    )
    name = f"{definition.decision}/v{number}"
    transaction.enter("recorded", name, {"definition": definition.sha256} | told)
    found = version_of(connection, definition)
    if found is None:
        raise LifecycleError(f"{name} was not recorded as written")
    return found


def stand(transaction: Transaction, before: Standing | None, decision: str, **now: Any) -> Standing:
    """Record how a decision stands from now on; what is not named stays as it was."""
    kept = {
        name: getattr(before, name) for name in ("version_id", "share", "shadow_id", "halted")
    } if before else {}  # fmt: skip
    transaction.add(Standing(**(kept | {"decision": decision, "at": transaction.at} | now)))
    found = standing_of(transaction.connection, decision)
    if found is None:
        raise LifecycleError(f"how {decision} stands was not recorded")
    return found


def place(
    transaction: Transaction,
    version: Version,
    placing: Placing,
    act: str,
    by: str,
    via: str,
    because: str | None = None,
) -> None:
    """Record that a version stands in a stage from now on; it leaves the one it was in.

    A version that acts takes the place of the one that acted; one in shadow is judged beside it.

    Args:
        transaction: Where it is recorded.
        version: The version.
        placing: The stage.
        act: What makes it so: signed, staged, advanced or rolled back.
        by: Who does.
        via: From where.
        because: Why, if they said so.
    """
    decision = version.decision
    before = standing_of(transaction.connection, decision)
    now: dict[str, Any] = {"halted": False, "act": act, "because": because}
    now |= {"by": by, "via": via}
    if placing.stage is Stage.SHADOW:
        now["shadow_id"] = version.id
        if before is not None and before.version_id == version.id:
            now["version_id"] = None
    else:
        now |= {"version_id": version.id, "share": placing.share}
        if before is not None and before.shadow_id == version.id:
            now["shadow_id"] = None
    stand(transaction, before, decision, **now)
    body = {"stage": str(placing), "because": because, "via": via}
    transaction.enter(act if act != "signed" else "started", version.name, body,
                      actor=by)  # fmt: skip


def admitted(transaction: Transaction, definition: Definition, under: Mandate | None) -> Version:
    """Return the version that a run may record under, now that nobody else writes.

    Args:
        transaction: The run's transaction.
        definition: What it decided by.
        under: What the run was told it may do; None for a content that nobody has to sign.

    Raises:
        Halted: Somebody has halted the decision meanwhile.
        NotInForce: The content has to be signed; or another version has come into force meanwhile.
    """
    connection, decision = transaction.connection, definition.decision
    standing = standing_of(connection, decision)
    if standing is not None and standing.halted:
        raise Halted(f"{decision} is halted; nothing was recorded")
    acting = in_force(connection, standing)
    if under is None or under.standing is None:
        if needs_signing(definition, acting):
            raise NotInForce(f"{decision} has to be signed before it runs; nothing was recorded")
        return _live(transaction, definition, standing)
    if standing is None or standing.id != under.standing:
        raise NotInForce(
            f"{decision} was staged anew while its batch was decided on; nothing was recorded, "
            "run it again"
        )
    return record_version(transaction, definition)


def _live(transaction: Transaction, definition: Definition, standing: Standing | None) -> Version:
    """Return the version of a content that nobody signs; it is live from its first run on."""
    known = version_of(transaction.connection, definition)
    version = known or record_version(transaction, definition, stage=Stage.LIVE)
    if standing is None or standing.version_id != version.id:
        if known is not None:
            name = f"{version.decision}/v{version.number}"
            transaction.enter("live", name, {"definition": version.sha256})
        now = {"act": "ran", "version_id": version.id, "share": 1.0, "by": SYSTEM, "via": "run"}
        stand(transaction, standing, version.decision, **now)
    return version
