import pytest

from decisions.deciding.explanation import OTHERWISE, explained
from decisions.deciding.record import decide_record
from decisions.errors import NotUnderstood
from decisions.rules.reading import spelt_out
from tests.samples import MONDAY, definition


def rule(when, name="critical"):
    return {"name": name, "when": when, "do": "call", "because": "so"}


def told(when, **record):
    found = explained(definition(rules=[rule(when)]), record, as_of=MONDAY)
    return found.rules[0].condition


def test_each_condition_has_its_value_and_its_inputs():
    found = told("risk >= 0.8 AND arr > 50000", risk=0.91, arr=20_000)

    assert found.value is False
    assert found.joined == "AND"
    assert [(each.text, each.value, each.inputs) for each in found.parts] == [
        ("risk >= 0.8", True, {"risk": 0.91}),
        ("arr > 50000", False, {"arr": 20_000.0}),
    ]


@pytest.mark.parametrize(
    ("when", "record", "value"),
    [
        pytest.param("risk >= 0.8", {"risk": 0.8}, True, id="on-the-boundary"),
        pytest.param("risk >= 0.8", {"risk": 0.7999}, False, id="just-below"),
        pytest.param("risk >= 0.8", {}, None, id="unknown"),
        pytest.param("risk >= 0.8 OR arr > 5", {"arr": 6}, True, id="unknown-or-true"),
        pytest.param("risk >= 0.8 AND arr > 5", {"arr": 5}, False, id="unknown-and-false"),
        pytest.param("NOT (risk >= 0.8)", {"risk": 0.9}, False, id="not"),
    ],
)
def test_a_condition_holds_does_not_or_is_unknown(when, record, value):
    assert told(when, **record).value is value


def test_chains_are_one_list_and_nesting_is_kept():
    found = told("risk > 0.5 AND arr > 1 AND (arr < 9 OR NOT risk < 0.7)", risk=0.6, arr=20)

    assert [each.text for each in found.parts] == [
        "risk > 0.5", "arr > 1", "arr < 9 OR NOT risk < 0.7",
    ]  # fmt: skip
    either = found.parts[2]
    assert [(each.joined, each.value) for each in either.parts] == [("", False), ("NOT", False)]
    assert either.parts[1].parts[0].value is True


def test_the_first_rule_that_holds_decides_and_the_others_still_say_what_they_are():
    rules = [rule("risk >= 0.9"), rule("risk >= 0.8", "watch"), rule("risk >= 0.1", "rest")]

    found = explained(definition(rules=rules), {"risk": 0.85}, as_of=MONDAY)

    assert (found.rule, found.action) == ("watch", "call")
    assert [each.condition.value for each in found.rules] == [False, True, True]


def test_where_no_rule_holds_otherwise_decides():
    found = explained(definition(), {"risk": 0.1}, as_of=MONDAY)

    assert (found.rule, found.action, found.withheld) == (OTHERWISE, "nothing", None)


def test_what_withholds_is_named():
    withhold = [{"when": "arr > 100", "because": "too big to guess", "to": "technical"}]

    found = explained(definition(withhold=withhold), {"risk": 0.9, "arr": 200}, as_of=MONDAY)

    assert found.withheld == "too big to guess"
    assert found.boundary[0].condition.value is True


@pytest.mark.parametrize("risk", [float("nan"), float("inf"), 1e61])
def test_what_no_batch_would_keep_is_missing(risk):
    assert told("risk >= 0.5", risk=risk).value is None


def test_today_is_the_day_of_the_run():
    assert told("today() = DATE '2026-11-16'").value is True
    assert told("today() = DATE '2026-11-17'").value is False


def test_conditions_read_as_people_write_them():
    when = "arr > 5 AND date_diff('day', today(), today() + INTERVAL 14 DAY) > 3"

    assert told(when).parts[1].text.lower() == (
        "date_diff('day', today(), today() + interval 14 day) > 3"
    )


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        pytest.param("0.8", "float", 0.8, id="number"),
        pytest.param(" 1e3 ", "decimal", 1000.0, id="number-with-exponent"),
        pytest.param("7", "integer", 7, id="whole-number"),
        pytest.param("7.5", "integer", "7.5", id="no-whole-number"),
        pytest.param("True", "boolean", True, id="truth"),
        pytest.param("yes", "boolean", "yes", id="no-truth"),
        pytest.param("0.8", "string", "0.8", id="text"),
        pytest.param(0.8, "float", 0.8, id="no-text"),
    ],
)
def test_numbers_and_truths_may_be_spelt_out_as_on_a_command_line(text, kind, value):
    assert spelt_out(text, kind) == value


def test_a_record_is_explained_as_it_is_decided():
    decided = definition(rules=[rule("risk >= 0.9"), rule("risk >= 0.8", "watch")])

    found = explained(decided, {"risk": "0.85"}, as_of=MONDAY)
    said = decide_record(decided, {"risk": 0.85}, MONDAY)

    assert (found.rule, found.action) == (said.rule, said.action)
    assert [each.condition.value for each in found.rules] == [each.value for each in said.rules]


def test_a_value_that_cannot_be_read_is_named():
    with pytest.raises(NotUnderstood, match=r"risk is 'much', which is no float"):
        told("risk >= 0.8", risk="much")
