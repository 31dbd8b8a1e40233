import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from decisions.desk import Author
from decisions.errors import LifecycleError, NotUnderstood
from decisions.ledger import Filter
from decisions.ledger.records import (
    Allocation,
    Assignment,
    Case,
    Entry,
    LaterSignal,
    Notification,
)
from flows.settings import Settings
from flows.single import decide_one
from flows.sweep import decide
from flows.wiring import assemble
from tests.company import score, write_scores, write_workspace
from tests.samples import MONDAY, MovableClock

DECISION = "churn-save-call"


@pytest.fixture
def layer(tmp_path, ledger_url, monkeypatch):
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    folder = write_workspace(tmp_path / "company")
    write_scores(folder, [{"account_id": "acme"}], scored_at=MONDAY)
    settings = Settings(workspace=folder, home=tmp_path / "home", ledger=ledger_url)
    assembled = assemble(settings, MovableClock())
    yield assembled
    assembled.ledger.close()


def record(account_id, **changes):
    return score(account_id, **changes) | {"scored_at": MONDAY.isoformat()}


def written(layer):
    """Return every row that was written about cases, without what differs from run to run."""
    told = []
    with layer.ledger.reading() as connection:
        for about in (Case, Assignment, Notification, Allocation, Entry):
            table = about.__table__
            rows = connection.execute(select(table).order_by(*table.primary_key)).mappings()
            told += [dict(row) for row in rows if "run " not in (row.get("object") or "")]
    for row in told:
        for name in ("seal", "sha256"):
            row.pop(name, None)
        if facts := row.pop("facts", None):
            row["facts"] = facts.keys()
        if body := row.pop("body", None):
            row["body"] = json.loads(body) | {"evidence": "pinned"}
    return told


@pytest.mark.parametrize("holdout", [None, "50%"])
@pytest.mark.parametrize("subject", ["acme", "brightwater", "cobalt"])
def test_a_record_writes_what_a_batch_of_one_would(tmp_path, ledger_url, subject, holdout):
    layers = []
    for name, url in (("batch", f"sqlite:///{tmp_path / 'other.db'}"), ("single", ledger_url)):
        folder = write_workspace(tmp_path / name, holdout=holdout)
        write_scores(folder, [{"account_id": subject}], scored_at=MONDAY)
        settings = Settings(workspace=folder, home=tmp_path / name, ledger=url)
        layers.append(assemble(settings, MovableClock()))
    batch, single = layers

    decide(batch, DECISION)
    decide_one(single, DECISION, record(subject), key="1")

    assert written(single) == written(batch)
    assert single.ledger.verified().breach is None
    assert not sum(each.breaches for each in single.ledger.audited(single.workspace.people))
    for each in layers:
        each.ledger.close()


def test_a_later_record_of_an_open_case_is_kept_beside_it(layer):
    decide_one(layer, DECISION, record("acme"), key="1")
    layer.clock.wait(timedelta(days=1))
    later = {"scored_at": layer.clock().isoformat()}

    decide_one(layer, DECISION, record("acme", churn_probability=0.99) | later, key="2")

    with layer.ledger.reading() as connection:
        scores = connection.execute(select(LaterSignal.__table__.c.score)).scalars().all()
    assert scores == [0.99]


@pytest.mark.parametrize(
    ("changes", "verdict", "action"),
    [
        pytest.param({}, "opened", "call", id="selected"),
        pytest.param({"churn_probability": 0.79}, "opened", "write", id="by-the-next-rule"),
        pytest.param({"churn_probability": 0.59}, "not_met", "nothing", id="by-none"),
    ],
)
def test_a_record_is_told_what_became_of_it(layer, changes, verdict, action):
    told = decide_one(layer, DECISION, record("acme", **changes), key="1")

    assert (told.verdict, told.action) == (verdict, action)


def test_the_same_request_counts_once(layer):
    first = decide_one(layer, DECISION, record("acme"), key="1")

    again = decide_one(layer, DECISION, record("acme"), key="1")

    assert again == first
    assert len(layer.ledger.runs.latest(DECISION)) == 1


@pytest.mark.parametrize(
    ("changes", "threshold", "by_now"),
    [
        pytest.param({}, "0.8", "0.99", id="opened"),
        pytest.param({"churn_probability": 0.79}, "0.6", "0.85", id="by-the-next-rule"),
        pytest.param({"churn_probability": 0.1}, "0.6", "0.05", id="not-met"),
    ],
)
def test_the_same_request_is_answered_as_before_when_the_rules_have_changed(
    layer, changes, threshold, by_now
):
    first = decide_one(layer, DECISION, record("acme", **changes), key="1")
    file = layer.workspace.folder / f"{DECISION}.yaml"
    file.write_text(file.read_text().replace(threshold, by_now))
    later = assemble(layer.settings, layer.clock)

    again = decide_one(later, DECISION, record("acme", **changes), key="1")

    assert again == first
    assert decide_one(later, DECISION, record("brook", **changes), key="2").rule != first.rule
    later.ledger.close()


@pytest.mark.parametrize("changes", [{}, {"churn_probability": 0.1}], ids=["opened", "not-met"])
def test_the_same_request_is_answered_as_before_while_it_is_halted(layer, changes):
    first = decide_one(layer, DECISION, record("acme", **changes), key="1")
    stopped = Author("dana.reyes", "cli", "1")
    layer.brake.halt(layer.definition(DECISION), stopped, because="The scores are wrong.")

    assert decide_one(layer, DECISION, record("acme", **changes), key="1") == first
    with pytest.raises(LifecycleError):
        decide_one(layer, DECISION, record("acme", **changes), key="2")


def test_a_key_that_was_used_for_another_record_is_refused(layer):
    decide_one(layer, DECISION, record("acme"), key="1")

    with pytest.raises(NotUnderstood, match="used for another record"):
        decide_one(layer, DECISION, record("brook"), key="1")

    assert len(layer.ledger.runs.latest(DECISION)) == 1


def test_another_request_about_an_open_case_opens_no_second(layer):
    decide_one(layer, DECISION, record("acme"), key="1")

    again = decide_one(layer, DECISION, record("acme"), key="2")

    assert (again.verdict, again.reason) == ("suppressed", "already open")
    assert layer.ledger.cases.count(Filter()) == 1


def test_single_records_say_nothing_of_how_large_batches_are(layer):
    decide_one(layer, DECISION, record("acme"), key="1")

    assert layer.ledger.runs.earlier_counts(DECISION) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"arr": None}, "arr is missing", id="missing"),
        pytest.param({"churn_probability": 1.1}, "churn_probability is 1.1", id="out-of-range"),
        pytest.param({"churn_probability": "high"}, "which is no float", id="of-another-type"),
        pytest.param({"colour": "red"}, "unknown field 'colour'", id="unknown"),
        pytest.param({"scored_at": "2026-11-17"}, "was expected", id="still-to-come"),
        pytest.param({"scored_at": "soon"}, "write an ISO instant", id="no-instant"),
        pytest.param({"model_version": None}, "model_version", id="without-a-version"),
    ],
)
def test_a_record_that_a_gate_would_not_let_pass_is_refused(layer, changes, said):
    with pytest.raises(NotUnderstood, match=said):
        decide_one(layer, DECISION, record("acme") | changes, key="1")

    assert layer.ledger.runs.latest(DECISION) == []
