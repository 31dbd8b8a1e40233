"""Models judged on outcomes nobody acted on, from archive, warehouse and ledger."""

from datetime import timedelta

import duckdb
import numpy as np
import pytest
from sqlalchemy import select

from decisions.ledger.accuracies import judgements
from decisions.ledger.records import Entry, ModelAccuracy
from flows.judging import judge_models
from flows.sweep import decide
from tests.company import DECISION, assembled, score, write_scores, write_workspace
from tests.samples import MONDAY, MovableClock

COUNT = 400
SCORES = np.random.default_rng(2).random(COUNT).round(3)
LEFT = np.random.default_rng(3).random(COUNT) < SCORES


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def layer(tmp_path, clock):
    folder = write_workspace(tmp_path / "workspace", holdout="30%")
    rows = [score(f"a{n}", churn_probability=float(p)) for n, p in enumerate(SCORES)]
    write_scores(folder, rows, scored_at=MONDAY)
    made = assembled(folder, clock)
    decide(made, DECISION)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        for number, left in enumerate(LEFT):
            row = [f"a{number}", not left, MONDAY + timedelta(days=40)]
            warehouse.execute("INSERT INTO renewals VALUES (?, ?, ?)", row)
    yield made
    made.ledger.close()


def judged(layer):
    with layer.ledger.reading() as connection:
        return judgements(connection, DECISION, layer.clock())


@pytest.mark.parametrize(
    ("age", "batches"),
    [
        pytest.param(timedelta(days=60, seconds=-1), 0, id="a-second-early"),
        pytest.param(timedelta(days=60), 1, id="on-the-second"),
    ],
)
def test_a_batch_is_judged_once_its_outcomes_are_final(layer, clock, age, batches):
    clock.now = MONDAY + age

    assert judge_models(layer).batches == batches


def test_whoever_was_acted_on_is_left_out_and_the_held_out_stand_for_them(layer, clock):
    clock.now = MONDAY + timedelta(days=61)

    judge_models(layer)

    (found,) = judged(layer)
    not_selected = int((SCORES < 0.6).sum())
    held_out = found.accuracy.selected
    assert found.accuracy.subjects == not_selected + held_out
    assert found.accuracy.weight == pytest.approx(not_selected + held_out / 0.3)
    assert 0 < held_out < COUNT - not_selected
    assert 0.75 < found.accuracy.auc < 0.95
    assert found.accuracy.slope == pytest.approx(1, abs=0.35)


def test_a_batch_is_judged_once(layer, clock):
    clock.now = MONDAY + timedelta(days=61)
    judge_models(layer)

    assert judge_models(layer).batches == 0
    with layer.ledger.reading() as connection:
        acts = connection.execute(select(Entry.__table__.c.act)).scalars().all()
    assert acts.count("model judged") == 1
    assert layer.ledger.verified().breach is None


def test_of_a_month_one_batch_is_judged(layer, clock, tmp_path):
    for _ in range(2):
        clock.now += timedelta(days=1)
        write_scores(tmp_path / "workspace", [score("late")], scored_at=clock())
        decide(layer, DECISION)
    clock.now += timedelta(days=80)

    judge_models(layer)

    with layer.ledger.reading() as connection:
        runs = connection.execute(select(ModelAccuracy.__table__.c.run_id)).scalars().all()
    assert runs == [1]


def test_a_batch_whose_file_is_gone_says_so(layer, clock):
    layer.archive.place(DECISION, 1).unlink()
    clock.now = MONDAY + timedelta(days=61)

    judge_models(layer)

    (found,) = judged(layer)
    assert found.accuracy is None
    assert found.missing == "the file with the scores of run 1 is not here any more"


def test_what_is_recorded_later_is_not_known_before(layer, clock):
    clock.now = MONDAY + timedelta(days=61)
    judge_models(layer)

    with layer.ledger.reading() as connection:
        assert judgements(connection, DECISION, MONDAY + timedelta(days=60)) == ()
