"""The operating boundary and the unique match, from the warehouse to what people are told."""

from datetime import UTC, datetime

import duckdb
import pytest

from connectors.warehouse.duckdb import DuckDBConfig, DuckDBWarehouse
from decisions.deciding.boundary import Withheld, withheld
from decisions.deciding.evaluation import selected
from decisions.ledger import Ledger
from flows.messages import message_for
from tests.samples import MONDAY, MovableClock, batch, definition, matches, people

SCORES = """
CREATE TABLE scores AS SELECT * FROM (VALUES
    ('ada', 0.95, 10.0), ('bea', 0.85, 90.0), ('cid', 0.99, NULL), ('dot', 0.10, 90.0)
) AS t(account_id, risk, arr), (SELECT TIMESTAMPTZ '2026-11-16 05:00Z' AS scored_at,
    NULL::VARCHAR AS account_manager)
"""
UNSURE = {"when": "risk >= 0.9", "because": "too sure to be true", "to": "technical"}
SMALL = {"when": "arr < 50", "because": "too small to call", "to": "omar.haddad"}


def rule(name, when):
    return {"name": name, "when": when, "do": "call", "because": "so"}


RICH_AND_RISKY = {
    "match": "unique",
    "rules": [rule("risky", "risk >= 0.8"), rule("rich", "arr >= 50"), rule("sure", "risk > 0.98")],
}


@pytest.fixture
def warehouses(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as engine:
        engine.execute(SCORES)
    config = DuckDBConfig(path=path.name)
    return {"warehouse": DuckDBWarehouse("warehouse", config, tmp_path)}


def kept_back(warehouses, **changes):
    return withheld(definition(**changes), warehouses, as_of=MONDAY)


def acted_on(warehouses, **changes):
    rows = selected(definition(**changes), warehouses, as_of=MONDAY)
    return rows.column("subject").to_pylist()


def test_whom_the_boundary_withholds_is_not_acted_on_whatever_the_rules_say(warehouses):
    assert acted_on(warehouses) == ["ada", "bea", "cid"]
    assert acted_on(warehouses, withhold=[UNSURE]) == ["bea"]


def test_the_first_entry_that_holds_gives_the_reason_and_null_does_not_hold(warehouses):
    assert kept_back(warehouses, withhold=[SMALL, UNSURE]) == (
        Withheld("too small to call", "omar.haddad", 1, ("ada",)),
        Withheld("too sure to be true", "technical", 1, ("cid",)),
    )
    assert kept_back(warehouses, withhold=[UNSURE]) == (
        Withheld("too sure to be true", "technical", 2, ("ada", "cid")),
    )


def test_a_subject_that_no_rule_selects_is_withheld_as_well(warehouses):
    entry = {"when": "risk < 0.5", "because": "far from any case", "to": "business"}

    assert kept_back(warehouses, withhold=[entry])[0].examples == ("dot",)


def test_under_unique_a_subject_that_two_rules_select_is_withheld_with_both_names(warehouses):
    assert acted_on(warehouses, **RICH_AND_RISKY) == ["ada", "dot"]
    assert kept_back(warehouses, **RICH_AND_RISKY) == (
        Withheld("the rules 'risky' and 'rich' both hold", "technical", 1, ("bea",)),
        Withheld("the rules 'risky' and 'sure' both hold", "technical", 1, ("cid",)),
    )


def test_under_unique_the_boundary_comes_first_and_otherwise_is_no_rival(warehouses):
    changes = RICH_AND_RISKY | {"withhold": [UNSURE], "otherwise": "call"}

    assert acted_on(warehouses, **changes) == ["dot"]
    assert [each.count for each in kept_back(warehouses, **changes)] == [2, 1]


def test_where_nothing_can_be_withheld_nothing_is_asked():
    assert kept_back({}) == ()


UNSURE_ONES = Withheld("too sure to be true", "technical", 30, ("ada", "zoe"))
SMALL_ONES = Withheld("too small to call", "lee.park", 1, ("bob",))


def recorded(ledger, *kept, rows=40, who=None):
    return ledger.runs.record(
        definition(), batch(rows), matches({"subject": "x"}), who or people(), withheld=kept
    )


def told(ledger, who=None):
    claims = ledger.outbox.claim(most=100)
    messages = [message_for(claim, who or people(), "") for claim in claims if claim.run]
    return {message.to.person: message for message in messages}


@pytest.fixture
def ledger(ledger_url):
    made = Ledger(ledger_url, MovableClock())
    yield made
    made.close()


def test_withheld_subjects_are_counted_by_reason_and_verdicts_add_up(ledger):
    run = recorded(ledger, UNSURE_ONES, SMALL_ONES)

    assert run.counts["withheld"] == {"too sure to be true": 30, "too small to call": 1}
    assert run.counts["opened"] + run.counts["not_met"] + 31 == run.evaluated


def test_one_person_gets_one_message_with_every_reason_the_number_and_examples(ledger):
    recorded(ledger, UNSURE_ONES, SMALL_ONES)

    messages = told(ledger)

    assert list(messages) == ["lee.park"]
    assert messages["lee.park"].title == "churn-save-call: 31 subjects withheld"
    assert {each.label: each.text for each in messages["lee.park"].facts} == {
        "too sure to be true": "30, among them account_id ada and zoe",
        "too small to call": "1: account_id bob",
    }


def test_two_people_hear_of_their_own(ledger):
    recorded(ledger, UNSURE_ONES, Withheld("too small to call", "business", 1, ("bob",)))

    facts = {person: [each.label for each in m.facts] for person, m in told(ledger).items()}

    assert facts == {"lee.park": ["too sure to be true"], "dana.reyes": ["too small to call"]}


def test_the_same_batch_again_tells_nobody_again_and_another_one_does(ledger):
    heard = []
    for rows in (40, 40, 41):
        recorded(ledger, UNSURE_ONES, rows=rows)
        heard.append(list(told(ledger)))

    assert heard == [["lee.park"], [], ["lee.park"]]


def test_where_nobody_is_left_for_the_name_the_business_owner_hears(ledger):
    known = people().model_dump(by_alias=True, exclude_defaults=True)["people"]
    known["omar.haddad"] |= {"last_day": datetime(2026, 1, 31, tzinfo=UTC).date()}
    who = people(people=known)

    recorded(ledger, Withheld("too small to call", "omar.haddad", 1, ("bob",)), who=who)

    assert list(told(ledger, who)) == ["dana.reyes"]
