"""A record's values as expressions see them: the same types, and the same values taken for NULL."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from decisions.definition import FieldSpec
from decisions.errors import NotUnderstood
from decisions.rules.moment import day_number, instant_number
from decisions.rules.term import LARGEST_EXPONENT
from decisions.spelling import iso_date, iso_instant
from decisions.suggestions import choices

_LARGEST = 10.0**LARGEST_EXPONENT
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
"""A day's distance to the ends leaves room for zones; the last one is not kept any more."""


def read(record: Mapping[str, object], columns: Mapping[str, FieldSpec]) -> dict[str, Any]:
    """Return the record's values by column, as compiled expressions take them.

    A column that is left out is NULL; so is what no batch would keep: NaN, numbers beyond 1e60,
    texts with a NUL character.

    Args:
        record: Numbers, texts, booleans, dates and instants, the last two also in ISO form; an
            instant without an offset is of UTC.
        columns: What a record may hold, with its types.

    Raises:
        NotUnderstood: It holds something else; every fault is named.
    """
    faults = [
        f"unknown field {name!r}; {choices(name, columns)}"
        for name in record
        if name not in columns
    ]
    values: dict[str, Any] = {}
    for name, spec in columns.items():
        value = record.get(name)
        try:
            values[name] = None if value is None else _READERS[spec.type](value)
        except (ValueError, TypeError, OverflowError):
            faults.append(f"{name} is {value!r}, which is no {spec.type}")
    if faults:
        raise NotUnderstood("; ".join(faults))
    return values


def spelt_out(value: object, kind: str) -> object:
    """Return the number or truth that a text spells, as on a command line; else the value itself.

    Args:
        value: The value.
        kind: The type it is to be of.
    """
    if not isinstance(value, str):
        return value
    try:
        return _SPELT[kind](value.strip().lower()) if kind in _SPELT else value
    except (ValueError, KeyError):
        return value  # refused with all other faults when the record is read


def _double(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError
    try:
        found = float(value)
    except OverflowError:
        return None
    if 0 < abs(found) < 1 / _LARGEST:
        return 0.0
    return found if abs(found) <= _LARGEST else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value if -(2**63) <= value < 2**63 else None


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        raise TypeError
    return None if "\0" in value else value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _day(value: object) -> int:
    if isinstance(value, datetime) or not isinstance(value, date | str):
        raise TypeError
    return day_number(iso_date(value) if isinstance(value, str) else value)


def _instant(value: object) -> int | None:
    at = iso_instant(value) if isinstance(value, str) else value
    if not isinstance(at, datetime):
        raise TypeError
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return instant_number(aware) if _FIRST <= aware < _LAST else None


_SPELT: Mapping[str, Callable[[str], object]] = {
    "float": float,
    "decimal": float,
    "integer": int,
    "boolean": {"true": True, "false": False}.__getitem__,
}
_READERS: Mapping[str, Callable[[object], Any]] = {
    "float": _double,
    "decimal": _double,
    "integer": _whole,
    "string": _text,
    "boolean": _truth,
    "date": _day,
    "timestamp": _instant,
}
