from datetime import date

import pytest
import sqlglot

from decisions.deciding.evaluation import selection_query, withheld_query
from decisions.definition import FieldSpec
from decisions.rules.columns import cast
from decisions.rules.expression import parse, sql
from tests.samples import MONDAY, action, definition

FIELDS = {
    "x": FieldSpec(type="float"),
    "n": FieldSpec(type="integer"),
    "s": FieldSpec(type="string"),
    "b": FieldSpec(type="boolean"),
    "d": FieldSpec(type="date"),
    "at": FieldSpec(type="timestamp"),
}
CONTEXT = [
    {"from": "warehouse", "table": "crm.accounts", "on": "id", "fields": {"seats": "integer"}}
]
DIALECTS = ["duckdb", "postgres", "spark", "snowflake", "bigquery", "trino"]
WRITTEN = {
    "least(x, 1) > n": {
        "snowflake": '(LEAST_IGNORE_NULLS("x", CAST(\'1.0\' AS DOUBLE)) > CAST("n" AS DOUBLE))',
        "bigquery": "((SELECT MIN(v) FROM UNNEST([`x`, CAST('1.0' AS FLOAT64)]) AS v) > "
        "CAST(`n` AS FLOAT64))",
        "trino": "(ARRAY_MIN(FILTER(ARRAY[\"x\", CAST('1.0' AS DOUBLE)], v -> v IS NOT NULL)) > "
        'CAST("n" AS DOUBLE))',
    },
    "right(s, 2) LIKE '\\_%'": {
        "snowflake": "(RIGHT(\"s\", 2) LIKE '\\\\_%')",
        "bigquery": "(RIGHT(`s`, 2) LIKE '\\\\\\\\_%')",
        "trino": "(REVERSE(SUBSTR(REVERSE(\"s\"), 1, 2)) LIKE '\\_%')",
    },
    "isodow(d) = 7": {
        "snowflake": '(DAYOFWEEKISO("d") = 7)',
        "bigquery": "((MOD(EXTRACT(DAYOFWEEK FROM `d`) + 5, 7) + 1) = 7)",
        "trino": '(DAY_OF_WEEK("d") = 7)',
    },
    "at - INTERVAL 1 MONTH < TIMESTAMP '2026-11-20'": {
        "snowflake": "((\"at\" - INTERVAL '1 MONTH') < "
        "CAST('2026-11-20 00:00:00.000000+00:00' AS TIMESTAMP_LTZ))",
        "bigquery": "(TIMESTAMP(DATETIME_SUB(DATETIME(`at`), INTERVAL 1 MONTH)) < "
        "TIMESTAMP '2026-11-20 00:00:00.000000+00:00')",
        "trino": "((\"at\" - INTERVAL '1' MONTH) < "
        "CAST('2026-11-20 00:00:00.000000+00:00' AS TIMESTAMP(6) WITH TIME ZONE))",
    },
}


@pytest.mark.parametrize("text", WRITTEN)
@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "trino"])
def test_a_warehouse_no_test_has_met_is_written_to_in_its_own_words(text, dialect):
    found = sql(parse(text, FIELDS), dialect=dialect, as_of=date(2026, 11, 20))

    assert found == WRITTEN[text][dialect]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("write", [selection_query, withheld_query])
def test_every_query_is_one_that_its_dialect_can_be_read_as(dialect, write):
    decision = definition(
        context=CONTEXT,
        rules=[
            {"name": "a", "when": "risk > 0.7 AND seats / 2 > 1", "do": "call", "because": "so"},
            {"name": "b", "when": "arr > 5 AND seats > 9", "do": "call", "because": "so"},
        ],
        withhold=[{"when": "arr > 1e6", "because": "too large", "to": "technical"}],
        actions={"call": action()},
        match="unique",
    )
    query = write(decision, {0: "scores", 1: "accounts"}, dialect=dialect, as_of=MONDAY)

    assert isinstance(sqlglot.parse_one(query, dialect=dialect), sqlglot.exp.Select)


def test_signals_that_come_to_nothing_are_left_out_before_the_join():
    decision = definition(
        context=CONTEXT,
        rules=[{"name": "a", "when": "risk > 0.7 AND seats > 1", "do": "call", "because": "so"}],
    )
    write = {"dialect": "duckdb", "as_of": MONDAY}

    kept = selection_query(decision, {0: "scores", 1: "accounts"}, **write)
    everybody = selection_query(
        decision.model_copy(update={"otherwise": "call"}), {0: "scores", 1: "accounts"}, **write
    )

    before_join = kept.partition(" LEFT JOIN ")[0]
    assert before_join.endswith("""WHERE ("risk" > CAST('0.7' AS DOUBLE))) AS s""")
    assert " AS r) AS s LEFT JOIN " in everybody


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        pytest.param("duckdb", "TRY_CAST(x AS BIGINT)", id="tries"),
        pytest.param("postgres", "CAST(x AS BIGINT)", id="cannot-try"),
        pytest.param("bigquery", "SAFE_CAST(x AS INT64)", id="tries-in-other-words"),
    ],
)
def test_what_does_not_fit_is_tried_where_that_is_possible(dialect, expected):
    assert cast("x", "integer", dialect, leniently=True) == expected
