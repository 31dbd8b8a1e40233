"""How a warehouse's columns are read: as the declared type, and NULL where no ledger keeps them."""

from collections.abc import Mapping

from decisions.rules.dialects import dialect as spoken
from decisions.rules.term import LARGEST_EXPONENT, Type

TYPES: Mapping[str, Type] = {
    "float": "float",
    "decimal": "float",
    "integer": "integer",
    "string": "string",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
"""The type in expressions of a field of each declared type."""
_NUMBER = (
    "CASE WHEN {0} > -1e-{1} AND {0} < 1e-{1} THEN 0 WHEN {0} BETWEEN -1e{1} AND 1e{1} THEN {2} END"
)
_KEPT: Mapping[str, str] = {
    "string": "CASE WHEN NOT {nul} THEN {0} END",
    "date": "CASE WHEN {0} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN {0} END",
    "timestamp": "CASE WHEN {0} >= {first} AND {0} < {last} THEN {0} END",
}
"""What of a value is kept; a day's distance to the ends leaves room for zones."""
_ENDS = {"first": "0001-01-02 00:00:00+00:00", "last": "9999-12-31 00:00:00+00:00"}


def quoted(name: str, dialect: str) -> str:
    """Return the name as a quoted identifier."""
    return spoken(dialect).quoted(name)


def as_text(column: str, dialect: str) -> str:
    """Return SQL of a column's value as text, put in order by code point wherever it is."""
    there = spoken(dialect)
    return there.ordered.format(f"CAST({column} AS {there.types['string']})")


def cast(column: str, kind: str, dialect: str, *, leniently: bool = False) -> str:
    """Return SQL that reads a column as its declared type; what no ledger can keep becomes NULL.

    That is NaN, infinities, numbers beyond 1e60, days outside the years 1 to 9999, and text with
    a NUL character. Numbers nearer to zero than 1e-60 are zero.

    Args:
        column: SQL of the column.
        kind: A type as a field declares it.
        dialect: sqlglot's name of the warehouse's dialect.
        leniently: What cannot be read as the type becomes NULL, too, instead of ending the query.
    """
    there, wanted = spoken(dialect), TYPES[kind]
    # Without a cast that tries: the gate lets only columns through whose type fits.
    reads = (there.tries if leniently else None) or "CAST"
    value = f"{reads}({column} AS {there.types[wanted]})"
    if wanted == "float":
        # Compared before the cast where casting a huge number would end the query.
        compared = value if there.tries else column
        return _NUMBER.format(compared, LARGEST_EXPONENT, value)
    if wanted == "string":
        value = there.ordered.format(value)
    if wanted not in _KEPT or (wanted == "string" and there.nul is None):
        return value
    holds = there.words["contains"].format(value, there.nul)
    ends = {name: there.words["timestamp"].format(v=there.text(at)) for name, at in _ENDS.items()}
    return _KEPT[wanted].format(value, nul=holds, **ends)


def can_try(dialect: str) -> bool:
    """Whether the dialect can read a text as another type without ending the query."""
    return spoken(dialect).tries is not None


def zero_or_one(column: str) -> str:
    """Return SQL that reads a boolean column as a number."""
    return f"CASE WHEN {column} THEN 1 WHEN NOT {column} THEN 0 END"


def holds_nul(column: str, dialect: str) -> str:
    """Return SQL of whether a column's text holds a NUL character."""
    there = spoken(dialect)
    if there.nul is None:
        return "FALSE"
    return there.words["contains"].format(as_text(column, dialect), there.nul)
