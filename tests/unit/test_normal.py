import pytest

from decisions.definition import FieldSpec
from decisions.errors import ExpressionError
from decisions.rules.expression import parse
from decisions.rules.necessary import necessary

FIELDS = {
    "x": FieldSpec(type="float"),
    "n": FieldSpec(type="integer"),
    "s": FieldSpec(type="string"),
    "b": FieldSpec(type="boolean"),
    "d": FieldSpec(type="date"),
}


def refusal(text):
    with pytest.raises(ExpressionError) as caught:
        parse(text, FIELDS)
    return caught.value


@pytest.mark.parametrize(
    ("kept", "refused"),
    [
        pytest.param("x * x * x * x * x > 1", "x * x * x * x * x * x > 1", id="product"),
        pytest.param("x / x / x / x / x > 1", "x / x / x / x / x / x > 1", id="quotient"),
        pytest.param("n * n * n * n * n > 1", "x * x * x * x * n * n * n * n > 1", id="integer"),
        pytest.param("x * 1e240 > 1", "x * 1e241 > 1", id="literal"),
        pytest.param("x * 1e-240 > 1", "x * 1e-241 > 1", id="next-to-nothing"),
        pytest.param("sqrt(x) * sqrt(x) * x * x * x * x > 1", "x * x * x * x * x * 2>1", id="root"),
        pytest.param(
            "CASE WHEN b THEN x ELSE 1 END * x * x * x * x > 1",
            "CASE WHEN b THEN x ELSE 1 END * x * x * x * x * n > 1",
            id="case",
        ),
    ],
)  # fmt: skip
def test_what_could_leave_the_numbers_all_warehouses_have_is_refused(kept, refused):
    parse(kept, FIELDS)

    assert "where warehouses no longer agree" in refusal(refused).reason


@pytest.mark.parametrize(
    ("kept", "refused"),
    [
        pytest.param("d + INTERVAL 900 YEAR > d", "d + INTERVAL 1000 YEAR > d", id="years"),
        pytest.param("d + INTERVAL 365250 DAY > d", "d + INTERVAL 365251 DAY > d", id="days"),
        pytest.param(
            "d + INTERVAL 400 YEAR > d - INTERVAL 500 YEAR",
            "d + INTERVAL 600 YEAR > d - INTERVAL 500 YEAR",
            id="together",
        ),
    ],
)
def test_intervals_that_reach_beyond_every_calendar_are_refused(kept, refused):
    parse(kept, FIELDS)

    assert "1,000 years" in refusal(refused).reason


def test_what_would_grow_out_of_proportion_is_refused():
    parse("round(" * 4 + "x" + ")" * 4 + " > 1", FIELDS)

    assert "too large once it is written out" in refusal("round(" * 20 + "x" + ")" * 20).reason


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        pytest.param(["x > 1 AND s = 'a'"], "x > 1", id="the-part-that-can-be-told"),
        pytest.param(["x > 1", "n > 2 AND b"], "x > 1 OR n > 2", id="one-or-the-other"),
        pytest.param(["x > 1 AND (n > 2 OR s = 'a')"], "x > 1", id="or-with-the-unknown"),
        pytest.param(["(x > 1 OR n > 2) AND NOT s = 'a'"], "x > 1 OR n > 2", id="not"),
        pytest.param(["NOT x > 1"], "NOT x > 1", id="not-of-what-can-be-told"),
        pytest.param(["x > 1 OR s = 'a'"], None, id="nothing-can-be-said"),
        pytest.param(["x > 1", "s = 'a'"], None, id="one-of-them-says-nothing"),
        pytest.param(["x > n AND x > length(s)"], "x > n", id="two-columns"),
    ],
)
def test_what_is_necessary_of_some_columns(conditions, expected):
    found = necessary([parse(text, FIELDS) for text in conditions], {"x", "n"})

    assert (found and found.sql("duckdb").replace("(", "").replace(")", "")) == expected
