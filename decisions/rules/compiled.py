"""A checked expression as a function of one record, built from its normal form.

Nothing is looked up by name and no text is evaluated: every operation below is a Python function,
and NULL is None. Dates and instants are the whole numbers of ``moment``.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from decisions.rules.letters import lowered, raised
from decisions.rules.moment import DAY, civil, day_number, instant_number, shifted
from decisions.rules.term import Term

Values = Mapping[str, Any]
"""A record's fields as ``record`` reads them, and the day of ``today()`` under ``TODAY``."""
Function = Callable[[Values], Any]
TODAY = "$today"


def compiled(term: Term) -> Function:
    """Return the function that computes a term for a record."""
    special = _SPECIAL.get(term.does)
    if special is not None:
        return special(term, [compiled(part) for part in term.parts])
    operation = _OPERATIONS[term.does]
    if term.value is not None:
        operation = partial(operation, term.value)
    return _strict(operation, [compiled(part) for part in term.parts])


def _strict(operation: Callable[..., Any], parts: Sequence[Function]) -> Function:
    """Return a function that is NULL as soon as an operand is."""
    if len(parts) == 1:
        (only,) = parts
        return lambda row: None if (a := only(row)) is None else operation(a)
    first, second = parts

    def of_two(row: Values) -> Any:
        a, b = first(row), second(row)
        return None if a is None or b is None else operation(a, b)

    return of_two


def _column(term: Term, _parts: Sequence[Function]) -> Function:
    name = str(term.value)
    return lambda row: row[name]


def _literal(term: Term, _parts: Sequence[Function]) -> Function:
    value = term.value
    if isinstance(value, datetime):
        value = instant_number(value)
    elif isinstance(value, date):
        value = day_number(value)
    return lambda _row: value


def _today(_term: Term, _parts: Sequence[Function]) -> Function:
    return lambda row: row[TODAY]


def _and(_term: Term, parts: Sequence[Function]) -> Function:
    return lambda row: _until(False, parts, row)


def _or(_term: Term, parts: Sequence[Function]) -> Function:
    return lambda row: _until(True, parts, row)


def _until(decisive: bool, parts: Sequence[Function], row: Values) -> bool | None:
    """Return the value that decides as soon as a part has it; else NULL if any part is."""
    known = True
    for part in parts:
        value: bool | None = part(row)
        if value is decisive:
            return decisive
        known = known and value is not None
    return (not decisive) if known else None


def _is_null(_term: Term, parts: Sequence[Function]) -> Function:
    (only,) = parts
    return lambda row: only(row) is None


def _is_true(_term: Term, parts: Sequence[Function]) -> Function:
    (only,) = parts
    return lambda row: only(row) is True


def _is_distinct(term: Term, parts: Sequence[Function]) -> Function:
    first, second = parts
    wanted = term.does == "is_distinct"
    return lambda row: (first(row) != second(row)) is wanted


def _between(_term: Term, parts: Sequence[Function]) -> Function:
    this, low, high = parts

    def within(row: Values) -> bool | None:
        a, b, c = this(row), low(row), high(row)
        if a is None or (b is None and c is None):
            return None
        if (b is not None and a < b) or (c is not None and a > c):
            return False
        return None if b is None or c is None else True

    return within


def _in(_term: Term, parts: Sequence[Function]) -> Function:
    this, *others = parts

    def among(row: Values) -> bool | None:
        a = this(row)
        found = [other(row) for other in others]
        if a is None:
            return None
        return True if a in found else None if None in found else False

    return among


def _case(_term: Term, parts: Sequence[Function]) -> Function:
    branches, default = list(zip(parts[:-1:2], parts[1::2], strict=True)), parts[-1]

    def chosen(row: Values) -> Any:
        for condition, result in branches:
            if condition(row) is True:
                return result(row)
        return default(row)

    return chosen


def _coalesce(_term: Term, parts: Sequence[Function]) -> Function:
    return lambda row: next((a for part in parts if (a := part(row)) is not None), None)


def _extreme(term: Term, parts: Sequence[Function]) -> Function:
    choose: Callable[..., Any] = min if term.does == "least" else max
    return lambda row: choose((a for part in parts if (a := part(row)) is not None), default=None)


def _nullif(_term: Term, parts: Sequence[Function]) -> Function:
    first, second = parts
    return lambda row: None if (a := first(row)) == second(row) else a


def _quotient(a: float, b: float) -> float | None:
    return a / b if b else None


def _root(a: float) -> float | None:
    return math.sqrt(a) if a >= 0 else None


def _rounded(decimals: int, a: float) -> float:
    if decimals == 0:
        return _sign(a) * math.floor(abs(a) + 0.5)
    power = 10.0**decimals
    return _sign(a) * (_whole(abs(a) * power + 0.5) / power)


def _whole(a: float) -> float:
    return float(math.floor(a))


def _sign(a: float) -> int:
    return (a > 0) - (a < 0)


def _like(term: Term, parts: Sequence[Function]) -> Function:
    (this,) = parts
    matches = _pattern(str(term.value)).fullmatch
    return lambda row: None if (a := this(row)) is None else matches(a) is not None


def _pattern(pattern: str) -> re.Pattern[str]:
    """Return LIKE's pattern as one that is matched in time linear in the text, for each ``%``."""
    first, *rest = (
        "".join("." if each == "_" else re.escape(each) for each in piece)
        for piece in pattern.split("%")
    )
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    # Atomic: the first place where a piece fits is never worse than a later one.
    pieces = "".join(f"(?>.*?{piece})" for piece in middle if piece)
    return re.compile(f"{first}{pieces}.*{last}", re.DOTALL)


def _substr(wanted: tuple[int, int | None], text: str) -> str:
    start, length = wanted
    return text[start - 1 :] if length is None else text[start - 1 : start - 1 + length]


def _shifted(step: tuple[int, str], at: int) -> int:
    return shifted(at, *step)


_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "not": lambda a: not a,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _quotient,
    "negative": lambda a: -a,
    "abs": abs,
    "sqrt": _root,
    "sign": _sign,
    "floor": _whole,
    "ceil": lambda a: float(math.ceil(a)),
    "round": _rounded,
    "to_float": float,
    "to_timestamp": lambda a: a * DAY,
    "to_date": lambda a: a // DAY,
    "lower": lowered,
    "upper": raised,
    "trim": lambda a: a.strip(" "),
    "length": len,
    "contains": lambda a, b: b in a,
    "starts_with": lambda a, b: a.startswith(b),
    "ends_with": lambda a, b: a.endswith(b),
    "||": lambda a, b: a + b,
    "left": lambda count, a: a[:count],
    "right": lambda count, a: a[-count:] if count else "",
    "substr": _substr,
    "year": lambda a: civil(a)[0],
    "quarter": lambda a: (civil(a)[1] + 2) // 3,
    "month": lambda a: civil(a)[1],
    "day": lambda a: civil(a)[2],
    "isodow": lambda a: (a + 3) % 7 + 1,
    "hour": lambda a: a % DAY // 3_600_000_000,
    "minute": lambda a: a % 3_600_000_000 // 60_000_000,
    "days": lambda a, b: b - a,
    "shift": _shifted,
}
_SPECIAL: Mapping[str, Callable[[Term, Sequence[Function]], Function]] = {
    "column": _column,
    "literal": _literal,
    "today": _today,
    "and": _and,
    "or": _or,
    "is_null": _is_null,
    "is_true": _is_true,
    "is_distinct": _is_distinct,
    "is_not_distinct": _is_distinct,
    "between": _between,
    "in": _in,
    "case": _case,
    "coalesce": _coalesce,
    "least": _extreme,
    "greatest": _extreme,
    "nullif": _nullif,
    "like": _like,
}
