"""A version over batches of the past: like the runs that were, and without a trace."""

import json
from datetime import timedelta

import duckdb
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from decisions.definition import Definition
from decisions.errors import LedgerError, NotUnderstood
from decisions.ledger import Ledger
from flows import sweep
from flows.backtesting import Tried, archived_past, backtested, given_past, live, numbered
from flows.cli.app import main
from flows.cli.backtesting import sentence
from tests.company import CHURN_SAVE_CALL, DECISION, assembled, write_scores, write_workspace
from tests.samples import MONDAY, MovableClock

WEEKS = 4
LIMITED = CHURN_SAVE_CALL.replace(
    "limits: {prefer", "limits: {per_assignee: 3 per day, per_subject: 1 per 30d, prefer"
)


def scores(week):
    return [
        {
            "account_id": f"a{n:02}",
            "churn_probability": (n * 37 + week * 11) % 100 / 100,
            "arr": 10_000 * (n % 9),
            "account_manager": ["mia.chen", "dana.reyes"][n % 2],
        }
        for n in range(20)
    ]


@pytest.fixture
def layer(tmp_path):
    folder = write_workspace(tmp_path / "workspace", holdout="20%", definition=LIMITED)
    clock = MovableClock()
    made = assembled(folder, clock)
    for week in range(WEEKS):
        clock.now = MONDAY + timedelta(days=7 * week)
        write_scores(folder, scores(week), scored_at=clock.now)
        sweep.decide(made, DECISION)
    yield made
    made.ledger.close()


def tried(layer, **changes):
    definition = layer.definition(DECISION)
    content = definition.model_dump(mode="json", by_alias=True)
    return Tried("the file", Definition.model_validate(content | changes))


def lowered(layer, threshold=0.4):
    rules = layer.definition(DECISION).model_dump(mode="json")["rules"]
    rules[1]["when"] = f"churn_probability >= {threshold}"
    return tried(layer, rules=rules)


def compare(layer, version, other=None):
    past = archived_past(layer.ledger, layer.archive, DECISION, since=None)
    return backtested(version, other, past, layer.workspace.people)


def test_the_version_that_ran_does_again_what_it_did(layer):
    runs = layer.ledger.runs.latest(DECISION)

    found = compare(layer, live(layer.ledger, DECISION))

    assert found.batches == WEEKS
    assert found.after.opened == sum(run.counts["opened"] for run in runs) > 0
    assert found.after.held_out == sum(run.counts["held_out"] for run in runs) > 0
    left_out = sum(sum(run.counts["suppressed"].values()) for run in runs)
    assert sum(found.after.suppressed.values()) == left_out > 0


def test_a_lower_threshold_is_told_in_cases_people_actions_and_money(layer):
    found = compare(layer, lowered(layer), live(layer.ledger, DECISION))

    assert found.after.opened > found.before.opened
    assert found.newly_opened > 0
    assert found.after.value > found.before.value
    assert {each.assignee for each in found.assignees} == {"mia.chen", "dana.reyes"}
    said = sentence(found, layer.workspace.people)
    assert said.startswith(f"+{found.after.opened_per_week - found.before.opened_per_week:g} cases")
    assert "over the limit of 3 per day" in said
    assert said.endswith("USD more at stake.")


@pytest.mark.parametrize("threshold", [pytest.param(0.4, id="more"), pytest.param(0.9, id="less")])
def test_what_is_over_a_limit_is_told_as_it_stands_and_not_as_a_change(layer, threshold):
    found = compare(layer, lowered(layer, threshold), lowered(layer, 0.6))
    over = [each.model_copy(update={"beyond": 2.0}) for each in found.assignees]

    said = sentence(found.model_copy(update={"assignees": over}), layer.workspace.people)

    assert "; 2.0 of theirs a week are over the limit of 3 per day and suppressed" in said
    assert "more a week" not in said


def test_no_case_is_opened_over_a_persons_day_or_a_subjects_month(layer):
    found = compare(layer, lowered(layer, 0.0))

    days = WEEKS
    assert all(each.after * found.weeks <= 3 * days for each in found.assignees)
    assert found.after.opened + found.after.held_out <= 20
    assert found.after.suppressed["per_assignee"] > 0


def test_nothing_is_written_to_the_ledger(layer, tmp_path, capsys):
    home = tmp_path / "workspace" / "home"
    layer.ledger.close()
    before = (home / "ledger.db").read_bytes()
    words = ["--workspace", str(tmp_path / "workspace"), "--home", str(home)]

    assert main(["backtest", DECISION, *words, "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["batches"] == WEEKS
    assert (home / "ledger.db").read_bytes() == before
    archives = [*(home / "archive").rglob("*")]
    assert sorted(each.name for each in archives if each.is_file()) == [
        f"run-{n}.parquet" for n in range(1, WEEKS + 1)
    ]


def test_the_ledger_it_opens_refuses_every_write(ledger_url):
    Ledger(ledger_url).close()
    opened = Ledger(ledger_url, read_only=True)

    with pytest.raises((LedgerError, DatabaseError)), opened.writing() as transaction:
        transaction.enter("tried", "nothing", {})

    with opened.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM entries")).scalar() == 0
    opened.close()


def test_a_ledger_of_another_schema_is_not_migrated_behind_anybodys_back(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with Ledger(url).writing() as transaction:
        transaction.connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    with pytest.raises(LedgerError, match="brings it up to date"):
        Ledger(url, read_only=True)


def test_a_ledger_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(LedgerError, match="there is no ledger"):
        Ledger(f"sqlite:///{tmp_path / 'none.db'}", read_only=True)

    assert [*tmp_path.iterdir()] == []


def test_a_batch_that_was_asked_twice_counts_once(layer):
    sweep.decide(layer, DECISION)

    past = archived_past(layer.ledger, layer.archive, DECISION, since=None)

    assert [batch.name for batch in past.batches] == ["run 1", "run 2", "run 3", "run 4"]


def test_since_leaves_older_runs_out(layer):
    since = MONDAY + timedelta(days=8)

    past = archived_past(layer.ledger, layer.archive, DECISION, since=since)

    assert [batch.name for batch in past.batches] == ["run 3", "run 4"]


def test_a_run_without_its_archive_is_left_out_and_named(layer):
    layer.archive.place(DECISION, 2).unlink()

    past = archived_past(layer.ledger, layer.archive, DECISION, since=None)

    assert [batch.name for batch in past.batches] == ["run 1", "run 3", "run 4"]
    assert past.notes == ["without archive and left out: run 2"]


def test_a_field_that_was_not_archived_is_asked_for(layer):
    rules = layer.definition(DECISION).model_dump(mode="json")["rules"]
    rules[1]["when"] = "top_reason = 'fewer logins'"

    with pytest.raises(NotUnderstood, match=r"reads top_reason; run 1 was archived without"):
        compare(layer, tried(layer, rules=rules))


def test_a_given_file_must_hold_what_the_definition_reads_from_its_context(layer, tmp_path):
    (tmp_path / "leads.csv").write_text(
        "account_id,scored_at,churn_probability\na,2027-01-04,0.9\n"
    )
    joined = {"from": "warehouse", "table": "reps", "on": "account_id", "fields": {"rep": "string"}}
    rules = layer.definition(DECISION).model_dump(mode="json")["rules"]
    rules[1]["when"] = "rep = 'mia'"
    past = given_past(layer.definition(DECISION), [tmp_path / "leads.csv"])

    with pytest.raises(NotUnderstood) as refused:
        backtested(tried(layer, context=[joined], rules=rules), None, past, layer.workspace.people)

    assert "rep (from its context)" in str(refused.value)
    assert "add what is missing to leads.csv" in str(refused.value)
    assert "--since" not in str(refused.value)


def test_given_files_are_batches_in_the_order_of_their_scores(layer, tmp_path):
    for week, name in ((1, "b.parquet"), (0, "a.csv")):
        at = (MONDAY + timedelta(days=7 * week)).isoformat()
        with duckdb.connect(str(tmp_path / "workspace" / "warehouse.duckdb")) as engine:
            engine.execute(
                f"COPY (SELECT * REPLACE (TIMESTAMPTZ '{at}' AS scored_at) FROM churn_scores) "
                f"TO '{tmp_path / name}'"
            )
    definition = layer.definition(DECISION)

    past = given_past(definition, [tmp_path / "b.parquet", tmp_path / "a.csv"])
    found = backtested(tried(layer), None, past, layer.workspace.people)

    assert [batch.name for batch in past.batches] == ["a.csv", "b.parquet"]
    assert past.batches[0].as_of == MONDAY
    assert found.after.opened > 0
    assert found.before is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("a.csv", "account_id\nx\n", "has no column scored_at", id="no-column"),
        pytest.param("a.txt", "", "ends in none of", id="no-format"),
        pytest.param("a.parquet", "PAR0", "cannot be read as a batch", id="broken"),
        pytest.param("none.csv", None, "there is no such file", id="missing"),
        pytest.param("a.csv", "account_id,scored_at\nx,\n", "holds no scored_at", id="undated"),
    ],
)
def test_a_file_that_is_no_batch_is_refused(layer, tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_text(content)

    with pytest.raises(NotUnderstood, match=said):
        given_past(layer.definition(DECISION), [tmp_path / name])


def test_a_version_nobody_recorded_is_refused(layer):
    with pytest.raises(NotUnderstood, match="its versions are 1 to 1"):
        numbered(layer.ledger, DECISION, 7)


class TestTheCommand:
    @pytest.fixture
    def said(self, layer, tmp_path, capsys, monkeypatch):
        monkeypatch.setenv("COLUMNS", "80")
        folder = tmp_path / "workspace"

        def run(*words, code=0):
            where = ["--workspace", str(folder), "--home", str(folder / "home")]
            assert main(["backtest", DECISION, *where, *words]) == code
            out, err = capsys.readouterr()
            return err if code else out

        return run

    def test_it_ends_with_what_would_change(self, said, tmp_path):
        file = tmp_path / "workspace" / f"{DECISION}.yaml"
        file.write_text(file.read_text().replace(">= 0.6", ">= 0.4"))

        shown = said()

        assert "version 1, live" in shown
        assert "the file" in shown
        assert "Subjects: " in shown
        assert " cases a week, " in shown.rsplit("\n\n", 1)[-1]
        assert all(len(line) <= 80 for line in shown.splitlines())

    def test_the_live_version_beside_itself_changes_nothing(self, said):
        shown = said()

        assert "both are the same version" in shown
        assert "As many cases a week as before" in shown

    def test_a_program_gets_numbers_and_the_sentence(self, said):
        found = json.loads(said("--json", "--against", "1"))

        assert found["before"]["label"] == "version 1"
        assert found["sentence"].endswith(".")

    def test_without_a_ledger_given_batches_stand_alone(self, said, tmp_path):
        batch = tmp_path / "batch.parquet"
        with duckdb.connect(str(tmp_path / "workspace" / "warehouse.duckdb")) as engine:
            engine.execute(f"COPY churn_scores TO '{batch}'")
        elsewhere = f"sqlite:///{tmp_path / 'no.db'}"

        found = json.loads(said("--json", "--batches", str(batch), "--ledger", elsewhere))

        assert found["before"] is None
        assert found["after"]["opened"] > 0

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            pytest.param(["--against", "dead"], "write 'live' or a version", id="against"),
            pytest.param(["--against", "9"], "has no version 9", id="no-version"),
            pytest.param(["--since", "2030-01-01"], "no archived runs since", id="too-late"),
            pytest.param(
                ["--since", "2026-01-01", "--batches", "a.csv"], "name the files", id="both"
            ),
        ],
    )
    def test_what_cannot_be_tried_is_said_plainly(self, said, words, text):
        assert text in said(*words, code=2)
