"""How each warehouse writes the operations of the rule language: the one place that knows.

DuckDB's words are the rule, the others' are exceptions to them. ``{0}`` and ``{1}`` are operands,
``{v}`` is what else the operation is about.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from sqlglot import exp

from decisions.rules.letters import tables

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
    "listed_least": "LEAST({all})",
    "listed_greatest": "GREATEST({all})",
    "listed_coalesce": "COALESCE({all})",
}
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
        tries: How it reads a value that may not fit as NULL; None where that ends the query.
        nul: The NUL character; None where no text can hold one.
        own: What the ``$`` of our own columns' names is written as.
    """

    name: str
    types: Mapping[str, str] = field(default_factory=lambda: _TYPES)
    words: Mapping[str, str] = field(default_factory=lambda: _WORDS)
    ordered: str = "{0}"
    pattern: Callable[[str], str] = str
    tries: str | None = "TRY_CAST"
    nul: str | None = "CHR(0)"
    own: str = "$"

    def quoted(self, name: str) -> str:
        """Return the name as a quoted identifier."""
        return exp.to_identifier(name.replace("$", self.own), quoted=True).sql(self.name)

    def text(self, value: str) -> str:
        """Return a text as a literal."""
        return exp.Literal.string(value).sql(self.name)


def dialect(name: str) -> Dialect:
    """Return the dialect that sqlglot calls by that name.

    Raises:
        KeyError: The rule language has no words for it.
    """
    return _DIALECTS[name]()


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
        tries=None,
        nul=None,
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


@lru_cache(maxsize=1)
def _snowflake() -> Dialect:
    return Dialect(
        "snowflake",
        types={**_TYPES, "timestamp": "TIMESTAMP_LTZ"},
        words={
            **_WORDS,
            "starts_with": "STARTSWITH({0}, {1})",
            "ends_with": "ENDSWITH({0}, {1})",
            "isodow": "DAYOFWEEKISO({0})",
            "days": "DATEDIFF('day', {0}, {1})",
            "later": "({0} + INTERVAL '{v} {unit}')",
            "earlier": "({0} - INTERVAL '{v} {unit}')",
            "timestamp": "CAST({v} AS TIMESTAMP_LTZ)",
            # Its plain ones are NULL as soon as one operand is.
            "listed_least": "LEAST_IGNORE_NULLS({all})",
            "listed_greatest": "GREATEST_IGNORE_NULLS({all})",
        },
        # It tries to read texts only.
        tries=None,
    )


@lru_cache(maxsize=1)
def _bigquery() -> Dialect:
    step = "TIMESTAMP(DATETIME_{}(DATETIME({{0}}), INTERVAL {{v}} {{unit}}))"
    types = {"float": "FLOAT64", "integer": "INT64", "string": "STRING", "boolean": "BOOL"}
    return Dialect(
        "bigquery",
        types={**_TYPES, **types, "timestamp": "TIMESTAMP", "null": "BOOL"},
        words={
            **_WORDS,
            "contains": "(STRPOS({0}, {1}) > 0)",
            "isodow": "(MOD(EXTRACT(DAYOFWEEK FROM {0}) + 5, 7) + 1)",
            "days": "DATE_DIFF({1}, {0}, DAY)",
            "later": step.format("ADD"),
            "earlier": step.format("SUB"),
            "timestamp": "TIMESTAMP {v}",
            "listed_least": "(SELECT MIN(v) FROM UNNEST([{all}]) AS v)",
            "listed_greatest": "(SELECT MAX(v) FROM UNNEST([{all}]) AS v)",
        },
        pattern=lambda text: text.replace("\\", "\\\\"),
        tries="SAFE_CAST",
        nul="CODE_POINTS_TO_STRING([0])",
        own="ours__",
    )


@lru_cache(maxsize=1)
def _trino() -> Dialect:
    some = "FILTER(ARRAY[{all}], v -> v IS NOT NULL)"
    return Dialect(
        "trino",
        types={**_TYPES, "timestamp": "TIMESTAMP(6) WITH TIME ZONE"},
        words={
            **_WORDS,
            "contains": "(STRPOS({0}, {1}) > 0)",
            "ends_with": "STARTS_WITH(REVERSE({0}), REVERSE({1}))",
            "trim": "TRIM(BOTH ' ' FROM {0})",
            "left": "SUBSTR({0}, 1, {v})",
            "right": "REVERSE(SUBSTR(REVERSE({0}), 1, {v}))",
            "isodow": "DAY_OF_WEEK({0})",
            "timestamp": "CAST({v} AS TIMESTAMP(6) WITH TIME ZONE)",
            "listed_least": f"ARRAY_MIN({some})",
            "listed_greatest": f"ARRAY_MAX({some})",
        },
    )


def _translation(letters: Mapping[int, str]) -> str:
    return f"'{''.join(map(chr, letters))}', '{''.join(letters.values())}'"


_DIALECTS: Mapping[str, Callable[[], Dialect]] = {
    "duckdb": _duckdb,
    "postgres": _postgres,
    "spark": _spark,
    "snowflake": _snowflake,
    "bigquery": _bigquery,
    "trino": _trino,
}
