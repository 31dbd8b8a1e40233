"""Messages to people, from queued to sent."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Index, Text, text
from sqlmodel import Field

from decisions.ledger.columns import identity, instant, json_value, reference
from decisions.ledger.records.record import Record


class NotificationState(StrEnum):
    """How far one message got."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    DEAD = "dead"
    SUPERSEDED = "superseded"


class Notification(Record, table=True):
    """One message to one person, from queued to sent."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index(
            "ix_notifications_due",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index(
            "ix_notifications_stale",
            "stale_at",
            sqlite_where=text("stale_at IS NOT NULL"),
            postgresql_where=text("stale_at IS NOT NULL"),
        ),
        Index(None, "recipient", "sent_at"),
    )

    id: int = identity()
    key: str = Field(sa_column=Column(Text, unique=True, nullable=False))
    """case:cycle:step:recipient:kind"""
    case_id: int | None = reference("cases.id", index=True, nullable=True)
    run_id: int | None = reference("runs.id", nullable=True)
    standing_id: int | None = reference("standings.id", nullable=True)
    """The standing it tells of, where it tells of a halt."""
    kind: str
    recipient: str
    because: str
    """Why this person: their role on the policy, or for whom they stand in."""
    state: NotificationState = Field(sa_column=Column(Text, nullable=False))
    attempts: int = 0
    next_at: datetime | None = instant(nullable=True)
    """When it may be claimed; None once nothing more is to be done."""
    lease: str | None = None
    """Who has claimed it; a sender whose lease was taken over writes nothing."""
    created_at: datetime = instant()
    sent_at: datetime | None = instant(nullable=True)
    channel: str | None = None
    """The connection that took it, or was tried last."""
    route: str | None = None
    """The connection it goes through next; None until somebody has looked."""
    tried_at: datetime | None = instant(nullable=True)
    """Since when its present connection is tried; None while it was not."""
    failures: int = 0
    """How often its present connection did not take it, and said so."""
    absences: int = 0
    """How often the other side, asked since it was last posted, did not have it."""
    silences: int = 0
    """How often the other side, asked since it was last posted, could not say."""
    repeats: int = 0
    """How often it was sent again although it may have been taken."""
    reference: str | None = None
    failure: str | None = None
    """What the channel said last."""
    message: dict[str, Any] | None = json_value(nullable=True)
    """What was handed over, exactly."""
    stale_at: datetime | None = instant(nullable=True)
    """Since when it says less than is known, or when to try again to amend it."""


class Turn(Record, table=True):
    """When a channel, or one person on it, may next be sent something, whoever sends."""

    __tablename__ = "turns"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    """The connection; for one person on it ``connection/person``."""
    free_at: datetime = instant()
    holder: str | None = None
    """The lease of whoever took the last turn."""
    paused_at: datetime | None = instant(nullable=True)
    """Since when nothing passes; None where all is well."""
    paused_because: str | None = None
    """What the other side said."""
