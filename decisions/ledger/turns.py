"""Whose turn it is to be sent something: one row a channel, one a person on it, for all senders.

A message that is due waits while its channel or its person has no turn; its place in the queue
stays what it was. So a channel that asks to wait moves everything that goes through it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update
from sqlalchemy import case as case_sql
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from decisions.ledger.records import Notification, NotificationState, Turn
from decisions.ports import Pace

Paces = Callable[[str], Pace | None]
"""Gives the pace of a connection; None for one that takes whatever comes."""

IN_FLIGHT = timedelta(seconds=30)
"""How long a person's turn is kept for a message of which nobody knows yet whether it was taken."""

PATIENCE = timedelta(hours=24)
"""How long a channel is tried before what goes through it counts as not told."""

FORGOTTEN_AFTER = timedelta(hours=1)
"""Turns that passed so long ago hold nobody back and are swept away."""


def unpaced(_name: str) -> None:
    """Return no pace, for any channel."""


def has_turn(at: datetime) -> ColumnElement[bool]:
    """Return the condition that a message's channel and its person both have a turn.

    Nobody waits for a channel that has been out of order for too long.
    """
    table = Notification.__table__
    turns = Turn.__table__
    is_waited_for = turns.c.paused_at.is_(None) | (turns.c.paused_at > at - PATIENCE)
    taken = select(turns.c.name).where(turns.c.free_at > at, is_waited_for)
    return or_(
        table.c.route.is_(None),
        table.c.route.not_in(taken) & _person().not_in(taken),
    )


def next_turn(connection: Connection, at: datetime, due: list[ColumnElement[bool]]) -> Any:
    """Return when the first of the messages that are due gets its turn; None if none waits.

    Args:
        connection: Reads the ledger.
        at: The present instant (timezone-aware).
        due: What makes a message due.
    """
    table, turns = Notification.__table__, Turn.__table__
    of_all, of_one = turns.alias(), turns.alias()
    free_at = case_sql(
        (of_all.c.free_at.is_(None), of_one.c.free_at),
        (of_one.c.free_at.is_(None), of_all.c.free_at),
        (of_one.c.free_at > of_all.c.free_at, of_one.c.free_at),
        else_=of_all.c.free_at,
    )
    waiting = (
        select(func.min(free_at))
        .select_from(table)
        .outerjoin(of_all, of_all.c.name == table.c.route)
        .outerjoin(of_one, of_one.c.name == _person())
        .where(*due, free_at > at)
    )
    return connection.execute(waiting).scalar()


def take(
    connection: Connection,
    at: datetime,
    route: str,
    recipient: str,
    pace: Pace | None,
    lease: str,
    *,
    anew: bool = False,
) -> bool:
    """Take the next turn of a channel and of a person on it, unless somebody else has it.

    Args:
        connection: Holds the write lock.
        at: The present instant (timezone-aware).
        route: The connection.
        recipient: The person.
        pace: The connection's; None for one that takes whatever comes.
        lease: Whose turn it is to be; whoever has it already may put it off.
        anew: Whether it is a turn of its own, and not one put off.
    """
    turns = Turn.__table__
    names = [route, f"{route}/{recipient}"]
    others = select(turns.c.name).where(turns.c.name.in_(names), turns.c.free_at > at)
    if not anew:
        others = others.where(or_(turns.c.holder.is_(None), turns.c.holder != lease))
    if connection.execute(others.limit(1)).first():
        return False
    if pace is not None:
        # Until it is known when the other side took it, nothing else leaves for this person.
        of_one = pace.each if anew or not pace.each else pace.each + IN_FLIGHT
        for name, span in zip(names, (pace.all, of_one), strict=True):
            if span:
                _upsert(connection, name, free_at=at + span, holder=lease)
    return True


def give_back(connection: Connection, at: datetime, claimed: Notification, pace: Pace) -> None:
    """Begin a person's wait for the next message, now that the other side has this one.

    Args:
        connection: Holds the write lock.
        at: The present instant (timezone-aware).
        claimed: The message, under the lease that took the turn.
        pace: Its channel's.
    """
    turns = Turn.__table__
    connection.execute(
        update(turns)
        .where(turns.c.name == f"{claimed.route}/{claimed.recipient}")
        .where(turns.c.holder == claimed.lease)
        .values(free_at=at + pace.each)
    )


def hold_back(connection: Connection, at: datetime, route: str, until: datetime) -> None:
    """Let nothing pass through a channel before an instant (timezone-aware)."""
    turns = Turn.__table__
    later = select(turns.c.free_at).where(turns.c.name == route, turns.c.free_at >= until)
    if connection.execute(later).first() is None:
        _upsert(connection, route, free_at=max(at, until), holder=None)


def pause(connection: Connection, at: datetime, route: str, because: str) -> datetime:
    """Note that a channel is out of order; return since when it is (timezone-aware).

    What waits for it looks once more for another way.
    """
    turns, told = Turn.__table__, Notification.__table__
    done = connection.execute(
        update(turns)
        .where(turns.c.name == route, turns.c.paused_at.is_(None))
        .values(paused_at=at, paused_because=because)
    )
    if done.rowcount:
        was_nowhere_else = told.c.channel.is_(None) | (told.c.channel == route)
        connection.execute(
            update(told)
            .where(told.c.next_at.is_not(None), told.c.state == NotificationState.PENDING)
            .where(told.c.route == route, was_nowhere_else)
            .values(route=None)
        )
    known = trouble(connection, route)
    return known[0] if known else at


def trouble(connection: Connection, route: str) -> tuple[datetime, str] | None:
    """Return since when a channel is out of order, and why; None where nothing is known."""
    turns = Turn.__table__
    asked = select(turns.c.paused_at, turns.c.paused_because).where(turns.c.name == route)
    row = connection.execute(asked.where(turns.c.paused_at.is_not(None))).tuples().first()
    return (row[0], str(row[1])) if row else None


def resume(connection: Connection, route: str) -> None:
    """Note that a channel took something again."""
    turns = Turn.__table__
    connection.execute(
        update(turns)
        .where(turns.c.name == route, turns.c.paused_at.is_not(None))
        .values(paused_at=None, paused_because=None)
    )


def paused(connection: Connection) -> list[Turn]:
    """Return the channels that are out of order, the longest so first."""
    turns = Turn.__table__
    query = select(turns).where(turns.c.paused_at.is_not(None)).order_by(turns.c.paused_at)
    return [Turn(**row) for row in connection.execute(query).mappings()]


def forget(connection: Connection, at: datetime) -> None:
    """Drop the turns that have passed long ago."""
    turns = Turn.__table__
    old = turns.c.free_at < at - FORGOTTEN_AFTER
    connection.execute(delete(turns).where(old, turns.c.paused_at.is_(None)))


def _person() -> ColumnElement[str]:
    table = Notification.__table__
    return table.c.route + "/" + table.c.recipient


def _upsert(connection: Connection, name: str, **values: Any) -> None:
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    connection.execute(
        insert(Turn.__table__)
        .values(name=name, **values)
        .on_conflict_do_update(index_elements=["name"], set_=values)
    )
