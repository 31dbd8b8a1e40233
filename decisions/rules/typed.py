"""Terms brought to one type, and terms whose type and scale follow from their parts."""

import math
from collections.abc import Sequence
from typing import cast

from decisions.rules.term import COUNT, Scale, Term, Type, term

_INT64 = range(-(2**63), 2**63)


def number(value: float) -> Term:
    """Return a literal; a whole number too large for 64 bits becomes a double."""
    value = value if isinstance(value, int) and value in _INT64 else float(value)
    exponent = math.log10(abs(value)) if value else 0.0
    kind: Type = "integer" if isinstance(value, int) else "float"
    return term("literal", kind, value=value, scale=(exponent, exponent))


def counted(does: str, kind: Type, *parts: Term) -> Term:
    """Return a term; if it is a whole number, one of any 64 bits."""
    return term(does, kind, *parts, scale=COUNT if kind == "integer" else None)


def chosen_of(does: str, choices: Sequence[Term]) -> Term:
    """Return a term that gives one of its operands, all of one type."""
    parts = alike(choices)
    return term(does, parts[0].type, *parts, scale=widest(parts))


def scale_of(number: Term) -> Scale:
    """Return a number's scale; that of 1 where it has none."""
    return number.scale or (0.0, 0.0)


def widest(parts: Sequence[Term]) -> Scale | None:
    """Return the scale that all of the terms keep to; None where they are no numbers."""
    scales = [part.scale for part in parts if part.scale]
    if not scales:
        return None
    return min(small for small, _ in scales), max(large for _, large in scales)


def alike(parts: Sequence[Term]) -> list[Term]:
    """Return the parts as one type: doubles beside whole numbers, instants beside dates."""
    types = {part.type for part in parts} - {"null"}
    if types == {"integer", "float"}:
        return [double(part) for part in parts]
    if types == {"date", "timestamp"}:
        return [instant(part) for part in parts]
    one: Type = next(iter(types), "null")
    return [term("literal", one) if part.type == "null" else part for part in parts]


def double(part: Term) -> Term:
    """Return a number as a double."""
    if part.does == "literal" and part.type == "integer":
        return number(float(cast("int", part.value)))
    return _converted(part, "float")


def instant(part: Term) -> Term:
    """Return a date as its midnight in UTC, a timestamp as it is."""
    return _converted(part, "timestamp")


def day(part: Term) -> Term:
    """Return a timestamp as its day in UTC, a date as it is."""
    return _converted(part, "date")


def _converted(part: Term, kind: Type) -> Term:
    if part.type == kind:
        return part
    if part.type == "null":
        return term("literal", kind)
    return term(f"to_{kind}", kind, part, scale=part.scale)
