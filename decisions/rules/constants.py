"""Constants of the rule language, as values that can be put in order."""

from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction

from sqlglot import exp

from decisions.spelling import iso_date, iso_instant

Cut = Fraction | str
"""A constant: numbers, truths (0, 1) and days as fractions, texts as they are."""

DAY_ONE = datetime(1, 1, 1)  # noqa: DTZ001  a literal has no zone
"""What the days of a moment are counted from."""
_LARGEST = 2**53
"""From there on, a column of whole numbers and a literal may be compared in floating point."""
_DAYS: Mapping[str, Fraction] = {
    "MINUTE": Fraction(1, 1440),
    "HOUR": Fraction(1, 24),
    "DAY": Fraction(1),
    "WEEK": Fraction(7),
}


def constant(node: exp.Expr) -> tuple[str, Cut] | None:
    """Return a constant's kind and value, None for what is none; today() in days from today."""
    node = node.unnest()
    if isinstance(node, exp.Boolean):
        return "boolean", Fraction(bool(node.this))
    if isinstance(node, exp.Literal):
        return ("string", node.name) if node.is_string else _number(node.name)
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return _number(f"-{node.this.name}")
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
        is_date = node.args["to"].this == exp.DType.DATE
        text = node.this.name
        return "moment", _days(iso_date(text) if is_date else iso_instant(text))
    if isinstance(node, exp.CurrentDate):
        return "today", Fraction(0)
    return _from_today(node)


def declared(value: bool | float | str | None, kind: str) -> Cut | None:
    """Return a declared value of a column as a cut; None where it is none of its kind."""
    if isinstance(value, str) and kind == "moment":
        return _days(iso_date(value))
    if isinstance(value, str):
        return value if kind == "string" else None
    return None if value is None or kind == "string" else Fraction(value)


def _from_today(node: exp.Expr) -> tuple[str, Cut] | None:
    if not isinstance(node, exp.Add | exp.Sub) or not isinstance(node.this, exp.CurrentDate):
        return None
    span = node.expression
    unit = span.args.get("unit") if isinstance(span, exp.Interval) else None
    length = _DAYS.get(unit.name.upper().removesuffix("S")) if unit else None
    if length is None:
        return None  # a month has no fixed number of days
    count = int(span.this.name) * length
    return "today", Fraction(count if isinstance(node, exp.Add) else -count)


def _number(text: str) -> tuple[str, Cut] | None:
    value = Fraction(float(text))
    return ("number", value) if abs(value) < _LARGEST else None


def _days(moment: date) -> Fraction:
    if not isinstance(moment, datetime):
        return Fraction(moment.toordinal() - 1)
    since = moment.replace(tzinfo=None) - DAY_ONE
    seconds = since.seconds + Fraction(since.microseconds, 10**6)
    return since.days + seconds / 86_400
