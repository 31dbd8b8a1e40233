from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.definition import Definition
from decisions.ports import Fact
from decisions.wording import changed_facts, found_at_fault, shown_facts, title, why

OPENED_AT = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
FACTS = {
    "account_id": "A-17",
    "scored_at": "2026-11-20 06:00:00+00",
    "risk": 0.914,
    "arr": 80000.0,
    "seats": 12,
    "company": "Acme & Söhne <b>",
    "renewal_on": "2026-12-31",
    "is_trial": False,
    "notes": None,
}


def definition(**action) -> Definition:
    return Definition.model_validate(
        {
            "decision": "save-call",
            "purpose": {"question": "Call?", "metric": "renewals"},
            "owners": {"business": "dana", "technical": "lee"},
            "review_by": date(2027, 6, 30),
            "signal": {
                "from": "warehouse",
                "table": "scores",
                "subject": "account_id",
                "score": "risk",
                "scored_at": "scored_at",
                "model": {"name": "churn", "version": "'1'"},
                "fields": {
                    "risk": {"type": "float", "min": 0, "max": 1},
                    "arr": {"type": "decimal", "unit": "USD", "label": "Annual revenue"},
                    "seats": {"type": "integer", "unit": "seats"},
                    "company": "string",
                    "renewal_on": "date",
                    "is_trial": "boolean",
                    "notes": "string",
                },
            },
            "match": "first",
            "rules": [
                {
                    "name": "high",
                    "when": "risk > 0.8",
                    "do": "call",
                    "because": "{{ risk | percent }} likely, {{ arr | money }} a year",
                }
            ],
            "otherwise": "nothing",
            "actions": {
                "call": {
                    "autonomy": "notify",
                    "through": ["slack"],
                    "title": "Call {{ company }} within {{ renewal_on | days_from_now }} days",
                    "respond_within": "4h",
                    "override_reasons": ["data is wrong"],
                    **action,
                }
            },
        }
    )


def titled(facts, zone="UTC", **action) -> str:
    return title(definition(**action), action="call", facts=facts, opened_at=OPENED_AT, zone=zone)


def reasoned(facts, rule="high") -> str:
    return why(definition(), rule=rule, facts=facts, opened_at=OPENED_AT, zone="UTC")


def test_the_title_and_the_reason_are_written_from_the_facts():
    assert titled(FACTS) == "Call Acme & Söhne <b> within 41 days"
    assert reasoned(FACTS) == "91% likely, $80,000 a year"


def test_days_are_counted_from_the_day_it_is_where_the_reader_is():
    # 23:30 on 20 November in UTC is the 21st in Berlin.
    assert titled(FACTS, zone="Europe/Berlin") == "Call Acme & Söhne <b> within 40 days"


def test_the_subject_and_the_scoring_instant_can_be_named():
    assert titled(FACTS, title="{{ account_id }}, {{ scored_at }}", zone="Europe/Berlin") == (
        "A-17, 20 Nov 2026, 07:00"
    )


def test_a_fact_that_is_not_known_is_said_to_be_so():
    facts = FACTS | {"renewal_on": None}

    assert titled(facts) == "Call Acme & Söhne <b> within an unknown number of days"
    assert titled(facts, title="By {{ renewal_on | date }}") == "By not known"


def test_a_template_too_deep_for_the_moment_gives_way_to_the_plain_title():
    assert titled(FACTS, title="{{ " + "(" * 450 + "risk" + ")" * 450 + " }}") == "Decide on A-17"


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"account_id": "A-17"}, id="a-fact-is-missing"),
        pytest.param(FACTS | {"renewal_on": "soon"}, id="no-date"),
        pytest.param(FACTS | {"renewal_on": 20}, id="a-number-for-a-date"),
        pytest.param(FACTS | {"arr": {"deep": 1}}, id="an-object"),
    ],
)
def test_a_title_that_cannot_be_written_gives_way_to_a_plain_one(facts):
    assert titled(facts) == "Decide on A-17"


def test_a_comparison_with_nothing_gives_way_to_the_plain_title():
    text = "{% if arr > 5 %}Call{% endif %}"

    assert titled(FACTS | {"arr": None}, title=text) == "Decide on A-17"


def test_an_empty_title_gives_way_to_the_plain_one():
    assert titled(FACTS, title="{% if is_trial %}Call{% endif %}") == "Decide on A-17"


def test_a_reason_that_cannot_be_written_gives_way_to_the_name_of_the_rule():
    assert reasoned({"account_id": "A-17"}) == "Rule: high"


def test_a_case_that_no_rule_selected_says_so():
    assert reasoned(FACTS, rule="otherwise") == "Rule: otherwise"


def test_a_value_that_looks_like_a_template_stays_what_it_is():
    assert (
        titled(FACTS | {"company": "{{ arr | money }}"}) == "Call {{ arr | money }} within 41 days"
    )


def test_evidence_is_shown_in_the_order_and_with_the_units_of_the_definition():
    shown = shown_facts(
        definition(show=["arr", "risk", "seats", "renewal_on", "is_trial", "notes", "scored_at"]),
        "call",
        FACTS,
        "America/New_York",
    )

    assert shown == (
        Fact(label="Annual revenue", text="$80,000"),
        Fact(label="Risk", text="91%"),
        Fact(label="Seats", text="12 seats"),
        Fact(label="Renewal on", text="31 Dec 2026"),
        Fact(label="Is trial", text="no"),
        Fact(label="Notes", text="not known"),
        Fact(label="Scored at", text="20 Nov 2026, 01:00"),
    )


def test_evidence_of_another_type_than_declared_is_shown_as_it_is():
    assert shown_facts(definition(show=["arr"]), "call", {"arr": "many"}, "UTC") == (
        Fact(label="Annual revenue", text="many"),
    )


def test_a_long_fact_is_cut():
    (fact,) = shown_facts(definition(show=["company"]), "call", {"company": "x" * 9_999}, "UTC")

    assert len(fact.text) == 500


def test_an_action_that_is_gone_shows_nothing():
    assert shown_facts(definition(), "call-back", FACTS, "UTC") == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(FACTS)), JSON))
def test_no_fact_whatever_costs_a_case_its_words(facts):
    assert titled(facts)
    assert reasoned(facts)
    assert len(shown_facts(definition(show=sorted(FACTS)), "call", facts, "UTC")) == len(FACTS)


def test_what_the_gate_found_names_a_few_of_the_subjects():
    examples = [{"fault": 1, "subject": f"k{n}", "value": None if n else "7"} for n in range(9)]
    examples += [{"fault": 2, "subject": None, "value": None}]

    told = found_at_fault(["too few rows", "risk: outside", "no subject"], examples, most=2)

    assert told == [
        "too few rows",
        "risk: outside; such as k0 (7), k1 (nothing)",
        "no subject; such as a row without a subject (nothing)",
    ]


def test_what_a_later_signal_changed_is_told_with_what_it_was():
    before = {"risk": 0.91, "arr": 80_000}

    decision = definition(show=["risk", "arr"])

    changed = changed_facts(decision, "call", before, before | {"risk": 0.97}, "UTC")

    assert changed == (Fact(label="Risk", text="97% (was 91%)"),)
