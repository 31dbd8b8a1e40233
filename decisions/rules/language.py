"""The rule language: the operators and functions an expression may use, and their kinds.

What is not listed here is refused. Everything listed is deterministic, means the same in every
warehouse once normalised, and touches nothing but its operands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlglot import exp

from decisions.spelling import iso_date, iso_instant

Kind = Literal["number", "string", "boolean", "date", "timestamp", "interval", "null"]

NUMBER: frozenset[Kind] = frozenset({"number"})
STRING: frozenset[Kind] = frozenset({"string"})
CONDITION: frozenset[Kind] = frozenset({"boolean"})
MOMENT: frozenset[Kind] = frozenset({"date", "timestamp"})
COMPARABLE = NUMBER | STRING | CONDITION | MOMENT

_A_KIND: Mapping[Kind, str] = {
    "number": "a number",
    "string": "a string",
    "boolean": "a condition",
    "date": "a date",
    "timestamp": "a timestamp",
    "interval": "an interval",
    "null": "NULL",
}
COLUMN_TYPES: Mapping[str, str] = {
    "float": "DOUBLE",
    "decimal": "DOUBLE",
    "integer": "BIGINT",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}
"""What a field of each declared type is read as, in DuckDB's words, before anything is judged."""
KIND_OF_TYPE: Mapping[str, Kind] = {
    "float": "number",
    "integer": "number",
    "decimal": "number",
    "string": "string",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}


@dataclass(frozen=True, slots=True)
class Word:
    """An operator or function of the language.

    Attributes:
        written: How a person writes it.
        takes: The kinds an operand may have, by the operand's place in the node.
        gives: The kind of the result; None where it is the kind of the operands.
        alike: Whether all operands must be of one kind.
    """

    written: str
    takes: Mapping[str, frozenset[Kind]]
    gives: Kind | None
    alike: bool = False


def _comparison(written: str) -> Word:
    return Word(written, {"this": COMPARABLE, "expression": COMPARABLE}, "boolean", alike=True)


def _choice(written: str, *places: str) -> Word:
    return Word(written, dict.fromkeys(places, COMPARABLE | {"null"}), None, alike=True)


def _pair(written: str, kinds: frozenset[Kind], gives: Kind) -> Word:
    return Word(written, {"this": kinds, "expression": kinds}, gives)


def _wall_time(text: str) -> datetime:
    at = iso_instant(text)
    if at.tzinfo is not None:
        raise ValueError(f"{text!r} has an offset; a TIMESTAMP literal has none")
    return at


FUNCTIONS: Mapping[type[exp.Expr], Word] = {
    exp.Abs: Word("abs()", {"this": NUMBER}, "number"),
    exp.Round: Word("round()", {"this": NUMBER, "decimals": NUMBER}, "number"),
    exp.Floor: Word("floor()", {"this": NUMBER}, "number"),
    exp.Ceil: Word("ceil()", {"this": NUMBER}, "number"),
    exp.Sqrt: Word("sqrt()", {"this": NUMBER}, "number"),
    exp.Sign: Word("sign()", {"this": NUMBER}, "number"),
    exp.Least: _choice("least()", "this", "expressions"),
    exp.Greatest: _choice("greatest()", "this", "expressions"),
    exp.Coalesce: _choice("coalesce()", "this", "expressions"),
    exp.Nullif: _choice("nullif()", "this", "expression"),
    exp.Lower: Word("lower()", {"this": STRING}, "string"),
    exp.Upper: Word("upper()", {"this": STRING}, "string"),
    exp.Trim: Word("trim()", {"this": STRING}, "string"),
    exp.Length: Word("length()", {"this": STRING}, "number"),
    exp.Contains: _pair("contains()", STRING, "boolean"),
    exp.StartsWith: _pair("starts_with()", STRING, "boolean"),
    exp.EndsWith: _pair("ends_with()", STRING, "boolean"),
    exp.Left: Word("left()", {"this": STRING, "expression": NUMBER}, "string"),
    exp.Right: Word("right()", {"this": STRING, "expression": NUMBER}, "string"),
    exp.Substring: Word("substr()", {"this": STRING, "start": NUMBER, "length": NUMBER}, "string"),
    exp.Year: Word("year()", {"this": MOMENT}, "number"),
    exp.Month: Word("month()", {"this": MOMENT}, "number"),
    exp.Quarter: Word("quarter()", {"this": MOMENT}, "number"),
    exp.Day: Word("day()", {"this": MOMENT}, "number"),
    exp.DayOfWeekIso: Word("isodow()", {"this": MOMENT}, "number"),
    exp.Hour: Word("hour()", {"this": MOMENT}, "number"),
    exp.Minute: Word("minute()", {"this": MOMENT}, "number"),
    exp.DateDiff: _pair("date_diff()", MOMENT, "number"),
    exp.CurrentDate: Word("today()", {}, "date"),
}
OPERATORS: Mapping[type[exp.Expr], Word] = {
    exp.And: _pair("AND", CONDITION, "boolean"),
    exp.Or: _pair("OR", CONDITION, "boolean"),
    exp.Not: Word("NOT", {"this": CONDITION}, "boolean"),
    exp.EQ: _comparison("="),
    exp.NEQ: _comparison("<>"),
    exp.GT: _comparison(">"),
    exp.GTE: _comparison(">="),
    exp.LT: _comparison("<"),
    exp.LTE: _comparison("<="),
    exp.NullSafeEQ: _comparison("IS NOT DISTINCT FROM"),
    exp.NullSafeNEQ: _comparison("IS DISTINCT FROM"),
    exp.Between: Word(
        "BETWEEN", dict.fromkeys(("this", "low", "high"), COMPARABLE), "boolean", alike=True
    ),
    exp.In: Word("IN", dict.fromkeys(("this", "expressions"), COMPARABLE), "boolean", alike=True),
    exp.Like: _pair("LIKE", STRING, "boolean"),
    exp.ILike: _pair("ILIKE", STRING, "boolean"),
    exp.DPipe: _pair("||", STRING, "string"),
    exp.Mul: _pair("*", NUMBER, "number"),
    exp.Div: _pair("/", NUMBER, "number"),
    exp.Neg: Word("-", {"this": NUMBER}, "number"),
}
WORDS: Mapping[type[exp.Expr], Word] = {**FUNCTIONS, **OPERATORS}
FUNCTION_NAMES = tuple(sorted(word.written.removesuffix("()") for word in FUNCTIONS.values()))

INSTEAD: Mapping[str, str] = {
    "now": "today() is the date of the run",
    "current_timestamp": "today() is the date of the run",
    "if": "write CASE WHEN … THEN … ELSE … END",
    "datediff": "write date_diff('day', a, b)",
    "regexp_matches": "write contains(), starts_with() or LIKE",
    "concat": "write a || b, which is NULL where a part is; coalesce(a, '') keeps the rest",
    "dayofweek": "write isodow(x), where Monday is 1 and Sunday 7; others begin the week otherwise",
    "dow": "write isodow(x), where Monday is 1 and Sunday 7; others begin the week otherwise",
    "weekday": "write isodow(x), where Monday is 1 and Sunday 7; others begin the week otherwise",
    "log": "warehouses disagree on its base and its last digits; compare with the bound itself",
    "ln": "warehouses disagree on its last digits; compare with the bound itself",
    "exp": "warehouses disagree on its last digits; compare with the bound itself",
    "pow": "warehouses disagree on its last digits; write x * x",
    "power": "warehouses disagree on its last digits; write x * x",
    "extract": "write year(x), month(x), day(x), hour(x)",
}
"""What to write for a function that people expect and the language does not have."""
HARMLESS = frozenset({"ignore_nulls", "typed", "safe", "date_part_boundary", "negate", "nested"})
"""Marks the parser sets on its own, and NOT LIKE."""
UNITS: Mapping[str, tuple[str, float, int]] = {
    "MINUTE": ("MINUTE", 1 / 1440, 1),
    "HOUR": ("HOUR", 1 / 24, 1),
    "DAY": ("DAY", 1, 1),
    "WEEK": ("DAY", 1, 7),
    "MONTH": ("MONTH", 31, 1),
    "YEAR": ("MONTH", 31, 12),
}
"""The unit an interval is counted in, the days of one at most, and how many make up one written."""
MOMENTS: Mapping[exp.DType, tuple[Kind, Callable[[str], object], str]] = {
    exp.DType.DATE: ("date", iso_date, "DATE '2027-06-30'"),
    exp.DType.TIMESTAMPNTZ: ("timestamp", _wall_time, "TIMESTAMP '2027-06-30 09:00:00'"),
}
"""Literals of time: their kind, how they are read, and one as an example."""


class Refusal(Exception):
    """A node that is not of the language; its place in the text is for the caller to find.

    Attributes:
        node: The node at fault.
        reason: What was found.
        advice: What to write instead, if there is something to suggest.
    """

    def __init__(self, node: exp.Expr, reason: str, advice: str | None = None) -> None:
        self.node, self.reason, self.advice = node, reason, advice
        super().__init__(reason)


def described(kind: Kind) -> str:
    """Return a kind as it is named to a person: ``a number``, ``a condition``."""
    return _A_KIND[kind]
