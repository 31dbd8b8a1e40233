"""How each warehouse writes the operations of the rule language: the one place that knows.

DuckDB's words are the rule, the others' are exceptions to them. ``{0}`` and ``{1}`` are operands,
``{v}`` is what else the operation is about.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import cast

from sqlglot import exp

from decisions.rules.letters import tables
from decisions.rules.term import Term

_WORDS: Mapping[str, str] = {
    "not": "(NOT {0})",
    "is_null": "({0} IS NULL)",
    "is_true": "COALESCE({0}, FALSE)",
    "=": "({0} = {1})",
    "<>": "({0} <> {1})",
    "<": "({0} < {1})",
    "<=": "({0} <= {1})",
    ">": "({0} > {1})",
    ">=": "({0} >= {1})",
    "is_distinct": "({0} IS DISTINCT FROM {1})",
    "is_not_distinct": "({0} IS NOT DISTINCT FROM {1})",
    "between": "({0} BETWEEN {1} AND {2})",
    "nullif": "NULLIF({0}, {1})",
    "+": "({0} + {1})",
    "-": "({0} - {1})",
    "*": "({0} * {1})",
    "/": "({0} / NULLIF({1}, 0))",
    "negative": "(- {0})",
    "abs": "ABS({0})",
    "sign": "CAST(SIGN({0}) AS {integer})",
    "floor": "FLOOR({0})",
    "ceil": "CEIL({0})",
    "sqrt": "CASE WHEN {0} >= 0 THEN SQRT({0}) END",
    "to_float": "CAST({0} AS {float})",
    "to_date": "CAST({0} AS {date})",
    "to_timestamp": "CAST({0} AS {timestamp})",
    "lower": "LOWER({0})",
    "upper": "UPPER({0})",
    "trim": "TRIM({0}, ' ')",
    "length": "LENGTH({0})",
    "contains": "CONTAINS({0}, {1})",
    "starts_with": "STARTS_WITH({0}, {1})",
    "ends_with": "ENDS_WITH({0}, {1})",
    "||": "({0} || {1})",
    "left": "LEFT({0}, {v})",
    "right": "RIGHT({0}, {v})",
    "year": "EXTRACT(YEAR FROM {0})",
    "quarter": "EXTRACT(QUARTER FROM {0})",
    "month": "EXTRACT(MONTH FROM {0})",
    "day": "EXTRACT(DAY FROM {0})",
    "hour": "EXTRACT(HOUR FROM {0})",
    "minute": "EXTRACT(MINUTE FROM {0})",
    "isodow": "EXTRACT(ISODOW FROM {0})",
    "days": "DATE_DIFF('day', {0}, {1})",
    "later": "({0} + INTERVAL '{v}' {unit})",
    "earlier": "({0} - INTERVAL '{v}' {unit})",
    "like": "({0} LIKE {v})",
    "date": "DATE {v}",
    "timestamp": "TIMESTAMPTZ {v}",
    "least": "LEAST",
    "greatest": "GREATEST",
}
_ORDERING = frozenset({"<", "<=", ">", ">=", "between", "least", "greatest"})
_TYPES: Mapping[str, str] = {
    "float": "DOUBLE",
    "integer": "BIGINT",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "null": "BOOLEAN",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """A warehouse's way of writing.

    Attributes:
        name: What sqlglot calls it: how names and texts are quoted.
        types: Its names of the types.
        words: Its operations.
        ordered: How a text is written where texts are put in order.
        pattern: Turns LIKE's pattern, in which nothing escapes, into its own.
    """

    name: str
    types: Mapping[str, str] = field(default_factory=lambda: _TYPES)
    words: Mapping[str, str] = field(default_factory=lambda: _WORDS)
    ordered: str = "{0}"
    pattern: Callable[[str], str] = str

    def quoted(self, name: str) -> str:
        """Return the name as a quoted identifier."""
        return exp.to_identifier(name, quoted=True).sql(self.name)

    def text(self, value: str) -> str:
        """Return a text as a literal."""
        return exp.Literal.string(value).sql(self.name)


def dialect(name: str) -> Dialect:
    """Return the dialect that sqlglot calls by that name.

    Raises:
        KeyError: The rule language has no words for it.
    """
    return _DIALECTS[name]()


def written(term: Term, dialect: Dialect, *, as_of: date) -> str:
    """Return a term as SQL.

    Args:
        term: The normal form of a checked expression.
        dialect: The warehouse's.
        as_of: What ``today()`` is.
    """
    return _Writing(dialect, as_of).of(term)


class _Writing:
    def __init__(self, dialect: Dialect, as_of: date) -> None:
        self._dialect, self._as_of = dialect, as_of

    def of(self, term: Term) -> str:
        special = self._SPECIAL.get(term.does)
        if special is not None:
            return special(self, term)
        parts = [self._in_order(term, part) for part in term.parts]
        return self._word(term.does, *parts, v=term.value)

    def _word(self, word: str, *parts: str, **about: object) -> str:
        return self._dialect.words[word].format(*parts, **self._dialect.types, **about)

    def _in_order(self, term: Term, part: Term) -> str:
        sql = self.of(part)
        ordering = term.does in _ORDERING and part.type == "string"
        return self._dialect.ordered.format(sql) if ordering else sql

    def _column(self, term: Term) -> str:
        return self._dialect.quoted(str(term.value))

    def _literal(self, term: Term) -> str:
        value = term.value
        if value is None:
            return f"CAST(NULL AS {self._dialect.types[term.type]})"
        if isinstance(value, str):
            return self._dialect.text(value)
        if isinstance(value, bool):
            return str(value).upper()
        if isinstance(value, float):
            return self._number(value)
        if isinstance(value, datetime):
            return self._word(
                "timestamp", v=self._dialect.text(f"{value:%Y-%m-%d %H:%M:%S.%f}+00:00")
            )
        return self._day(value) if isinstance(value, date) else str(value)

    def _number(self, value: float) -> str:
        # As a text: decimals of a literal would be stored in as many types as there are dialects.
        return f"CAST('{value!r}' AS {self._dialect.types['float']})"

    def _instant(self, at: datetime) -> str:
        return self._word("timestamp", v=self._dialect.text(f"{at:%Y-%m-%d %H:%M:%S.%f}+00:00"))

    def _day(self, day: date) -> str:
        return self._word("date", v=self._dialect.text(day.isoformat()))

    def _today(self, _term: Term) -> str:
        return self._day(self._as_of)

    def _joined(self, term: Term) -> str:
        return "(" + f" {term.does.upper()} ".join(map(self.of, term.parts)) + ")"

    def _in(self, term: Term) -> str:
        this, *choices = map(self.of, term.parts)
        return f"({this} IN ({', '.join(choices)}))"

    def _listed(self, term: Term) -> str:
        parts = ", ".join(self._in_order(term, part) for part in term.parts)
        name = "COALESCE" if term.does == "coalesce" else self._dialect.words[term.does]
        return f"{name}({parts})"

    def _case(self, term: Term) -> str:
        *branches, default = map(self.of, term.parts)
        pairs = zip(branches[::2], branches[1::2], strict=True)
        whens = " ".join(f"WHEN {condition} THEN {result}" for condition, result in pairs)
        return f"CASE {whens} ELSE {default} END"

    def _like(self, term: Term) -> str:
        pattern = self._dialect.text(self._dialect.pattern(str(term.value)))
        return self._word("like", self.of(term.parts[0]), v=pattern)

    def _rounded(self, term: Term) -> str:
        this, decimals = self.of(term.parts[0]), cast("int", term.value)
        power = self._number(10.0**decimals)
        size = f"ABS({this})" if decimals == 0 else f"ABS({this}) * {power}"
        whole = self._word("floor", f"({size} + {self._number(0.5)})")
        return f"(SIGN({this}) * {whole}" + (f" / {power})" if decimals else ")")

    def _substr(self, term: Term) -> str:
        start, length = cast("tuple[int, int | None]", term.value)
        until = "" if length is None else f", {length}"
        return f"SUBSTR({self.of(term.parts[0])}, {start}{until})"

    def _shifted(self, term: Term) -> str:
        count, unit = cast("tuple[int, str]", term.value)
        word = "later" if count >= 0 else "earlier"
        return self._word(word, self.of(term.parts[0]), v=abs(count), unit=unit)

    _SPECIAL: Mapping[str, Callable[["_Writing", Term], str]] = {
        "column": _column,
        "literal": _literal,
        "today": _today,
        "and": _joined,
        "or": _joined,
        "in": _in,
        "least": _listed,
        "greatest": _listed,
        "coalesce": _listed,
        "case": _case,
        "like": _like,
        "round": _rounded,
        "substr": _substr,
        "shift": _shifted,
    }


@lru_cache(maxsize=1)
def _duckdb() -> Dialect:
    return Dialect("duckdb")


@lru_cache(maxsize=1)
def _postgres() -> Dialect:
    parts = ("year", "quarter", "month", "day", "hour", "minute", "isodow")
    return Dialect(
        "postgres",
        types={**_TYPES, "float": "DOUBLE PRECISION", "string": "TEXT"},
        words={
            **_WORDS,
            # Whatever the database's own collation is: letters one for one, texts by code.
            "lower": '(LOWER({0} COLLATE "pg_c_utf8") COLLATE "C")',
            "upper": """(REPLACE(UPPER({0} COLLATE "pg_c_utf8"), 'ß', 'ẞ') COLLATE "C")""",
            "contains": "(STRPOS({0}, {1}) > 0)",
            "ends_with": "STARTS_WITH(REVERSE({0}), REVERSE({1}))",
            "days": "({1} - {0})",
            "later": "({0} + INTERVAL '{v} {unit}')",
            "earlier": "({0} - INTERVAL '{v} {unit}')",
            "like": "({0} LIKE {v} ESCAPE '')",
            **{part: f"CAST({_WORDS[part]} AS {{integer}})" for part in parts},
            # There is no year 0 in its calendar; a whole cycle later there is.
            "year": "CAST(EXTRACT(YEAR FROM {0} + INTERVAL '4000 YEAR') - 4000 AS {integer})",
        },
        ordered='({0} COLLATE "C")',
    )


@lru_cache(maxsize=1)
def _spark() -> Dialect:
    whole = "CASE WHEN ABS({{0}}) < 9007199254740992 THEN CAST({}({{0}}) AS DOUBLE) ELSE {{0}} END"
    lows, highs = tables()
    return Dialect(
        "spark",
        types={**_TYPES, "string": "STRING", "timestamp": "TIMESTAMP"},
        words={
            **_WORDS,
            # Its own change the length of some texts, and look at a letter's neighbours.
            "lower": f"TRANSLATE({{0}}, {_translation(lows)})",
            "upper": f"TRANSLATE({{0}}, {_translation(highs)})",
            # Its own answer with 64 bits.
            "floor": whole.format("FLOOR"),
            "ceil": whole.format("CEIL"),
            "trim": "TRIM({0})",
            "starts_with": "STARTSWITH({0}, {1})",
            "ends_with": "ENDSWITH({0}, {1})",
            "isodow": "EXTRACT(DAYOFWEEK_ISO FROM {0})",
            "days": "DATEDIFF({1}, {0})",
            "timestamp": "TIMESTAMP {v}",
        },
        pattern=lambda text: text.replace("\\", "\\\\"),
    )


def _translation(letters: Mapping[int, str]) -> str:
    return f"'{''.join(map(chr, letters))}', '{''.join(letters.values())}'"


_DIALECTS: Mapping[str, Callable[[], Dialect]] = {
    "duckdb": _duckdb,
    "postgres": _postgres,
    "spark": _spark,
}
