"""The one normal form of a checked expression: every operand typed, every conversion spelt out.

SQL for each warehouse and the function for a single record are both made from it, so that what
databases would each read in their own way is settled here, once.
"""

from dataclasses import dataclass
from typing import Literal

Type = Literal["float", "integer", "string", "boolean", "date", "timestamp", "null"]
"""``float`` is a double and ``integer`` has 64 bits; a ``timestamp`` is an instant of UTC."""
Scale = tuple[float, float]
"""Decimal exponents of the smallest magnitude but zero, and of the largest."""

LARGEST_EXPONENT = 60
"""Numbers beyond 1e60 are read as missing, those nearer to zero than 1e-60 as zero."""
COUNT: Scale = (0.0, 19.0)
"""The scale of a whole number of 64 bits."""
_REPEATED = {"round": 6, "floor": 3, "ceil": 3, "sqrt": 2}
"""How often the operand stands in the SQL that some dialect needs for an operation."""


@dataclass(frozen=True, slots=True)
class Term:
    """An operation on terms, or a column or literal.

    Attributes:
        does: The operation's name, as the dialects and the compiler know it.
        type: The type of its value.
        parts: Its operands.
        value: A literal's value, a column's name, or what else the operation is about.
        scale: How small and how large a number it gives can be; None where it gives none.
        weight: How many operations its longest SQL holds.
    """

    does: str
    type: Type
    parts: tuple["Term", ...] = ()
    value: object = None
    scale: Scale | None = None
    weight: int = 1


def term(
    does: str, kind: Type, *parts: Term, value: object = None, scale: Scale | None = None
) -> Term:
    """Return a term whose weight follows from its parts'."""
    weight = 1 + _REPEATED.get(does, 1) * sum(part.weight for part in parts)
    return Term(does, kind, parts, value, scale, weight)
