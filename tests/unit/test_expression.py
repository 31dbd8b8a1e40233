from datetime import date
from time import process_time

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.definition import FieldSpec
from decisions.errors import ExpressionError
from decisions.rules.expression import parse, sql

AS_OF = date(2026, 11, 20)
IN_90_DAYS = "renewal_on <= today() + INTERVAL 90 DAY"
DAYS_TO_GO = "date_diff('day', today(), renewal_on)"
TYPES = {
    "churn_probability": ("float", "DOUBLE"),
    "arr": ("decimal", "DECIMAL(18, 2)"),
    "seats": ("integer", "BIGINT"),
    "company": ("string", "VARCHAR"),
    "is_trial": ("boolean", "BOOLEAN"),
    "renewal_on": ("date", "DATE"),
    "seen_at": ("timestamp", "TIMESTAMPTZ"),
}
FIELDS = {name: FieldSpec(type=kind) for name, (kind, _) in TYPES.items()}


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect(":memory:", config={"threads": "1"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def generated(text: str, dialect: str = "duckdb") -> str:
    return sql(parse(text, FIELDS), dialect=dialect, as_of=AS_OF)


def refusal(text: str, gives=None) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse(text, FIELDS, gives=gives)
    return caught.value


def value(engine, text: str, **given):
    """What an expression is for one record; a field that is not given is NULL."""
    record = ", ".join(f'CAST(? AS {kind}) AS "{name}"' for name, (_, kind) in TYPES.items())
    query = f"SELECT {generated(text)} FROM (SELECT {record})"
    return engine.execute(query, [given.get(name) for name in TYPES]).fetchone()[0]


def bound_type(engine, query: str) -> str:
    """The type DuckDB gives an expression over columns of the declared types."""
    record = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, (_, kind) in TYPES.items())
    return str(engine.execute(f"SELECT {query} FROM (SELECT {record}) LIMIT 0").description[0][1])


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        pytest.param("arr >= 50000", {"arr": 50000}, True, id="on-the-bound"),
        pytest.param("arr >= 50000", {"arr": 49999.99}, False, id="below-the-bound"),
        pytest.param("arr >= 50000", {}, None, id="null-is-not-met"),
        pytest.param("arr > 1 OR is_trial", {"is_trial": True}, True, id="null-or-true"),
        pytest.param("NOT is_trial", {}, None, id="not-null"),
        pytest.param("is_trial IS NOT TRUE", {}, True, id="is-not-true"),
        pytest.param("company IS NULL", {}, True, id="is-null"),
        pytest.param("company IS DISTINCT FROM 'Acme'", {}, True, id="distinct"),
        pytest.param("company NOT IN ('Acme', 'Bolt')", {"company": "Cube"}, True, id="not-in"),
        pytest.param("company ILIKE 'ac%'", {"company": "Acme"}, True, id="ilike"),
        pytest.param("company NOT LIKE 'ac%'", {"company": "Acme"}, True, id="not-like"),
        pytest.param("contains(company, 'cm')", {"company": "Acme"}, True, id="contains"),
        pytest.param("length(trim(company))", {"company": " Acme "}, 4, id="nested-functions"),
        pytest.param("seats BETWEEN 3 AND 5", {"seats": 5}, True, id="between"),
        pytest.param("seats / 2", {"seats": 5}, 2.5, id="whole-numbers-divide-exactly"),
        pytest.param("arr / seats", {"arr": 10, "seats": 0}, None, id="division-by-zero"),
        pytest.param("100 / seats / 5", {"seats": 4}, 5.0, id="divided-twice"),
        pytest.param("2 + 3 * seats", {"seats": 4}, 14, id="precedence"),
        pytest.param("(2 + 3) * seats", {"seats": 4}, 20, id="parentheses"),
        pytest.param("- -seats", {"seats": 4}, 4, id="two-minus-signs-are-no-comment"),
        pytest.param("round(churn_probability, 1)", {"churn_probability": 0.87}, 0.9, id="round"),
        pytest.param("coalesce(seats, 7)", {}, 7, id="coalesce"),
        pytest.param("nullif(seats, 7)", {"seats": 7}, None, id="nullif"),
        pytest.param("greatest(seats, 3, 9)", {"seats": 4}, 9, id="greatest"),
        pytest.param("today()", {}, AS_OF, id="today-is-the-day-of-the-run"),
        pytest.param(IN_90_DAYS, {"renewal_on": "2027-02-18"}, True, id="ninety-days"),
        pytest.param(IN_90_DAYS, {"renewal_on": "2027-02-19"}, False, id="ninety-one-days"),
        pytest.param(DAYS_TO_GO, {"renewal_on": "2026-11-27"}, 7, id="days-to-go"),
        pytest.param("month(renewal_on)", {"renewal_on": "2027-06-30"}, 6, id="month"),
        pytest.param("CASE WHEN is_trial THEN 0 ELSE arr END", {"arr": 5}, 5, id="case"),
        pytest.param("CASE company WHEN 'Acme' THEN 1 END", {"company": "Acme"}, 1, id="case-of"),
        pytest.param("company = 'it''s'", {"company": "it's"}, True, id="quoted-quote"),
        pytest.param("arr > 5 -- and a comment", {"arr": 6}, True, id="comment"),
    ],
)  # fmt: skip
def test_an_expression_means_what_it_says(engine, text, given, expected):
    assert value(engine, text, **given) == expected


@pytest.mark.parametrize(
    ("text", "reason", "marked"),
    [
        pytest.param("churn_probabilty > 1", "unknown column", "churn_probabilty", id="column"),
        pytest.param("ARR > 1", "unknown column 'ARR'", "ARR", id="column-in-capitals"),
        pytest.param("s.arr > 1", "name of a table", "s.arr", id="table"),
        pytest.param("company = 5", "a number with a string", "company = 5", id="types"),
        pytest.param("is_trial = 1", "a condition with a number", "is_trial = 1", id="bit"),
        pytest.param("seats IN (1, 'x')", "a number with a string", "seats IN (1, 'x')", id="in"),
        pytest.param("renewal_on > '2027-01-01'", "a date with a string", None, id="date-as-text"),
        pytest.param("renewal_on > DATE '2027-02-29'", "no date", "'2027-02-29'", id="no-such-day"),
        pytest.param("renewal_on > DATE '2027-W05-1'", "no date", "'2027-W05-1'", id="week"),
        pytest.param("seen_at > TIMESTAMP '2027-01-01 9am'", "no timestamp", None, id="time"),
        pytest.param("seen_at > TIMESTAMP '2027-01-01 09:00+01'", "no timestamp", None, id="zone"),
        pytest.param("arr AND is_trial", "AND takes a condition", "arr", id="and-of-a-number"),
        pytest.param("NOT seats", "NOT takes a condition", "seats", id="not-of-a-number"),
        pytest.param("lower(arr) = 'x'", "lower() takes a string", "arr", id="argument"),
        pytest.param("arr LIKE '5%'", "LIKE takes a string", "arr", id="like"),
        pytest.param("-company = 'x'", "- takes a number", "company", id="minus-a-text"),
        pytest.param("arr = NULL", "= with NULL is always NULL", None, id="equals-null"),
        pytest.param("seats NOT IN (1, NULL)", "IN with NULL", None, id="in-with-null"),
        pytest.param("seats IN ()", "IN () holds nothing", None, id="in-nothing"),
        pytest.param("renewal_on - today() < 5", "subtract", "renewal_on - today()", id="days"),
        pytest.param("renewal_on + 5 > today()", "add", "renewal_on + 5", id="plus-days"),
        pytest.param("CASE WHEN arr THEN 1 END > 0", "WHEN takes a condition", "arr", id="when"),
        pytest.param("CASE WHEN is_trial THEN 1 ELSE 'x' END = 1", "put together", None, id="case"),
        pytest.param("CASE seats WHEN NULL THEN 1 END = 1", "equal to NULL", None, id="case-null"),
        pytest.param("seats IS 5", "IS is followed by NULL", None, id="is-number"),
        pytest.param("arr IS TRUE", "IS TRUE takes a condition", "arr", id="number-is-true"),
        pytest.param("round(arr, seats) > 1", "whole number of decimals", "seats", id="round"),
        pytest.param("date_diff('month', seen_at, seen_at) > 1", "counts days", None, id="months"),
        pytest.param("today() + INTERVAL seats DAY > seen_at", "an interval", None, id="interval"),
        pytest.param("arr > 1e999", "cannot be stored exactly", "1e999", id="endless-number"),
        pytest.param("arr >", "something is missing here", ">", id="cut-short"),
        pytest.param("(arr > 1", "closing parenthesis is missing", "1", id="parenthesis"),
        pytest.param("arr > 1 2", "cannot stand here", "2", id="leftover"),
        pytest.param("company = 'x", "opened and not closed", None, id="quote-not-closed"),
        pytest.param("arr > 1; arr > 2", "2 expressions", None, id="two-expressions"),
        pytest.param("  ", "nothing is written", None, id="empty"),
        pytest.param("arr > 1\x00", "cannot stand in an expression", "\x00", id="nul"),
        pytest.param("lower() = 'x'", "something is missing", ")", id="no-argument"),
        pytest.param("lower(company, 'x') = 'x'", "more arguments", ")", id="too-many-arguments"),
    ],
)  # fmt: skip
def test_a_fault_is_told_and_pointed_at(text, reason, marked):
    found = refusal(text)

    assert reason in found.reason
    if marked is not None:
        assert text[found.start : found.end] == marked


@pytest.mark.parametrize(
    "text",
    [
        "(SELECT 1) = 1", "seats IN (SELECT 1)", "EXISTS (SELECT 1)", "arr > ALL (SELECT 1)",
        "read_csv('/etc/passwd') IS NULL", "getenv('HOME') = 'x'", "now() > seen_at",
        "random() > 0.5", "current_timestamp > seen_at", "current_setting('x') = 'y'",
        "pragma_version() = 'x'", "sum(arr) > 1", "sum(arr) OVER () > 1", "count(*) > 1",
        "row_number() OVER () = 1", "arr::VARCHAR = '1'", "CAST(company AS DATE) > today()",
        "TRY_CAST('x' AS DATE) IS NULL", "arr > ?", "arr > $1", "arr > :x", "[1, 2] = [1]",
        "{'a': 1} = {'a': 1}", "(1, 2) = (1, 2)", "company[1] = 'x'", "company -> 'a' = 'b'",
        "x -> x", "concat(company, 'x') = 'y'", "company LIKE company", "substr(company, 0) = 'x'",
        "ln(arr) > 1", "dayofweek(renewal_on) = 1", "EXTRACT(year FROM renewal_on) = 1",
        "arr % 2 = 1", "arr // 2 = 1", "arr ^ 2 > 1",
        "arr & 1 = 1", "company ~ 'x'", "company COLLATE nocase = 'x'",
        "company LIKE ANY ('x', 'y')", "company LIKE 'x!%' ESCAPE '!'", "if(is_trial, 1, 2) = 1",
        "trim(BOTH 'x' FROM company) = 'y'", "today(1) > renewal_on",
        "seats BETWEEN SYMMETRIC 5 AND 1", "company = 'a' 'b'", "company = $$a$$",
        r"company = E'\n'", "*", "DISTINCT arr", "arr AS x", "DROP TABLE x", "SELECT 1",
        "arr = 1 UNION SELECT 1", "INSERT INTO x VALUES (1)", "COPY x TO 'y'",
        "regexp_matches(company, '(a+)+$')", "repeat('x', 1000000000) = 'x'", "sleep(10)",
        "a.b.c.d = 1", "lower(DISTINCT company) = 'x'",
        "INTERVAL '1 day 2 hours' > INTERVAL 1 DAY", "current_user = 'x'",
        "company IN ('x') FILTER (WHERE is_trial)", "unnest([1]) = 1",
        "list_filter([1], x -> x) = [1]",
    ],
)  # fmt: skip
def test_whatever_is_not_in_the_language_is_refused(text):
    refusal(text)


def test_an_error_points_at_the_place_and_suggests():
    found = refusal("churn_probabilty >= 0.8 and arr > 50000")

    assert str(found) == (
        "unknown column 'churn_probabilty'\n"
        "  churn_probabilty >= 0.8 and arr > 50000\n"
        "  ^^^^^^^^^^^^^^^^\n"
        "  did you mean 'churn_probability'?"
    )


def test_an_error_shows_the_line_it_stands_on():
    found = refusal("arr > 5\n  AND compny = 'x'")

    assert str(found).splitlines()[1:3] == ["    AND compny = 'x'", "        ^^^^^^"]


def test_an_error_far_to_the_right_shows_what_is_around_it():
    found = refusal("arr > 5 AND " * 30 + "compny = 'x'")

    shown, carets = str(found).splitlines()[1:3]
    assert len(shown) < 110
    assert shown[carets.index("^") :].startswith("compny")


def test_a_function_that_is_refused_comes_with_what_there_is():
    assert refusal("flor(arr) > 1").advice == "did you mean 'floor'?"
    assert refusal("now() > seen_at").advice == "today() is the date of the run"
    assert str(refusal("md5(company) = 'x'").advice).startswith("there are 'abs', 'ceil'")


@pytest.mark.parametrize(
    ("text", "gives", "fits"),
    [
        pytest.param("arr > 1", "boolean", True, id="condition"),
        pytest.param("arr", "boolean", False, id="number-as-condition"),
        pytest.param("NULL", "boolean", False, id="null-as-condition"),
        pytest.param("churn_probability * arr", "number", True, id="number"),
        pytest.param("is_trial", "number", False, id="condition-as-number"),
        pytest.param("renewal_on", "number", False, id="date-as-number"),
    ],
)
def test_the_kind_of_the_value_must_be_the_one_that_is_wanted(text, gives, fits):
    if fits:
        parse(text, FIELDS, gives=gives)
    else:
        assert "is wanted here" in refusal(text, gives).reason


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * 1_000 + "is_trial" + ")" * 1_000, id="parentheses"),
        pytest.param("abs(" * 900 + "arr" + ")" * 900, id="functions"),
        pytest.param("NOT " * 900 + "is_trial", id="not"),
        pytest.param("- " * 1_900 + "arr", id="minus"),
        pytest.param("CASE WHEN " * 390, id="case"),
        pytest.param("arr + " * 600 + "arr", id="sum"),
        pytest.param("is_trial AND " * 300 + "is_trial", id="and"),
        pytest.param("[" * 4_000, id="brackets"),
        pytest.param("seats IN (" + "1, " * 1_300 + "1)", id="list"),
        pytest.param("x" * 5_000, id="length"),
        pytest.param("interval " * 400, id="interval"),
    ],
)
def test_what_is_too_large_is_refused_before_it_costs_anything(text):
    began = process_time()

    refusal(text)

    assert process_time() - began < 1


ALLOWED = {
    "plan": FieldSpec(type="string", allowed=("monthly", "yearly")),
    "seats": FieldSpec(type="integer", allowed=(-1, 5)),
    "vip": FieldSpec(type="boolean", allowed=(True,)),
    "since": FieldSpec(type="date", allowed=("2026-01-01",)),
}


@pytest.mark.parametrize(
    "text",
    [
        "plan = 'monthly'",
        "'yearly' <> plan",
        "plan IN ('monthly', 'yearly')",
        "seats = -1",
        "seats > 3",
        "plan LIKE 'month%'",
        "vip = TRUE",
        "since = DATE '2026-01-01'",
        "CASE plan WHEN 'monthly' THEN 1 ELSE 2 END > 1",
    ],
)
def test_what_a_field_may_be_can_be_asked_of_it(text):
    assert parse(text, ALLOWED, gives="boolean")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("plan = 'montly'", "plan never is 'montly'"),
        ("'weekly' <> plan", "plan never is 'weekly'"),
        ("plan IN ('monthly', 'weekly')", "plan never is 'weekly'"),
        ("plan IS DISTINCT FROM 'weekly'", "plan never is 'weekly'"),
        ("seats = (-5)", "seats never is -5"),
        ("vip = FALSE", "vip never is False"),
        ("since = DATE '2026-01-02'", "since never is '2026-01-02'"),
        ("CASE plan WHEN 'weekly' THEN 1 ELSE 2 END > 1", "plan never is 'weekly'"),
    ],
)
def test_what_a_field_never_is_cannot_be_asked_of_it(text, reason):
    with pytest.raises(ExpressionError) as caught:
        parse(text, ALLOWED)

    assert caught.value.reason == reason


def test_ninety_conditions_are_still_a_rule():
    parse(" AND ".join(f"seats <> {n}" for n in range(90)), FIELDS)


def test_the_users_text_is_never_part_of_the_query():
    assert generated("arr > 5 /* */ -- '; DROP TABLE x") == "(\"arr\" > CAST('5.0' AS DOUBLE))"


def test_a_condition_can_be_said_in_the_words_of_another_warehouse():
    text = "arr / seats > 10 AND company = 'a\\b' AND renewal_on <= today() + INTERVAL 90 DAY"

    assert generated(text, "postgres") == (
        '((("arr" / NULLIF(CAST("seats" AS DOUBLE PRECISION), 0)) > '
        "CAST('10.0' AS DOUBLE PRECISION)) AND (\"company\" = 'a\\b') AND "
        '(CAST("renewal_on" AS TIMESTAMPTZ) <= '
        "(CAST(DATE '2026-11-20' AS TIMESTAMPTZ) + INTERVAL '90 DAY')))"
    )
    assert "`company` = 'a\\\\b'" in generated(text, "spark")


def test_generating_leaves_the_checked_tree_as_it_was():
    tree = parse("arr / seats > 1 AND renewal_on > today()", FIELDS)
    before = tree.sql("duckdb")

    sql(tree, dialect="duckdb", as_of=AS_OF)

    assert tree.sql("duckdb") == before


NUMBERS = st.one_of(
    st.sampled_from(["churn_probability", "arr", "seats", "year(seen_at)", "length(company)"]),
    st.integers(0, 10**9).map(str),
    st.decimals(0, 10**6, places=3).map(str),
    st.just("date_diff('day', renewal_on, today())"),
)
TEXTS = st.sampled_from(["company", "'x'", "lower(company)", "trim(company)", "''"])
MOMENTS = st.sampled_from(
    [
        "renewal_on",
        "seen_at",
        "today()",
        "DATE '2027-01-31'",
        "TIMESTAMP '2027-01-31 09:30'",
        "today() + INTERVAL 3 MONTH",
    ]
)
TRUTHS = st.sampled_from(["is_trial", "TRUE", "company IS NULL", "contains(company, 'x')"])


def combined(*parts: st.SearchStrategy[str], template: str) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda chosen: template.format(*chosen))


numbers = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        combined(inner, st.sampled_from("+-*/"), inner, template="({} {} {})"),
        combined(st.sampled_from(["abs", "floor", "ceil", "round"]), inner, template="{}({})"),
        combined(
            st.sampled_from(["least", "greatest", "coalesce", "nullif"]),
            inner,
            inner,
            template="{}({}, {})",
        ),
        combined(TRUTHS, inner, inner, template="CASE WHEN {} THEN {} ELSE {} END"),
    ),
    max_leaves=6,
)
COMPARISONS = st.sampled_from(["=", "<>", "<", ">=", "IS DISTINCT FROM"])
conditions = st.recursive(
    st.one_of(
        TRUTHS,
        combined(numbers, COMPARISONS, numbers, template="{} {} {}"),
        combined(TEXTS, COMPARISONS, TEXTS, template="{} {} {}"),
        combined(MOMENTS, COMPARISONS, MOMENTS, template="{} {} {}"),
        combined(MOMENTS, MOMENTS, MOMENTS, template="{} BETWEEN {} AND {}"),
        combined(numbers, numbers, template="{} IN (1, {})"),
        combined(TEXTS, template="{} NOT ILIKE 'A%_'"),
    ),
    lambda inner: st.one_of(
        combined(inner, st.sampled_from(["AND", "OR"]), inner, template="({} {} {})"),
        combined(inner, template="NOT ({})"),
    ),
    max_leaves=4,
)


@settings(max_examples=100, deadline=None)
@given(conditions)
def test_whatever_the_check_lets_through_duckdb_reads_as_a_condition(engine, text):
    tree = parse(text, FIELDS, gives="boolean")

    assert bound_type(engine, sql(tree, dialect="duckdb", as_of=AS_OF)) == "BOOLEAN"
