import json
from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from decisions.definition import Action, Definition, Example, FieldSpec, Relation, Schedule
from decisions.quantities import Share
from decisions.spelling import Cron, Prefix, Slug, iso_date, iso_instant

CONTENT = {
    "decision": "churn-save-call",
    "purpose": {"question": "Call?", "metric": "renewals"},
    "owners": {"business": "dana.reyes", "technical": "lee.park"},
    "review_by": "2027-06-30",
    "signal": {
        "from": "warehouse",
        "table": "churn_scores",
        "subject": "account_id",
        "score": "risk",
        "scored_at": "scored_at",
        "model": {"name": "churn", "version": "model_version"},
        "fields": {"risk": {"type": "float", "nulls": "5%"}, "arr": "decimal"},
    },
    "context": [
        {
            "from": "warehouse",
            "table": "accounts",
            "on": "account_id",
            "fields": {"company": "string"},
        }
    ],
    "match": "first",
    "rules": [{"name": "high", "when": "risk > 0.8", "do": "call", "because": "high risk"}],
    "otherwise": "nothing",
    "actions": {
        "call": {
            "autonomy": "notify",
            "through": ["slack"],
            "title": "Call",
            "respond_within": "4 working hours",
            "override_reasons": ["data is wrong"],
        }
    },
    "holdout": {"share": "12.5%", "salt": "2026q4"},
}


def definition(**changes) -> Definition:
    return Definition.model_validate(CONTENT | changes)


def test_fields_of_signal_and_context_are_one_list():
    assert list(definition().fields) == ["risk", "arr", "company"]


def test_expressions_name_the_subject_too_and_templates_the_scoring_instant():
    made = definition()

    assert made.columns.keys() - made.fields.keys() == {"account_id"}
    assert made.nameable.keys() - made.columns.keys() == {"scored_at"}
    assert made.nameable["scored_at"].type == "timestamp"


@pytest.mark.parametrize(
    ("decision", "prefix", "expected"),
    [
        pytest.param("churn-save-call", None, "CSC", id="initials"),
        pytest.param("churn-save-call", "SAVE", "SAVE", id="given"),
        pytest.param("churn", None, "CHU", id="one-word"),
        pytest.param("churn-2026", None, "CHU", id="numbers-have-no-initial"),
        pytest.param("a-b-c-d-e-f-g-h", None, "ABCDEF", id="at-most-six"),
    ],
)
def test_cases_are_called_by_the_initials_of_their_decision(decision, prefix, expected):
    assert definition(decision=decision, case_prefix=prefix).prefix == expected


def test_a_definition_reads_back_what_it_dumps():
    made = definition()

    again = Definition.model_validate_json(made.model_dump_json(by_alias=True))

    assert again == made
    assert again.sha256 == made.sha256


def test_the_version_does_not_depend_on_spelling():
    spelt = definition(
        holdout={"salt": "2026q4", "share": " 12.50 %"},
        limits={},
        actions={
            "call": CONTENT["actions"]["call"] | {"respond_within": "4 working hour", "show": []}
        },
    )

    assert spelt.sha256 == definition().sha256


def test_the_version_changes_with_the_meaning():
    assert definition(holdout={"share": "13%", "salt": "2026q4"}).sha256 != definition().sha256


def test_the_content_is_canonical_json_with_its_defaults_written_out():
    content = json.loads(definition().canonical)

    assert content["signal"]["from"] == "warehouse"
    assert content["holdout"]["share"] == "12.5%"
    assert content["signal"]["gate"]["max_future"] == "10 minutes"


def test_a_definition_never_changes():
    with pytest.raises(ValidationError, match="frozen"):
        definition().otherwise = "call"


def test_lists_are_tuples_so_that_nothing_can_be_added():
    made = definition()

    assert isinstance(made.rules, tuple)
    assert isinstance(made.actions["call"].override_reasons, tuple)


def test_a_field_may_be_written_as_its_type():
    assert FieldSpec.model_validate("date") == FieldSpec(type="date")


def test_nulls_of_a_field_are_a_share():
    assert definition().fields["risk"].nulls == Share(0.05)


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        pytest.param({"type": "date", "min": 1}, "min and max are for numbers", id="dates"),
        pytest.param({"type": "float", "min": 2, "max": 1}, "min 2 is above max 1", id="crossed"),
        pytest.param({"type": "float", "max": float("inf")}, "finite", id="infinite"),
        pytest.param({"type": "string", "allowed": []}, "at least 1 item", id="nothing-allowed"),
        pytest.param(
            {"type": "integer", "allowed": [1], "min": 0}, "both say the same", id="said-twice"
        ),
        pytest.param({"type": "timestamp", "allowed": ["2026-01-01"]}, "no list", id="instants"),
    ],
)
def test_bounds_that_cannot_hold_are_refused(bounds, reason):
    with pytest.raises(ValidationError, match=reason):
        FieldSpec(**bounds)


@pytest.mark.parametrize(
    ("given", "is_right"),
    [
        pytest.param({"table": "a"}, True, id="table"),
        pytest.param({"path": "a.csv"}, True, id="path"),
        pytest.param({"query": "SELECT 1"}, True, id="query"),
        pytest.param({}, False, id="none"),
        pytest.param({"table": "a", "query": "SELECT 1"}, False, id="two"),
    ],
)
def test_rows_come_from_exactly_one_place(given, is_right):
    if is_right:
        Relation.model_validate({"from": "warehouse"} | given)
    else:
        with pytest.raises(ValidationError, match="exactly one of table, query or path"):
            Relation.model_validate({"from": "warehouse"} | given)


def test_reasons_that_are_the_same_cannot_be_told_apart():
    content = CONTENT["actions"]["call"] | {"override_reasons": ["wrong", "wrong"]}

    with pytest.raises(ValidationError, match="each is chosen by its text"):
        Action.model_validate(content)


def test_dates_in_examples_are_kept_as_json_has_them():
    example = Example(given={"renewal_on": date(2027, 1, 31), "risk": 0.5}, expect="call")

    assert example.given == {"renewal_on": "2027-01-31", "risk": 0.5}


@pytest.mark.parametrize(
    ("cron", "is_right"),
    [
        pytest.param("0 6 * * 1", True, id="monday-at-six"),
        pytest.param("*/15 9-17 1,15 jan-jun mon-fri", True, id="everything"),
        pytest.param("0 0 * * 7", True, id="sunday-as-seven"),
        pytest.param("0 6 * *", False, id="four-fields"),
        pytest.param("0 6 * * 1 2027", False, id="six-fields"),
        pytest.param("60 6 * * *", False, id="minute"),
        pytest.param("0 24 * * *", False, id="hour"),
        pytest.param("0 0 0 * *", False, id="day"),
        pytest.param("0 0 * 13 *", False, id="month"),
        pytest.param("0 0 * * monday", False, id="weekday"),
        pytest.param("*/0 * * * *", False, id="step-of-nothing"),
        pytest.param("@daily", False, id="word"),
    ],
)
def test_a_schedule_is_five_cron_fields_within_their_range(cron, is_right):
    if is_right:
        assert TypeAdapter(Cron).validate_python(cron) == cron
    else:
        with pytest.raises(ValidationError, match=r"write"):
            Schedule(cron=cron)


@pytest.mark.parametrize(
    "zone", ["Europe", "europe/london", "../etc/passwd", "/etc/passwd", "", "BST1"]
)
def test_a_zone_that_is_not_known_is_refused(zone):
    with pytest.raises(ValidationError, match="write an IANA time zone"):
        Schedule(cron="0 6 * * 1", zone=zone)


@pytest.mark.parametrize(
    "name", ["Churn", "churn_call", "-churn", "churn-", "1st-call", "x" * 61, ""]
)
def test_a_name_is_in_kebab_case(name):
    with pytest.raises(ValidationError, match="kebab-case"):
        TypeAdapter(Slug).validate_python(name)


@pytest.mark.parametrize("prefix", ["C", "csc", "TOOLONG", "C-C", "C1"])
def test_a_prefix_is_two_to_six_capital_letters(prefix):
    with pytest.raises(ValidationError, match="capital letters"):
        TypeAdapter(Prefix).validate_python(prefix)


@pytest.mark.parametrize(
    "text", ["20270630", "2027-W26-3", "2027-6-30", "2027-02-29", "٢٠٢٧-06-30"]
)
def test_a_date_is_written_in_full(text):
    with pytest.raises(ValueError, match=r"\S"):
        iso_date(text)


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        pytest.param("2027-06-30 09:00", True, id="minutes"),
        pytest.param("2027-06-30T09:00:00.5+02:00", True, id="everything"),
        pytest.param("2027-06-30", True, id="date"),
        pytest.param("2027-06-30 9:00", False, id="one-digit"),
        pytest.param("2027-06-30 25:00", False, id="no-such-hour"),
        pytest.param("2027-W26-3T09:00", False, id="week"),
    ],
)
def test_an_instant_is_written_in_full(text, is_right):
    if is_right:
        assert iso_instant(text).date() == date(2027, 6, 30)
    else:
        with pytest.raises(ValueError, match=r"\S"):
            iso_instant(text)


def test_the_schema_for_editors_knows_every_key_and_what_it_means():
    schema = Definition.model_json_schema()

    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Rule"]["properties"]["because"]["description"]
    assert "from" in schema["$defs"]["Signal"]["required"]
