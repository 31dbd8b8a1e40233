import pytest

from decisions.definition import FieldSpec
from decisions.phrase import label, phrase
from decisions.rules.expression import parse

FIELDS = {
    "risk": FieldSpec(type="float", min=0, max=1, label="Risk of leaving"),
    "arr": FieldSpec(type="decimal", unit="USD", label="ARR"),
    "open_tickets": FieldSpec(type="integer"),
    "wait": FieldSpec(type="integer", unit="days"),
    "plan": FieldSpec(type="string"),
    "vip": FieldSpec(type="boolean"),
    "renewal_on": FieldSpec(type="date"),
}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        pytest.param("risk >= 0.8", "risk of leaving is at least 80%", id="share"),
        pytest.param("arr > 50000", "ARR is above $50,000", id="money"),
        pytest.param("wait <= 30", "wait is at most 30 days", id="unit"),
        pytest.param("3 < open_tickets", "open tickets is above 3", id="the-constant-first"),
        pytest.param("plan = 'gold'", "plan is 'gold'", id="text"),
        pytest.param("plan IN ('a', 'b')", "plan is one of 'a', 'b'", id="list"),
        pytest.param("plan NOT IN ('a')", "plan is not 'a'", id="not-in"),
        pytest.param("plan IS NULL", "plan is missing", id="missing"),
        pytest.param("plan IS NOT NULL", "plan is known", id="known"),
        pytest.param("vip AND NOT vip", "vip is true and vip is false", id="truths"),
        pytest.param("TRUE", "always", id="always"),
        pytest.param(
            "risk > 0.5 AND (vip OR arr >= 9)",
            "risk of leaving is above 50% and (vip is true or ARR is at least $9)",
            id="alternatives-are-set-off",
        ),
        pytest.param(
            "renewal_on BETWEEN today() AND today() + INTERVAL 60 DAY",
            "renewal on is between today and 60 days from today",
            id="between-days",
        ),
        pytest.param(
            "renewal_on < today() - INTERVAL 1 WEEK",
            "renewal on is before 1 week ago",
            id="a-week-ago",
        ),
        pytest.param(
            "renewal_on >= DATE '2027-01-31'", "renewal on is on or after 2027-01-31", id="a-day"
        ),
        pytest.param(
            "NOT (risk > 0.5 OR vip)",
            "it is not so that risk of leaving is above 50% or vip is true",
            id="negated",
        ),
        pytest.param("risk * arr > 900", "risk * arr is above 900", id="a-calculation"),
        pytest.param("contains(plan, 'x')", "CONTAINS(plan, 'x')", id="as-it-is-written"),
    ],
)
def test_a_condition_reads_like_a_sentence(condition, words):
    assert phrase(parse(condition, FIELDS), FIELDS) == words


@pytest.mark.parametrize(
    ("name", "called"),
    [
        pytest.param("risk", "risk of leaving", id="a-label-in-a-sentence"),
        pytest.param("arr", "ARR", id="an-abbreviation-stays"),
        pytest.param("open_tickets", "open tickets", id="a-name-without-a-label"),
        pytest.param("gone", "gone", id="an-unknown-name"),
    ],
)
def test_a_field_is_called_as_people_call_it(name, called):
    assert label(name, FIELDS) == called
