"""Whatever is changed in a definition is told, in the words of those who sign it."""

from pathlib import Path

import pytest

from decisions.definition import Definition
from decisions.difference import differences
from decisions.workspace.yaml_text import read_yaml
from tests.samples import action, definition, people

SHIPPED = Path(__file__).parents[2] / "decisions/definitions/churn-save-call.yaml"


def told(before, after):
    return [(change.topic, change.text) for change in differences(before, after, people())]


def changed(**changes):
    return told(definition(), definition(**changes))


def rule(name="critical", when="risk >= 0.8", do="call", because="It may leave"):
    return {"name": name, "when": when, "do": do, "because": because}


def test_the_same_content_differs_in_nothing():
    assert told(definition(), definition()) == []


def test_a_threshold_is_told_in_words():
    before = definition(rules=[rule()])

    found = told(before, definition(rules=[rule(when="risk >= 0.75")]))

    assert found == [
        (
            "Who is selected",
            "critical: condition: was “risk is at least 80%”, is “risk is at least 75%”",
        )
    ]


def test_a_rule_that_came_or_went_is_told_as_one():
    one, other = definition(rules=[rule()]), definition(rules=[rule(), rule("watch", "risk > 0.5")])

    assert told(one, other) == [
        (
            "Who is selected",
            "watch: new, condition “risk is above 50%”; asks for call; reason It may leave",
        )
    ]
    assert told(other, one)[0][1].startswith("watch: gone, was condition “risk is above 50%”")


def test_rules_that_changed_places_are_not_gone_and_new():
    first, second = rule(), rule("watch", "risk > 0.5")

    found = told(definition(rules=[first, second]), definition(rules=[second, first]))

    assert found == [
        ("Who is selected", "rules are tried in another order: watch, critical"),
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param(
            {
                "owners": {
                    "business": "omar.haddad",
                    "technical": "lee.park",
                    "backup": "sam.ortiz",
                }
            },
            "business owner: was Dana Reyes, is Omar Haddad",
            id="owner",
        ),
        pytest.param({"limits": {"per_run": 5}}, "cases of one run: new, 5", id="limit"),
        pytest.param(
            {"actions": {"call": action(respond_within="2h")}},
            "call: time to answer: was 4 hours, is 2 hours",
            id="deadline",
        ),
        pytest.param(
            {"actions": {"call": action(escalate=[{"after": "4h", "to": "business"}])}},
            "call: escalation: was after 4 hours; to assignee.manager, after 8 hours; to business, "
            "is after 4 hours; to business",
            id="escalation",
        ),
        pytest.param({"review_by": "2027-12-31"}, "next review: was ", id="review"),
    ],
)
def test_what_owners_care_for_has_its_words(changes, text):
    [(_, found)] = changed(**changes)

    assert found.startswith(text)


def leaves(content, path=()):
    if isinstance(content, dict):
        for key, value in content.items():
            yield from leaves(value, (*path, key))
    else:
        yield path


def without(content, path):
    if len(path) == 1:
        return {key: value for key, value in content.items() if key != path[0]}
    return content | {path[0]: without(content[path[0]], path[1:])}


def test_no_key_of_a_complete_definition_can_change_unnoticed():
    whole = Definition.model_validate(read_yaml(SHIPPED, SHIPPED.name).content)
    written = read_yaml(SHIPPED, SHIPPED.name).content
    missed = []
    for path in leaves(written):
        try:
            other = Definition.model_validate(without(written, path))
        except ValueError:
            continue  # it cannot be left out
        paths = {change.path for change in differences(whole, other, people())}
        if whole != other and not paths:
            missed.append(path)

    assert missed == []
