"""The column types of the ledger, alike on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    TypeDecorator,
)
from sqlmodel import Field


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite keeps it as sortable text, PostgreSQL as timestamptz."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant and store an aware one in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return the instant as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite gives ids by itself only to a column of exactly this type.
Id = BigInteger().with_variant(Integer(), "sqlite")


def identity() -> Any:
    """Return the field of a primary key that the database gives."""
    return Field(default=None, sa_column=Column(Id, primary_key=True))


def reference(target: str, *, nullable: bool = False, index: bool = False) -> Any:
    """Return the field of a reference to another table's key."""
    return Field(
        default=None, sa_column=Column(Id, ForeignKey(target), nullable=nullable, index=index)
    )


def instant(*, nullable: bool = False) -> Any:
    """Return the field of an instant (timezone-aware, stored in UTC)."""
    return Field(default=None, sa_column=Column(Instant, nullable=nullable))


def json_value(*, nullable: bool = False) -> Any:
    """Return the field of a JSON value."""
    return Field(default=None, sa_column=Column(JSON, nullable=nullable))


def storable(text: str) -> str:
    """Return a text to search for without the NUL characters that PostgreSQL cannot hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
