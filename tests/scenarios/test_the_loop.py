from datetime import timedelta

import pytest

from flows.decide import decide
from flows.observe import observe
from tests.samples import MONDAY

MEASURED = {
    "holdout": {"share": "50%", "salt": "q4"},
    "intervention": {
        "proof": {"from": "warehouse", "table": "calls", "on": "account_id", "at": "called_at"}
    },
    "outcome": {
        "from": "warehouse", "table": "renewals", "measure": "renewed", "on": "account_id",
        "window": "30d", "lag": "2d", "better": "higher",
    },
}  # fmt: skip

RENEWED = "SELECT 'a' || i AS account_id, i % 2 = 0 AS renewed FROM range({}) AS t(i)"


def test_a_score_becomes_a_case_with_a_named_person_who_hears_why(world):
    world.opens("acme")

    message = world.channel.messages[0]
    assert (message.to.name, message.case, message.title) == ("Mia Chen", "CSC-1", "Call acme")
    assert message.why == "90% likely to leave"
    assert message.owner == "Dana Reyes"
    assert message.answer_by == MONDAY + timedelta(hours=4)


def test_an_unanswered_case_climbs_one_person_at_a_time(world):
    world.opens("acme")
    assert world.heard_by("mia.chen") == ["Call acme"]

    world.forward(hours=4)
    assert world.heard_by("omar.haddad") == [
        "Nobody has answered in time; it is with Mia Chen: Call acme"
    ]
    world.forward(hours=7)
    assert world.heard_by("dana.reyes") == []
    world.forward(hours=1)
    assert len(world.heard_by("dana.reyes")) == 1
    world.forward(hours=4)
    assert world.state() == "unanswered"


def test_an_answer_ends_the_climb(world):
    world.opens("acme")
    world.forward(hours=4)
    world.layer.desk.acknowledge("CSC-1", world.says("mia.chen"))

    world.forward(hours=30)

    assert world.heard_by("dana.reyes") == []
    assert world.state() == "acknowledged"


def test_running_again_opens_nothing(world):
    first = world.opens("acme", "bolt")
    again = world.runs(decide, "churn-save-call")

    assert (first.opened, again.opened) == (2, 0)
    assert again.suppressed == {"already open": 2}
    assert again.selected == 2


def test_beyond_the_boundary_nothing_is_decided_and_one_person_hears_once(world):
    unsure = {"when": "risk >= 0.99", "because": "too sure to be true", "to": "technical"}
    world.decides(withhold=[unsure])
    world.scores("acme", "bolt", risk=0.995)

    first = world.runs(decide, "churn-save-call")
    again = world.runs(decide, "churn-save-call")
    world.forward(minutes=1)

    assert (first.opened, first.withheld) == (0, {"too sure to be true": 2})
    assert again.withheld == first.withheld
    assert [message.split(": ")[-1] for message in world.heard_by("lee.park")] == [
        "2 subjects withheld"
    ]
    assert world.heard_by("mia.chen") == []


def test_a_batch_that_breaks_its_contract_opens_nothing_and_the_technical_owner_hears(world):
    world.scores("acme", risk=1.5)

    decided = world.runs(decide, "churn-save-call")
    world.forward(minutes=1)

    assert (decided.opened, decided.faults) == (
        0,
        ["risk: 1 of 1 rows are outside 0 to 1; found 1.5 to 1.5"],
    )
    assert [message.split(": ")[-1] for message in world.heard_by("lee.park")] == [
        "the whole batch is withheld"
    ]


def test_the_loop_closes_with_proof_and_outcome_in_both_arms(world):
    world.decides(**MEASURED)
    accounts = [f"a{n}" for n in range(20)]
    world.warehouse(
        "CREATE TABLE calls AS SELECT unnest(['a0', 'a1']) AS account_id, "
        "TIMESTAMPTZ '2026-11-17 10:00Z' AS called_at",
        f"CREATE TABLE renewals AS {RENEWED.format(19)}",
    )
    decided = world.opens(*accounts)

    world.clock.now += timedelta(days=31)
    early = world.runs(observe)
    world.clock.now += timedelta(days=1)
    seen = world.runs(observe)
    again = world.runs(observe)

    assert decided.opened + decided.held_out == 20
    assert (early.proven, early.outcomes) == (2, 0)
    assert (seen.outcomes, seen.missing) == (20, 1)
    assert (again.proven, again.outcomes) == (0, 0)
    assert {world.state(f"CSC-{n}") for n in range(1, 21)} == {"open", "released"}


def test_a_probe_that_does_not_answer_is_named_and_nothing_is_lost(world):
    world.decides(**MEASURED)
    world.opens("a0", "a1")
    world.clock.now += timedelta(days=40)

    failed = world.runs(observe)
    world.warehouse(
        "CREATE TABLE calls (account_id VARCHAR, called_at TIMESTAMPTZ)",
        f"CREATE TABLE renewals AS {RENEWED.format(2)}",
    )
    mended = world.runs(observe)

    assert len(failed.faults) == 2
    for fault, table in zip(failed.faults, ("calls", "renewals"), strict=True):
        assert fault.startswith("churn-save-call: warehouse: ")
        assert f"{table} does not exist" in fault
    assert failed.outcomes == 0
    assert (mended.outcomes, mended.faults) == (2, [])


def test_a_warehouse_that_is_away_leaves_nothing_half_written(world):
    world.opens("acme")
    (world.folder / "warehouse.duckdb").rename(world.folder / "away.duckdb")

    with pytest.raises(Exception, match="there is no database"):
        world.runs(decide, "churn-save-call")

    assert len(world.layer.ledger.runs.latest()) == 1
