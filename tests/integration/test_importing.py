import json
from pathlib import Path

import pytest
from causaldata import nsw_mixtape, thornton_hiv

from decisions.errors import DefinitionError, UnusableFile
from decisions.history import Declared, Trial, Words, columns_of, declared_as, read_trial
from decisions.ledger import Filter, Ledger
from decisions.ledger.evidence import gather_imported
from decisions.quantities import Span
from flows.cli import main
from tests.company import write_workspace
from tests.samples import MONDAY, MovableClock, definition

NOW = "2026-11-20T09:00"
LATER = MONDAY


class Desk:
    """A command line in a workspace without cases."""

    def __init__(self, folder, capsys):
        self.folder, self._capsys = folder, capsys

    def run(self, *words):
        code = main([*words, "--as-of", NOW])
        self.out, self.err = self._capsys.readouterr()
        return code

    def brings(self, file, decision, *words):
        """Bring a trial in as one of a decision the workspace does not have."""
        said = ["--better", "higher", "--window", "60d", "--owner", "dana.reyes"]
        assert self.run("import", str(file), "--decision", decision, *said, *words,
                        "--as", "lee.park") == 0, self.err  # fmt: skip
        return self.out

    def reports(self, decision):
        """Return the numbers and the page of the last report on a decision."""
        assert self.run("report", decision, "--json") == 0, self.err
        *_, written = json.loads(self.out)["reports"]
        return json.loads(Path(written["json"]).read_text()), Path(written["html"]).read_text()


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    for name in ("FOLLOWTHROUGH_PERSON", "PREFECT_API_URL", "SLACK_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    folder = write_workspace(tmp_path / "company")
    monkeypatch.chdir(folder)
    return Desk(folder, capsys)


class TestPublishedTrials:
    def test_thorntons_incentives(self, desk):
        found = thornton_hiv.load_pandas().data[["any", "got"]].dropna()
        found.to_csv("thornton.csv", index=False)

        desk.brings("thornton.csv", "hiv-result", "--arm", "any", "--outcome", "got",
                    "--decided-on", "2004-12-01")  # fmt: skip
        numbers, page = desk.reports("hiv-result")

        effect = numbers["effect"]
        shares = [effect[arm]["estimate"] for arm in ("control", "treatment")]
        ends = [effect["difference"][end] for end in ("estimate", "lower", "upper")]
        assert effect["control"]["count"] + effect["treatment"]["count"] == 2_834
        assert [f"{share:.2%}" for share in shares] == ["33.87%", "78.92%"]
        assert [f"{end * 100:+.2f}" for end in ends] == ["+45.06", "+40.87", "+49.02"]
        assert "+45.1 points" in page

    def test_the_job_training_of_dehejia_and_wahba(self, desk):
        nsw_mixtape.load_pandas().data[["treat", "re78"]].to_parquet("nsw.parquet")

        desk.brings("nsw.parquet", "job-training", "--arm", "treat", "--outcome", "re78",
                    "--decided-on", "1976-12-01")  # fmt: skip
        numbers, _ = desk.reports("job-training")

        effect = numbers["effect"]
        ends = [effect["difference"][end] for end in ("estimate", "lower", "upper")]
        assert effect["scale"] == "mean"
        assert [effect[arm]["count"] for arm in ("treatment", "control")] == [185, 260]
        assert [f"{end:,.2f}" for end in ends] == ["1,794.34", "474.01", "3,114.67"]


TRIAL = """\
subject,arm,decided_at,acted,outcome,value
a,treatment,2026-01-05,yes,1,100
b,treatment,2026-01-05,no,0,
c,control,2026-01-05,,1,50
d,control,2026-01-06,yes,,50
"""


class TestTheFile:
    def test_is_marked_as_imported_in_report_and_ledger(self, desk):
        Path("calls.csv").write_text(TRIAL)
        desk.brings("calls.csv", "old-calls")

        numbers, page = desk.reports("old-calls")

        assert numbers["imported"]["file"] == "calls.csv"
        assert "Lee Park brought them in" in page
        assert "50.0% held out, as found" in page
        assert "<b>Imported.</b> These 4 subjects were not decided on here" in page
        assert "1 of 2 (50.0%) of the subjects put forward were in fact acted on" in page
        method = page.partition("How this was computed")[2]
        assert "no arm was drawn here" in method
        assert "No share was declared" in method
        assert "as the file gives it" in method
        assert "hash of salt" not in method
        assert "first case of the period" not in method
        assert "What people did" not in method
        assert desk.run("verify") == 0
        assert desk.run("cases", "--all", "--json") == 0
        assert json.loads(desk.out)["count"] == 0

    def test_without_a_declared_share_the_arms_cannot_be_checked(self, desk):
        Path("calls.csv").write_text(TRIAL)
        desk.brings("calls.csv", "found", "--period", "found")
        desk.brings("calls.csv", "declared", "--holdout", "50%")

        judged = {
            name: [check["passed"] for check in desk.reports(name)[0]["checks"][:3]]
            for name in ("found", "declared")
        }

        assert judged == {"found": [None] * 3, "declared": [True] * 3}

    def test_held_out_subjects_who_were_acted_on_all_the_same_leave_no_verdict(self, desk):
        rows = [f"{arm},2026-01-05,{acted},{n % 2}" for arm, acted, subjects in
                (("treatment", "yes", 300), ("control", "no", 150), ("control", "yes", 50))
                for n in range(subjects)]  # fmt: skip
        Path("leaky.csv").write_text("\n".join(["arm,decided_at,acted,outcome", *rows]))

        desk.brings("leaky.csv", "leaky")
        numbers, page = desk.reports("leaky")

        assert numbers["verdict"]["kind"] == "cannot be judged"
        assert "50 of 200 (25.0%) held-out subjects were acted on all the same" in page

    def test_is_reported_whole_and_says_so_where_a_month_is_asked_for(self, desk):
        Path("calls.csv").write_text(TRIAL)
        desk.brings("calls.csv", "old-calls")

        assert desk.run("report", "old-calls", "--month", "2026-01") == 0
        asked = " ".join(desk.out.split())
        assert desk.run("report", "old-calls") == 0

        assert "this is the imported period 'calls', reported whole: --month 2026-01 picks" in asked
        assert "reported whole" not in desk.out

    def test_is_taken_once(self, desk):
        Path("calls.csv").write_text(TRIAL)

        first, second = desk.brings("calls.csv", "old-calls"), desk.brings("calls.csv", "old-calls")

        assert "calls.csv is imported" in first
        assert "is there already; nothing was changed" in second

    def test_another_one_of_the_same_name_is_refused(self, desk):
        Path("calls.csv").write_text(TRIAL)
        desk.brings("calls.csv", "old-calls")

        Path("calls.csv").write_text(
            TRIAL.replace("b,treatment,2026-01-05,no,0", "b,1,2026-01-05,no,1")
        )
        code = desk.run("import", "calls.csv", "--decision", "old-calls", "--better", "higher",
                        "--window", "60d", "--owner", "dana.reyes", "--as", "lee.park")  # fmt: skip

        assert code == 2
        assert "what is recorded stays: name this one with --period" in desk.err.replace("\n", " ")

    def test_a_dry_run_records_nothing(self, desk):
        Path("calls.csv").write_text(TRIAL)

        said = desk.brings("calls.csv", "old-calls", "--dry-run")

        assert "without a fault; nothing was recorded" in said
        assert desk.run("report", "old-calls") == 2

    def test_its_faults_come_at_once_with_their_lines(self, desk):
        Path("calls.csv").write_text("subject,arm,decided_at,outcome\na,1,2026-01-05,1\n"
                                     "a,maybe,someday,1\nb,0,2026-01-05,often\n")  # fmt: skip

        code = desk.run("import", "calls.csv", "--decision", "churn-save-call", "--as", "lee.park")

        assert code == 2
        said = " ".join(desk.err.split())
        assert "3: arm is 'maybe'; write 'treatment' or 'control', or say" in said
        assert "with --treated-is and --control-is" in said
        assert "3: decided_at is 'someday'; write a date" in said
        assert "3: subject 'a' was there before; a subject counts once" in said
        assert "4: outcome is 'often'; write a number" in said
        assert "4 faults; nothing was loaded" in said

    def test_a_word_for_an_arm_that_many_rows_hold_is_one_fault_and_not_as_many(self, desk):
        rows = "letter,2026-01-05,1\nnothing,2026-01-05,0\n" * 1_000
        Path("letters.csv").write_text("group,decided_at,outcome\n" + rows)

        code = desk.run("import", "letters.csv", "--decision", "churn-save-call", "--arm", "group",
                        "--as", "lee.park")  # fmt: skip

        assert code == 2
        said = " ".join(desk.err.split())
        assert "2: group is 'letter' in 1,000 rows; write 'treatment' or 'control', or" in said
        assert "3: group is 'nothing' in 1,000 rows; write" in said
        assert "2 faults; nothing was loaded" in said

    def test_what_nobody_declared_is_asked_for_at_once(self, desk):
        Path("calls.csv").write_text(TRIAL)

        code = desk.run("import", "calls.csv", "--decision", "old-calls", "--as", "lee.park")

        assert code == 2
        assert all(word in desk.err for word in ("--better", "--window", "--owner"))

    def test_a_decision_of_the_workspace_says_the_rest(self, desk):
        Path("calls-2025.csv").write_text(TRIAL)

        desk.run("import", "calls-2025.csv", "--decision", "churn-save-call", "--as", "lee.park")
        numbers, _ = desk.reports("churn-save-call")

        assert numbers["about"]["measure"]["name"] == "renewed"
        assert numbers["about"]["owners"][0]["name"] == "Dana Reyes"
        assert numbers["control"]["worth"] == 100.0

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--decision", "Old Calls"], "kebab-case"),
            (["--decision", "old-calls", "--owner", "nobody.here"], "nobody.here"),
            (["--decision", "churn-save-call", "--window", "soon"], "cannot be read"),
            (["--decision", "churn-save-call", "--treated-is", "x"], "write 'x' or 'control'"),
        ],
    )
    def test_what_cannot_be_understood_is_named(self, desk, words, said):
        Path("calls.csv").write_text(TRIAL)

        assert desk.run("import", "calls.csv", *words, "--as", "lee.park") == 2
        assert said in " ".join(desk.err.split())

    def test_one_arm_is_no_comparison(self, desk):
        Path("calls.csv").write_text(TRIAL.replace("control", "treatment"))

        assert (
            desk.run("import", "calls.csv", "--decision", "churn-save-call", "--as", "lee.park")
            == 2
        )
        assert "one arm only" in desk.err

    def test_a_file_without_dates_needs_one(self, desk):
        Path("calls.csv").write_text("arm,outcome\n1,1\n0,0\n")

        assert (
            desk.run("import", "calls.csv", "--decision", "churn-save-call", "--as", "lee.park")
            == 2
        )
        assert "--decided-on" in desk.err


def test_arms_written_as_numbers_are_understood_with_or_without_a_decimal(tmp_path):
    path = tmp_path / "trial.csv"
    path.write_text("arm,outcome,decided_at\n1.0,1,2026-01-01\n0,0,2026-01-01\nTRUE,1,2026-01-01\n")

    trial = read_trial(path, columns_of(path, {}), Words(), now=LATER)

    assert trial.rows.column("arm").to_pylist() == ["treatment", "control", "treatment"]


def test_subjects_without_a_name_are_called_by_their_row(tmp_path):
    path = tmp_path / "trial.csv"
    path.write_text("arm,outcome,decided_at\n1,1,2026-01-01\n0,0,2026-01-01\n")

    trial = read_trial(path, columns_of(path, {}), Words(), now=LATER)

    assert trial.rows.column("subject").to_pylist() == ["row 1", "row 2"]


@pytest.fixture
def trial(tmp_path) -> Trial:
    """A thousand subjects, every other one left alone, of some of whom all is known."""
    path = tmp_path / "2025.csv"
    known = ["yes,1,10", "no,0,", ",,5"]
    rows = [f"{n},{n % 2},2026-01-01,{known[n % 3]}" for n in range(1_000)]
    path.write_text("\n".join(["subject,arm,decided_at,acted,outcome,value", *rows]))
    return read_trial(path, columns_of(path, {}), Words(), now=LATER)


@pytest.fixture
def ledger(ledger_url):
    opened = Ledger(ledger_url, MovableClock())
    yield opened
    opened.close()


def test_an_imported_period_opens_no_case_and_stays_in_the_history(ledger, trial):
    declared = Declared("churn-save-call", "2025", "renewed", "higher", Span(60, "day"), 0.5)

    period, is_new = ledger.imports.bring_in(
        trial, declared_as(declared, definition()), share_declared=True, by="lee.park"
    )

    (entry,) = ledger.entries_of("churn-save-call/2025")
    assert is_new
    assert (entry.act, entry.actor) == ("imported", "lee.park")
    assert period.sha256 in entry.body
    assert period.imported_at == MONDAY
    assert ledger.cases.count(Filter()) == 0
    assert ledger.verified().breach is None


def test_what_the_file_says_of_each_arm_is_counted_in_the_database(ledger, trial):
    declared = Declared(
        "churn-save-call", "2025", "renewed", "higher", Span(60, "day"), 0.5, is_valued=True
    )
    period, _ = ledger.imports.bring_in(
        trial, declared_as(declared, definition()), share_declared=True, by="lee.park"
    )

    with ledger.reading() as connection:
        found = gather_imported(connection, period, as_of=MONDAY)

    arms = trial.rows.to_pylist()
    left_alone = [row for row in arms if row["arm"] == "control"]
    counted = found.control
    assert (counted.allocated, counted.subjects, counted.mature) == (500, 500, 500)
    assert counted.observed == sum(row["outcome"] is not None for row in left_alone)
    assert counted.total == sum(row["outcome"] or 0 for row in left_alone)
    assert counted.proven == sum(row["acted"] is True for row in left_alone)
    assert counted.worth == sum(row["value"] or 0 for row in left_alone)
    assert found.imported is not None
    assert found.imported.acted_known == sum(
        row["acted"] is not None for row in arms if row["arm"] == "treatment"
    )


def test_a_broken_file_is_a_fault_of_whoever_hands_it_in(tmp_path):
    with pytest.raises(DefinitionError):
        columns_of(tmp_path / "absent.csv", {})


def test_nobody_was_decided_on_in_the_time_to_come(tmp_path):
    path = tmp_path / "trial.csv"
    path.write_text("arm,outcome,decided_at\n1,1,2026-01-01\n0,0,2035-01-01\n")

    with pytest.raises(UnusableFile) as caught:
        read_trial(path, columns_of(path, {}), Words(), now=LATER)

    assert "decided_at is 2035-01-01" in str(caught.value)
    assert "still to come" in str(caught.value)
