"""One answer everywhere: expressions over rows at the edges, judged in all places and compared."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.places import FIELDS, SCHEMA, InDuckDB, InPostgreSQL, InProcess, InSpark, rows_of

EXPRESSIONS = r"""
x >= 0.7
x
y
n
s = t
x = y
x / n
n / 2
100 / n / 5
n + 1 > n
n + n
n * n * n
n = 9223372036854775807
n = 9007199254740993
n > 9007199254740992.0
n IN (1, 5, 9007199254740993)
n IN (1, 5.5, x)
x NOT IN (1, y)
-n
- -n
abs(n)
abs(x)
round(x)
round(y)
round(x, 2)
round(y, 1)
round(n / 3, 3)
floor(x)
ceil(x)
floor(y)
ceil(y)
sqrt(x)
sqrt(n)
sign(x)
sign(n)
least(x, y, n)
greatest(x, y, n)
least(s, t, 'b')
greatest(s, t, 'B')
coalesce(x, y, 1)
coalesce(NULL, x)
nullif(n, 5)
nullif(x, n)
nullif(s, t)
lower(s)
upper(s)
lower(s) = lower(t)
trim(s)
length(s)
length(trim(s))
contains(s, t)
contains(s, '')
starts_with(s, t)
ends_with(s, t)
ends_with(s, 'é')
s || t
left(s, 2)
left(s, 0)
right(s, 2)
right(s, 0)
substr(s, 2)
substr(s, 2, 3)
substr(s, 100, 3)
substr(s, 1, 0)
s LIKE 'A%'
s LIKE '%\%%'
s LIKE '\%'
s LIKE '%\'
s LIKE 'a_b%'
s LIKE '_'
s LIKE ''
s LIKE '%'
s LIKE '%a%b%'
s ILIKE '%É%'
s ILIKE 'ac_E'
s NOT LIKE '%a%'
s LIKE '%''%'
s LIKE '%🏼%'
s < t
s <= 'Z'
s > 'a'
s BETWEEN 'A' AND 'b'
s IS DISTINCT FROM t
s IN ('a', t, '')
s NOT IN ('a', 'b')
'a' < 'B'
b
NOT b
b = TRUE
b IS TRUE
b IS NOT TRUE
b IS FALSE
b IS NOT FALSE
NOT b IS TRUE
b IS NULL
b AND x > 0
b OR x > 0
b AND n > 1 OR s = 'a' AND NOT b
b < TRUE
d = today()
d <= today() + INTERVAL 90 DAY
d + INTERVAL 1 MONTH = DATE '2024-03-29'
year(d)
month(d)
day(d)
quarter(d)
isodow(d)
hour(d)
year(at)
month(at)
day(at)
hour(at)
minute(at)
isodow(at)
year(d - INTERVAL 5 YEAR)
year(d - INTERVAL 900 YEAR)
month(d + INTERVAL 1 MONTH)
day(d + INTERVAL 1 MONTH)
day(at - INTERVAL 1 MONTH)
day(d + INTERVAL 13 MONTH)
year(d + INTERVAL 900 YEAR)
date_diff('day', d, today())
date_diff('day', at, d)
date_diff('day', d - INTERVAL 900 YEAR, at + INTERVAL 36 HOUR)
at > d
at = d
at >= TIMESTAMP '2026-11-20 00:00:00'
at < TIMESTAMP '1970-01-01'
at BETWEEN d AND d + INTERVAL 1 DAY
at - INTERVAL 90 MINUTE > d
at + INTERVAL 2 WEEK > today()
least(d, at) = d
greatest(d, today()) = d
coalesce(d, at) IS NULL
CASE WHEN x > 0 THEN n WHEN b THEN 2.5 ELSE y END
CASE WHEN b THEN s END
CASE n WHEN 5 THEN 'five' WHEN 7 THEN 'seven' ELSE t END
CASE WHEN b THEN NULL ELSE x END
CASE s WHEN t THEN 1 WHEN 'a' THEN 2 END
x * y * n
(x + y) / (x - y)
x - y
1 / 3
0.1 + 0.2 = 0.3
x + 0.1
n BETWEEN 1 AND 7
x BETWEEN y AND n
n BETWEEN 1 AND x
123456789012345678901234567890 > n
n = 9223372036854775808
n > -9223372036854775808
1e10 < x
5 IN (n, 1)
NULL IS NULL
TRUE
x IS NULL OR y IS NULL
s = 'a\nb'
contains(s, '\')
""".strip().splitlines()
IN_SPARK = pytest.param("spark", marks=pytest.mark.xdist_group("spark"))
"""In the same process as all that share the session: it takes many seconds to begin."""
EDGES = rows_of(
    [
        {},
        {"x": 0.7, "y": 0.7, "n": 0, "s": "", "t": "", "b": True, "d": date(2026, 11, 20),
         "at": datetime(2026, 11, 20, tzinfo=UTC)},
        {"x": -2.5, "y": 2.5, "n": 5, "s": "Acme", "t": "ac", "b": False, "d": date(2026, 11, 19),
         "at": datetime(2026, 11, 19, 23, 59, 59, 999_999, tzinfo=UTC)},
        {"x": float("nan"), "y": float("inf"), "n": 2**63 - 1,
         "s": "É\u0301Σ\u03c3ς ßﬁİıǅ", "t": "é",
         "d": date(9999, 12, 31), "at": datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC)},
        {"x": float("-inf"), "y": -1e308, "n": -(2**63), "s": "🤦🏼\u200d♂️ \\%_' \"", "t": "\\",
         "b": True, "d": date(1, 1, 1), "at": datetime(1, 1, 2, tzinfo=UTC)},
        {"x": 1e-40, "y": 5e-324, "n": 2**53 + 1, "s": "  a\tb\n ", "t": "\n", "b": False,
         "d": date(2024, 2, 29),
         "at": datetime(2024, 2, 29, 12, 30, tzinfo=timezone(timedelta(hours=14)))},
        {"x": 3.4e38, "y": 1e60, "n": -1, "s": "a%b_c", "t": "%", "b": True,
         "d": date(2027, 3, 28),
         "at": datetime(2027, 3, 28, 2, 30, tzinfo=timezone(timedelta(hours=2)))},
        {"x": -0.0, "y": -0.0, "n": 1, "s": "Zebra", "t": "apple", "b": True,
         "d": date(1900, 1, 31), "at": datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)},
        {"x": 0.1, "y": -1e60, "n": 7, "s": "x" * 300, "t": "x", "b": True,
         "d": date(2026, 12, 31),
         "at": datetime(2026, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))},
        {"x": 1.005, "y": 0.49999999999999994, "n": 100, "s": "a", "t": "b", "b": True,
         "d": date(2000, 1, 1), "at": datetime(2000, 1, 1, tzinfo=UTC)},
    ]
)  # fmt: skip


@pytest.fixture(scope="module", params=["duckdb", "postgresql", IN_SPARK])
def place(request, tmp_path_factory):
    """Somewhere that a batch is judged; each must say what the function in process says."""
    if request.param == "duckdb":
        return InDuckDB()
    if request.param == "postgresql":
        return InPostgreSQL(request.getfixturevalue("postgres").get_uri())
    return InSpark(request.getfixturevalue("spark"), tmp_path_factory.mktemp("rows"))


def differences(place, rows, texts):
    """The expressions whose answers are not those of the function in process, with both answers."""
    here, there = InProcess().answers(rows, texts), place.answers(rows, texts)
    return {
        (text, row): (expected[at], found[at])
        for row, (expected, found) in enumerate(zip(here, there, strict=True))
        for at, text in enumerate(texts)
        if (expected[at], isinstance(expected[at], bool))
        != (found[at], isinstance(found[at], bool))
    }


def test_every_expression_means_the_same_at_every_edge(place):
    assert differences(place, EDGES, EXPRESSIONS) == {}


def combined(template, *parts):
    return st.tuples(*parts).map(lambda chosen: template.format(*chosen))


CONDITIONS_OVER = st.deferred(lambda: conditions)
numbers = st.recursive(
    st.sampled_from(["x", "y", "n", "0", "0.7", "-3", "7", "9007199254740993", "length(s)",
                     "isodow(d)", "hour(at)", "date_diff('day', at, d)", "1e20"]),
    lambda inner: st.one_of(
        combined("({} {} {})", inner, st.sampled_from("+-/"), inner),
        combined("({} * 0.5)", inner),
        combined("{}({})", st.sampled_from(["abs", "floor", "ceil", "round", "sqrt"]), inner),
        combined("round({}, {})", inner, st.integers(1, 3)),
        combined("{}({}, {})", st.sampled_from(["least", "greatest", "coalesce", "nullif"]), inner,
                 inner),
        combined("CASE WHEN {} THEN {} ELSE {} END", CONDITIONS_OVER, inner, inner),
    ),
    max_leaves=4,
)  # fmt: skip
texts = st.recursive(
    st.sampled_from(["s", "t", "'a'", "''", "'É'"]),
    lambda inner: st.one_of(
        combined("{}({})", st.sampled_from(["lower", "upper", "trim"]), inner),
        combined("{}({}, {})", st.sampled_from(["left", "right"]), inner, st.integers(0, 5)),
        combined("substr({}, {}, {})", inner, st.integers(1, 4), st.integers(0, 4)),
        combined("({} || {})", inner, inner),
        combined("{}({}, {})", st.sampled_from(["least", "coalesce", "nullif"]), inner, inner),
    ),
    max_leaves=3,
)
moments = st.recursive(
    st.sampled_from(["d", "at", "today()", "DATE '2024-02-29'", "TIMESTAMP '2026-11-20 12:00:00'"]),
    lambda inner: combined(
        "({} {} INTERVAL {} {})", inner, st.sampled_from("+-"), st.integers(0, 40),
        st.sampled_from(["MINUTE", "HOUR", "DAY", "WEEK", "MONTH"]),
    ),
    max_leaves=2,
)  # fmt: skip
COMPARISONS = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"])
conditions = st.recursive(
    st.one_of(
        st.sampled_from(["b", "TRUE", "x IS NULL", "s LIKE '%a_'", "s ILIKE 'A%'"]),
        combined("{} {} {}", numbers, COMPARISONS, numbers),
        combined("{} {} {}", texts, COMPARISONS, texts),
        combined("{} {} {}", moments, COMPARISONS, moments),
        combined("{} BETWEEN {} AND {}", numbers, numbers, numbers),
        combined("{} NOT IN ({}, 1)", numbers, numbers),
        combined("{}({}, {})", st.sampled_from(["contains", "starts_with", "ends_with"]), texts,
                 texts),
    ),
    lambda inner: st.one_of(
        combined("({} {} {})", inner, st.sampled_from(["AND", "OR"]), inner),
        combined("(NOT {})", inner),
        combined("(({}) IS {})", inner, st.sampled_from(["TRUE", "NOT TRUE", "FALSE", "NULL"])),
    ),
    max_leaves=3,
)  # fmt: skip


def test_random_expressions_mean_the_same(place):
    # A query costs Spark a second, however many expressions it asks.
    @settings(
        max_examples=2 if isinstance(place, InSpark) else 12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.one_of(conditions, numbers, texts), min_size=25, max_size=25, unique=True))
    def hold(asked):
        assert differences(place, EDGES, asked) == {}

    hold()


def generated(count):
    """Rows of every kind, edges among them, the same on every machine."""
    draw = np.random.default_rng(20261120)
    some = EDGES.slice(1)
    columns = {"row": pa.array(range(count), pa.int64())}
    random = {
        "x": draw.normal(0, 2, count).astype("float32"),
        "y": draw.choice([0.1, 0.7, 1e9, -3.25, 5e5], count) * draw.integers(0, 4, count),
        "n": draw.integers(-5, 10, count),
        "s": draw.choice(["", "Acme", "acme", "Éclair", "zebra", "a%b", " x "], count),
        "t": draw.choice(["", "a", "É", "x", "%"], count),
        "b": draw.random(count) < 0.5,
        "d": np.datetime64("2026-11-20") + draw.integers(-400, 400, count),
        "at": np.datetime64("2026-11-20T00:00:00", "us") + draw.integers(-(10**13), 10**13, count),
    }
    for name, values in random.items():
        kind = SCHEMA.field(name).type
        kept = pa.array(values).cast(pa.timestamp("us") if name == "at" else kind).cast(kind)
        edges = (
            some.column(name).combine_chunks().take(pa.array(draw.integers(0, len(some), count)))
        )
        odd = draw.random(count)
        mixed = pa.compute.if_else(pa.array(odd < 0.1), edges, kept)
        columns[name] = pa.compute.if_else(pa.array(odd > 0.95), pa.scalar(None, kind), mixed)
    return pa.table(columns, schema=SCHEMA)


CONDITIONS = [
    "x >= 0.7 AND y >= 50000",
    "x >= 0.7 OR n > 5 AND NOT b",
    "NOT (b AND x > 0) IS TRUE",
    "y / n > 1 OR y / n IS NULL",
    "s ILIKE '%é%' OR contains(s, t)",
    "n NOT IN (1, 2, 3) AND s IS DISTINCT FROM t",
    "d BETWEEN today() - INTERVAL 3 MONTH AND today() + INTERVAL 90 DAY",
    "date_diff('day', at, d) > 30 AND isodow(at) <= 5",
    "round(x * 10, 1) >= 7.5",
    "CASE WHEN b THEN x ELSE y END > n",
    "coalesce(x, y, n) <= least(x, y) + 0.1",
    "lower(trim(s)) < 'b' AND hour(at) >= 12",
]


def test_a_hundred_thousand_rows_get_the_same_answers(place):
    rows = generated(100_000)

    here, there = InProcess().answers(rows, CONDITIONS), place.answers(rows, CONDITIONS)

    assert len(here) == len(there) == 100_000
    assert [
        row for row, pair in enumerate(zip(here, there, strict=True)) if pair[0] != pair[1]
    ] == []
    assert all({True, False, None} <= {row[at] for row in here} for at in (0, 1, 4, 8))


def test_every_type_of_field_is_asked_about():
    assert {spec.type for spec in FIELDS.values()} == {
        "float", "decimal", "integer", "string", "boolean", "date", "timestamp",
    }  # fmt: skip
