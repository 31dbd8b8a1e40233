"""Why something happened to a subject, or did not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from decisions.errors import NotUnderstood
from flows import sweep
from flows.explaining import explain
from tests.company import CHURN_SAVE_CALL, DECISION, assembled, write_scores, write_workspace
from tests.samples import MONDAY, MovableClock

ROWS = [
    {"account_id": "acme"},
    {"account_id": "bolt", "churn_probability": 0.7},
    {"account_id": "core", "churn_probability": 0.2, "arr": 10},
]


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def folder(tmp_path):
    bounded = CHURN_SAVE_CALL.replace("limits: {prefer", "limits: {per_run: 1, prefer")
    gated = bounded.replace("signal:\n", "signal:\n  gate: {max_age: 26h}\n")
    withhold = "withhold: [{when: arr > 900000, because: too big to guess, to: technical}]\n"
    return write_workspace(tmp_path / "workspace", definition=gated + withhold)


@pytest.fixture
def layer(folder, clock):
    write_scores(folder, ROWS, scored_at=MONDAY)
    made = assembled(folder, clock)
    yield made
    made.ledger.close()


def test_an_opened_case_is_explained_with_rule_inputs_and_whoever_has_it(layer, clock):
    sweep.decide(layer, DECISION)

    found = explain(layer, DECISION, "acme", at=clock())

    assert (found.run, found.version, found.verdict, found.case) == (1, 1, "opened", "CSC-1")
    assert (found.rule, found.action, found.arm) == ("critical", "call", "treatment")
    assert (found.model, found.model_version, found.score) == ("churn-gbm", "7", 0.91)
    assert found.scored_at == MONDAY
    assert found.assignee == "mia.chen"
    [critical, watch] = found.rules
    assert [part["value"] for part in critical["condition"]["parts"]] == [True, True]
    assert watch["condition"]["inputs"] == {"churn_probability": 0.91}


def test_a_subject_below_the_threshold_is_told_which_condition_failed(layer, clock):
    sweep.decide(layer, DECISION)

    found = explain(layer, DECISION, "core", at=clock())

    assert (found.verdict, found.rule, found.case) == ("not_met", "otherwise", None)
    assert found.because == "no rule holds; otherwise leads to nothing"
    parts = found.rules[0]["condition"]["parts"]
    assert [(each["text"], each["value"], each["inputs"]) for each in parts] == [
        ("churn_probability >= 0.8", False, {"churn_probability": 0.2}),
        ("arr >= 50000", False, {"arr": 10.0}),
    ]


def test_a_limit_is_named_with_what_it_allows(layer, clock):
    sweep.decide(layer, DECISION)

    found = explain(layer, DECISION, "bolt", at=clock())

    assert (found.verdict, found.reason) == ("suppressed", "per_run: 1")
    assert found.because == (
        "rule 'watch' selected it, but a run may open 1, and others came first by "
        "churn_probability * arr"
    )


def test_whoever_had_an_open_case_is_told_which(layer, clock):
    sweep.decide(layer, DECISION)
    sweep.decide(layer, DECISION)

    found = explain(layer, DECISION, "acme", at=clock())

    assert (found.run, found.reason, found.case) == (2, "already open", "CSC-1")
    assert "CSC-1 of it was open" in found.because


def test_the_run_in_force_then_is_explained_not_the_last(layer, folder, clock):
    sweep.decide(layer, DECISION)
    clock.now = MONDAY + timedelta(days=7)
    rows = [{"account_id": "core", "churn_probability": 0.99, "arr": 100_000}]
    write_scores(folder, rows, scored_at=clock.now)
    sweep.decide(layer, DECISION)

    then = explain(layer, DECISION, "core", at=MONDAY + timedelta(days=2))
    now = explain(layer, DECISION, "core", at=clock())

    assert (then.run, then.verdict, then.score) == (1, "not_met", 0.2)
    assert (now.run, now.verdict, now.score) == (2, "opened", 0.99)


def test_a_withheld_batch_is_explained_by_what_the_gate_found(layer, folder, clock):
    write_scores(folder, ROWS, scored_at=MONDAY - timedelta(days=3))
    sweep.decide(layer, DECISION)

    found = explain(layer, DECISION, "acme", at=clock())

    assert (found.verdict, found.reason, found.score) == ("withheld", "gate", 0.91)
    assert "72 h old; at most 26 hours was expected" in found.because


def test_what_the_boundary_withheld_is_explained_in_its_words(layer, folder, clock):
    write_scores(folder, [{"account_id": "huge", "arr": 950_000}], scored_at=MONDAY)
    sweep.decide(layer, DECISION)

    found = explain(layer, DECISION, "huge", at=clock())

    assert (found.verdict, found.because) == (
        "withheld",
        "it was left to a person: too big to guess",
    )
    assert found.boundary[0]["condition"]["value"] is True
    assert (found.rule, found.action) == (None, None)


def test_a_held_out_subject_is_explained_as_left_alone_on_purpose(tmp_path, clock):
    folder = write_workspace(tmp_path / "held", holdout="50%")
    rows = [{"account_id": f"a{n}"} for n in range(20)]
    write_scores(folder, rows, scored_at=MONDAY)
    layer = assembled(folder, clock)
    sweep.decide(layer, DECISION)

    found = [explain(layer, DECISION, row["account_id"], at=clock()) for row in rows]

    left_alone = [each for each in found if each.verdict == "held_out"]
    assert 0 < len(left_alone) < 20
    assert {each.arm for each in left_alone} == {"control"}
    assert "to compare with (50% are)" in left_alone[0].because
    layer.ledger.close()


def test_a_subject_that_no_run_knew_is_said_to_be_unknown(layer, clock):
    sweep.decide(layer, DECISION)

    found = explain(layer, DECISION, "zeta", at=clock())

    assert found.verdict is None
    assert found.because == "it was not among the 3 subjects of run 1"
    assert "no earlier run knew it" in found.notes[0]


def test_a_subject_that_left_the_batch_is_told_where_it_was_last(layer, folder, clock):
    sweep.decide(layer, DECISION)
    clock.now = MONDAY + timedelta(days=7)
    write_scores(folder, ROWS[:1], scored_at=clock.now)
    sweep.decide(layer, DECISION)

    found = explain(layer, DECISION, "core", at=clock())

    assert "--at 2026-11-16 explains that" in found.notes[0]


def test_a_decision_that_was_never_asked_says_so(layer, clock):
    assert "was never asked" in explain(layer, DECISION, "acme", at=clock()).because


def test_an_unknown_decision_is_refused(layer, clock):
    with pytest.raises(NotUnderstood, match="did you mean 'churn-save-call'"):
        explain(layer, "churn-save-cal", "acme", at=clock())


@pytest.mark.parametrize(
    ("subject", "verdict", "said"),
    [
        pytest.param("acme", "opened", "CSC-1 was opened", id="opened"),
        pytest.param("core", None, "cannot be told without the archive", id="not-opened"),
    ],
)
def test_without_the_archive_the_ledger_says_what_it_can(layer, clock, subject, verdict, said):
    sweep.decide(layer, DECISION)
    layer.archive.place(DECISION, 1).unlink()

    found = explain(layer, DECISION, subject, at=clock())

    assert found.verdict == verdict
    assert said in found.because
    assert "the archive of run 1 is missing" in found.notes[0]


def test_of_a_warehouse_elsewhere_it_says_what_was_kept(layer, clock):
    inner = layer.warehouses["warehouse"]

    class Elsewhere:
        name, dialect = inner.name, inner.dialect
        relation, columns, select = inner.relation, inner.columns, inner.select

    sweep.decide(replace(layer, warehouses={"warehouse": Elsewhere()}), DECISION)

    assert explain(layer, DECISION, "acme", at=clock()).verdict == "opened"
    assert "only what a rule selects leaves" in explain(layer, DECISION, "core", at=clock()).because
