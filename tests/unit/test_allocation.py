import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.deciding.allocation import draw, draw_sql


def test_a_subject_always_draws_the_same_number():
    once = draw(period="q4", decision="churn", subject="acme")

    assert draw(period="q4", decision="churn", subject="acme") == once


@settings(max_examples=30)
@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))
def test_sql_draws_the_same_number_as_python(subject):
    number = draw_sql(period="q'4", decision="churn", subject="$subject")

    drawn = duckdb.execute(f"SELECT {number}", {"subject": subject}).fetchall()[0][0]

    assert drawn == draw(period="q'4", decision="churn", subject=subject)


def test_the_share_drawn_is_the_share_declared():
    drawn = [draw(period="q4", decision="churn", subject=str(n)) for n in range(20_000)]

    assert sum(number < 0.2 for number in drawn) / 20_000 == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"period": "q3"}, {"period": "q4"}, id="another-period"),
        pytest.param({"decision": "churn"}, {"decision": "upsell"}, id="another-decision"),
    ],
)
def test_draws_are_independent_between(one, other):
    key = {"period": "q4", "decision": "churn"}
    pairs = [
        (draw(**key | one, subject=str(n)) < 0.5, draw(**key | other, subject=str(n)) < 0.5)
        for n in range(10_000)
    ]

    assert sum(a == b for a, b in pairs) / 10_000 == pytest.approx(0.5, abs=0.02)
