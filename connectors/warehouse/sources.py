"""What every warehouse does alike: names and queries into SQL, Arrow in order, secrets left out."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa
from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from decisions.errors import PermanentFailure

_KEPT_QUIET = re.compile(r"pass|token|secret|key|credential", re.IGNORECASE)
_OURS = re.compile("^ours__")
_WORDS: tuple[tuple[str, str], ...] = (
    ("is_boolean", "BOOLEAN"),
    ("is_integer", "BIGINT"),
    ("is_floating", "DOUBLE"),
    ("is_decimal", "DECIMAL"),
    ("is_date", "DATE"),
    ("is_timestamp", "TIMESTAMPTZ"),
    ("is_string", "TEXT"),
    ("is_large_string", "TEXT"),
)
"""What a column of each kind of Arrow type is called; every dialect reads these."""


def named_or_asked(dialect: str, connector: str, *, table: str | None, query: str | None) -> str:
    """Return SQL that can stand after FROM for a table or a query.

    Raises:
        PermanentFailure: The query is not one SELECT, or neither is given.
    """
    if table is not None:
        return exp.to_table(table, dialect=dialect).sql(dialect, identify=True)
    if query is None:
        raise PermanentFailure(
            "reads tables and queries; it has no folder for 'path'", connector=connector
        )
    return f"({only_select(query, dialect, connector)})"


def only_select(query: str, dialect: str, connector: str) -> str:
    """Return a query written anew from its tree.

    Raises:
        PermanentFailure: It is not one SELECT.
    """
    try:
        parsed = parse(query, dialect=dialect)
    except SqlglotError as error:
        raise PermanentFailure(f"query cannot be read: {error}", connector=connector) from error
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        raise PermanentFailure("query is not one SELECT", connector=connector)
    if any(parsed[0].find_all(exp.DML, exp.DDL, exp.Into, exp.Command)):
        raise PermanentFailure("query does more than to select", connector=connector)
    return parsed[0].sql(dialect)


def plain(table: pa.Table) -> pa.Table:
    """Return a table whose columns any engine reads: numbers of a vendor's own as doubles."""
    for place, column in enumerate(table.schema):
        if isinstance(column.type, pa.OpaqueType):
            kept = pa.chunked_array(
                [chunk.storage for chunk in table.column(place).chunks],
                type=column.type.storage_type,
            )
            if column.type.type_name == "numeric":
                import pyarrow.compute as pc

                kept = pc.cast(kept, pa.float64())
            table = table.set_column(place, column.name, kept)
    # BigQuery allows no $ in a name, which our own columns begin with.
    return table.rename_columns([_OURS.sub("$", name) for name in table.column_names])


def word(kind: pa.DataType) -> str:
    """Return what a column of an Arrow type is called, in words that every dialect reads."""
    if isinstance(kind, pa.OpaqueType):
        name: str = kind.type_name.upper()
        return name
    return next((name for test, name in _WORDS if getattr(pa.types, test)(kind)), "BINARY")


def without_secrets(told: str, secrets: Iterable[str]) -> str:
    """Return the first line of what a driver says, without addresses and passwords.

    Where an address cannot be taken apart, none of its words is repeated.
    """
    text = next(iter(told.strip().splitlines()), "no reason given")
    for secret in secrets:
        text = text.replace(secret, "…")
        for part in sorted(_quiet(secret), key=len, reverse=True):
            text = text.replace(part, "…")
    return text


def _quiet(secret: str) -> set[str]:
    try:
        address = urlsplit(secret)
        passwords = {address.password or ""}
        passwords |= {value for key, value in parse_qsl(address.query) if _KEPT_QUIET.search(key)}
        understood = bool(address.scheme) and "=" not in address.netloc
    except ValueError:
        understood, passwords = False, set()
    if not understood:
        passwords = {word for word in re.split(r"[\s:/@?&=;,'\"]+", secret) if len(word) > 3}
    return {spelt for each in passwords if each for spelt in (each, unquote(each))}
