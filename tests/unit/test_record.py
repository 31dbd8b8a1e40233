from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter

import pytest

from decisions.deciding.record import Judge, decide_record
from decisions.errors import NotUnderstood
from tests.samples import MONDAY, action, definition

SIGNAL = {
    "from": "warehouse",
    "table": "scores",
    "subject": "account_id",
    "score": "risk",
    "scored_at": "scored_at",
    "model": {"name": "gbm", "version": "'1'"},
    "fields": {
        "risk": "float",
        "arr": "decimal",
        "seats": "integer",
        "company": "string",
        "is_trial": "boolean",
        "renewal_on": "date",
        "seen_at": "timestamp",
    },
}


def rule(when, name="first", do="call"):
    return {"name": name, "when": when, "do": do, "because": "so"}


def decision(*rules, **changes):
    written = [rule(each) if isinstance(each, str) else each for each in rules]
    changes = {"actions": {"call": action(assign="business")}} | changes
    return definition(signal=SIGNAL, rules=written, **changes)


def judged(*rules, as_of=MONDAY, given, **changes):
    return decide_record(decision(*rules, **changes), given, as_of)


def test_the_first_rule_that_holds_decides():
    rules = [rule("arr > 50000", "rich"), rule("risk >= 0.8", "likely"), rule("TRUE", "any")]

    found = judged(*rules, given={"risk": 0.8, "arr": Decimal("50000.00")})

    assert (found.rule, found.action, found.priority) == ("likely", "call", 0.8)
    assert [each.value for each in found.rules] == [False, True, True]


def test_where_no_rule_holds_nothing_is_done():
    found = judged("risk >= 0.8", given={"risk": 0.79})

    assert (found.rule, found.action) == (None, "nothing")


def test_otherwise_an_action_takes_the_rest():
    assert judged("risk >= 0.8", given={"risk": 0.1}, otherwise="call").rule == "otherwise"


@pytest.mark.parametrize(
    ("given", "withheld"),
    [
        pytest.param({"risk": 0.9, "arr": 1}, None, id="within"),
        pytest.param({"risk": 0.9, "arr": 100}, "too much at stake", id="beyond"),
        pytest.param(
            {"risk": 0.97, "arr": 1}, "the rules 'first' and 'second' both hold", id="two-rules"
        ),
    ],
)
def test_what_lies_beyond_the_boundary_is_withheld(given, withheld):
    boundary = [{"when": "arr >= 100", "because": "too much at stake", "to": "technical"}]
    rules = [rule("risk > 0.8"), rule("risk > 0.95", "second")]

    found = judged(*rules, given=given, withhold=boundary, match="unique")

    assert (found.rule, found.withheld) == ("first", withheld)


def test_today_is_the_day_of_the_decision_in_utc():
    late = datetime.fromisoformat("2026-11-16T23:30:00-05:00")

    assert judged("renewal_on = today()", given={"renewal_on": "2026-11-17"}, as_of=late).rule


@pytest.mark.parametrize(
    ("field", "value", "when"),
    [
        pytest.param("arr", 5, "arr = 5", id="whole-number-as-decimal"),
        pytest.param("account_id", 17, "account_id = '17'", id="subject-as-number"),
        pytest.param("renewal_on", date(2027, 1, 31), "month(renewal_on) = 1", id="date"),
        pytest.param("seen_at", "2027-01-31T01:00:00+02:00", "hour(seen_at) = 23", id="zone"),
        pytest.param("seen_at", datetime(2027, 1, 31, 5, tzinfo=UTC), "hour(seen_at) = 5", id="at"),
        pytest.param("seen_at", "2027-01-31", "hour(seen_at) = 0", id="midnight"),
        pytest.param("risk", float("nan"), "risk IS NULL", id="nan"),
        pytest.param("risk", 1.1e60, "risk IS NULL", id="too-large"),
        pytest.param("risk", 10**400, "risk IS NULL", id="far-too-large"),
        pytest.param("risk", 1e60, "risk > 1", id="just-not-too-large"),
        pytest.param("risk", 1e-61, "risk = 0", id="next-to-nothing"),
        pytest.param("seats", 2**63, "seats IS NULL", id="more-than-64-bits"),
        pytest.param("seats", 2**63 - 1, "seats = 9223372036854775807", id="64-bits"),
        pytest.param("company", "a\0b", "company IS NULL", id="nul-character"),
        pytest.param("scored_at", MONDAY, "TRUE", id="instant-of-scoring-is-passed-over"),
    ],
)
def test_a_value_is_read_as_a_batch_reads_it(field, value, when):
    assert judged(when, given={field: value}).rule == "first"


def test_every_value_that_does_not_fit_is_named():
    given = {"arr": "much", "seats": 1.5, "is_trial": 1, "compny": "x", "renewal_on": "soon"}

    with pytest.raises(NotUnderstood) as caught:
        judged("TRUE", given=given)

    assert str(caught.value) == (
        "unknown field 'compny'; did you mean 'company'?; arr is 'much', which is no decimal; "
        "seats is 1.5, which is no integer; is_trial is 1, which is no boolean; "
        "renewal_on is 'soon', which is no date"
    )


def test_an_instant_without_a_zone_is_no_instant_to_judge_by():
    with pytest.raises(NotUnderstood, match="no time zone"):
        judged("TRUE", given={}, as_of=datetime(2026, 11, 16))  # noqa: DTZ001


def test_a_pattern_with_many_wildcards_takes_no_longer_than_the_text():
    hostile = "company LIKE '%" + "a%" * 100 + "b'"
    begun = perf_counter()

    judged(hostile, given={"company": "a" * 10_000})

    assert perf_counter() - begun < 1


def test_a_record_is_judged_in_far_less_than_a_millisecond():
    judge = Judge(decision("risk >= 0.8 AND arr > 5", "company ILIKE '%x%' OR seats / 2 > 5"))
    given = {"risk": 0.7, "arr": 9, "company": "Acme", "seats": 4}
    spent = []
    for _ in range(200):
        begun = perf_counter()
        judge.decide(given, MONDAY)
        spent.append(perf_counter() - begun)

    assert sorted(spent)[100] < 0.001
