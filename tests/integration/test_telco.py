"""A telephone company's own scores: the counts of a run, and plain SQL on the same files."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from decisions.deciding.rehearsal import failed_examples
from decisions.effectiveness.accuracy import accuracy
from decisions.effectiveness.verdict import VerdictKind
from flows import observing, sweep, wiring
from flows.demo.clock import MovableClock
from flows.reporting import report_now
from flows.settings import Settings

ROOT = Path(__file__).parents[2]
WORKSPACE = ROOT / "examples" / "telco"
DATA = Path(os.environ.get("TELCO_DATA") or ROOT.parent / "shared" / "data")
FILES = ("telco_scores.parquet", "telco_outcomes.csv")
DECISION = "telco-save-call"
RUN_AT = datetime(2026, 11, 2, 7, tzinfo=UTC)
REPORT_AT = datetime(2026, 12, 10, tzinfo=UTC)

needs_data = pytest.mark.skipif(
    not all((DATA / name).is_file() for name in FILES),
    reason=f"there is no {' or no '.join(FILES)} in {DATA}; TELCO_DATA may name another folder",
)

SELECTED = """
    SELECT count(*), count(*) FILTER (churn_probability >= 0.6 AND monthly_charges >= 70)
    FROM read_parquet($scores)
"""
CHURNED = """
    SELECT count(*), sum(churned)
    FROM read_parquet($scores) AS s JOIN read_csv($outcomes) USING (customer_id)
    WHERE s.churn_probability >= 0.6 AND s.monthly_charges >= 70
"""


def counted(query: str) -> tuple[int, int]:
    named = {"scores": str(DATA / FILES[0]), "outcomes": str(DATA / FILES[1])}
    used = {name: path for name, path in named.items() if f"${name}" in query}
    with duckdb.connect() as engine:
        all_of_them, some = engine.execute(query, used).fetchone()
    return int(all_of_them), int(some)


@pytest.fixture
def clock():
    return MovableClock(RUN_AT)


@pytest.fixture
def layer(tmp_path, monkeypatch, clock):
    monkeypatch.setenv("TELCO_DATA", str(DATA))
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    settings = Settings(workspace=WORKSPACE, home=tmp_path)
    made = wiring.assemble(settings, clock)
    yield made
    assert made.ledger.verified().breach is None
    made.ledger.close()


@needs_data
def test_a_run_counts_what_plain_sql_counts(layer):
    evaluated, selected = counted(SELECTED)

    found = sweep.decide(layer, DECISION)

    assert found.faults == []
    assert (found.evaluated, found.selected) == (evaluated, selected)
    assert found.opened + found.held_out + sum(found.suppressed.values()) == selected
    assert found.not_met == evaluated - selected
    assert found.held_out == pytest.approx(0.2 * selected, rel=0.25)


HELD_AGAINST = """
    SELECT churn_probability AS score, churned::INTEGER AS event, 1.0::DOUBLE AS weight,
        churn_probability >= 0.5 AS selected
    FROM read_parquet($scores) JOIN read_csv($outcomes) USING (customer_id)
    WHERE data_split = 'test'
"""


@needs_data
def test_the_scores_are_as_right_as_their_makers_say():
    files = {"scores": str(DATA / FILES[0]), "outcomes": str(DATA / FILES[1])}
    with duckdb.connect() as engine:
        known = engine.sql(HELD_AGAINST, params=files).to_arrow_table()

    found = accuracy(known, is_rate=True)

    assert (found.subjects, found.selected) == (2_818, 637)
    assert (round(found.auc, 4), round(found.brier, 4)) == (0.8461, 0.1358)
    assert round(found.precision.estimate, 3) == 0.658


@needs_data
def test_the_same_batch_opens_nothing_twice(layer, clock):
    first = sweep.decide(layer, DECISION)
    clock.move_to(RUN_AT + timedelta(hours=1))

    second = sweep.decide(layer, DECISION)

    assert (second.opened, second.held_out) == (0, 0)
    assert second.suppressed == {"already open": first.opened + first.held_out}


@needs_data
def test_scores_of_yesterday_are_refused(layer, clock):
    clock.move_to(RUN_AT + timedelta(days=1))

    found = sweep.decide(layer, DECISION)

    assert (found.opened, found.held_out) == (0, 0)
    assert "h old; at most 26 hours was expected" in found.faults[0]


@needs_data
def test_outcomes_of_the_past_show_no_effect_of_calls_that_nobody_made(layer, clock):
    selected, churned = counted(CHURNED)
    sweep.decide(layer, DECISION)
    clock.move_to(REPORT_AT)

    seen = observing.observe(layer)
    (reported,) = report_now(layer, [DECISION], look=True)

    arms = (reported.report.control, reported.report.treatment)
    assert (seen.outcomes, seen.missing) == (selected, 0)
    assert sum(arm.observed for arm in arms) == selected
    assert sum(arm.total for arm in arms) == churned
    assert reported.report.verdict.kind is VerdictKind.NO_EVIDENCE_YET


def test_the_workspace_has_no_fault_and_its_examples_hold():
    known = wiring.read_workspace(Settings(workspace=WORKSPACE), lambda: RUN_AT)

    assert known.warnings == ()
    assert failed_examples(known.decisions[DECISION], today=RUN_AT.date()) == ()
