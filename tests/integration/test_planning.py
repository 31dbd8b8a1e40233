"""Planning a measurement over a workspace on disk, from files of scores and from the ledger."""

import json
from datetime import timedelta

import duckdb
import pytest

from decisions.errors import NotUnderstood
from flows.cli import main
from flows.planning import plan_now
from flows.sweep import decide
from tests.company import CHURN_SAVE_CALL, DECISION, assembled, score, write_scores, write_workspace
from tests.samples import MONDAY, MovableClock

DECLARED = CHURN_SAVE_CALL.replace(
    "  metric: share of accounts that renew\n",
    "  metric: share of accounts that renew\n  baseline: 71%\n",
).replace("  value: arr\n", "  value: arr\n  worthwhile: 6 points\n")
WEEK = timedelta(weeks=1)


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def folder(tmp_path):
    return write_workspace(tmp_path / "workspace", holdout="20%", definition=DECLARED)


@pytest.fixture
def layer(folder, clock):
    write_scores(folder, [score("acme")], scored_at=MONDAY)
    made = assembled(folder, clock)
    yield made
    made.ledger.close()


def batch_file(folder, number, subjects):
    """Write a batch of scores as a Parquet file, each subject to be called."""
    source = folder / f"batch-{number}.parquet"
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(
            f"COPY (SELECT 'a' || i AS account_id, 'A Ltd' AS company, 'mia.chen' AS "
            f"account_manager, 0.91 AS churn_probability, 80000::DECIMAL(12, 2) AS arr, "
            f"DATE '2027-01-03' AS renewal_on, NULL::VARCHAR AS top_reason, '7' AS model_version, "
            f"TIMESTAMPTZ '{MONDAY + number * WEEK}' AS scored_at FROM range({subjects}) t(i)) "
            f"TO '{source}' (FORMAT parquet)"
        )
    return source


def test_files_of_scores_tell_the_stock_and_the_flow(layer, folder):
    files = [batch_file(folder, number, 200 + 40 * number) for number in range(3)]

    found = plan_now(layer, DECISION, scores=files)

    pace = found.plan.pace
    assert (pace.at_once, pace.weekly, pace.batches) == (200, 40.0, 3)
    assert (found.base_from, found.plan.base) == ("purpose.baseline", 0.71)
    assert found.plan.declared.price == pytest.approx(found.plan.declared.held_out * 0.06 * 80_000)


def test_runs_of_the_ledger_tell_it_too(layer, folder, clock):
    for number in range(3):
        rows = [score(f"a{subject}") for subject in range(4 + 2 * number)]
        write_scores(folder, rows, scored_at=clock())
        decide(layer, DECISION)
        clock.now += WEEK

    found = plan_now(layer, DECISION)

    assert (found.plan.pace.at_once, found.plan.pace.weekly) == (4, 2.0)
    assert found.plan.warnings[0].startswith("It will never be able to tell")


@pytest.fixture
def limited(tmp_path, clock):
    text = DECLARED.replace("limits: {", "limits: {per_run: 3, ")
    folder = write_workspace(tmp_path / "limited", holdout="20%", definition=text)
    write_scores(folder, [score(f"a{number}") for number in range(8)], scored_at=MONDAY)
    made = assembled(folder, clock)
    yield made
    made.ledger.close()


def test_whom_limits_hold_back_in_every_run_is_not_counted_on(limited, clock):
    for _ in range(2):
        decide(limited, DECISION)
        clock.now += WEEK
        write_scores(
            limited.settings.workspace,
            [score(f"a{number}") for number in range(8)],
            scored_at=clock(),
        )

    pace = plan_now(limited, DECISION).plan.pace

    assert (pace.at_once, pace.weekly, pace.suppressed) == (3, 3.0, 2)


def test_limits_hold_back_in_files_of_scores_as_they_would_have(limited):
    files = [batch_file(limited.settings.workspace, number, 8) for number in range(2)]

    pace = plan_now(limited, DECISION, scores=files).plan.pace

    assert (pace.at_once, pace.weekly, pace.suppressed) == (3, 1.0, 4)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param({}, "no subject of churn-save-call is known", id="no-runs"),
        pytest.param({"baseline": "often"}, "--baseline is 'often'", id="no-rate"),
        pytest.param(
            {"effect": "4%"}, "--effect is '4%'; write it like '4 points'", id="no-points"
        ),
    ],
)
def test_what_is_not_known_is_asked_for(layer, folder, asked, said):
    scores = [batch_file(folder, 0, 200)] if asked else []

    with pytest.raises(NotUnderstood) as refused:
        plan_now(layer, DECISION, scores=scores, **asked)

    assert said in str(refused.value)


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_the_command_answers_people_and_programs(folder, capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    write_scores(folder, [score("acme")], scored_at=MONDAY)
    files = [str(batch_file(folder, number, 200 + 40 * number)) for number in range(3)]
    words = ["--workspace", str(folder), "--home", str(folder / "home"), "plan", DECISION]

    assert main([*words, "--scores", *files]) == 0
    shown = capsys.readouterr().out
    assert main([*words, "--scores", *files, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)

    assert "200 at once, then about 40 a week (3 files of scores)" in " ".join(shown.split())
    assert document["plan"]["declared"]["share"] == 0.2
    assert "smallest that tells" in shown


def test_one_run_is_no_pace_and_no_date(folder, clock, capsys):
    write_scores(folder, [score(f"a{number}") for number in range(4)], scored_at=MONDAY)
    made = assembled(folder, clock)
    decide(made, DECISION)
    made.ledger.close()
    words = ["--workspace", str(folder), "--home", str(folder / "home"), "plan", DECISION]

    assert main(words) == 0
    shown = " ".join(capsys.readouterr().out.split())

    assert "4 at once, then not known how many a week (1 run of the ledger)" in shown
    assert "first look not known" in shown
    assert "never" not in shown


def test_a_batch_that_its_own_gate_would_refuse_is_warned_of(layer, folder):
    fit, later = (batch_file(folder, number, 200) for number in range(2))
    unfit = folder / "unfit.parquet"
    with duckdb.connect() as engine:
        engine.execute(
            f"COPY (SELECT * REPLACE (-arr AS arr) FROM '{later}') TO '{unfit}' (FORMAT parquet)"
        )

    assert plan_now(layer, DECISION, scores=[fit]).withheld == []
    [warning] = plan_now(layer, DECISION, scores=[fit, unfit]).withheld
    assert warning == (
        "unfit.parquet would be withheld: arr: 200 of 200 rows are outside 0 and above; "
        "found -80000 to -80000"
    )
